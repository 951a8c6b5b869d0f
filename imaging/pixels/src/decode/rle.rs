//! RLE Lossless (PS3.5 annex G): a segment of PackBits for each byte of each sample, the most significant byte first.

use super::bits;
use crate::{DecodeError, FrameFormat, ImageDescription, NativeFrame};

/// Number of segments and 15 offsets.
const HEADER: usize = 64;

/// Decodes a frame. Its planes stay planes where the object says so.
pub(super) fn decode(image: &ImageDescription, stream: &[u8]) -> Result<NativeFrame, DecodeError> {
    let format = image.format();
    if format.bits_allocated == 1 {
        return packed(format, stream);
    }
    let (pixels, size, planes) =
        (format.pixels() as usize, format.sample_bytes(), usize::from(format.samples_per_pixel));
    let segments = segments(stream, size * planes)?;
    let mut samples = vec![0; pixels * size * planes];
    let mut segment_bytes = Vec::with_capacity(pixels);
    for (place, segment) in segments.into_iter().enumerate() {
        unpack(segment, pixels, &mut segment_bytes)?;
        let (plane, byte) = (place / size, size - 1 - place % size);
        let (start, step) = if format.planar_configuration == 1 {
            (plane * pixels * size + byte, size)
        } else {
            (plane * size + byte, planes * size)
        };
        for (to, from) in samples[start..].iter_mut().step_by(step).zip(&segment_bytes) {
            *to = *from;
        }
    }
    Ok(NativeFrame { format, samples })
}

/// Samples of one bit are packed first (PS3.5 §8.2.2).
fn packed(format: FrameFormat, stream: &[u8]) -> Result<NativeFrame, DecodeError> {
    let mut bytes = Vec::new();
    for segment in segments(stream, 1)? {
        unpack(segment, format.frame_bytes() as usize, &mut bytes)?;
    }
    let samples = bits::realign(&bytes, 0, format.frame_bits());
    Ok(NativeFrame { format, samples })
}

/// The segments by the offsets of the header; each ends where the next begins.
fn segments(stream: &[u8], expected: usize) -> Result<Vec<&[u8]>, DecodeError> {
    let broken = |why: &str| DecodeError::broken("RLE", why);
    let header = stream.get(..HEADER).ok_or_else(|| broken("it has no header"))?;
    let words: Vec<usize> =
        header.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]) as usize).collect();
    if words[0] != expected {
        return Err(DecodeError::mismatch("SamplesPerPixel times bytes allocated", expected as u64, words[0] as u64));
    }
    let offsets = words.get(1..=expected).ok_or_else(|| broken("it has more than 15 segments"))?;
    let ends = offsets.iter().skip(1).copied().chain([stream.len()]);
    let segments = offsets.iter().zip(ends).map(|(start, end)| stream.get(*start..end).filter(|_| *start >= HEADER));
    segments.map(|segment| segment.ok_or_else(|| broken("an offset leads out of it"))).collect()
}

/// PackBits until `length` bytes; what follows is padding.
fn unpack(segment: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    out.clear();
    let mut rest = segment;
    while out.len() < length {
        let truncated = DecodeError::Truncated { needed: length as u64, found: out.len() as u64 };
        let Some((&control, after)) = rest.split_first() else { return Err(truncated) };
        rest = match control {
            0..=127 => {
                let Some((literal, after)) = after.split_at_checked(usize::from(control) + 1) else {
                    return Err(truncated);
                };
                out.extend_from_slice(literal);
                after
            }
            128 => after,
            129.. => {
                let Some((&byte, after)) = after.split_first() else { return Err(truncated) };
                out.resize(out.len() + 257 - usize::from(control), byte);
                after
            }
        };
    }
    out.truncate(length);
    Ok(())
}
