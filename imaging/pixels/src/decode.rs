//! [`decode`]: one frame of any transfer syntax to native samples.
//!
//! What a codec changes in the description, and a transcoded object then has to state:
//!
//! | came as | leaves as | why |
//! |---|---|---|
//! | JPEG with loss (.50, .51), YBR_FULL or YBR_FULL_422 | RGB | the colour differences are as long as the others after decoding, and 422 cannot be stated of them |
//! | JPEG 2000, YBR_RCT or YBR_ICT | RGB | the codec turns its transformation back |
//! | JPEG lossless, JPEG-LS, RLE, any | unchanged | these codecs do not know what the samples mean |
//! | uncompressed YBR_FULL_422 | YBR_FULL | the shared colour differences are repeated |
//! | uncompressed YBR_PARTIAL_422 | RGB | there is no term for its range with three whole samples |
//! | any codec but RLE | planar configuration 0 | codecs give pixels; RLE keeps what the object says |

mod bits;
mod deflated;
mod jpeg;
mod jpeg_2000;
mod jpeg_ls;
mod native;
mod rle;

use std::{borrow::Cow, panic::AssertUnwindSafe};

use crate::{DecodeError, EncodedFrame, FrameFormat, ImageDescription, Limits, NativeFrame, SampleKind};

/// How the frames of a transfer syntax are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Native,
    NativeBigEndian,
    Deflated,
    Jpeg,
    JpegLs,
    Jpeg2000,
    Rle,
}

/// The transfer syntaxes that are decoded (PS3.6 table A-1).
const CODECS: &[(&str, Codec)] = &[
    ("1.2.840.10008.1.2", Codec::Native),
    ("1.2.840.10008.1.2.1", Codec::Native),
    ("1.2.840.10008.1.2.1.98", Codec::Native),
    ("1.2.840.10008.1.2.1.99", Codec::Native),
    ("1.2.840.10008.1.2.2", Codec::NativeBigEndian),
    ("1.2.840.10008.1.2.4.50", Codec::Jpeg),
    ("1.2.840.10008.1.2.4.51", Codec::Jpeg),
    ("1.2.840.10008.1.2.4.57", Codec::Jpeg),
    ("1.2.840.10008.1.2.4.70", Codec::Jpeg),
    ("1.2.840.10008.1.2.4.80", Codec::JpegLs),
    ("1.2.840.10008.1.2.4.81", Codec::JpegLs),
    ("1.2.840.10008.1.2.4.90", Codec::Jpeg2000),
    ("1.2.840.10008.1.2.4.91", Codec::Jpeg2000),
    ("1.2.840.10008.1.2.4.201", Codec::Jpeg2000),
    ("1.2.840.10008.1.2.4.202", Codec::Jpeg2000),
    ("1.2.840.10008.1.2.4.203", Codec::Jpeg2000),
    ("1.2.840.10008.1.2.5", Codec::Rle),
    ("1.2.840.10008.1.2.8.1", Codec::Deflated),
];

impl Codec {
    fn of(transfer_syntax: &str) -> Option<Self> {
        let uid = transfer_syntax.trim_end_matches(['\0', ' ']);
        CODECS.iter().find(|(known, _)| *known == uid).map(|(_, codec)| *codec)
    }
}

/// Whether frames of this transfer syntax are decoded here at all. Single frames of one may still be
/// [`DecodeError::Unsupported`].
pub fn can_decode(transfer_syntax: &str) -> bool {
    Codec::of(transfer_syntax).is_some()
}

/// Decodes one frame.
///
/// # Errors
/// The description makes no sense, the frame is too large, its codestream is broken or not one that is decoded here.
pub fn decode(image: &ImageDescription, frame: &EncodedFrame, limits: &Limits) -> Result<NativeFrame, DecodeError> {
    let codec = Codec::of(&image.transfer_syntax)
        .ok_or_else(|| DecodeError::unsupported(format!("transfer syntax {}", printable(&image.transfer_syntax))))?;
    image.check(limits)?;
    let bytes = frame.bytes();
    if bytes > limits.encoded_bytes {
        return Err(DecodeError::TooLarge { bytes, limit: limits.encoded_bytes });
    }
    let compressed = !matches!(codec, Codec::Native | Codec::NativeBigEndian | Codec::Deflated);
    if compressed && image.kind != SampleKind::Integer {
        return Err(DecodeError::unsupported("compressed floating point"));
    }
    let stream = joined(frame);
    match codec {
        Codec::Native => native::decode(image, stream, frame.first_bit, false),
        Codec::NativeBigEndian => native::decode(image, stream, frame.first_bit, true),
        Codec::Deflated => native::decode(image, deflated::inflate(image, &stream)?.into(), 0, false),
        Codec::Jpeg => jpeg::decode(image, &stream),
        Codec::JpegLs => jpeg_ls::decode(image, &stream),
        Codec::Jpeg2000 => jpeg_2000::decode(image, &stream),
        Codec::Rle => rle::decode(image, &stream),
    }
}

fn joined(frame: &EncodedFrame) -> Cow<'_, [u8]> {
    match frame.fragments.as_slice() {
        [] => Cow::Borrowed(&[]),
        [whole] => Cow::Borrowed(whole),
        parts => Cow::Owned(parts.concat()),
    }
}

/// A UID comes from a stranger and goes into an error's text.
fn printable(uid: &str) -> String {
    uid.chars().filter(|one| one.is_ascii_digit() || *one == '.').take(64).collect()
}

/// Runs a codec that is not ours. Its panic is what it says of the stream.
fn shielded<T>(codec: &'static str, run: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(run));
    done.unwrap_or_else(|_| Err(DecodeError::broken(codec, "the decoder gave up")))
}

/// What the header of a codestream says of its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    rows: u32,
    columns: u32,
    components: u16,
    /// Bits of a sample.
    precision: u16,
}

impl Header {
    /// Proves before decoding that the codestream holds the image that the object describes.
    fn check(&self, image: &ImageDescription) -> Result<(), DecodeError> {
        let same = |attribute, described: u16, found: u32| {
            let (described, found) = (u64::from(described), u64::from(found));
            if described == found { Ok(()) } else { Err(DecodeError::mismatch(attribute, described, found)) }
        };
        same("Rows", image.rows, self.rows)?;
        same("Columns", image.columns, self.columns)?;
        same("SamplesPerPixel", image.samples_per_pixel, u32::from(self.components))?;
        if self.precision > image.bits_allocated {
            return Err(DecodeError::mismatch("BitsAllocated", image.bits_allocated.into(), self.precision.into()));
        }
        Ok(())
    }
}

/// Makes a frame of the samples that a codec gave, by pixel.
///
/// Codestreams of JPEG and JPEG-LS know no sign, and those of JPEG 2000 sometimes state the other one: the bits of the sample are
/// right in any case, so they are read again with the sign that the object states.
fn frame_of(image: &ImageDescription, samples: impl Iterator<Item = i32>, precision: u16) -> NativeFrame {
    let format = FrameFormat { planar_configuration: 0, ..image.format() };
    if format.bits_allocated == 1 {
        return NativeFrame { samples: bits::pack(samples.map(|sample| sample & 1 == 1)), format };
    }
    let shift = 32 - u32::from(precision.clamp(1, 32));
    let extended = samples.map(|sample| {
        let high = sample << shift;
        if image.signed { high >> shift } else { (high.cast_unsigned() >> shift).cast_signed() }
    });
    let mut bytes = Vec::with_capacity(format.frame_bytes() as usize);
    match format.sample_bytes() {
        1 => bytes.extend(extended.map(|sample| sample as u8)),
        2 => extended.for_each(|sample| bytes.extend_from_slice(&(sample as u16).to_le_bytes())),
        _ => extended.for_each(|sample| bytes.extend_from_slice(&sample.to_le_bytes())),
    }
    NativeFrame { format, samples: bytes }
}

#[cfg(test)]
mod tests;
