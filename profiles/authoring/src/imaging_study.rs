//! ImagingStudy (FHIR R4 §10.6; in R5 codes are CodeableConcepts and endpoints have payloads): what the index of images knows of a study.

use fhir_sdk::{
    Date,
    r4b::{
        codes::{EndpointStatus, ImagingStudyStatus},
        types::{CodeableConcept, Coding, Identifier, Reference},
    },
};
use serde::Serialize;

use crate::{
    element::{Coded, Concept, Link, Named, visible},
    release::Release,
    written::{Head, Header, Written, identifiers, written},
};

const ENDPOINT: &str = "wado-rs";
const CONNECTION_TYPES: &str = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type";

/// A study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagingStudy {
    /// Id and time of change.
    pub header: Header,
    /// StudyInstanceUID and accession number.
    pub identifiers: Vec<Named>,
    /// Modalities of its series.
    pub modalities: Vec<Coded>,
    /// Whose.
    pub subject: Link,
    /// On which day.
    pub started: Option<time::Date>,
    /// In words.
    pub description: Option<String>,
    /// How many series there are.
    pub number_of_series: u32,
    /// How many instances there are.
    pub number_of_instances: u32,
    /// Its series.
    pub series: Vec<Series>,
    /// The DICOMweb root from which it is retrieved.
    pub dicom_web: String,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// SeriesInstanceUID.
    pub uid: String,
    /// SeriesNumber.
    pub number: Option<u32>,
    /// Modality.
    pub modality: Coded,
    /// In words.
    pub description: Option<String>,
    /// How many instances there are.
    pub number_of_instances: u32,
}

/// `C` is the data type of a modality: Coding in R4, CodeableConcept in R5.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<C, E> {
    #[serde(flatten)]
    head: Head,
    contained: [E; 1],
    identifier: Vec<Identifier>,
    status: ImagingStudyStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    modality: Vec<C>,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Date>,
    endpoint: [Reference; 1],
    number_of_series: u32,
    number_of_instances: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    series: Vec<TypedSeries<C>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedSeries<C> {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    modality: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    number_of_instances: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct R4Endpoint {
    resource_type: &'static str,
    id: &'static str,
    status: EndpointStatus,
    connection_type: Coding,
    payload_type: [CodeableConcept; 1],
    payload_mime_type: [&'static str; 1],
    address: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct R5Endpoint {
    resource_type: &'static str,
    id: &'static str,
    status: EndpointStatus,
    connection_type: [CodeableConcept; 1],
    payload: [Payload; 1],
    address: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    r#type: [CodeableConcept; 1],
    mime_type: [&'static str; 1],
}

impl ImagingStudy {
    /// As FHIR JSON.
    pub fn written(&self, release: Release) -> Written {
        match release {
            Release::R4 => self.with(r4_endpoint(&self.dicom_web), Coded::typed),
            Release::R5 => self.with(r5_endpoint(&self.dicom_web), |code| Concept::from(code.clone()).typed()),
        }
    }

    fn with<C: Serialize>(&self, endpoint: impl Serialize, modality: fn(&Coded) -> C) -> Written {
        let here = Link { reference: Some(format!("#{ENDPOINT}")), kind: "Endpoint", ..Link::default() };
        written(&Typed {
            head: self.header.typed("ImagingStudy"),
            contained: [endpoint],
            identifier: identifiers(&self.identifiers),
            status: ImagingStudyStatus::Available,
            modality: self.modalities.iter().map(modality).collect(),
            subject: self.subject.typed(),
            started: self.started.map(Date::Date),
            endpoint: [here.typed()],
            number_of_series: self.number_of_series,
            number_of_instances: self.number_of_instances,
            description: self.description.as_deref().and_then(visible),
            series: self.series.iter().map(|series| series.with(modality)).collect(),
        })
    }
}

impl Series {
    fn with<C>(&self, modality: fn(&Coded) -> C) -> TypedSeries<C> {
        TypedSeries {
            uid: self.uid.clone(),
            number: self.number,
            modality: modality(&self.modality),
            description: self.description.as_deref().and_then(visible),
            number_of_instances: self.number_of_instances,
        }
    }
}

fn wado() -> Coded {
    Coded::of(CONNECTION_TYPES, "dicom-wado-rs", "DICOM WADO-RS")
}

fn r4_endpoint(address: &str) -> R4Endpoint {
    R4Endpoint {
        resource_type: "Endpoint",
        id: ENDPOINT,
        status: EndpointStatus::Active,
        connection_type: wado().typed(),
        payload_type: [Concept::words("DICOM").typed()],
        payload_mime_type: ["application/dicom"],
        address: address.to_owned(),
    }
}

fn r5_endpoint(address: &str) -> R5Endpoint {
    R5Endpoint {
        resource_type: "Endpoint",
        id: ENDPOINT,
        status: EndpointStatus::Active,
        connection_type: [Concept::from(wado()).typed()],
        payload: [Payload { r#type: [Concept::words("DICOM").typed()], mime_type: ["application/dicom"] }],
        address: address.to_owned(),
    }
}
