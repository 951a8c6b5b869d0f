//! Shades of grey.

use super::{
    Picture, Window,
    samples::{Integers, floats},
};
use crate::{DecodeError, ImageDescription, NativeFrame, Photometric, SampleKind, lookup_table::Entries};

/// From this many pixels on, a table of all sample values is cheaper than each pixel by itself; it has at most 65536 entries.
const TABLE_BITS: u16 = 16;

/// Draws a monochrome frame.
pub(super) fn draw(
    image: &ImageDescription,
    frame: &NativeFrame,
    window: Option<&Window>,
) -> Result<Picture, DecodeError> {
    let pixels = shades(image, frame, window, |shade, inverse| {
        // Not a number becomes 0, as everywhere where a float is cast.
        let grey = (shade * 255.0).round() as u8;
        if inverse { 255 - grey } else { grey }
    })?;
    Ok(Picture::grey(frame.format.columns.into(), frame.format.rows.into(), pixels))
}

/// What `made` makes of the shade of each pixel, which lies between 0 and 1, and of whether shades are inverted.
pub(super) fn shades<T: Copy>(
    image: &ImageDescription,
    frame: &NativeFrame,
    window: Option<&Window>,
    made: impl Fn(f64, bool) -> T,
) -> Result<Vec<T>, DecodeError> {
    let inverse = image.inverse || frame.format.photometric_interpretation == Photometric::Monochrome1;
    if frame.format.kind == SampleKind::Integer {
        return integers(image, frame, window, |shade| made(shade, inverse));
    }
    let voi = match chosen(image, window) {
        Some(window) => Voi::Window(window.clone()),
        None => Voi::range(floats(frame).filter(|value| value.is_finite())),
    };
    Ok(floats(frame).map(|value| made(voi.shade(value), inverse)).collect())
}

/// The value of the modality of each pixel (PS3.3 §C.11.1).
pub(super) fn modality_values(image: &ImageDescription, frame: &NativeFrame) -> Result<Vec<f32>, DecodeError> {
    if frame.format.kind != SampleKind::Integer {
        return Ok(floats(frame).map(|value| value as f32).collect());
    }
    let integers = Integers::of(&frame.format);
    let modality = Modality::new(image, frame.format.signed)?;
    Ok(integers.bits(frame).map(|bits| modality.of(integers.value(bits)) as f32).collect())
}

fn integers<T: Copy>(
    image: &ImageDescription,
    frame: &NativeFrame,
    window: Option<&Window>,
    made: impl Fn(f64) -> T,
) -> Result<Vec<T>, DecodeError> {
    let format = &frame.format;
    let integers = Integers::of(format);
    let modality = Modality::new(image, format.signed)?;
    let voi = match (chosen(image, window), &image.voi_lut) {
        (Some(window), _) => Voi::Window(window.clone()),
        (None, Some(table)) => {
            let entries = table.entries("VOILUTSequence", modality.may_be_negative(format.signed))?;
            Voi::Table(entries)
        }
        // One bit has two shades, also where a frame holds only one of them.
        (None, None) if format.bits_stored == 1 => Voi::range([modality.of(0), modality.of(1)].into_iter()),
        (None, None) => {
            let stored = integers.bits(frame).map(|bits| integers.value(bits));
            Voi::range(stored.filter(|value| !is_padding(image, *value)).map(|value| modality.of(value)))
        }
    };
    let shade = |bits: u32| made(voi.shade(modality.of(integers.value(bits))));
    let table = 1_u64 << format.bits_allocated.min(32);
    if format.bits_allocated <= TABLE_BITS && format.pixels() > table / 4 {
        let table: Vec<T> = (0..table as u32).map(shade).collect();
        Ok(integers.bits(frame).map(|bits| table[bits as usize]).collect())
    } else {
        Ok(integers.bits(frame).map(shade).collect())
    }
}

/// The window asked for, else the first usable one of the object.
fn chosen<'a>(image: &'a ImageDescription, asked: Option<&'a Window>) -> Option<&'a Window> {
    asked.or_else(|| image.windows.iter().find(|window| window.is_usable()))
}

/// Padding has no part in the range of values (PS3.3 §C.7.5.1.1.2).
fn is_padding(image: &ImageDescription, value: i64) -> bool {
    image.pixel_padding_value.is_some_and(|first| {
        let last = image.pixel_padding_range_limit.unwrap_or(first);
        (first.min(last)..=first.max(last)).contains(&value)
    })
}

/// Stored values to those of the modality (PS3.3 §C.11.1).
enum Modality {
    Table(Entries),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    fn new(image: &ImageDescription, signed: bool) -> Result<Self, DecodeError> {
        if let Some(table) = &image.modality_lut {
            return table.entries("ModalityLUTSequence", signed).map(Self::Table);
        }
        let rescale =
            image.rescale.filter(|one| one.slope.is_finite() && one.intercept.is_finite() && one.slope != 0.0);
        Ok(match rescale {
            Some(rescale) => Self::Rescale { slope: rescale.slope, intercept: rescale.intercept },
            None => Self::Rescale { slope: 1.0, intercept: 0.0 },
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a stored value has at most 32 bits")]
    fn of(&self, value: i64) -> f64 {
        match self {
            Self::Table(entries) => f64::from(entries.of(value)),
            Self::Rescale { slope, intercept } => value as f64 * slope + intercept,
        }
    }

    /// Whether the VOI LUT's first value mapped is signed (PS3.3 §C.11.2.1.1): after a table it is not, after a rescale as the values are.
    fn may_be_negative(&self, signed: bool) -> bool {
        match self {
            Self::Table(_) => false,
            Self::Rescale { intercept, .. } => signed || *intercept < 0.0,
        }
    }
}

/// Values of the modality to shades.
enum Voi {
    Window(Window),
    Table(Entries),
    Range { least: f64, most: f64 },
}

impl Voi {
    fn range(values: impl Iterator<Item = f64>) -> Self {
        let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
            let (least, most) = ends.unwrap_or((value, value));
            Some((least.min(value), most.max(value)))
        });
        let (least, most) = ends.unwrap_or((0.0, 0.0));
        Self::Range { least, most }
    }

    /// From 0 to 1, or not a number.
    fn shade(&self, value: f64) -> f64 {
        let shade = match self {
            Self::Window(window) => window.shade(value),
            Self::Table(entries) => f64::from(entries.of(value.round() as i64)) / f64::from(entries.most),
            Self::Range { least, most } if most > least => (value - least) / (most - least),
            Self::Range { .. } => 0.0,
        };
        shade.clamp(0.0, 1.0)
    }
}
