//! `multipart/related` as DICOMweb uses it (RFC 2046 §5.1, RFC 2387, PS3.18 §8.6): read as it streams in ([`Reader`]) and
//! written ([`Writer`]), without a socket on either side.
//!
//! The reader is strict where payloads are at stake and lenient where they are not. A delimiter is CRLF, `--`, the boundary,
//! then either `--` or blanks and CRLF; whatever only looks like it is payload. Lines that end in a bare LF are not
//! delimiters: payloads are binary, and a byte 0x0D before such a line could belong to either side. Quoting, the case of
//! names, folded headers, missing headers, blanks after a boundary, text before the first and after the last delimiter are
//! taken as they come.

mod boundary;
mod content_type;
mod head;
mod reader;
#[cfg(test)]
mod tests;
mod whole;
mod writer;

pub(crate) use content_type::{media_name, parameter, split_outside_quotes};

pub use boundary::{Boundary, BoundaryError};
pub use content_type::{ContentType, ContentTypeError};
pub use head::{HeadFlaw, PartHead};
pub use reader::{Event, Limits, MultipartError, Reader};
pub use whole::{NotInstances, instances};
pub use writer::Writer;
