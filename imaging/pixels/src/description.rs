//! [`ImageDescription`]: what the attributes of an object say about its pixels.

use serde::{Deserialize, Serialize};

use crate::{DecodeError, FrameFormat, Limits, LookupTable, Palette, Window};

/// Explicit VR Big Endian, retired.
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";

/// What the attributes of an object say about its pixels. Names are those of the attributes (PS3.3 §C.7.6.3).
///
/// For an enhanced object the values of the functional groups that hold for the frame stand in the place of the object's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageDescription {
    /// UID of the transfer syntax in which the frames come.
    pub transfer_syntax: String,
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: u16,
    /// Which of the three pixel data elements holds the frames.
    #[serde(default)]
    pub kind: SampleKind,
    /// Bits Allocated (0028,0100): 1, 8, 16 or 32; of floating point 32 or 64.
    pub bits_allocated: u16,
    /// Bits Stored (0028,0101).
    pub bits_stored: u16,
    /// High Bit (0028,0102).
    pub high_bit: u16,
    /// Whether Pixel Representation (0028,0103) is 1.
    #[serde(default)]
    pub signed: bool,
    /// Photometric Interpretation (0028,0004).
    pub photometric_interpretation: Photometric,
    /// Planar Configuration (0028,0006): 0 by pixel, 1 by plane.
    #[serde(default)]
    pub planar_configuration: u16,
    /// Whether Pixel Data has the VR OW. It matters only for samples of 8 bits in big endian, which are swapped then.
    #[serde(default)]
    pub words: bool,
    /// The palette of PALETTE COLOR (§C.7.6.3.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub palette: Option<Palette>,
    /// Rescale Slope and Intercept (§C.11.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescale: Option<Rescale>,
    /// First item of Modality LUT Sequence (§C.11.1); goes before `rescale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality_lut: Option<LookupTable>,
    /// Window Center, Window Width, VOI LUT Function (§C.11.2), in the order of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// First item of VOI LUT Sequence (§C.11.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voi_lut: Option<LookupTable>,
    /// Whether Presentation LUT Shape (2050,0020) is INVERSE. In an image it repeats what MONOCHROME1 says: both together invert once.
    /// Some images state it although they are MONOCHROME2 and not meant to be inverted; whoever knows of such leaves it out.
    #[serde(default)]
    pub inverse: bool,
    /// Pixel Padding Value (0028,0120), a stored value, signed as the samples are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_padding_value: Option<i64>,
    /// Pixel Padding Range Limit (0028,0121): with the value before, the two ends of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_padding_range_limit: Option<i64>,
    /// Pixel Aspect Ratio (0028,0034).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixel_aspect_ratio: Option<PixelAspectRatio>,
}

/// Which element holds the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SampleKind {
    /// Pixel Data (7FE0,0010).
    #[default]
    Integer,
    /// Float Pixel Data (7FE0,0008).
    Float32,
    /// Double Float Pixel Data (7FE0,0009).
    Float64,
}

/// Rescale Intercept (0028,1052) and Slope (0028,1053).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rescale {
    /// Factor of the stored value.
    pub slope: f64,
    /// Added after that.
    pub intercept: f64,
}

/// Size of a pixel on the patient or on the film, in any unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelAspectRatio {
    /// First value: height of a pixel.
    pub vertical: u32,
    /// Second value: width of a pixel.
    pub horizontal: u32,
}

/// Photometric Interpretation (§C.7.6.3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Photometric {
    /// The smallest value is white.
    Monochrome1,
    /// The smallest value is black.
    Monochrome2,
    /// Values are places in a palette.
    PaletteColor,
    /// Red, green, blue.
    Rgb,
    /// Luminance and two colour differences, full range.
    YbrFull,
    /// The same, with one pair of differences for two pixels.
    YbrFull422,
    /// The range of television, with one pair of differences for two pixels; retired.
    YbrPartial422,
    /// RGB transformed by JPEG 2000, with loss.
    YbrIct,
    /// RGB transformed by JPEG 2000, without loss.
    YbrRct,
    /// One that we cannot draw.
    Other(String),
}

/// The defined terms, as they are written.
const PHOTOMETRIC: [(&str, Photometric); 9] = [
    ("MONOCHROME1", Photometric::Monochrome1),
    ("MONOCHROME2", Photometric::Monochrome2),
    ("PALETTE COLOR", Photometric::PaletteColor),
    ("RGB", Photometric::Rgb),
    ("YBR_FULL", Photometric::YbrFull),
    ("YBR_FULL_422", Photometric::YbrFull422),
    ("YBR_PARTIAL_422", Photometric::YbrPartial422),
    ("YBR_ICT", Photometric::YbrIct),
    ("YBR_RCT", Photometric::YbrRct),
];

impl Photometric {
    /// The term as it stands in an object.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => PHOTOMETRIC.iter().find(|(_, one)| one == known).map_or("", |(text, _)| text),
        }
    }

    /// Whether it has one sample that is a shade of grey.
    pub fn is_monochrome(&self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }

    /// Whether two pixels share their colour differences in uncompressed data.
    pub(crate) fn is_subsampled(&self) -> bool {
        matches!(self, Self::YbrFull422 | Self::YbrPartial422)
    }
}

impl From<String> for Photometric {
    fn from(text: String) -> Self {
        let trimmed = text.trim_matches([' ', '\0']);
        match PHOTOMETRIC.iter().find(|(known, _)| *known == trimmed) {
            Some((_, photometric)) => photometric.clone(),
            None => Self::Other(text),
        }
    }
}

impl From<Photometric> for String {
    fn from(photometric: Photometric) -> Self {
        photometric.as_str().to_owned()
    }
}

impl ImageDescription {
    /// The form of a decoded frame as far as no codec changes it.
    pub fn format(&self) -> FrameFormat {
        FrameFormat {
            rows: self.rows,
            columns: self.columns,
            samples_per_pixel: self.samples_per_pixel,
            kind: self.kind,
            bits_allocated: self.bits_allocated,
            bits_stored: self.bits_stored,
            high_bit: self.high_bit,
            signed: self.signed,
            photometric_interpretation: self.photometric_interpretation.clone(),
            planar_configuration: self.planar_configuration,
        }
    }

    /// Whether two samples lie in a word of big endian.
    pub(crate) fn has_swapped_words(&self) -> bool {
        self.words && self.bits_allocated == 8 && self.transfer_syntax.trim_end_matches(['\0', ' ']) == EXPLICIT_BIG
    }

    /// Proves that the attributes make sense together and that a frame is no larger than allowed.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), DecodeError> {
        let wrong = |attribute, why| Err(DecodeError::description(attribute, why));
        if self.rows == 0 {
            return wrong("Rows", "must not be 0");
        }
        if self.columns == 0 {
            return wrong("Columns", "must not be 0");
        }
        self.check_bits()?;
        match (self.samples_per_pixel, &self.photometric_interpretation) {
            (1, Photometric::Monochrome1 | Photometric::Monochrome2 | Photometric::PaletteColor) => {}
            (1 | 3 | 4, Photometric::Other(_)) => {}
            (3, one) if !one.is_monochrome() && *one != Photometric::PaletteColor => {}
            _ => return wrong("SamplesPerPixel", "does not fit PhotometricInterpretation"),
        }
        if self.planar_configuration > 1 {
            return wrong("PlanarConfiguration", "must be 0 or 1");
        }
        let bytes = self.format().frame_bytes();
        if bytes > limits.native_bytes {
            return Err(DecodeError::TooLarge { bytes, limit: limits.native_bytes });
        }
        Ok(())
    }

    fn check_bits(&self) -> Result<(), DecodeError> {
        let allocated = self.bits_allocated;
        match (self.kind, allocated) {
            (SampleKind::Integer, 1 | 8 | 16 | 32) | (SampleKind::Float32, 32) | (SampleKind::Float64, 64) => {}
            (SampleKind::Integer, 2..=64) => {
                return Err(DecodeError::unsupported(format!("BitsAllocated {allocated}")));
            }
            _ => return Err(DecodeError::description("BitsAllocated", "does not fit the pixel data element")),
        }
        if self.kind == SampleKind::Integer {
            if self.bits_stored == 0 || self.bits_stored > allocated {
                return Err(DecodeError::description("BitsStored", "must be from 1 to BitsAllocated"));
            }
            if self.high_bit >= allocated || self.high_bit + 1 < self.bits_stored {
                return Err(DecodeError::description("HighBit", "does not fit BitsStored and BitsAllocated"));
            }
        }
        Ok(())
    }
}
