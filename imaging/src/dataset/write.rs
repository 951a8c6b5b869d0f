//! Writing a data set: as pieces, so that what was left in the source is copied from there and never held.

use dicom_core::{Tag, VR};

use super::{Dataset, Element, Span, Value, vr::has_long_length};

/// A stretch of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes of the source, with every number of so many bytes turned round where that is more than 1.
    Copy {
        /// Where they are.
        span: Span,
        /// Bytes of one number, or 1.
        swapped: u8,
    },
}

impl Piece {
    /// Bytes that it will have.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Copy { span, .. } => span.length,
        }
    }
}

/// Writes little endian, with VRs or without. Sequences and items get undefined lengths: the length of what was left in
/// the source is known, but a reader needs it no earlier than a delimiter.
pub fn write(dataset: &Dataset, explicit: bool) -> Vec<Piece> {
    let mut writer = Writer { explicit, pieces: Vec::new(), open: Vec::new() };
    writer.dataset(dataset);
    writer.close();
    writer.pieces
}

struct Writer {
    explicit: bool,
    pieces: Vec<Piece>,
    open: Vec<u8>,
}

impl Writer {
    fn dataset(&mut self, dataset: &Dataset) {
        for element in dataset {
            // Group lengths are retired and would be wrong now (PS3.5 §7.2).
            if element.tag.element() != 0 || element.tag.group() == 0 {
                self.element(element);
            }
        }
    }

    fn element(&mut self, element: &Element) {
        match &element.value {
            Value::Bytes(bytes) => {
                self.header(element, padded(bytes.len() as u64));
                self.open.extend_from_slice(bytes);
                if bytes.len() % 2 == 1 {
                    self.open.push(0);
                }
            }
            Value::Left(left) => {
                self.header(element, padded(left.span.length));
                self.copy(left.span, left.swapped);
            }
            Value::Items(items) => {
                self.header(element, u64::from(u32::MAX));
                for item in items {
                    self.marker(0xE000, u32::MAX);
                    self.dataset(item);
                    self.marker(0xE00D, 0);
                }
                self.marker(0xE0DD, 0);
            }
            Value::Fragments(fragments) => {
                self.header(element, u64::from(u32::MAX));
                for fragment in fragments {
                    self.marker(0xE000, u32::try_from(padded(fragment.length)).unwrap_or(u32::MAX));
                    self.copy(*fragment, 1);
                }
                self.marker(0xE0DD, 0);
            }
        }
    }

    fn header(&mut self, element: &Element, length: u64) {
        self.tag(element.tag);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if !self.explicit {
            self.open.extend_from_slice(&length.to_le_bytes());
            return;
        }
        match u16::try_from(length) {
            Ok(length) if !has_long_length(element.vr) => {
                self.open.extend_from_slice(&element.vr.to_bytes());
                self.open.extend_from_slice(&length.to_le_bytes());
            }
            _ => {
                // Too long for its VR: then it is UN (PS3.5 §6.2.2).
                let vr = if has_long_length(element.vr) { element.vr } else { VR::UN };
                self.open.extend_from_slice(&vr.to_bytes());
                self.open.extend_from_slice(&[0, 0]);
                self.open.extend_from_slice(&length.to_le_bytes());
            }
        }
    }

    fn marker(&mut self, element: u16, length: u32) {
        self.tag(Tag(0xFFFE, element));
        self.open.extend_from_slice(&length.to_le_bytes());
    }

    fn tag(&mut self, tag: Tag) {
        self.open.extend_from_slice(&tag.group().to_le_bytes());
        self.open.extend_from_slice(&tag.element().to_le_bytes());
    }

    fn copy(&mut self, span: Span, swapped: u8) {
        self.close();
        self.pieces.push(Piece::Copy { span, swapped });
        if span.length % 2 == 1 {
            self.open.push(0);
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(Piece::Bytes(std::mem::take(&mut self.open)));
        }
    }
}

/// Every value has an even length (PS3.5 §7.1.1).
fn padded(length: u64) -> u64 {
    length + length % 2
}
