//! `GET …/metadata`, and the one table of search parameters by which searches are read.

use axum::response::Response;
use medvan_authoring::{Capabilities, Release, ResourceCapability, SearchParamType};

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
const REPORT_CODE: Parameter = (
    "code",
    SearchParamType::Token,
    "The report's own: [system|]code; several with commas. What was found has its code in the Observations.",
);
const ISSUED: Parameter = ("issued", SearchParamType::Date, "When the service answered.");

/// What both releases have alike.
const ALIKE: [ResourceCapability; 3] = [
    ResourceCapability {
        kind: "ImagingStudy",
        parameters: &[
            ID,
            PATIENT,
            SUBJECT,
            STUDY,
            ("identifier", SearchParamType::Token, "urn:oid: and StudyInstanceUID, or an accession number."),
            ("started", SearchParamType::Date, "Day of the study."),
            ("date", SearchParamType::Date, "The same as started."),
            ("modality", SearchParamType::Token, "A modality of its series."),
        ],
    },
    ResourceCapability {
        kind: "Device",
        parameters: &[
            ID,
            SERVICE,
            // The standard's parameter is of Device.patient, whom a device is affixed to. Services are affixed to nobody.
            ("patient", SearchParamType::Reference, "Services that found something in images of this PatientID."),
            ("study", SearchParamType::Token, "Services that found something in the study with this StudyInstanceUID."),
            ("date", SearchParamType::Date, "Services that found something in studies of this day."),
        ],
    },
    ResourceCapability {
        kind: "Provenance",
        parameters: &[
            ID,
            CHANGED,
            PATIENT,
            STUDY,
            SERVICE,
            DATE,
            ("target", SearchParamType::Reference, "The DiagnosticReport or an Observation."),
            ("recorded", SearchParamType::Date, "When the service answered."),
        ],
    },
];

const R4: [ResourceCapability; 5] = [
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
            REPORT_CODE,
            ("imagingStudy", SearchParamType::Reference, "The ImagingStudy (IHE IMR)."),
            ISSUED,
        ],
    },
    ALIKE[0],
    ALIKE[1],
    ALIKE[2],
];

const R5: [ResourceCapability; 6] = [
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
            ("derived-from", SearchParamType::Reference, "The ImagingStudy, or an ImagingSelection."),
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
            ("study", SearchParamType::Reference, "The ImagingStudy; also its StudyInstanceUID."),
            SERVICE,
            DATE,
            STATUS,
            REPORT_CODE,
            ISSUED,
        ],
    },
    ResourceCapability {
        kind: "ImagingSelection",
        parameters: &[
            ID,
            CHANGED,
            PATIENT,
            SUBJECT,
            STUDY,
            ("study-uid", SearchParamType::Uri, "StudyInstanceUID."),
            SERVICE,
            ("status", SearchParamType::Token, "Everything that a search finds is available."),
            ("code", SearchParamType::Token, "Why it was selected: [system|]code; several with commas."),
            ("body-site", SearchParamType::Token, "Where in the body: [system|]code; several with commas."),
            (
                "identifier",
                SearchParamType::Token,
                "A tracking identifier or UID, or the observation UID in the report.",
            ),
            ("derived-from", SearchParamType::Reference, "The ImagingStudy."),
            ISSUED,
        ],
    },
    ALIKE[0],
    ALIKE[1],
    ALIKE[2],
];

const fn resources(release: Release) -> &'static [ResourceCapability] {
    match release {
        Release::R4 => &R4,
        Release::R5 => &R5,
    }
}

/// The names of the search parameters of a type.
pub(super) fn parameters(kind: Kind, release: Release) -> impl Iterator<Item = &'static str> {
    let resource = resources(release).iter().filter(move |resource| resource.kind == kind.word());
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
        resources: resources(ask.release),
    };
    answer(ask.release, &capabilities.written(ask.release))
}
