//! What a scan knows of the samples so far (T.87 §A.2, §A.3, §A.6).

use super::{bits::Bits, broken};
use crate::DecodeError;

/// Contexts of regular samples; number 0 is not used.
const REGULAR: usize = 365;

/// Coding parameters (§C.2.4.1.1.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) maxval: i32,
    pub(super) near: i32,
    thresholds: [i32; 3],
    reset: i32,
    pub(super) range: i32,
    /// Bits of a mapped error that is too long for a code word.
    qbpp: u32,
    pub(super) limit: u32,
}

impl Parameters {
    pub(super) fn new(precision: u16, near: u8, preset: [u16; 5]) -> Result<Self, DecodeError> {
        let largest = (1_i32 << precision) - 1;
        let [maxval, t1, t2, t3, reset] = preset.map(i32::from);
        let maxval = if maxval == 0 { largest } else { maxval };
        let near = i32::from(near);
        let reset = if reset == 0 { 64 } else { reset };
        if maxval > largest || near > (maxval / 2).min(255) || reset < 3 {
            return Err(broken("its coding parameters make no sense"));
        }
        let defaults = default_thresholds(maxval, near);
        let given = [t1, t2, t3];
        let thresholds: [i32; 3] = std::array::from_fn(|one| if given[one] == 0 { defaults[one] } else { given[one] });
        let ordered = [near + 1, thresholds[0], thresholds[1], thresholds[2], maxval];
        if !ordered.is_sorted() {
            return Err(broken("its thresholds make no sense"));
        }
        let range = (maxval + 2 * near) / (2 * near + 1) + 1;
        let bpp = bits_for(maxval + 1).max(2);
        Ok(Self { maxval, near, thresholds, reset, range, qbpp: bits_for(range), limit: 2 * (bpp + bpp.max(8)) })
    }

    /// Which of nine regions a gradient lies in (§A.3.3).
    pub(super) fn region(&self, gradient: i32) -> i32 {
        let [t1, t2, t3] = self.thresholds;
        let region = match gradient.abs() {
            size if size <= self.near => 0,
            size if size < t1 => 1,
            size if size < t2 => 2,
            size if size < t3 => 3,
            _ => 4,
        };
        region * gradient.signum()
    }

    /// The sample that an error makes of a prediction (§A.4.5, §A.5.3).
    pub(super) fn sample(&self, prediction: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let mut sample = prediction + error * step;
        if sample < -self.near {
            sample += self.range * step;
        } else if sample > self.maxval + self.near {
            sample -= self.range * step;
        }
        sample.clamp(0, self.maxval)
    }

    /// A code word (§A.5.3): what a prefix of at most `limit` zeros and `k` bits say.
    fn code_word(&self, bits: &mut Bits<'_>, k: u32, limit: u32) -> Result<i32, DecodeError> {
        let longest = limit.checked_sub(self.qbpp + 1).ok_or_else(|| broken("a code word is too long"))?;
        let zeros = bits.zeros(longest)?;
        let value = if zeros < longest {
            (i64::from(zeros) << k) + i64::from(bits.take(k)?)
        } else {
            i64::from(bits.take(self.qbpp)?) + 1
        };
        // Twice the largest error and one: the decoder of a right stream never sees more.
        i32::try_from(value).ok().filter(|value| *value <= 2 << 16).ok_or_else(|| broken("an error is too large"))
    }
}

/// §C.2.4.1.1.1: basic values for samples of 8 bits, stretched or shrunk to those of others.
fn default_thresholds(maxval: i32, near: i32) -> [i32; 3] {
    let threshold = |basic: i32, least: i32, nears: i32, below: i32| {
        let value = if maxval >= 128 {
            (maxval.min(4095) + 128) / 256 * (basic - least) + least + nears * near
        } else {
            (basic / (256 / (maxval + 1)) + nears * near).max(least)
        };
        if value > maxval || value < below { below } else { value }
    };
    let t1 = threshold(3, 2, 3, near + 1);
    let t2 = threshold(7, 3, 5, t1);
    [t1, t2, threshold(21, 4, 7, t2)]
}

/// Smallest number of bits that tell so many values apart.
fn bits_for(values: i32) -> u32 {
    i32::BITS - (values - 1).leading_zeros()
}

/// Statistics of one context.
#[derive(Debug, Clone, Copy)]
struct Context {
    /// Sum of the sizes of errors.
    a: i64,
    /// Sum of the errors, as far as it is not corrected yet; in run interruption the number of negative ones.
    b: i32,
    /// Correction of predictions.
    c: i32,
    /// Times met.
    n: i32,
}

impl Context {
    /// Length of the second part of code words (§A.5.1).
    fn k(&self, sum: i64) -> Result<u32, DecodeError> {
        let k = (0..24).find(|k| i64::from(self.n) << k >= sum);
        k.ok_or_else(|| broken("its errors grow without end"))
    }
}

/// All contexts of a scan; components that are interleaved share them.
pub(super) struct Contexts {
    parameters: Parameters,
    regular: [Context; REGULAR],
    /// Run interruption where the neighbours differ, and where they do not.
    interruption: [Context; 2],
}

impl Contexts {
    pub(super) fn new(parameters: Parameters) -> Self {
        let first = Context { a: i64::from((parameters.range + 32) / 64).max(2), b: 0, c: 0, n: 1 };
        Self { parameters, regular: [first; REGULAR], interruption: [first; 2] }
    }

    /// Decodes a sample in the context of three regions, given what its neighbours predict (§A.4, §A.5, §A.6).
    pub(super) fn regular(
        &mut self,
        bits: &mut Bits<'_>,
        regions: [i32; 3],
        prediction: i32,
    ) -> Result<i32, DecodeError> {
        let parameters = &self.parameters;
        let number = 81 * regions[0] + 9 * regions[1] + regions[2];
        let sign = if number < 0 { -1 } else { 1 };
        let context = &mut self.regular[number.unsigned_abs() as usize];
        let prediction = (prediction + sign * context.c).clamp(0, parameters.maxval);
        let k = context.k(context.a)?;
        let mapped = parameters.code_word(bits, k, parameters.limit)?;
        let swapped = parameters.near == 0 && k == 0 && 2 * context.b <= -context.n;
        let error = match (swapped, mapped & 1 == 1) {
            (false, false) => mapped / 2,
            (false, true) => -(mapped + 1) / 2,
            (true, false) => -(mapped / 2) - 1,
            (true, true) => mapped / 2,
        };
        update(context, error, parameters);
        Ok(parameters.sample(prediction, sign * error))
    }

    /// Decodes the sample that ends a run (§A.7.2). `before` and `above` are its neighbours; interleaved samples never take the second
    /// context.
    pub(super) fn interruption(
        &mut self,
        bits: &mut Bits<'_>,
        before: i32,
        above: i32,
        interleaved: bool,
        spent: u32,
    ) -> Result<i32, DecodeError> {
        let parameters = &self.parameters;
        let same = !interleaved && (before - above).abs() <= parameters.near;
        let context = &mut self.interruption[usize::from(same)];
        let kind = i32::from(same);
        let k = context.k(context.a + if same { i64::from(context.n >> 1) } else { 0 })?;
        let limit = parameters.limit.checked_sub(spent + 1).ok_or_else(|| broken("a code word is too long"))?;
        let mapped = parameters.code_word(bits, k, limit)?;
        let size = (mapped + kind + 1) / 2;
        let odd = (mapped + kind) & 1 == 1;
        let negative = (k != 0 || 2 * context.b >= context.n) == odd;
        let error = if negative { -size } else { size };
        context.b += i32::from(error < 0);
        context.a += i64::from((mapped + 1 - kind) >> 1);
        age(context, parameters.reset);
        let (prediction, sign) = if same { (before, 1) } else { (above, if above < before { -1 } else { 1 }) };
        Ok(parameters.sample(prediction, sign * error))
    }
}

fn update(context: &mut Context, error: i32, parameters: &Parameters) {
    context.b += error * (2 * parameters.near + 1);
    context.a += i64::from(error.abs());
    age(context, parameters.reset);
    if context.b <= -context.n {
        context.b = (context.b + context.n).max(1 - context.n);
        context.c = (context.c - 1).max(-128);
    } else if context.b > 0 {
        context.b = (context.b - context.n).min(0);
        context.c = (context.c + 1).min(127);
    }
}

/// Halves the statistics from time to time, so that the latest samples count more.
fn age(context: &mut Context, reset: i32) {
    if context.n >= reset {
        context.a >>= 1;
        context.b >>= 1;
        context.n >>= 1;
    }
    context.n += 1;
}
