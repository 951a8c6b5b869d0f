//! ImagingStudy (FHIR R4 §10.6): what the index of images knows of a study.

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
    written::{Head, Header, Written, codings, identifiers, written},
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(flatten)]
    head: Head,
    contained: [Endpoint; 1],
    identifier: Vec<Identifier>,
    status: ImagingStudyStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    modality: Vec<Coding>,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Date>,
    endpoint: [Reference; 1],
    number_of_series: u32,
    number_of_instances: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    series: Vec<TypedSeries>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedSeries {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    modality: Coding,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    number_of_instances: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint {
    resource_type: &'static str,
    id: &'static str,
    status: EndpointStatus,
    connection_type: Coding,
    payload_type: [CodeableConcept; 1],
    payload_mime_type: [&'static str; 1],
    address: String,
}

impl ImagingStudy {
    /// As FHIR JSON.
    pub fn written(&self) -> Written {
        let here = Link { reference: Some(format!("#{ENDPOINT}")), kind: "Endpoint", ..Link::default() };
        written(&Typed {
            head: self.header.typed("ImagingStudy"),
            contained: [endpoint(&self.dicom_web)],
            identifier: identifiers(&self.identifiers),
            status: ImagingStudyStatus::Available,
            modality: codings(&self.modalities),
            subject: self.subject.typed(),
            started: self.started.map(Date::Date),
            endpoint: [here.typed()],
            number_of_series: self.number_of_series,
            number_of_instances: self.number_of_instances,
            description: self.description.as_deref().and_then(visible),
            series: self.series.iter().map(Series::typed).collect(),
        })
    }
}

impl Series {
    fn typed(&self) -> TypedSeries {
        TypedSeries {
            uid: self.uid.clone(),
            number: self.number,
            modality: self.modality.typed(),
            description: self.description.as_deref().and_then(visible),
            number_of_instances: self.number_of_instances,
        }
    }
}

fn endpoint(address: &str) -> Endpoint {
    Endpoint {
        resource_type: "Endpoint",
        id: ENDPOINT,
        status: EndpointStatus::Active,
        connection_type: Coded::of(CONNECTION_TYPES, "dicom-wado-rs", "DICOM WADO-RS").typed(),
        payload_type: [Concept::words("DICOM").typed()],
        payload_mime_type: ["application/dicom"],
        address: address.to_owned(),
    }
}
