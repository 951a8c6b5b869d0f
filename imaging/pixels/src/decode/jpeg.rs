//! JPEG (ISO/IEC 10918-1): baseline, extended sequential with 8 and 12 bits, progressive, and lossless.

use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat, api::precision};

use super::{Header, frame_of, shielded};
use crate::{DecodeError, ImageDescription, NativeFrame, Photometric};

const CODEC: &str = "JPEG";

/// Most scans. Real progressive images have about ten, each may cost as much as a whole image.
const SCANS: usize = 64;

/// Decodes a frame.
pub(super) fn decode(image: &ImageDescription, stream: &[u8]) -> Result<NativeFrame, DecodeError> {
    let markers = Markers::read(stream)?;
    markers.header.check(image)?;
    let precision = markers.header.precision;
    match (markers.process, precision) {
        (0xC3, 2..=16) => {
            markers.refuse_separate_components()?;
            let decoded =
                shielded(CODEC, || precision::decompress_lossless_arbitrary(stream).map_err(|error| refused(&error)))?;
            complete(image, decoded.data.len())?;
            Ok(frame_of(image, decoded.data.into_iter().map(i32::from), precision))
        }
        (0xC1, 12) => {
            let stream = markers.with_colour_stated(stream, image);
            let decoded = shielded(CODEC, || {
                precision::decompress_12bit_with_limits(&stream, &limits()).map_err(|error| refused(&error))
            })?;
            complete(image, decoded.data.len())?;
            // Loss can lead above what is stored, where it would be taken for something small.
            let most = if image.signed { i32::MAX } else { (1 << image.bits_stored.min(16)) - 1 };
            let samples = decoded.data.into_iter().map(|sample| i32::from(sample).min(most));
            Ok(in_rgb(frame_of(image, samples, precision)))
        }
        (0xC0..=0xC2, 8) => {
            let stream = markers.with_colour_stated(stream, image);
            let samples =
                shielded(CODEC, || eight_bits(&stream, image.samples_per_pixel).map_err(|error| refused(&error)))?;
            complete(image, samples.len())?;
            Ok(in_rgb(frame_of(image, samples.into_iter().map(i32::from), precision)))
        }
        (process, precision) => {
            Err(DecodeError::unsupported(format!("JPEG process {process:#04X} with {precision} bits")))
        }
    }
}

fn limits() -> DecodeLimits {
    DecodeLimits { max_scans: SCANS, ..DecodeLimits::default() }
}

/// What the decoder says.
fn refused(error: &JpegError) -> DecodeError {
    match error {
        JpegError::Unsupported(_) => DecodeError::unsupported(format!("this form of JPEG ({error})")),
        error => DecodeError::broken(CODEC, error.to_string()),
    }
}

fn eight_bits(stream: &[u8], samples: u16) -> Result<Vec<u8>, JpegError> {
    let mut decoder = Decoder::new_with_limits(stream, limits())?;
    decoder.set_output_format(if samples == 1 { PixelFormat::Grayscale } else { PixelFormat::Rgb });
    Ok(decoder.decode_image()?.data)
}

fn complete(image: &ImageDescription, samples: usize) -> Result<(), DecodeError> {
    let expected = image.format().samples();
    if samples as u64 == expected { Ok(()) } else { Err(DecodeError::broken(CODEC, "it has too few samples")) }
}

/// A lossy image of three components has become RGB.
fn in_rgb(mut frame: NativeFrame) -> NativeFrame {
    if frame.format.samples_per_pixel == 3 && !matches!(frame.format.photometric_interpretation, Photometric::Other(_))
    {
        frame.format.photometric_interpretation = Photometric::Rgb;
    }
    frame
}

/// What the markers before the first scan say.
struct Markers {
    header: Header,
    /// Second byte of the SOF marker.
    process: u8,
    /// Identifier and sampling factors of each component.
    components: Vec<(u8, u8)>,
    /// Components of the first scan.
    together: u8,
    /// JFIF has only YCbCr.
    jfif: bool,
    /// The transformation that Adobe's marker states.
    adobe: Option<u8>,
    /// Where these two lie.
    colour_markers: Vec<std::ops::Range<usize>>,
}

impl Markers {
    fn read(stream: &[u8]) -> Result<Self, DecodeError> {
        let broken = || DecodeError::broken(CODEC, "it has no frame header");
        let (mut frame, mut jfif, mut adobe, mut together) = (None, false, None, 0);
        let mut colour_markers = Vec::new();
        for segment in Segments::of(stream).ok_or_else(broken)? {
            match (segment.marker, segment.content) {
                (0xE0, [b'J', b'F', b'I', b'F', 0, ..]) => {
                    jfif = true;
                    colour_markers.push(segment.place);
                }
                (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                    adobe = Some(*transform);
                    colour_markers.push(segment.place);
                }
                (0xC0..=0xCF, content) if !matches!(segment.marker, 0xC4 | 0xC8 | 0xCC) && frame.is_none() => {
                    frame = Some((segment.marker, frame_header(content).ok_or_else(broken)?));
                }
                (0xDA, [count, ..]) => together = *count,
                _ => {}
            }
        }
        let (process, (header, components)) = frame.ok_or_else(broken)?;
        Ok(Self { header, process, components, together, jfif, adobe, colour_markers })
    }

    /// The decoder of lossless frames reads components of one size that come together.
    fn refuse_separate_components(&self) -> Result<(), DecodeError> {
        let same = self.components.windows(2).all(|two| two[0].1 == two[1].1);
        let together = u16::from(self.together) == self.header.components;
        if same && together { Ok(()) } else { Err(DecodeError::unsupported("lossless JPEG with separate components")) }
    }

    /// Whether the three components are YCbCr. The markers of the stream know better than the attributes of the object, which software
    /// often forgets to change; without such a marker the object is right.
    fn is_ycbcr(&self, image: &ImageDescription) -> bool {
        let named_rgb = [b"RGB", b"rgb"].into_iter().any(|name| self.components.iter().map(|(id, _)| id).eq(name));
        let stated = !matches!(image.photometric_interpretation, Photometric::Rgb | Photometric::Other(_));
        !named_rgb && (self.jfif || stated || self.adobe == Some(1))
    }

    /// The stream with one marker that tells the decoder what [`Self::is_ycbcr`] found, in the place of those that told it something.
    fn with_colour_stated(&self, stream: &[u8], image: &ImageDescription) -> Vec<u8> {
        let mut out = Vec::with_capacity(stream.len() + 16);
        out.extend_from_slice(&[0xFF, 0xD8]);
        if self.components.len() == 3 {
            out.extend_from_slice(b"\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00");
            out.push(u8::from(self.is_ycbcr(image)));
        }
        let mut at = 2;
        for marker in &self.colour_markers {
            out.extend_from_slice(&stream[at..marker.start]);
            at = marker.end;
        }
        out.extend_from_slice(&stream[at..]);
        out
    }
}

/// Precision, rows, columns, and the components.
fn frame_header(content: &[u8]) -> Option<(Header, Vec<(u8, u8)>)> {
    let &[precision, rows_high, rows_low, columns_high, columns_low, count, ref components @ ..] = content else {
        return None;
    };
    let components: Vec<(u8, u8)> =
        components.chunks_exact(3).take(usize::from(count)).map(|one| (one[0], one[1])).collect();
    let header = Header {
        rows: u32::from(u16::from_be_bytes([rows_high, rows_low])),
        columns: u32::from(u16::from_be_bytes([columns_high, columns_low])),
        components: u16::from(count),
        precision: u16::from(precision),
    };
    (components.len() == usize::from(count)).then_some((header, components))
}

/// The marker segments before the first scan.
pub(super) struct Segments<'a> {
    stream: &'a [u8],
    at: usize,
}

/// One of them.
pub(super) struct Segment<'a> {
    /// Second byte of the marker.
    pub(super) marker: u8,
    /// What follows its length.
    pub(super) content: &'a [u8],
    /// From the marker to its end.
    pub(super) place: std::ops::Range<usize>,
}

impl<'a> Segments<'a> {
    /// The segments of a stream that begins with SOI.
    pub(super) fn of(stream: &'a [u8]) -> Option<Self> {
        stream.starts_with(&[0xFF, 0xD8]).then_some(Self { stream, at: 2 })
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    /// Ends after the header of a scan, and at whatever is no marker.
    fn next(&mut self) -> Option<Segment<'a>> {
        while self.stream.get(self.at..self.at + 2) == Some(&[0xFF, 0xFF]) {
            self.at += 1;
        }
        let start = self.at;
        let &[0xFF, marker, high, low] = self.stream.get(start..start + 4)? else { return None };
        let end = start + 2 + usize::from(u16::from_be_bytes([high, low]));
        let content = self.stream.get(start + 4..end)?;
        self.at = if marker == 0xDA { self.stream.len() } else { end };
        Some(Segment { marker, content, place: start..end })
    }
}
