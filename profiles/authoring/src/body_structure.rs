//! BodyStructure (FHIR R5), contained in what is about it: a site that has a side.

use fhir_sdk::r4b::types::{CodeableConcept, Identifier, Reference};
use serde::Serialize;

use crate::{
    element::{Concept, Link, Named},
    written::identifiers,
};

const SITE: &str = "site";

/// A part of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyStructure {
    /// Names of what is there, over time.
    pub identifiers: Vec<Named>,
    /// Which part.
    pub structure: Concept,
    /// On which side.
    pub laterality: Concept,
    /// Whose.
    pub patient: Link,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contained {
    resource_type: &'static str,
    id: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    identifier: Vec<Identifier>,
    included_structure: [Included; 1],
    patient: Reference,
}

#[derive(Serialize)]
struct Included {
    structure: CodeableConcept,
    laterality: CodeableConcept,
}

impl BodyStructure {
    pub(crate) fn contained(&self) -> Contained {
        Contained {
            resource_type: "BodyStructure",
            id: SITE,
            identifier: identifiers(&self.identifiers),
            included_structure: [Included { structure: self.structure.typed(), laterality: self.laterality.typed() }],
            patient: self.patient.typed(),
        }
    }

    /// The reference to it of what contains it.
    pub(crate) fn reference() -> Reference {
        Link { reference: Some(format!("#{SITE}")), kind: "BodyStructure", ..Link::default() }.typed()
    }
}
