//! [`Limits`]: how much one frame may take.

use serde::{Deserialize, Serialize};

/// Bounds of one frame. They are checked with what the description says before any codec runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most bytes of a frame as it came, all fragments together.
    pub encoded_bytes: u64,
    /// Most bytes of a decoded frame.
    pub native_bytes: u64,
    /// Most pixels of a rendered picture.
    pub picture_pixels: u64,
}

impl Default for Limits {
    /// A digital mammogram has 27 MB, a tile of a microscope 0.2 MB, a stitched X-ray of the spine 80 MB.
    fn default() -> Self {
        Self { encoded_bytes: 256 << 20, native_bytes: 256 << 20, picture_pixels: 64 << 20 }
    }
}
