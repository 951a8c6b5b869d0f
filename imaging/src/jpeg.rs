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
}

impl FrameHeader {
    /// Reads the segments up to the frame header; nothing where there is none, or where the stream is no JPEG.
    pub fn read(stream: &[u8]) -> Option<Self> {
        let mut rest = stream.strip_prefix(&[0xFF, 0xD8])?;
        loop {
            // Any number of fill bytes may stand before a marker (§B.1.1.2).
            rest = rest.strip_prefix(&[0xFF])?;
            let marker = *rest.iter().find(|byte| **byte != 0xFF)?;
            rest = &rest[rest.iter().position(|byte| *byte != 0xFF)? + 1..];
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
            let segment = rest.get(2..length)?;
            match marker {
                0xC4 | 0xC8 | 0xCC => {}
                0xC0..=0xCF => return Self::of(marker, segment),
                // The picture begins, or ends, without one.
                0xD9 | 0xDA => return None,
                _ => {}
            }
            rest = &rest[length..];
        }
    }

    fn of(marker: u8, segment: &[u8]) -> Option<Self> {
        let [precision, r1, r2, c1, c2, components] = *segment.first_chunk::<6>()?;
        let (rows, columns) = (u16::from_be_bytes([r1, r2]), u16::from_be_bytes([c1, c2]));
        Some(Self { process: marker - 0xC0, precision, rows, columns, components })
    }

    /// Whether its process loses nothing (ISO/IEC 10918-1 annex H).
    pub fn is_lossless(&self) -> bool {
        matches!(self.process, 3 | 7 | 11 | 15)
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

#[cfg(test)]
mod tests {
    use super::*;

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
