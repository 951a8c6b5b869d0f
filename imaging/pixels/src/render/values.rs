//! [`Values`]: the pixels of a frame as numbers that a computation takes, with all the precision that they have.

use serde::{Deserialize, Serialize};

use super::{Picture, Window, colour, grey, known};
use crate::{DecodeError, ImageDescription, Limits, NativeFrame, Photometric, RenderError};

/// What the numbers say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Grey: the values of the modality (PS3.3 §C.11.1), such as Hounsfield units. Colour: the samples, from 0 to 255.
    Modality,
    /// From black at 0 to white at 1, as on a screen: by this window, or by the image's own. No window changes colour.
    Shades(Option<Window>),
}

/// The pixels of a frame as finite numbers.
#[derive(Clone, PartialEq)]
pub struct Values {
    /// Pixels in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Numbers of a pixel, which stand together: 1 for grey, 3 for red, green and blue.
    pub channels: u32,
    /// All of them, row after row.
    pub values: Vec<f32>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Values({} × {}, {} channels)", self.columns, self.rows, self.channels)
    }
}

/// The pixels of a frame as numbers.
///
/// # Errors
/// The frame is not one that can be drawn, or there would be too many numbers.
pub fn values(
    image: &ImageDescription,
    frame: &NativeFrame,
    scale: &Scale,
    limits: &Limits,
) -> Result<Values, RenderError> {
    let (needed, found) = (frame.format.frame_bytes(), frame.samples.len() as u64);
    if found < needed {
        return Err(DecodeError::Truncated { needed, found }.into());
    }
    let numbers = frame.format.pixels() * if frame.format.photometric_interpretation.is_monochrome() { 1 } else { 3 };
    if numbers > limits.picture_pixels {
        return Err(RenderError::TooLarge { pixels: numbers, limit: limits.picture_pixels });
    }
    let picture = match (&frame.format.photometric_interpretation, scale) {
        (Photometric::Monochrome1 | Photometric::Monochrome2, Scale::Modality) => {
            return Ok(grey_values(frame, grey::modality_values(image, frame)?));
        }
        (Photometric::Monochrome1 | Photometric::Monochrome2, Scale::Shades(window)) => {
            let shade = |shade: f64, inverse: bool| (if inverse { 1.0 - shade } else { shade }) as f32;
            return Ok(grey_values(frame, grey::shades(image, frame, window.as_ref(), shade)?));
        }
        (Photometric::PaletteColor, _) => colour::draw_palette(image, frame)?,
        (Photometric::Rgb | Photometric::YbrFull, _) => colour::draw(frame)?,
        (other, _) => return Err(DecodeError::unsupported(format!("values of {}", known(other))).into()),
    };
    let white = if *scale == Scale::Modality { 1.0 } else { 255.0 };
    Ok(colour_values(&picture, white))
}

fn grey_values(frame: &NativeFrame, mut values: Vec<f32>) -> Values {
    // A frame of floating point may hold what no computation takes.
    values.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    values.truncate(usize::try_from(frame.format.pixels()).unwrap_or(usize::MAX));
    Values { columns: frame.format.columns.into(), rows: frame.format.rows.into(), channels: 1, values }
}

fn colour_values(picture: &Picture, white: f32) -> Values {
    let values = picture.pixels().iter().map(|sample| f32::from(*sample) / white).collect();
    Values { columns: picture.width, rows: picture.height, channels: 3, values }
}
