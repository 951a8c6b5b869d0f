//! ImagingSelection (FHIR R5): images, frames, segments or content items of one series, and regions in them.
//!
//! The codes of R5 are written out here: fhir-sdk's R5 types would lengthen every build by more than a minute.

use fhir_sdk::{
    Instant,
    r4b::types::{CodeableConcept, Coding, Identifier, Reference},
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    body_structure::{self, BodyStructure},
    element::{Coded, Concept, Link, Named},
    written::{Head, Header, Written, identifiers, instant, references, written},
};

/// What was selected of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagingSelection {
    /// Id and time of change.
    pub header: Header,
    /// Whether it does not hold any more.
    pub is_withdrawn: bool,
    /// Other names of it.
    pub identifiers: Vec<Named>,
    /// Whose.
    pub subject: Link,
    /// When it was made.
    pub issued: OffsetDateTime,
    /// By what.
    pub performer: Link,
    /// Why it was selected.
    pub code: Concept,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The study.
    pub derived_from: Vec<Link>,
    /// SeriesInstanceUID.
    pub series_uid: Option<String>,
    /// Frame of Reference UID, where regions lie in it.
    pub frame_of_reference_uid: Option<String>,
    /// Where in the body.
    pub body_site: Option<Concept>,
    /// The same where it has a side.
    pub body_structure: Option<BodyStructure>,
    /// Other selections on which this one rests.
    pub focus: Vec<Link>,
    /// Of what it is made.
    pub instances: Vec<SelectedInstance>,
}

/// An instance of which something is selected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SelectedInstance {
    /// SOPInstanceUID.
    pub uid: String,
    /// SOPClassUID, where it is known.
    pub class: Option<String>,
    /// Numbers of frames or segments, or observation UIDs of content items; none where all of it is meant.
    pub subset: Vec<String>,
    /// A region in it.
    pub region: Option<Region>,
}

/// A region, by its points.
#[derive(Debug, Clone, PartialEq)]
pub enum Region {
    /// In the image (PS3.3 section C.18.6): columns and rows in pixels.
    Flat(Shape, Vec<[f64; 2]>),
    /// In the frame of reference (PS3.3 section C.18.9): millimetres.
    Spatial(Shape, Vec<[f64; 3]>),
}

/// What points make; these are the same in the image and in space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// One point.
    Point,
    /// A line through them.
    Polyline,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(flatten)]
    head: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    contained: Option<[body_structure::Contained; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier>,
    status: Status,
    subject: Reference,
    issued: Instant,
    performer: [Performer; 1],
    code: CodeableConcept,
    study_uid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_from: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_of_reference_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_site: Option<BodySite>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    focus: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    instance: Vec<TypedInstance>,
}

/// `http://hl7.org/fhir/imagingselection-status`
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Available,
    EnteredInError,
}

#[derive(Serialize)]
struct Performer {
    actor: Reference,
}

/// A CodeableReference.
#[derive(Serialize)]
struct BodySite {
    concept: CodeableConcept,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedInstance {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sop_class: Option<Coding>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subset: Vec<String>,
    #[serde(rename = "imageRegion2D", skip_serializing_if = "Option::is_none")]
    flat: Option<[TypedRegion; 1]>,
    #[serde(rename = "imageRegion3D", skip_serializing_if = "Option::is_none")]
    spatial: Option<[TypedRegion; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedRegion {
    region_type: Shape,
    coordinate: Vec<f64>,
}

impl ImagingSelection {
    /// As FHIR R5 JSON.
    pub fn written(&self) -> Written {
        let reference = self.body_structure.as_ref().map(|_| BodyStructure::reference());
        let site = self.body_site.as_ref().map(|site| BodySite { concept: site.typed(), reference });
        written(&Typed {
            head: self.header.typed("ImagingSelection"),
            contained: self.body_structure.as_ref().map(|structure| [structure.contained()]),
            identifier: identifiers(&self.identifiers),
            status: if self.is_withdrawn { Status::EnteredInError } else { Status::Available },
            subject: self.subject.typed(),
            issued: instant(self.issued),
            performer: [Performer { actor: self.performer.typed() }],
            code: self.code.typed(),
            study_uid: self.study_uid.clone(),
            derived_from: references(&self.derived_from),
            series_uid: self.series_uid.clone(),
            frame_of_reference_uid: self.frame_of_reference_uid.clone(),
            body_site: site,
            focus: references(&self.focus),
            instance: self.instances.iter().map(SelectedInstance::typed).collect(),
        })
    }
}

impl SelectedInstance {
    fn typed(&self) -> TypedInstance {
        let (flat, spatial) = match &self.region {
            None => (None, None),
            Some(Region::Flat(shape, points)) => (Some([region(*shape, points.as_flattened())]), None),
            Some(Region::Spatial(shape, points)) => (None, Some([region(*shape, points.as_flattened())])),
        };
        let class = self.class.as_ref().map(|class| Coded::of("urn:ietf:rfc:3986", &format!("urn:oid:{class}"), ""));
        TypedInstance {
            uid: self.uid.clone(),
            sop_class: class.as_ref().map(Coded::typed),
            subset: self.subset.clone(),
            flat,
            spatial,
        }
    }
}

/// JSON has finite numbers only, as findings do.
fn region(shape: Shape, coordinates: &[f64]) -> TypedRegion {
    TypedRegion { region_type: shape, coordinate: coordinates.to_vec() }
}
