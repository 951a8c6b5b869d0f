//! [`CheckedFindings`] as objects of DICOM that a PACS keeps: a report (TID 1500), segmentations, presentation states, pictures,
//! and a page for people (PDF).
//!
//! All are made from one model and name one another, so they are made in this order:
//!
//! 1. [`segmentation`]: masks, one bit for each pixel;
//! 2. [`presentation`]: lines and labels that a viewer draws over the grey images and can turn off;
//! 3. [`picture`]: the same burned into a rendered image, for viewers that know neither;
//! 4. [`report`]: refers to the segments, and lists what was made in 2 and 3 (`beside`);
//! 5. [`pdf`]: what the report says, for reading and printing, and names the report as its source.
//!
//! The same job and findings always give the same UIDs and bytes, so what is authored twice is stored once. Everything is
//! written in UTF-8 (ISO_IR 192), whatever the images were written in.

pub(crate) mod content;
pub(crate) mod document;
mod draw;
mod group;
pub(crate) mod library;
pub mod pdf;
pub mod picture;
pub mod presentation;
pub mod report;
pub mod segmentation;
pub(crate) mod terms;
#[cfg(test)]
mod tests;

use medvan_imaging::Uid;
use time::OffsetDateTime;
use uuid::Uuid;

pub use draw::{Legend, RgbPicture, Shown, WARNING, WrongSize, draw};
pub use medvan_imaging::attributes::NotWritable;

use crate::inputs::Inputs;

/// Whose findings they are, about what, and in which circumstances.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The images of the job.
    pub inputs: &'a Inputs,
    /// Who found.
    pub algorithm: &'a Algorithm,
    /// The job.
    pub job: Uuid,
    /// When the findings came, in the hospital's own time: DICOM has dates and times without a zone.
    pub at: OffsetDateTime,
    /// Whether all that was asked for was looked at.
    pub completion: Completion,
    /// Whether patients may be treated by it.
    pub qualification: Qualification,
    /// The report that this one replaces.
    pub predecessor: Option<Predecessor>,
}

/// An AI service, as documents name it. Texts are cut to what DICOM can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Algorithm {
    /// The service's name, in English.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who makes it.
    pub manufacturer: String,
    /// The product's model.
    pub manufacturer_model: String,
    /// The number of its approval, certification or notification as a medical device.
    pub regulatory_number: Option<String>,
    /// Its id in the network: `vendor/service`.
    pub service_id: String,
    /// Settings with which it ran, as name and value.
    pub parameters: Vec<String>,
}

/// Completion Flag (0040,A491).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// More images are expected, or some could not be looked at.
    Partial,
    /// All is said.
    Complete,
}

/// Content Qualification (0018,9004).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualification {
    /// A product that may be used for patients.
    Product,
    /// Research only: trials and shadow runs.
    Research,
}

/// A report that another one replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// Its StudyInstanceUID.
    pub study: Uid,
    /// What it is.
    pub reference: Reference,
}

/// An instance, as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
    /// SOPClassUID.
    pub class: Uid,
}

/// An object that was authored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// How others refer to it.
    pub reference: Reference,
    /// The Part 10 file, Explicit VR Little Endian.
    pub bytes: Vec<u8>,
}

/// Comprehensive 3D SR Storage.
pub const REPORT: &str = "1.2.840.10008.5.1.4.1.1.88.34";
/// Segmentation Storage.
pub const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";
/// Secondary Capture Image Storage.
pub const PICTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
/// Grayscale Softcopy Presentation State Storage.
pub const PRESENTATION: &str = "1.2.840.10008.5.1.4.1.1.11.1";
/// Encapsulated PDF Storage.
pub const DOCUMENT: &str = "1.2.840.10008.5.1.4.1.1.104.1";

impl Context<'_> {
    /// The UID of what has this role in the job.
    fn uid(&self, role: &str) -> Uid {
        uid_of(self.job, role)
    }

    /// The object that has this role; objects of one class are one series.
    fn reference(&self, class: &'static str, role: &str) -> Reference {
        let series = self.uid(&format!("series {class}"));
        Reference { series, instance: instance_of(self.job, class, role), class: Uid::known(class) }
    }
}

/// The UID of what has this role in a job: always the same (PS3.5 section B.2).
fn uid_of(job: Uuid, role: &str) -> Uid {
    Uid::from_uuid(Uuid::new_v5(&job, role.as_bytes()).as_u128())
}

/// That of the object that has this role.
fn instance_of(job: Uuid, class: &str, role: &str) -> Uid {
    uid_of(job, &format!("instance {class} {role}"))
}

impl Algorithm {
    /// The device's own UID: of this service in this version.
    fn uid(&self) -> Uid {
        let name = format!("medvan service {} {}", self.service_id, self.version);
        Uid::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).as_u128())
    }
}
