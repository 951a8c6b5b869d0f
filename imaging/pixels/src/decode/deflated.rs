//! Deflated Image Frame Compression (PS3.5 §A.4.12): each frame an RFC 1951 stream of its uncompressed bytes.

use std::io::Read;

use crate::{DecodeError, ImageDescription};

/// Inflates a frame, and never further than the frame is long.
pub(super) fn inflate(image: &ImageDescription, stream: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let most = image.format().frame_bytes();
    let mut bytes = Vec::new();
    let inflated = flate2::read::DeflateDecoder::new(stream).take(most).read_to_end(&mut bytes);
    inflated.map_err(|error| DecodeError::broken("deflate", error.to_string()))?;
    Ok(bytes)
}
