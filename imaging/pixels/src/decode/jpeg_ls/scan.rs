//! [`Scan`]: the lines of one scan (T.87 §A.3, §A.7, annex B).

use super::{
    bits::Bits,
    broken,
    context::{Contexts, Parameters},
};
use crate::DecodeError;

/// Lengths of runs as powers of two (§A.7.1.2).
const J: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Most components of a scan.
const COMPONENTS: usize = 4;

/// How components follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interleave {
    /// The scan has one.
    None,
    /// Line by line.
    Line,
    /// Sample by sample.
    Sample,
}

/// A scan about to be decoded.
pub(super) struct Scan {
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Components of the frame.
    pub(super) of: usize,
    /// The first component of the scan.
    pub(super) first: usize,
    /// Components of the scan.
    pub(super) components: usize,
    pub(super) interleave: Interleave,
    pub(super) parameters: Parameters,
}

/// A line of one component with a sample before it and one after, and the line above.
struct Lines {
    above: Vec<u16>,
    here: Vec<u16>,
    /// Place in the table of run lengths.
    run: usize,
}

impl Lines {
    fn new(columns: usize) -> Self {
        Self { above: vec![0; columns + 2], here: vec![0; columns + 2], run: 0 }
    }

    /// Sets the samples beyond the two ends (§A.2.1).
    fn begin(&mut self) {
        let last = self.above.len() - 1;
        self.above[last] = self.above[last - 1];
        self.here[0] = self.above[1];
    }

    fn end(&mut self) {
        std::mem::swap(&mut self.above, &mut self.here);
    }

    /// Regions of the three gradients around a sample.
    fn regions(&self, x: usize, parameters: &Parameters) -> [i32; 3] {
        let [before, above, corner, next] =
            [self.here[x - 1], self.above[x], self.above[x - 1], self.above[x + 1]].map(i32::from);
        [next - above, above - corner, corner - before].map(|gradient| parameters.region(gradient))
    }

    /// What the three neighbours predict (§A.4.1).
    fn prediction(&self, x: usize) -> i32 {
        let [before, above, corner] = [self.here[x - 1], self.above[x], self.above[x - 1]].map(i32::from);
        let (least, most) = (before.min(above), before.max(above));
        if corner >= most {
            least
        } else if corner <= least {
            most
        } else {
            before + above - corner
        }
    }
}

impl Scan {
    /// Decodes the scan that begins here into samples by pixel; gives what follows it.
    pub(super) fn decode<'a>(&self, bytes: &'a [u8], samples: &mut [u16]) -> Result<&'a [u8], DecodeError> {
        if self.components > COMPONENTS {
            return Err(broken("a scan has too many components"));
        }
        let mut contexts = Contexts::new(self.parameters);
        let mut bits = Bits::new(bytes);
        let mut lines: Vec<Lines> = (0..self.components).map(|_| Lines::new(self.columns)).collect();
        for row in samples.chunks_exact_mut(self.columns * self.of).take(self.rows) {
            if self.interleave == Interleave::Sample {
                self.line(&mut lines, &mut contexts, &mut bits)?;
            } else {
                for one in lines.chunks_exact_mut(1) {
                    self.line(one, &mut contexts, &mut bits)?;
                }
            }
            for (component, line) in lines.iter_mut().enumerate() {
                let to = row[self.first + component..].iter_mut().step_by(self.of);
                to.zip(&line.here[1..]).for_each(|(to, from)| *to = *from);
                line.end();
            }
        }
        Ok(bits.rest())
    }

    /// Decodes a line of the components that go together sample by sample.
    fn line(&self, lines: &mut [Lines], contexts: &mut Contexts, bits: &mut Bits<'_>) -> Result<(), DecodeError> {
        lines.iter_mut().for_each(Lines::begin);
        let mut x = 1;
        while x <= self.columns {
            let mut regions = [[0; 3]; COMPONENTS];
            for (line, regions) in lines.iter().zip(&mut regions) {
                *regions = line.regions(x, &self.parameters);
            }
            if regions.as_flattened().iter().all(|region| *region == 0) {
                x = self.run(x, lines, contexts, bits)?;
                continue;
            }
            for (line, regions) in lines.iter_mut().zip(regions) {
                line.here[x] = contexts.regular(bits, regions, line.prediction(x))? as u16;
            }
            x += 1;
        }
        Ok(())
    }

    /// Decodes a run and the sample that ends it, if the line does not (§A.7). Gives the place after it.
    fn run(
        &self,
        x: usize,
        lines: &mut [Lines],
        contexts: &mut Contexts,
        bits: &mut Bits<'_>,
    ) -> Result<usize, DecodeError> {
        let end = x + self.run_length(self.columns + 1 - x, &mut lines[0].run, bits)?;
        for line in lines.iter_mut() {
            let before = line.here[x - 1];
            line.here[x..end].fill(before);
        }
        if end > self.columns {
            return Ok(end);
        }
        let (interleaved, spent) = (lines.len() > 1, J[lines[0].run]);
        for line in lines.iter_mut() {
            let (before, above) = (i32::from(line.here[end - 1]), i32::from(line.above[end]));
            line.here[end] = contexts.interruption(bits, before, above, interleaved, spent)? as u16;
        }
        lines[0].run = lines[0].run.saturating_sub(1);
        Ok(end + 1)
    }

    fn run_length(&self, left: usize, run: &mut usize, bits: &mut Bits<'_>) -> Result<usize, DecodeError> {
        let mut length = 0;
        while bits.take(1)? == 1 {
            let block = 1 << J[*run];
            if length + block > left {
                return Ok(left);
            }
            length += block;
            *run = (*run + 1).min(J.len() - 1);
            if length == left {
                return Ok(left);
            }
        }
        length += bits.take(J[*run])? as usize;
        if length > left { Err(broken("a run leads out of its line")) } else { Ok(length) }
    }
}
