//! Pixels: one frame decoded to what an uncompressed object would hold, and drawn as PNG or JPEG. Bytes in, bytes out.
//!
//! - [`ImageDescription`]: the attributes of an object that say how its pixels are to be read (PS3.3 §C.7.6.3, §C.11.1, §C.11.2).
//! - [`decode`]: one [`EncodedFrame`] of any transfer syntax that is known here, to a [`NativeFrame`] (PS3.5 §8 and annex A).
//! - [`render`]: a native frame to an 8-bit [`Picture`] (PS3.18 §8.3.5, PS3.4 §N.2).
//! - [`values`]: a native frame to numbers, for computations.
//!
//! Codecs are other people's code fed with strangers' bytes. Whatever can be known before one runs is checked before it runs: how
//! large the frame will be, and what the codestream's own header says of it. A codec that panics has met a broken frame. One that
//! aborts or never ends cannot be stopped from here: that is why this crate runs in a process of its own (`medvan decode-worker`).

mod decode;
mod description;
mod error;
mod frame;
mod limits;
mod lookup_table;
mod render;
#[cfg(test)]
mod testing;

pub use decode::{can_decode, decode};
pub use description::{ImageDescription, Photometric, PixelAspectRatio, Rescale, SampleKind};
pub use error::{DecodeError, Fault, RenderError};
pub use frame::{EncodedFrame, FrameFormat, FramePlace, NativeFrame, NativeFrames};
pub use limits::Limits;
pub use lookup_table::{LookupTable, Palette};
pub use render::{
    Picture, Region, RenderParameters, Scale, Values, Viewport, ViewportError, Window, WindowError, WindowFunction,
    render, values,
};
