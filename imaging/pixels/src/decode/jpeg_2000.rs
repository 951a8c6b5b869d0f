//! JPEG 2000 (ISO/IEC 15444-1) and High-Throughput JPEG 2000 (ISO/IEC 15444-15).

use jpeg2k::{DecodeParameters, Image};

use super::{Header, frame_of, shielded};
use crate::{DecodeError, ImageDescription, NativeFrame, Photometric};

const CODEC: &str = "JPEG 2000";

/// SOC and SIZ, with which every codestream begins.
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];

/// Most tiles: the decoder allocates several kilobytes for each before it has seen one.
const TILES: u64 = 1 << 14;

/// Decodes a frame. A codestream that ends early is an error, never an image with a piece missing.
pub(super) fn decode(image: &ImageDescription, stream: &[u8]) -> Result<NativeFrame, DecodeError> {
    // The standard wants the bare codestream; some wrap it in the boxes of a JP2 file all the same.
    let start = stream.windows(START.len()).position(|four| four == START);
    let stream = &stream[start.ok_or_else(|| DecodeError::broken(CODEC, "it has no header"))?..];
    let (header, tiles) = size(stream)?;
    header.check(image)?;
    if tiles > TILES {
        return Err(DecodeError::unsupported(format!("JPEG 2000 of {tiles} tiles")));
    }
    let decoded = shielded(CODEC, || {
        Image::from_bytes_with(stream, DecodeParameters::new().strict(true))
            .map_err(|error| DecodeError::broken(CODEC, error.to_string()))
    })?;
    let planes: Vec<&[i32]> = decoded.components().iter().map(jpeg2k::ImageComponent::data).collect();
    let pixels = image.format().pixels() as usize;
    if planes.len() != usize::from(image.samples_per_pixel) || planes.iter().any(|plane| plane.len() != pixels) {
        return Err(DecodeError::broken(CODEC, "it has too few samples"));
    }
    let samples = (0..pixels).flat_map(|pixel| planes.iter().map(move |plane| plane[pixel]));
    let mut frame = frame_of(image, samples, header.precision);
    if matches!(frame.format.photometric_interpretation, Photometric::YbrIct | Photometric::YbrRct) {
        frame.format.photometric_interpretation = Photometric::Rgb;
    }
    Ok(frame)
}

/// Reads the SIZ marker (ISO/IEC 15444-1 §A.5.1): the image and its number of tiles.
fn size(stream: &[u8]) -> Result<(Header, u64), DecodeError> {
    let broken = || DecodeError::broken(CODEC, "its SIZ marker makes no sense");
    let word = |at: usize| {
        let bytes = stream.get(at..at + 4).ok_or_else(broken)?;
        Ok::<u32, DecodeError>(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let (width, height, left, top) = (word(8)?, word(12)?, word(16)?, word(20)?);
    let (tile_width, tile_height, tile_left, tile_top) = (word(24)?, word(28)?, word(32)?, word(36)?);
    let tiles = |size: u32, offset: u32, tile: u32| {
        let rest = size.checked_sub(offset).filter(|_| tile > 0).ok_or_else(broken)?;
        Ok::<u64, DecodeError>(u64::from(rest.div_ceil(tile)))
    };
    let tiles = tiles(width, tile_left, tile_width)? * tiles(height, tile_top, tile_height)?;
    let components = stream.get(40..42).ok_or_else(broken)?;
    let count = u16::from_be_bytes([components[0], components[1]]);
    let forms = stream.get(42..42 + 3 * usize::from(count)).ok_or_else(broken)?;
    if forms.chunks_exact(3).any(|form| form[0] != forms[0] || form[1] != 1 || form[2] != 1) {
        return Err(DecodeError::unsupported("JPEG 2000 with components of different forms"));
    }
    let header = Header {
        rows: height.checked_sub(top).ok_or_else(broken)?,
        columns: width.checked_sub(left).ok_or_else(broken)?,
        components: count,
        precision: u16::from(forms.first().ok_or_else(broken)? & 0x7F) + 1,
    };
    Ok((header, tiles))
}
