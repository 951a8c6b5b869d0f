//! [`Picture`]: what was drawn, to be written as PNG or JPEG.

use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};

use crate::RenderError;

/// Quality of a JPEG where none is asked for.
const QUALITY: u8 = 90;

/// From this quality on, colours keep all their detail.
const FULL_COLOUR: u8 = 90;

/// An image of 8 bits in grey or RGB, from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for grey, 3 for red, green, blue.
    pub(super) channels: usize,
    pub(super) pixels: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{}, {} channels)", self.width, self.height, self.channels)
    }
}

impl Picture {
    pub(super) fn grey(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        Self { width, height, channels: 1, pixels }
    }

    pub(super) fn rgb(width: u32, height: u32, pixels: Vec<u8>) -> Self {
        Self { width, height, channels: 3, pixels }
    }

    /// Whether it has no colours.
    pub fn is_grey(&self) -> bool {
        self.channels == 1
    }

    /// Its samples by pixel.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Writes a PNG.
    ///
    /// # Errors
    /// The encoder failed, which it does not do for a picture that [`crate::render`] made.
    pub fn write_png(&self) -> Result<Vec<u8>, RenderError> {
        let failed = |error: png::EncodingError| RenderError::Format { format: "PNG".into(), why: error.to_string() };
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_color(if self.is_grey() { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(out)
    }

    /// Writes a baseline JPEG of a quality from 1 to 100 (PS3.18 §8.3.5.1.2).
    ///
    /// # Errors
    /// The picture is wider or higher than a JPEG can be (65500 pixels).
    pub fn write_jpeg(&self, quality: Option<u8>) -> Result<Vec<u8>, RenderError> {
        let quality = quality.unwrap_or(QUALITY).clamp(1, 100);
        let form = if self.is_grey() { PixelFormat::Grayscale } else { PixelFormat::Rgb };
        let subsampling = if quality >= FULL_COLOUR { Subsampling::S444 } else { Subsampling::S420 };
        let encoder = Encoder::new(&self.pixels, self.width as usize, self.height as usize, form);
        let encoded = encoder.quality(quality).subsampling(subsampling).encode();
        encoded.map_err(|error| RenderError::Format { format: "JPEG".into(), why: error.to_string() })
    }
}
