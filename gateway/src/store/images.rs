//! The index of images: studies, series and instances, and where the bytes of each are.
//!
//! The bytes themselves are in [packs](crate::archive); a row is written only after they are safe on disk.

mod find;
mod index;
mod remove;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use medvan_imaging::{TransferSyntax, Uid};
use time::OffsetDateTime;
use uuid::Uuid;

pub use find::{FoundInstance, FoundSeries, FoundStudy, Place, Selection};
pub(super) use index::Placement;
pub use remove::Emptied;

/// Who brought instances, from where, when, and by which protocol.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its id.
    pub id: Uuid,
    /// By which protocol.
    pub protocol: Protocol,
    /// The client's id, or the calling AE title.
    pub source: String,
    /// The AE title that was called.
    pub called: Option<String>,
    /// The address that the connection came from.
    pub peer: IpAddr,
    /// When it began.
    pub at: OffsetDateTime,
}

/// How instances come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// DICOMweb (PS3.18 §10.5).
    Stow,
    /// DIMSE (PS3.7 §9.1.1).
    CStore,
    /// The same, from the archive that priors are fetched from, without a word about whose C-MOVE it is part of: one of the gateway's
    /// own, where it is under way for the study.
    CStoreUnsaid,
    /// Sent for a C-MOVE of the gateway's own (PS3.7 §9.1.4).
    CMove,
    /// Given for a C-GET of the gateway's own (PS3.7 §9.1.3).
    CGet,
    /// Fetched from the hospital's archive (PS3.18 §10.4).
    Wado,
    /// Written by the gateway itself.
    Own,
}

impl Protocol {
    /// One word, for records and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stow => "stow-rs",
            Self::CStore | Self::CStoreUnsaid => "c-store",
            Self::CMove => "c-move",
            Self::CGet => "c-get",
            Self::Wado => "wado-rs",
            Self::Own => "own",
        }
    }

    /// Whether the gateway asked for it: then it is here to be compared with, and no new study.
    pub(crate) fn is_fetched(self) -> bool {
        matches!(self, Self::CMove | Self::CGet | Self::Wado)
    }
}

/// What an instance is there for: originals sent for AI work are forgotten after a time, results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sent by the hospital.
    Original,
    /// Made by an AI service.
    Result,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Result => "result",
        }
    }
}

/// The study of an instance, as its first instance tells it.
#[derive(Debug, Clone)]
pub struct NewStudy {
    /// StudyInstanceUID.
    pub uid: Uid,
    /// PatientID, or nothing.
    pub patient_id: String,
    /// AccessionNumber, or nothing.
    pub accession: String,
    /// StudyID, or nothing.
    pub study_id: String,
    /// StudyDate as `YYYYMMDD`, or nothing.
    pub date: String,
    /// Folded words of the names in it.
    pub words: Vec<String>,
    /// DICOM JSON of its attributes.
    pub attributes: String,
}

/// The series of an instance.
#[derive(Debug, Clone)]
pub struct NewSeries {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Modality, or nothing.
    pub modality: String,
    /// DICOM JSON of its attributes.
    pub attributes: String,
}

/// An instance whose bytes are safe.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// Its study.
    pub study: NewStudy,
    /// Its series.
    pub series: NewSeries,
    /// SOPInstanceUID.
    pub uid: Uid,
    /// SOPClassUID.
    pub class: Uid,
    /// How it is written.
    pub syntax: TransferSyntax,
    /// InstanceNumber.
    pub number: Option<i64>,
    /// NumberOfFrames.
    pub frames: Option<i64>,
    /// Rows.
    pub rows: Option<i64>,
    /// Columns.
    pub columns: Option<i64>,
    /// BitsAllocated.
    pub bits: Option<i64>,
    /// Bytes of the pack before it.
    pub at_byte: u64,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them.
    pub digest: [u8; 32],
    /// What it is there for.
    pub kind: Kind,
}

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It is stored.
    New,
    /// It was there already, byte for byte.
    Same,
    /// Another content of that UID was there and stayed.
    Kept,
    /// It took the place of another content.
    Replaced,
    /// Another content of that UID is there, and that is not allowed.
    Refused,
    /// Its study is there and is another patient's.
    OtherPatient,
}
