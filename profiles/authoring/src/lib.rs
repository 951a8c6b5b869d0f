//! Typed FHIR that we author or interpret: the one crate that names fhir-sdk.
//!
//! Two reasons keep it alone. Serde on fhir-sdk's types costs minutes of build in every crate that calls it, so the
//! functions here are not generic and take and give bytes or our own types. And fhir-sdk drops what it does not know,
//! turns decimals into doubles and loses a malformed choice element without a word, so a foreign resource is never
//! written again through it ([`lost`] tells what a typed read lost; whoever decides on one asks it first).
//!
//! `contained` would pull the code of every resource type into the build; the envelopes of all resources are therefore
//! written here, and only the data types and codes in them are fhir-sdk's. The tests read each back as fhir-sdk's resource.
//!
//! R5 is written from the same structures ([`Release`]): the data types that we use are alike in both releases. fhir-sdk's own R5
//! would make a clean build more than a minute longer; a library by others reads what we write (`tests/interop`).

mod body_structure;
mod capability_statement;
mod device;
mod diagnostic_report;
mod element;
mod imaging_selection;
mod imaging_study;
mod lost;
mod observation;
mod operation_outcome;
mod provenance;
mod release;
mod search_set;
mod written;

pub use fhir_sdk::r4b::codes::{IssueSeverity, IssueType as IssueCode, SearchParamType};

pub use self::{
    body_structure::BodyStructure,
    capability_statement::{Capabilities, ResourceCapability},
    device::Device,
    diagnostic_report::{DiagnosticReport, Form},
    element::{Bilingual, Coded, Concept, Link, Named},
    imaging_selection::{ImagingSelection, Region, SelectedInstance, Shape},
    imaging_study::{ImagingStudy, Series},
    lost::lost,
    observation::{Component, ComponentValue, Observation},
    operation_outcome::{Issue, Issues, NotAnOperationOutcome, operation_outcome},
    provenance::{Agent, Provenance},
    release::Release,
    search_set::{Match, SearchSet},
    written::{Header, Written},
};
