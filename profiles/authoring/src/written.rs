//! [`Written`]: a resource as JSON, and what all resources begin with.

use fhir_sdk::{
    Instant,
    r4b::types::{CodeableConcept, Identifier, Reference},
};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;

use crate::element::{Concept, Link, Named};

/// A resource as FHIR JSON.
pub type Written = Box<RawValue>;

/// What a resource is called and when it last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Logical id: at most 64 of letters, digits, `-` and `.`.
    pub id: String,
    /// When it last changed; none where that is not known.
    pub changed_at: Option<OffsetDateTime>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    resource_type: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Meta>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    last_updated: Instant,
}

impl Header {
    pub(crate) fn typed(&self, resource_type: &'static str) -> Head {
        let meta = self.changed_at.map(|at| Meta { last_updated: instant(at) });
        Head { resource_type, id: self.id.clone(), meta }
    }
}

/// Many readers of FHIR know milliseconds at most.
pub(crate) fn instant(at: OffsetDateTime) -> Instant {
    let millisecond = at.millisecond();
    Instant(at.replace_millisecond(millisecond).unwrap_or(at))
}

pub(crate) fn written(resource: &impl Serialize) -> Written {
    to_raw_value(resource).expect("a resource is made of texts, codes and finite numbers")
}

pub(crate) fn concepts(concepts: &[Concept]) -> Vec<CodeableConcept> {
    concepts.iter().map(Concept::typed).collect()
}

pub(crate) fn identifiers(names: &[Named]) -> Vec<Identifier> {
    names.iter().map(Named::typed).collect()
}

pub(crate) fn references(links: &[Link]) -> Vec<Reference> {
    links.iter().map(Link::typed).collect()
}
