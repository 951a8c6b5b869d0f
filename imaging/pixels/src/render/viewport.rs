//! [`Viewport`]: region, scaling and flipping (PS3.18 §8.3.5.1.3).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Picture;
use crate::{FrameFormat, Limits, PixelAspectRatio, RenderError};

/// Where the picture is to be shown. The image is made as large as it can be without leaving the viewport or changing its proportions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Viewport {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The part of the image to show.
    #[serde(default)]
    pub region: Region,
}

/// A part of an image, in its own pixels, possibly between them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Region {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width; negative: flipped horizontally; none: to the right edge of the image.
    #[serde(default)]
    pub width: Option<f64>,
    /// Height; negative: flipped vertically; none: to the lower edge of the image.
    #[serde(default)]
    pub height: Option<f64>,
}

/// What is wrong with the parameter `viewport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ViewportError {
    /// Not two to six values.
    #[error("viewport is vw,vh or vw,vh,sx,sy,sw,sh")]
    Form,
    /// Width or height is no positive whole number.
    #[error("the width and the height of a viewport are positive whole numbers")]
    Size,
    /// The region has something that is no number, or has no size.
    #[error("the region of a viewport is made of decimal numbers, its width and height not 0")]
    Region,
}

impl FromStr for Viewport {
    type Err = ViewportError;

    /// The value of the query parameter `viewport`: `vw,vh` or `vw,vh,sx,sy,sw,sh`, the last four possibly empty.
    fn from_str(text: &str) -> Result<Self, ViewportError> {
        let parts: Vec<&str> = text.split(',').collect();
        let (size, region) =
            parts.split_at_checked(2).filter(|(_, rest)| rest.len() <= 4).ok_or(ViewportError::Form)?;
        let side = |text: &str| text.parse::<u32>().ok().filter(|one| *one > 0).ok_or(ViewportError::Size);
        let number = |place: usize| match region.get(place) {
            None | Some(&"") => Ok(None),
            Some(text) => text.parse::<f64>().ok().filter(|one| one.is_finite()).map(Some).ok_or(ViewportError::Region),
        };
        // Left and top may be written with a sign that means nothing: "whose absolute values specify".
        let region = Region {
            left: number(0)?.unwrap_or(0.0).abs(),
            top: number(1)?.unwrap_or(0.0).abs(),
            width: number(2)?,
            height: number(3)?,
        };
        if region.width == Some(0.0) || region.height == Some(0.0) {
            return Err(ViewportError::Region);
        }
        Ok(Self { width: side(size[0])?, height: side(size[1])?, region })
    }
}

/// What is to be done with a picture of the whole image.
#[derive(Debug)]
pub(super) struct Plan {
    horizontal: Axis,
    vertical: Axis,
}

/// The same in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    /// Pixels of the image.
    size: u32,
    /// The region in them.
    start: f64,
    length: f64,
    flipped: bool,
    /// Pixels of the picture.
    target: u32,
}

impl Axis {
    /// The region cut to the image.
    fn of(size: u16, start: f64, length: Option<f64>) -> Result<Self, RenderError> {
        let size = f64::from(size);
        let length_asked = length.unwrap_or(size - start);
        let end = (start + length_asked.abs()).min(size);
        // The comparison is false for what is no number, too.
        if !(start >= 0.0 && start < size && end > start) {
            return Err(RenderError::EmptyRegion);
        }
        let flipped = length.is_some_and(|length| length < 0.0);
        Ok(Self { size: size as u32, start, length: end - start, flipped, target: size as u32 })
    }

    fn is_identity(&self) -> bool {
        self.target == self.size && !self.flipped && self.start == 0.0 && self.length == f64::from(self.size)
    }

    /// For each pixel of the picture: the first pixel of the image that has a part in it, and the parts of this and the next ones.
    fn weights(&self) -> Vec<(usize, Vec<f32>)> {
        let step = self.length / f64::from(self.target);
        let weigh = if step > 1.0 { Self::area } else { Self::between };
        let places = (0..self.target).map(|place| if self.flipped { self.target - 1 - place } else { place });
        places.map(|place| weigh(self, f64::from(place), step)).collect()
    }

    /// Down: every pixel of the image counts as much as of it lies in the pixel of the picture.
    fn area(&self, place: f64, step: f64) -> (usize, Vec<f32>) {
        let start = self.start + place * step;
        let end = start + step;
        let (first, last) = (start.floor(), (end.ceil() - 1.0).min(f64::from(self.size) - 1.0));
        let part = |pixel: f64| ((pixel + 1.0).min(end) - pixel.max(start)).max(0.0);
        let parts: Vec<f64> = (first as usize..=last as usize).map(|pixel| part(pixel as f64)).collect();
        let sum: f64 = parts.iter().sum();
        (first as usize, parts.into_iter().map(|part| (part / sum) as f32).collect())
    }

    /// Up: between the middles of two pixels of the region.
    fn between(&self, place: f64, step: f64) -> (usize, Vec<f32>) {
        let (least, most) = (self.start.floor(), (self.start + self.length).ceil() - 1.0);
        let middle = (self.start + (place + 0.5) * step - 0.5).clamp(least, most);
        let part = (middle - middle.floor()) as f32;
        let first = middle.floor() as usize;
        if part > 0.0 { (first, vec![1.0 - part, part]) } else { (first, vec![1.0]) }
    }
}

impl Plan {
    /// Decides the size of the picture before anything is drawn.
    pub(super) fn new(
        format: &FrameFormat,
        aspect: Option<PixelAspectRatio>,
        viewport: Option<&Viewport>,
        limits: &Limits,
    ) -> Result<Self, RenderError> {
        let region = viewport.map(|viewport| viewport.region).unwrap_or_default();
        let mut horizontal = Axis::of(format.columns, region.left, region.width)?;
        let mut vertical = Axis::of(format.rows, region.top, region.height)?;
        let (wide, high) = stretch(aspect);
        let (width, height) = (horizontal.length * wide, vertical.length * high);
        let scale = match viewport {
            Some(viewport) => (f64::from(viewport.width) / width).min(f64::from(viewport.height) / height),
            None => 1.0,
        };
        let side = |length: f64, most: u32| ((length * scale).round() as u32).clamp(1, most);
        horizontal.target = side(width, viewport.map_or(u32::MAX, |viewport| viewport.width));
        vertical.target = side(height, viewport.map_or(u32::MAX, |viewport| viewport.height));
        let pixels = u64::from(horizontal.target) * u64::from(vertical.target);
        if pixels > limits.picture_pixels {
            return Err(RenderError::TooLarge { pixels, limit: limits.picture_pixels });
        }
        Ok(Self { horizontal, vertical })
    }

    /// Cuts, flips and scales.
    pub(super) fn apply(&self, picture: Picture) -> Picture {
        if self.horizontal.is_identity() && self.vertical.is_identity() {
            return picture;
        }
        let (channels, line) = (picture.channels, picture.width as usize * picture.channels);
        let horizontal = self.horizontal.weights();
        let mut pixels = Vec::with_capacity(horizontal.len() * self.vertical.target as usize * channels);
        let mut sums = vec![0.0_f32; line];
        for (first, parts) in self.vertical.weights() {
            sums.fill(0.0);
            for (row, part) in picture.pixels[first * line..].chunks_exact(line).zip(&parts) {
                sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum += f32::from(*sample) * part);
            }
            for (first, parts) in &horizontal {
                for channel in 0..channels {
                    let samples = sums[first * channels + channel..].iter().step_by(channels);
                    let sample: f32 = samples.zip(parts).map(|(sample, part)| sample * part).sum();
                    pixels.push(sample.round() as u8);
                }
            }
        }
        Picture { width: self.horizontal.target, height: self.vertical.target, channels, pixels }
    }
}

/// How much wider and higher pixels have to become to be square; never less than they are.
fn stretch(aspect: Option<PixelAspectRatio>) -> (f64, f64) {
    match aspect {
        Some(PixelAspectRatio { vertical, horizontal }) if vertical > 0 && horizontal > 0 => {
            let (vertical, horizontal) = (f64::from(vertical), f64::from(horizontal));
            ((horizontal / vertical).max(1.0), (vertical / horizontal).max(1.0))
        }
        _ => (1.0, 1.0),
    }
}
