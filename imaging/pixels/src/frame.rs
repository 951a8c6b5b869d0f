//! Frames as they come and as they are decoded.

use serde::{Deserialize, Serialize};

use crate::{DecodeError, ImageDescription, Photometric, SampleKind};

/// One frame as it stands in an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedFrame {
    /// Its fragments in order, without their item headers (PS3.5 §A.4); uncompressed: the bytes in which it lies.
    pub fragments: Vec<Vec<u8>>,
    /// The bit at which the frame begins: 0, but for uncompressed frames of one bit (PS3.5 §8.1.1), and 8 for one that begins within a
    /// word of big endian.
    pub first_bit: u8,
}

impl EncodedFrame {
    /// A frame in one piece.
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { fragments: vec![bytes], first_bit: 0 }
    }

    /// All its bytes.
    pub fn bytes(&self) -> u64 {
        self.fragments.iter().map(|fragment| fragment.len() as u64).sum()
    }
}

/// The form of the samples of a decoded frame: what an object that holds them uncompressed has to state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameFormat {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: u16,
    /// Which element holds them.
    pub kind: SampleKind,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Bits Stored (0028,0101).
    pub bits_stored: u16,
    /// High Bit (0028,0102).
    pub high_bit: u16,
    /// Whether Pixel Representation (0028,0103) is 1.
    pub signed: bool,
    /// Photometric Interpretation (0028,0004), never a subsampled one.
    pub photometric_interpretation: Photometric,
    /// Planar Configuration (0028,0006).
    pub planar_configuration: u16,
}

impl FrameFormat {
    /// Pixels of a frame.
    pub fn pixels(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Samples of a frame.
    pub fn samples(&self) -> u64 {
        self.pixels() * u64::from(self.samples_per_pixel)
    }

    /// Bits of a frame. Four factors of 16 bits: it fits.
    pub fn frame_bits(&self) -> u64 {
        self.samples() * u64::from(self.bits_allocated)
    }

    /// Bytes of a frame by itself.
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bits().div_ceil(8)
    }

    /// Bytes of a sample; 0 for packed bits.
    pub(crate) fn sample_bytes(&self) -> usize {
        usize::from(self.bits_allocated / 8)
    }
}

/// A decoded frame: the samples as little endian, exactly as an uncompressed Explicit VR Little Endian object would hold them
/// (PS3.5 §8.1). A frame of one bit begins at bit 0 of the first byte, and the bits after its end are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeFrame {
    /// Their form.
    pub format: FrameFormat,
    /// The samples.
    pub samples: Vec<u8>,
}

/// Where an uncompressed frame lies in the value of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramePlace {
    /// Its first byte.
    pub offset: u64,
    /// Its bytes, the first and the last perhaps shared with its neighbours.
    pub length: u64,
    /// The bit at which it begins, see [`EncodedFrame::first_bit`].
    pub first_bit: u8,
}

impl ImageDescription {
    /// Where the frame `index` (from 0) of `frames` lies in an uncompressed element of `length` bytes.
    ///
    /// Objects exist that state YBR_FULL_422 but hold three samples for each pixel; the length tells.
    ///
    /// # Errors
    /// There is no such frame, or the element ends before it does.
    pub fn place_of_native_frame(&self, index: u32, frames: u32, length: u64) -> Result<FramePlace, DecodeError> {
        if index >= frames {
            return Err(DecodeError::description("NumberOfFrames", "does not reach the frame asked for"));
        }
        let full = u128::from(self.format().frame_bits());
        let subsampled =
            self.photometric_interpretation.is_subsampled() && u128::from(length) * 8 < full * u128::from(frames);
        let bits = if subsampled { u128::from(subsampled_bytes(&self.format())) * 8 } else { full };
        let (start, end) = (bits * u128::from(index), bits * (u128::from(index) + 1));
        let end_byte = end.div_ceil(8);
        if end_byte > u128::from(length) {
            let needed = u64::try_from(end_byte).unwrap_or(u64::MAX);
            return Err(DecodeError::Truncated { needed, found: length });
        }
        // Both are at most `length` now.
        let (offset, end_byte) = ((start / 8) as u64, end_byte as u64);
        if self.has_swapped_words() {
            let (even, end) = (offset & !1, (end_byte + end_byte % 2).min(length));
            return Ok(FramePlace { offset: even, length: end - even, first_bit: (offset % 2 * 8) as u8 });
        }
        Ok(FramePlace { offset, length: end_byte - offset, first_bit: (start % 8) as u8 })
    }
}

/// Bytes of an uncompressed frame in which two pixels share their colour differences.
pub(crate) fn subsampled_bytes(format: &FrameFormat) -> u64 {
    format.pixels().div_ceil(2) * 4 * u64::from(format.bits_allocated / 8)
}

/// Puts decoded frames one after the other into the value of an uncompressed element: frames of one bit without a gap between them,
/// and a last zero byte where the value would be odd (PS3.5 §8.1.1, §6.2).
#[derive(Debug, Default)]
pub struct NativeFrames {
    written: u64,
    /// Bits of a byte that is not full yet, and how many.
    rest: u8,
    bits: u8,
}

impl NativeFrames {
    /// Adds a frame; gives the bytes that are complete with it.
    pub fn push(&mut self, frame: NativeFrame) -> Vec<u8> {
        let tail = (frame.format.frame_bits() % 8) as u8;
        if self.bits == 0 && tail == 0 {
            self.written += frame.samples.len() as u64;
            return frame.samples;
        }
        let mut out = Vec::with_capacity(frame.samples.len());
        let mut left = frame.format.frame_bits();
        for byte in frame.samples {
            let bits = left.min(8) as u8;
            left -= u64::from(bits);
            self.add(byte, bits, &mut out);
        }
        self.written += out.len() as u64;
        out
    }

    /// The bytes that are left after the last frame.
    pub fn finish(self) -> Vec<u8> {
        let mut out = if self.bits > 0 { vec![self.rest] } else { Vec::new() };
        if !(self.written + out.len() as u64).is_multiple_of(2) {
            out.push(0);
        }
        out
    }

    fn add(&mut self, byte: u8, bits: u8, out: &mut Vec<u8>) {
        let both = u16::from(self.rest) | (u16::from(byte) << self.bits);
        self.bits += bits;
        if self.bits >= 8 {
            out.push(both as u8);
            self.bits -= 8;
            self.rest = (both >> 8) as u8;
        } else {
            self.rest = both as u8;
        }
    }
}

#[cfg(test)]
mod tests;
