//! What the beginning of a JPEG stream says about its picture (ISO/IEC 10918-1 §B.2.2): enough to say in DICOM's words what
//! consumer media are (PS3.18 §10.5.2).

use crate::Uid;

/// The frame header of a JPEG stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    process: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Lines; 0 where they are told only behind the picture.
    pub rows: u16,
    /// Samples of a line.
    pub columns: u16,
    /// Samples of a pixel.
    pub components: u8,
    /// What its samples mean, in the words of PS3.3 §C.7.6.3.1.2, where it says so.
    pub photometric: Option<&'static str>,
}

impl FrameHeader {
    /// Reads the segments up to the frame header; nothing where there is none, or where the stream is no JPEG.
    pub fn read(stream: &[u8]) -> Option<Self> {
        let mut rest = stream.strip_prefix(&[0xFF, 0xD8])?;
        let mut transform = None;
        loop {
            // Any number of fill bytes may stand before a marker (§B.1.1.2).
            rest = rest.strip_prefix(&[0xFF])?;
            let marker = *rest.iter().find(|byte| **byte != 0xFF)?;
            rest = &rest[rest.iter().position(|byte| *byte != 0xFF)? + 1..];
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            let segment = rest.get(2..length)?;
            match marker {
                0xC4 | 0xC8 | 0xCC => {}
                0xC0..=0xCF => return Self::of(marker, segment, transform),
                // Adobe's segment says whether the colours were transformed (ISO/IEC 10918-6 §6.5.3).
                0xEE if segment.starts_with(b"Adobe") => transform = segment.get(11).copied(),
                // The picture begins, or ends, without one.
                0xD9 | 0xDA => return None,
                _ => {}
            }
            rest = &rest[length..];
        }
    }

    fn of(marker: u8, segment: &[u8], transform: Option<u8>) -> Option<Self> {
        let [precision, r1, r2, c1, c2, components] = *segment.first_chunk::<6>()?;
        let (rows, columns) = (u16::from_be_bytes([r1, r2]), u16::from_be_bytes([c1, c2]));
        // Of each: its id, its sampling, its table.
        let each: Vec<(u8, u8)> =
            segment[6..].chunks_exact(3).take(components.into()).map(|one| (one[0], one[1])).collect();
        let process = marker - 0xC0;
        Some(Self {
            process,
            precision,
            rows,
            columns,
            components,
            photometric: photometric(process, &each, transform),
        })
    }

    /// The transfer syntax of its process, where DICOM has one (PS3.5 §A.4.1). A lossless one is told as any selection value: that is true
    /// of every predictor.
    pub fn transfer_syntax(&self) -> Option<Uid> {
        let uid = match self.process {
            0 => "1.2.840.10008.1.2.4.50",
            1 => "1.2.840.10008.1.2.4.51",
            3 => "1.2.840.10008.1.2.4.57",
            _ => return None,
        };
        Some(Uid::known(uid))
    }
}

/// What the samples mean, as readers of JFIF and Adobe's files take it. Of a lossless stream of several components nobody knows (PS3.5
/// §8.2.1).
fn photometric(process: u8, components: &[(u8, u8)], transform: Option<u8>) -> Option<&'static str> {
    let is_lossless = matches!(process, 3 | 7 | 11 | 15);
    match components {
        [_] => Some("MONOCHROME2"),
        [first, second, third] if !is_lossless => Some(match transform {
            Some(0) => "RGB",
            None if [first.0, second.0, third.0] == *b"RGB" => "RGB",
            _ if first.1 == second.1 && first.1 == third.1 => "YBR_FULL",
            _ => "YBR_FULL_422",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_what_the_stream_says() {
        let (full, halved) = ([(1, 0x11), (2, 0x11), (3, 0x11)], [(1, 0x21), (2, 0x11), (3, 0x11)]);
        let letters = [(b'R', 0x11), (b'G', 0x11), (b'B', 0x11)];
        for (process, components, transform, expected) in [
            (0, &halved[..1], None, Some("MONOCHROME2")),
            (3, &halved[..1], None, Some("MONOCHROME2")),
            (0, &halved[..], None, Some("YBR_FULL_422")),
            (0, &halved[..], Some(1), Some("YBR_FULL_422")),
            (0, &full[..], None, Some("YBR_FULL")),
            (0, &full[..], Some(0), Some("RGB")),
            (0, &letters[..], None, Some("RGB")),
            (0, &letters[..], Some(1), Some("YBR_FULL")),
            (3, &full[..], None, None),
            (0, &full[..2], None, None),
        ] {
            assert_eq!(photometric(process, components, transform), expected, "{process} {components:?} {transform:?}");
        }
        let mut adobe = vec![0xFF, 0xD8, 0xFF, 0xEE, 0, 14];
        adobe.extend(b"Adobe\0\x64\0\0\0\0\0");
        adobe.extend(&stream(0)[2..]);
        assert_eq!(FrameHeader::read(&adobe).unwrap().photometric, Some("RGB"));
        assert_eq!(FrameHeader::read(&stream(0)).unwrap().photometric, Some("YBR_FULL_422"));
    }

    /// SOI, a comment, a table, fill bytes, then the frame header of a process.
    fn stream(process: u8) -> Vec<u8> {
        let mut stream = vec![0xFF, 0xD8, 0xFF, 0xFE, 0, 4, 0xFF, 0xC0, 0xFF, 0xC4, 0, 3, 7];
        stream.extend([
            0xFF,
            0xFF,
            0xFF,
            0xC0 + process,
            0,
            17,
            8,
            2,
            0,
            1,
            0x40,
            3,
            1,
            0x22,
            0,
            2,
            0x11,
            1,
            3,
            0x11,
            1,
        ]);
        stream
    }

    #[test]
    fn the_frame_header_is_found_behind_other_segments() {
        let found = FrameHeader::read(&stream(0)).unwrap();
        assert_eq!((found.rows, found.columns, found.precision, found.components), (512, 320, 8, 3));
    }

    #[test]
    fn each_process_that_dicom_has_is_its_transfer_syntax() {
        for (process, uid) in [
            (0, Some("1.2.840.10008.1.2.4.50")),
            (1, Some("1.2.840.10008.1.2.4.51")),
            (2, None),
            (3, Some("1.2.840.10008.1.2.4.57")),
        ] {
            let found = FrameHeader::read(&stream(process)).unwrap().transfer_syntax();
            assert_eq!(found.as_ref().map(Uid::as_str), uid, "{process}");
        }
    }

    #[test]
    fn what_is_cut_or_something_else_has_none() {
        let whole = stream(0);
        for end in 0..whole.len() - 11 {
            assert_eq!(FrameHeader::read(&whole[..end]), None, "{end}");
        }
        for other in [
            &b"\x89PNG\r\n\x1a\n"[..],
            b"\xFF\xD8\xFF\xDA\0\x02",
            b"\xFF\xD8\xFF\xE0\0\0",
            b"\xFF\xD8\xFF\xE0\0\x01\0\0",
        ] {
            assert_eq!(FrameHeader::read(other), None);
        }
    }
}
