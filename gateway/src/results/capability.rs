//! `GET …/metadata`, and the one table of search parameters by which searches are read.

use axum::response::Response;
use medvan_authoring::{Capabilities, ResourceCapability, SearchParamType};

use super::{Ask, Kind, answer};

type Parameter = (&'static str, SearchParamType, &'static str);

const ID: Parameter = ("_id", SearchParamType::Token, "Logical id; several with commas.");
const CHANGED: Parameter =
    ("_lastUpdated", SearchParamType::Date, "When the service answered; prefixes eq, ge, le, gt, lt.");
const PATIENT: Parameter = (
    "patient",
    SearchParamType::Reference,
    "PatientID of the images: Patient/K-1, K-1, or with :identifier or .identifier as [system|]K-1; the system is not looked at.",
);
const SUBJECT: Parameter = ("subject", SearchParamType::Reference, "The same as patient.");
const STUDY: Parameter =
    ("study", SearchParamType::Token, "StudyInstanceUID: urn:dicom:uid|urn:oid:1.2, urn:oid:1.2 or 1.2.");
const SERVICE: Parameter = ("service", SearchParamType::String, "Which service found it: vendor.service.");
const DATE: Parameter = ("date", SearchParamType::Date, "Day of the study; prefixes eq, ge, le, gt, lt.");
const STATUS: Parameter = ("status", SearchParamType::Token, "Everything that a search finds is preliminary.");

const RESOURCES: [ResourceCapability; 5] = [
    ResourceCapability {
        kind: "Observation",
        parameters: &[
            ID,
            CHANGED,
            PATIENT,
            SUBJECT,
            STUDY,
            SERVICE,
            DATE,
            STATUS,
            ("code", SearchParamType::Token, "What was looked for: [system|]code; several with commas."),
            ("device", SearchParamType::Reference, "Which service in which version found it."),
            ("derived-from", SearchParamType::Reference, "The ImagingStudy."),
            ("part-of", SearchParamType::Reference, "The ImagingStudy."),
        ],
    },
    ResourceCapability {
        kind: "DiagnosticReport",
        parameters: &[
            ID,
            CHANGED,
            PATIENT,
            SUBJECT,
            STUDY,
            SERVICE,
            DATE,
            STATUS,
            ("imagingStudy", SearchParamType::Reference, "The ImagingStudy (IHE IMR)."),
            ("issued", SearchParamType::Date, "When the service answered."),
        ],
    },
    ResourceCapability {
        kind: "ImagingStudy",
        parameters: &[
            ID,
            PATIENT,
            SUBJECT,
            STUDY,
            ("identifier", SearchParamType::Token, "urn:oid: and StudyInstanceUID, or an accession number."),
            ("started", SearchParamType::Date, "Day of the study."),
            ("modality", SearchParamType::Token, "A modality of its series."),
        ],
    },
    ResourceCapability { kind: "Device", parameters: &[ID, SERVICE] },
    ResourceCapability {
        kind: "Provenance",
        parameters: &[
            ID,
            CHANGED,
            PATIENT,
            STUDY,
            SERVICE,
            ("target", SearchParamType::Reference, "The DiagnosticReport or an Observation."),
            ("recorded", SearchParamType::Date, "When the service answered."),
        ],
    },
];

/// The names of the search parameters of a type.
pub(super) fn parameters(kind: Kind) -> impl Iterator<Item = &'static str> {
    let resource = RESOURCES.iter().filter(move |resource| resource.kind == kind.word());
    resource.flat_map(|resource| resource.parameters).map(|(name, ..)| *name)
}

/// What this server can be asked.
pub(super) async fn metadata(ask: Ask) -> Response {
    let capabilities = Capabilities {
        date: "2026-11-23",
        software: "MedVAN",
        version: env!("CARGO_PKG_VERSION"),
        description: "Results of AI services for one hospital, for reading",
        url: &ask.root,
        security: "A JWT that names this root as its audience, as for CDS Hooks and DICOMweb.",
        resources: &RESOURCES,
    };
    answer(&capabilities.written())
}
