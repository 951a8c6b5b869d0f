//! JPEG-LS (ISO/IEC 14495-1, ITU-T T.87), lossless and near-lossless, in all three ways of interleaving components.
//!
//! The one codec that is written here: the decoders on the registry either refuse colour, which ultrasound is, or fail valid streams.
//! Not read: mapping tables, restart markers, point transforms, and the colour transformations of one maker (none is in T.87's lossless
//! profile for DICOM).

mod bits;
mod context;
mod scan;

use super::{Header, frame_of};
use crate::{DecodeError, ImageDescription, NativeFrame};

use context::Parameters;
use scan::{Interleave, Scan};

const CODEC: &str = "JPEG-LS";

fn broken(why: &str) -> DecodeError {
    DecodeError::broken(CODEC, why)
}

fn unsupported(what: &str) -> DecodeError {
    DecodeError::unsupported(format!("JPEG-LS with {what}"))
}

/// Decodes a frame.
pub(super) fn decode(image: &ImageDescription, stream: &[u8]) -> Result<NativeFrame, DecodeError> {
    let mut reader = Reader { rest: stream, identifiers: Vec::new(), header: None, preset: [0; 5] };
    if reader.rest.split_off(..2) != Some(&[0xFF, 0xD8]) {
        return Err(broken("it does not begin with SOI"));
    }
    let mut samples = Vec::new();
    let mut components = 0;
    while components < usize::from(image.samples_per_pixel) {
        let scan = reader.next_scan(image)?;
        if samples.is_empty() {
            samples = vec![0; image.format().samples() as usize];
        }
        let count = scan.components;
        reader.rest = scan.decode(reader.rest, &mut samples)?;
        components += count;
    }
    let precision = reader.header.map_or(0, |header| header.precision);
    Ok(frame_of(image, samples.into_iter().map(i32::from), precision))
}

/// Goes through the markers from scan to scan.
struct Reader<'a> {
    rest: &'a [u8],
    header: Option<Header>,
    /// Identifiers of the components in the order of the frame header.
    identifiers: Vec<u8>,
    /// MAXVAL, T1, T2, T3, RESET; 0 is the default (§C.2.4.1.1).
    preset: [u16; 5],
}

impl<'a> Reader<'a> {
    /// Reads marker segments up to the header of a scan.
    fn next_scan(&mut self, image: &ImageDescription) -> Result<Scan, DecodeError> {
        loop {
            let (marker, content) = self.segment()?;
            match (marker, content) {
                (0xF7, content) => self.frame_header(content, image)?,
                (0xF8, [1, preset @ ..]) if preset.len() == 10 => {
                    let words = preset.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]]));
                    self.preset.iter_mut().zip(words).for_each(|(to, from)| *to = from);
                }
                (0xF8, _) => return Err(unsupported("such preset parameters")),
                (0xDD, content) if content.iter().any(|byte| *byte != 0) => return Err(unsupported("restart markers")),
                (0xE8, [b'm', b'r', b'f', b'x', transform, ..]) if *transform > 0 => {
                    return Err(unsupported("a colour transformation"));
                }
                (0xDA, content) => return self.scan_header(content),
                (0xD9, _) => return Err(broken("it ends before its last component")),
                _ => {}
            }
        }
    }

    /// The next marker and what belongs to it.
    fn segment(&mut self) -> Result<(u8, &'a [u8]), DecodeError> {
        let truncated = || broken("it ends within its markers");
        while self.rest.starts_with(&[0xFF, 0xFF]) {
            self.rest = &self.rest[1..];
        }
        let Some(&[0xFF, marker]) = self.rest.split_off(..2) else { return Err(truncated()) };
        if marker == 0xD9 {
            return Ok((marker, &[]));
        }
        let Some(&[high, low]) = self.rest.split_off(..2) else { return Err(truncated()) };
        let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2).ok_or_else(truncated)?;
        let content = self.rest.split_off(..length).ok_or_else(truncated)?;
        Ok((marker, content))
    }

    fn frame_header(&mut self, content: &[u8], image: &ImageDescription) -> Result<(), DecodeError> {
        let &[precision, rows_high, rows_low, columns_high, columns_low, count, ref components @ ..] = content else {
            return Err(broken("its frame header is too short"));
        };
        if self.header.is_some() || !(2..=16).contains(&precision) || components.len() != 3 * usize::from(count) {
            return Err(broken("its frame header makes no sense"));
        }
        if components.chunks_exact(3).any(|component| component[1] != 0x11) {
            return Err(unsupported("subsampled components"));
        }
        let header = Header {
            rows: u32::from(u16::from_be_bytes([rows_high, rows_low])),
            columns: u32::from(u16::from_be_bytes([columns_high, columns_low])),
            components: u16::from(count),
            precision: u16::from(precision),
        };
        header.check(image)?;
        self.identifiers = components.chunks_exact(3).map(|component| component[0]).collect();
        self.header = Some(header);
        Ok(())
    }

    fn scan_header(&self, content: &[u8]) -> Result<Scan, DecodeError> {
        let header = self.header.ok_or_else(|| broken("a scan comes before the frame header"))?;
        let (&count, rest) = content.split_first().ok_or_else(|| broken("its scan header is too short"))?;
        let (components, rest) =
            rest.split_at_checked(2 * usize::from(count)).ok_or_else(|| broken("its scan header is too short"))?;
        let &[near, interleave, point_transform] = rest else {
            return Err(broken("its scan header makes no sense"));
        };
        if point_transform != 0 || components.chunks_exact(2).any(|component| component[1] != 0) {
            return Err(unsupported("a point transform or mapping tables"));
        }
        let interleave = match (interleave, count) {
            (_, 1) => Interleave::None,
            (1, 2..) if u16::from(count) == header.components => Interleave::Line,
            (2, 2..) if u16::from(count) == header.components => Interleave::Sample,
            _ => return Err(broken("its scan header makes no sense")),
        };
        let first = self.identifiers.iter().position(|identifier| components.first() == Some(identifier));
        Ok(Scan {
            columns: header.columns as usize,
            rows: header.rows as usize,
            of: usize::from(header.components),
            first: first
                .filter(|first| *first == 0 || count == 1)
                .ok_or_else(|| broken("a scan names no component"))?,
            components: usize::from(count),
            interleave,
            parameters: Parameters::new(header.precision, near, self.preset)?,
        })
    }
}
