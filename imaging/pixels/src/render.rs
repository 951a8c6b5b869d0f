//! [`render`]: a native frame to what is seen on a screen (PS3.18 §8.3.5; the stages are those of PS3.4 §N.2).
//!
//! Stored values → modality LUT → window or VOI LUT → 8 bits → inversion → region and viewport. Colour skips the first three.

mod colour;
mod grey;
mod picture;
mod samples;
mod values;
mod viewport;
mod voi;

pub use picture::Picture;
pub use values::{Scale, Values, values};
pub use viewport::{Region, Viewport, ViewportError};
pub use voi::{Window, WindowError, WindowFunction};

use serde::{Deserialize, Serialize};

use crate::{DecodeError, ImageDescription, Limits, NativeFrame, Photometric, RenderError};

/// What a request asks of a rendered image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RenderParameters {
    /// The window to use instead of the object's (§8.3.5.1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The viewport to fit into (§8.3.5.1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub viewport: Option<Viewport>,
}

/// Draws a frame.
///
/// # Errors
/// The frame is not one that can be drawn, the region has nothing of the image, or the picture would be too large.
pub fn render(
    image: &ImageDescription,
    frame: &NativeFrame,
    parameters: &RenderParameters,
    limits: &Limits,
) -> Result<Picture, RenderError> {
    let needed = frame.format.frame_bytes();
    if (frame.samples.len() as u64) < needed {
        return Err(DecodeError::Truncated { needed, found: frame.samples.len() as u64 }.into());
    }
    let plan = viewport::Plan::new(&frame.format, image.pixel_aspect_ratio, parameters.viewport.as_ref(), limits)?;
    let whole = match &frame.format.photometric_interpretation {
        Photometric::Monochrome1 | Photometric::Monochrome2 => grey::draw(image, frame, parameters.window.as_ref())?,
        Photometric::PaletteColor => colour::draw_palette(image, frame)?,
        Photometric::Rgb | Photometric::YbrFull => colour::draw(frame)?,
        other => return Err(DecodeError::unsupported(format!("rendering of {}", known(other))).into()),
    };
    Ok(plan.apply(whole))
}

/// A term that is not the standard's is a stranger's text.
fn known(photometric: &Photometric) -> &str {
    match photometric {
        Photometric::Other(_) => "an unknown photometric interpretation",
        known => known.as_str(),
    }
}

#[cfg(test)]
mod tests;
