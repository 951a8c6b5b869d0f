//! Observation (FHIR R4 §10.1; R5 has also `bodyStructure`).

use fhir_sdk::{
    Date, Instant,
    r4b::{
        codes::ObservationStatus,
        types::{CodeableConcept, FieldExtension, Identifier, Quantity, Reference},
    },
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    body_structure::{self, BodyStructure},
    element::{Bilingual, Concept, Link, Named, quantity, visible},
    written::{Head, Header, Written, concepts, identifiers, instant, references, written},
};

/// What was observed. A machine's statement is never `final`: that is a person's to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Id and time of change.
    pub header: Header,
    /// Whether it does not hold any more.
    pub is_withdrawn: bool,
    /// Other names of it.
    pub identifiers: Vec<Named>,
    /// Of which it is a part.
    pub part_of: Vec<Link>,
    /// Kinds of observation.
    pub categories: Vec<Concept>,
    /// What was looked for.
    pub code: Concept,
    /// Whose.
    pub subject: Link,
    /// On which day the patient was as it says.
    pub effective: Option<time::Date>,
    /// When it was made.
    pub issued: OffsetDateTime,
    /// What was observed.
    pub value: Option<Concept>,
    /// In words.
    pub notes: Vec<Bilingual>,
    /// Where in the body.
    pub body_site: Option<Concept>,
    /// The same instead, where it has a side (R5).
    pub body_structure: Option<BodyStructure>,
    /// By what.
    pub device: Link,
    /// From what.
    pub derived_from: Vec<Link>,
    /// What belongs to it.
    pub components: Vec<Component>,
}

/// A part of an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// What was looked at.
    pub code: Concept,
    /// What it is.
    pub value: ComponentValue,
}

/// The value of a part.
#[derive(Debug, Clone, PartialEq)]
pub enum ComponentValue {
    /// A class.
    Concept(Concept),
    /// Words.
    Text(String),
    /// A number and its UCUM unit.
    Quantity(f64, String),
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    part_of: Vec<Reference>,
    status: ObservationStatus,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    category: Vec<CodeableConcept>,
    code: CodeableConcept,
    subject: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_date_time: Option<Date>,
    issued: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_codeable_concept: Option<CodeableConcept>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    note: Vec<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_site: Option<CodeableConcept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_structure: Option<Reference>,
    device: Reference,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_from: Vec<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    component: Vec<TypedComponent>,
}

#[derive(Serialize)]
struct Note {
    text: String,
    #[serde(rename = "_text", skip_serializing_if = "Option::is_none")]
    text_ext: Option<FieldExtension>,
}

#[derive(Serialize)]
struct TypedComponent {
    code: CodeableConcept,
    #[serde(flatten)]
    value: TypedValue,
}

/// `value[x]`.
#[derive(Serialize)]
enum TypedValue {
    #[serde(rename = "valueCodeableConcept")]
    Concept(CodeableConcept),
    #[serde(rename = "valueString")]
    Text(String),
    #[serde(rename = "valueQuantity")]
    Quantity(Quantity),
}

impl Observation {
    /// As FHIR JSON.
    pub fn written(&self) -> Written {
        let status = if self.is_withdrawn { ObservationStatus::EnteredInError } else { ObservationStatus::Preliminary };
        written(&Typed {
            head: self.header.typed("Observation"),
            contained: self.body_structure.as_ref().map(|structure| [structure.contained()]),
            identifier: identifiers(&self.identifiers),
            part_of: references(&self.part_of),
            status,
            category: concepts(&self.categories),
            code: self.code.typed(),
            subject: self.subject.typed(),
            effective_date_time: self.effective.map(Date::Date),
            issued: instant(self.issued),
            value_codeable_concept: self.value.as_ref().map(Concept::typed),
            note: self.notes.iter().filter_map(note).collect(),
            body_site: self.body_site.as_ref().map(Concept::typed),
            body_structure: self.body_structure.as_ref().map(|_| BodyStructure::reference()),
            device: self.device.typed(),
            derived_from: references(&self.derived_from),
            component: self.components.iter().filter_map(component).collect(),
        })
    }
}

fn note(words: &Bilingual) -> Option<Note> {
    Some(Note { text: words.text()?, text_ext: words.translation() })
}

/// A part that would say nothing is left out.
fn component(part: &Component) -> Option<TypedComponent> {
    let value = match &part.value {
        ComponentValue::Concept(concept) => TypedValue::Concept(concept.typed()),
        ComponentValue::Text(text) => TypedValue::Text(visible(text)?),
        ComponentValue::Quantity(value, unit) if value.is_finite() => TypedValue::Quantity(quantity(*value, unit)),
        ComponentValue::Quantity(..) => return None,
    };
    Some(TypedComponent { code: part.code.typed(), value })
}
