//! [`Object`]: a result as it came, taken apart.

use std::io::Cursor;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    TransferSyntax,
    attributes::{self, AttributePath, Attributes},
    dataset::{Dataset, Limits, Piece, ReadError, Seekable, Value, write},
    file::{Head, head, read_file},
    transfer_syntax::Encoding,
};

use super::{
    AcceptedObject, Repair,
    repair::{self, Change},
};
use crate::{
    evidence::Reference,
    finding::Refused,
    inputs::{Inputs, uid},
};

/// Coordinates and texts of reports are looked at, so they are read; pixels of any size stay where they are.
const LIMITS: Limits = Limits { depth: 40, elements: 500_000, text: 1 << 20, binary: 1 << 20, total: 64 << 20 };

/// A result.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) bytes: Vec<u8>,
    pub(super) head: Head,
    /// As it is written: what is put right is put right here.
    pub(super) data_set: Dataset,
    /// What it says.
    pub(super) said: Attributes,
    pub(super) kind: Kind,
    pub(super) reference: Reference,
    /// What was put right.
    pub(super) changes: Vec<Change>,
    /// Results of the same job that it names: where, and which.
    pub(super) beside: Vec<(String, usize)>,
}

/// What a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Report(ReportClass),
    Segmentation,
    Presentation,
    Picture,
    /// A PDF.
    Document,
}

/// The four general classes of structured reports (PS3.3 section A.35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ReportClass {
    BasicText,
    Enhanced,
    Comprehensive,
    Comprehensive3D,
}

/// Pixels of an object.
#[derive(Debug)]
pub(super) enum Pixels<'a> {
    None,
    Native(&'a [u8]),
    /// So many fragments behind the offset table.
    Fragments(usize),
}

impl Kind {
    fn of(class: &str) -> Option<Self> {
        Some(match class {
            "1.2.840.10008.5.1.4.1.1.88.11" => Self::Report(ReportClass::BasicText),
            "1.2.840.10008.5.1.4.1.1.88.22" => Self::Report(ReportClass::Enhanced),
            "1.2.840.10008.5.1.4.1.1.88.33" => Self::Report(ReportClass::Comprehensive),
            "1.2.840.10008.5.1.4.1.1.88.34" => Self::Report(ReportClass::Comprehensive3D),
            "1.2.840.10008.5.1.4.1.1.66.4" => Self::Segmentation,
            "1.2.840.10008.5.1.4.1.1.11.1" => Self::Presentation,
            "1.2.840.10008.5.1.4.1.1.7"
            | "1.2.840.10008.5.1.4.1.1.7.2"
            | "1.2.840.10008.5.1.4.1.1.7.3"
            | "1.2.840.10008.5.1.4.1.1.7.4" => Self::Picture,
            "1.2.840.10008.5.1.4.1.1.104.1" => Self::Document,
            _ => return None,
        })
    }
}

impl Object {
    /// Takes a file apart. A character set that is missing is found here: nothing can be read without it.
    pub(super) fn read(bytes: Vec<u8>, inputs: &Inputs) -> Result<Self, Vec<Refused>> {
        let file = Seekable::new(Cursor::new(bytes.as_slice()))
            .map_err(ReadError::from)
            .and_then(|source| read_file(source, &LIMITS))
            .map_err(|error| vec![unreadable(&error)])?;
        let mut data_set = file.data_set;
        let changes = repair::name_charset(&mut data_set, inputs).into_iter().collect();
        let said = attributes::read(&data_set, &|_: &AttributePath| None);
        let class = uid(&said, tags::SOP_CLASS_UID);
        let Some(kind) = class.as_ref().and_then(|class| Kind::of(class.as_str())) else {
            let mend = "send a structured report (Basic Text, Enhanced, Comprehensive, Comprehensive 3D), a Segmentation, a \
                        Grayscale Softcopy Presentation State, a Secondary Capture or an Encapsulated PDF";
            return Err(vec![Refused::new("/SOPClassUID", "results of this SOP class are not taken", mend)]);
        };
        let reference = (|| {
            let instance = uid(&said, tags::SOP_INSTANCE_UID)?;
            Some(Reference { series: uid(&said, tags::SERIES_INSTANCE_UID)?, instance, class: class? })
        })();
        let Some(reference) = reference else {
            let mend = "write SOPInstanceUID and SeriesInstanceUID (PS3.5 section 9.1)";
            return Err(vec![Refused::new("", "it has no UID of its own or of its series", mend)]);
        };
        Ok(Self { bytes, head: file.head, data_set, said, kind, reference, changes, beside: Vec::new() })
    }

    /// Its pixels, or its PDF, where they are.
    pub(super) fn pixels(&self) -> Pixels<'_> {
        match self.data_set.get(tags::PIXEL_DATA).map(|element| &element.value) {
            Some(Value::Bytes(bytes)) => Pixels::Native(bytes),
            Some(Value::Left(left)) => self.left(left.span.offset, left.span.length),
            Some(Value::Fragments(fragments)) => Pixels::Fragments(fragments.len().saturating_sub(1)),
            Some(Value::Items(_)) | None => Pixels::None,
        }
    }

    fn left(&self, offset: u64, length: u64) -> Pixels<'_> {
        let range = (|| {
            let begin = usize::try_from(offset).ok()?;
            self.bytes.get(begin..begin.checked_add(usize::try_from(length).ok()?)?)
        })();
        range.map_or(Pixels::None, Pixels::Native)
    }

    /// As it came, or written anew where something was put right.
    pub(super) fn accepted(self) -> AcceptedObject {
        let repairs: Vec<Repair> = self.changes.iter().map(|change| change.repair).collect();
        let bytes = if repairs.is_empty() { self.bytes } else { self.written() };
        AcceptedObject { reference: self.reference, bytes, repairs }
    }

    fn written(&self) -> Vec<u8> {
        let syntax = match self.head.syntax.encoding {
            Encoding::ExplicitLittle => self.head.syntax.clone(),
            // Explicit little endian says all that these say.
            Encoding::ImplicitLittle | Encoding::ExplicitBig | Encoding::Deflated => TransferSyntax::explicit_little(),
        };
        let mut written = head(&self.reference.class, &self.reference.instance, &syntax);
        for piece in write(&self.data_set, true) {
            match piece {
                Piece::Bytes(bytes) => written.extend(bytes),
                Piece::Copy { span, swapped } => {
                    let begin = written.len();
                    if let Pixels::Native(bytes) = self.left(span.offset, span.length) {
                        written.extend_from_slice(bytes);
                    }
                    if swapped > 1 {
                        written[begin..].chunks_exact_mut(usize::from(swapped)).for_each(<[u8]>::reverse);
                    }
                }
            }
        }
        written
    }
}

fn unreadable(error: &ReadError) -> Refused {
    Refused::new("", format!("it cannot be read: {error}"), "send a DICOM file (PS3.10)")
}
