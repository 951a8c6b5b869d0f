//! DICOM and DICOMweb as types, codecs and rules. Pure: no socket, no clock, no disk.
//!
//! Two views of a data set, because DICOM needs both:
//!
//! - [`dataset`]: as it is on the wire. Values are bytes in the source's character set, long ones stay where they are and
//!   are named by their place. It is what gets stored, forwarded and written in another transfer syntax without loss.
//! - [`attributes`]: as people and JSON mean it. Text is decoded, then split (never the other way round: a kanji's second
//!   byte may be a backslash). It is what is searched, shown and sent as DICOM JSON or XML.

pub mod accept;
pub mod ae_title;
pub mod attributes;
pub mod charset;
pub mod dataset;
pub mod dimse;
pub mod file;
pub mod frames;
pub mod jpeg;
pub mod json;
pub mod multipart;
pub mod person_name;
pub mod query;
pub mod rendering;
pub mod report;
pub mod stow;
pub mod transfer_syntax;
pub mod uid;
pub mod ups;
pub mod xml;

pub use ae_title::AeTitle;
pub use dicom_core::{Tag, VR};
pub use transfer_syntax::TransferSyntax;
pub use uid::Uid;
