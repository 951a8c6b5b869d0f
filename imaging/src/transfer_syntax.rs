//! [`TransferSyntax`]: how a data set and its pixels are written (PS3.5 chapters 7, 10 and annex A; PS3.6 table A-1).

use crate::Uid;

/// A transfer syntax. One that is not in the list below is treated as PS3.5 §A.4 has it for every encapsulated one:
/// Explicit VR Little Endian with pixels that we do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferSyntax {
    uid: Uid,
    /// How elements are written.
    pub encoding: Encoding,
    /// How pixels are written.
    pub pixels: Pixels,
}

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Without VRs, the default of DIMSE (§A.1).
    ImplicitLittle,
    /// With VRs (§A.2).
    ExplicitLittle,
    /// With VRs, retired (§A.3 of 2017).
    ExplicitBig,
    /// Explicit little endian, then deflate (§A.5).
    Deflated,
}

/// How pixels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// As they are.
    Native,
    /// As they are, each frame in a fragment.
    EncapsulatedNative,
    /// Compressed without loss; the media type of one frame (PS3.18 table 8.7.3-5).
    Lossless(&'static str),
    /// Compressed with loss or perhaps with loss.
    Lossy(&'static str),
    /// A video, whole in one stream.
    Video(&'static str),
    /// Not in the data set at all (JPIP).
    Elsewhere,
    /// Unknown to us: kept and forwarded, never opened.
    Unknown,
}

/// Implicit VR Little Endian.
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian: the default of DICOMweb.
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
/// Deflated Explicit VR Little Endian.
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// Explicit VR Big Endian.
pub const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";

/// Every transfer syntax whose pixels we can name.
const KNOWN: &[(&str, Encoding, Pixels)] = &[
    (IMPLICIT_LITTLE, Encoding::ImplicitLittle, Pixels::Native),
    (EXPLICIT_LITTLE, Encoding::ExplicitLittle, Pixels::Native),
    ("1.2.840.10008.1.2.1.98", Encoding::ExplicitLittle, Pixels::EncapsulatedNative),
    (DEFLATED, Encoding::Deflated, Pixels::Native),
    (EXPLICIT_BIG, Encoding::ExplicitBig, Pixels::Native),
    ("1.2.840.10008.1.2.4.50", Encoding::ExplicitLittle, Pixels::Lossy("image/jpeg")),
    ("1.2.840.10008.1.2.4.51", Encoding::ExplicitLittle, Pixels::Lossy("image/jpeg")),
    ("1.2.840.10008.1.2.4.57", Encoding::ExplicitLittle, Pixels::Lossless("image/jpeg")),
    ("1.2.840.10008.1.2.4.70", Encoding::ExplicitLittle, Pixels::Lossless("image/jpeg")),
    ("1.2.840.10008.1.2.4.80", Encoding::ExplicitLittle, Pixels::Lossless("image/jls")),
    ("1.2.840.10008.1.2.4.81", Encoding::ExplicitLittle, Pixels::Lossy("image/jls")),
    ("1.2.840.10008.1.2.4.90", Encoding::ExplicitLittle, Pixels::Lossless("image/jp2")),
    ("1.2.840.10008.1.2.4.91", Encoding::ExplicitLittle, Pixels::Lossy("image/jp2")),
    ("1.2.840.10008.1.2.4.92", Encoding::ExplicitLittle, Pixels::Lossless("image/jpx")),
    ("1.2.840.10008.1.2.4.93", Encoding::ExplicitLittle, Pixels::Lossy("image/jpx")),
    ("1.2.840.10008.1.2.4.94", Encoding::ExplicitLittle, Pixels::Elsewhere),
    ("1.2.840.10008.1.2.4.95", Encoding::Deflated, Pixels::Elsewhere),
    ("1.2.840.10008.1.2.4.100", Encoding::ExplicitLittle, Pixels::Video("video/mpeg2")),
    ("1.2.840.10008.1.2.4.101", Encoding::ExplicitLittle, Pixels::Video("video/mpeg2")),
    ("1.2.840.10008.1.2.4.102", Encoding::ExplicitLittle, Pixels::Video("video/mp4")),
    ("1.2.840.10008.1.2.4.103", Encoding::ExplicitLittle, Pixels::Video("video/mp4")),
    ("1.2.840.10008.1.2.4.104", Encoding::ExplicitLittle, Pixels::Video("video/mp4")),
    ("1.2.840.10008.1.2.4.105", Encoding::ExplicitLittle, Pixels::Video("video/mp4")),
    ("1.2.840.10008.1.2.4.106", Encoding::ExplicitLittle, Pixels::Video("video/mp4")),
    ("1.2.840.10008.1.2.4.107", Encoding::ExplicitLittle, Pixels::Video("video/H265")),
    ("1.2.840.10008.1.2.4.108", Encoding::ExplicitLittle, Pixels::Video("video/H265")),
    ("1.2.840.10008.1.2.4.110", Encoding::ExplicitLittle, Pixels::Lossless("image/jxl")),
    ("1.2.840.10008.1.2.4.111", Encoding::ExplicitLittle, Pixels::Lossy("image/jxl")),
    ("1.2.840.10008.1.2.4.112", Encoding::ExplicitLittle, Pixels::Lossy("image/jxl")),
    ("1.2.840.10008.1.2.4.201", Encoding::ExplicitLittle, Pixels::Lossless("image/jphc")),
    ("1.2.840.10008.1.2.4.202", Encoding::ExplicitLittle, Pixels::Lossless("image/jphc")),
    ("1.2.840.10008.1.2.4.203", Encoding::ExplicitLittle, Pixels::Lossy("image/jphc")),
    ("1.2.840.10008.1.2.5", Encoding::ExplicitLittle, Pixels::Lossless("image/dicom-rle")),
    ("1.2.840.10008.1.2.8.1", Encoding::ExplicitLittle, Pixels::Lossless("image/x-deflate")),
];

impl TransferSyntax {
    /// The transfer syntax with this UID.
    pub fn of(uid: Uid) -> Self {
        let known = KNOWN.iter().find(|(known, ..)| *known == uid.as_str());
        let (encoding, pixels) =
            known.map_or((Encoding::ExplicitLittle, Pixels::Unknown), |(_, encoding, pixels)| (*encoding, *pixels));
        Self { uid, encoding, pixels }
    }

    /// Explicit VR Little Endian.
    pub fn explicit_little() -> Self {
        Self::of(Uid::known(EXPLICIT_LITTLE))
    }

    /// Implicit VR Little Endian.
    pub fn implicit_little() -> Self {
        Self::of(Uid::known(IMPLICIT_LITTLE))
    }

    /// Every transfer syntax that we can name, the plain ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.iter().map(|(uid, ..)| Self::of(Uid::known(uid)))
    }

    /// Its UID.
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// Whether pixels come in fragments (PS3.5 §A.4).
    pub fn is_encapsulated(&self) -> bool {
        !matches!(self.pixels, Pixels::Native | Pixels::Elsewhere)
    }

    /// Whether it may leave by DICOMweb: "shall not be used with Web Services" (PS3.18 §8.7.3) holds for implicit VR and
    /// for big endian.
    pub fn may_leave_by_web(&self) -> bool {
        matches!(self.encoding, Encoding::ExplicitLittle | Encoding::Deflated)
    }

    /// Media type of one frame of it by itself, if it has one.
    pub fn frame_media_type(&self) -> Option<&'static str> {
        match self.pixels {
            Pixels::Native | Pixels::EncapsulatedNative => Some("application/octet-stream"),
            Pixels::Lossless(media) | Pixels::Lossy(media) | Pixels::Video(media) => Some(media),
            Pixels::Elsewhere | Pixels::Unknown => None,
        }
    }
}
