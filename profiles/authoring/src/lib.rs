//! Typed FHIR that we author or interpret: the one crate that names fhir-sdk.
//!
//! Two reasons keep it alone. Serde on fhir-sdk's types costs minutes of build in every crate that calls it, so the
//! functions here are not generic and take and give bytes or our own types. And fhir-sdk drops what it does not know,
//! turns decimals into doubles and loses a malformed choice element without a word, so a foreign resource is never
//! written again through it ([`lost`] tells what a typed read lost; whoever decides on one asks it first).
//!
//! `OperationOutcome.contained` would pull the code of every resource type into the build; the envelope is therefore
//! written here and only its issues are fhir-sdk's.

mod lost;
mod operation_outcome;

pub use fhir_sdk::r4b::codes::{IssueSeverity, IssueType as IssueCode};

pub use self::{
    lost::lost,
    operation_outcome::{Issue, Issues, NotAnOperationOutcome, operation_outcome},
};
