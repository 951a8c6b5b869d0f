//! Uncompressed frames (PS3.5 §8.1, §8.2; PS3.3 §C.7.6.3.1.2).

use std::borrow::Cow;

use super::bits;
use crate::{DecodeError, FrameFormat, ImageDescription, NativeFrame, Photometric, frame::subsampled_bytes};

/// Brings an uncompressed frame to little endian, byte-aligned and without shared colour differences.
pub(super) fn decode(
    image: &ImageDescription,
    bytes: Cow<'_, [u8]>,
    first_bit: u8,
    big_endian: bool,
) -> Result<NativeFrame, DecodeError> {
    let format = image.format();
    if format.bits_allocated == 1 {
        return packed(format, &bytes, first_bit);
    }
    // Objects exist that state shared colour differences and hold all of them: the length tells.
    let full = format.frame_bytes();
    let subsampled = format.photometric_interpretation.is_subsampled() && (bytes.len() as u64) < full;
    let needed = if subsampled { subsampled_bytes(&format) } else { full };
    let bytes = if big_endian { swapped(bytes, image, first_bit) } else { bytes };
    let samples = whole(bytes, needed)?;
    Ok(match format.photometric_interpretation {
        Photometric::YbrFull422 => {
            let samples = if subsampled { expand(&samples, &format)? } else { samples };
            let planar_configuration = if subsampled { 0 } else { format.planar_configuration };
            NativeFrame {
                format: FrameFormat {
                    photometric_interpretation: Photometric::YbrFull,
                    planar_configuration,
                    ..format
                },
                samples,
            }
        }
        Photometric::YbrPartial422 => partial(&format, &samples, subsampled)?,
        _ => NativeFrame { format, samples },
    })
}

fn packed(format: FrameFormat, bytes: &[u8], first_bit: u8) -> Result<NativeFrame, DecodeError> {
    let first_bit = first_bit % 8;
    let needed = (u64::from(first_bit) + format.frame_bits()).div_ceil(8);
    if (bytes.len() as u64) < needed {
        return Err(DecodeError::Truncated { needed, found: bytes.len() as u64 });
    }
    let samples = bits::realign(bytes, first_bit, format.frame_bits());
    Ok(NativeFrame { format, samples })
}

/// The first bytes, as many as the frame takes; a padding byte may follow them.
fn whole(bytes: Cow<'_, [u8]>, needed: u64) -> Result<Vec<u8>, DecodeError> {
    let found = bytes.len() as u64;
    if found < needed {
        return Err(DecodeError::Truncated { needed, found });
    }
    let mut bytes = bytes.into_owned();
    bytes.truncate(needed as usize);
    Ok(bytes)
}

/// In big endian whole words are turned, also those of OW that hold two samples of 8 bits; a frame may begin in the middle of one.
fn swapped<'a>(bytes: Cow<'a, [u8]>, image: &ImageDescription, first_bit: u8) -> Cow<'a, [u8]> {
    let word = match image.bits_allocated {
        8 if image.words => 2,
        8 => return bytes,
        bits => usize::from(bits / 8),
    };
    let mut bytes = bytes.into_owned();
    bytes.chunks_exact_mut(word).for_each(<[u8]>::reverse);
    bytes.drain(..bytes.len().min(usize::from(first_bit / 8)));
    Cow::Owned(bytes)
}

/// Two pixels: Y1 Y2 CB CR, to Y1 CB CR Y2 CB CR.
fn expand(samples: &[u8], format: &FrameFormat) -> Result<Vec<u8>, DecodeError> {
    let size = format.sample_bytes();
    if size != 1 {
        return Err(DecodeError::unsupported("shared colour differences of more than 8 bits"));
    }
    let mut out = Vec::with_capacity(format.frame_bytes() as usize + 3);
    for pair in samples.chunks_exact(4) {
        out.extend_from_slice(&[pair[0], pair[2], pair[3], pair[1], pair[2], pair[3]]);
    }
    out.truncate(format.frame_bytes() as usize);
    Ok(out)
}

/// The range of television (16 to 235, 16 to 240) to RGB.
fn partial(format: &FrameFormat, samples: &[u8], subsampled: bool) -> Result<NativeFrame, DecodeError> {
    if !subsampled || format.bits_stored != 8 {
        return Err(DecodeError::unsupported("YBR_PARTIAL_422 of this form"));
    }
    let mut samples = expand(samples, format)?;
    for pixel in samples.chunks_exact_mut(3) {
        let (y, cb, cr) = (f64::from(pixel[0]) - 16.0, f64::from(pixel[1]) - 128.0, f64::from(pixel[2]) - 128.0);
        let (y, cb, cr) = (y * 255.0 / 219.0, cb * 255.0 / 224.0, cr * 255.0 / 224.0);
        let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
        // A cast from f64 saturates.
        pixel.copy_from_slice(&rgb.map(|sample| sample.round() as u8));
    }
    let format =
        FrameFormat { photometric_interpretation: Photometric::Rgb, planar_configuration: 0, ..format.clone() };
    Ok(NativeFrame { format, samples })
}
