//! Provenance (FHIR R4 §6.3): from what, and by whom, a report was made.

use fhir_sdk::{
    Instant,
    r4b::{
        codes::ProvenanceEntityRole,
        types::{CodeableConcept, Reference},
    },
};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    element::{Concept, Link},
    written::{Head, Header, Written, instant, references, written},
};

/// How something was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Id and time of change.
    pub header: Header,
    /// What was made.
    pub targets: Vec<Link>,
    /// When it was noted.
    pub recorded: OffsetDateTime,
    /// What was done.
    pub activity: Concept,
    /// By whom.
    pub agents: Vec<Agent>,
    /// From what.
    pub sources: Vec<Link>,
    /// Instead of what.
    pub revised: Vec<Link>,
}

/// Who took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// How.
    pub role: Concept,
    /// Who.
    pub who: Link,
    /// For whom.
    pub on_behalf_of: Option<Link>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(flatten)]
    head: Head,
    target: Vec<Reference>,
    recorded: Instant,
    activity: CodeableConcept,
    agent: Vec<TypedAgent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entity: Vec<Entity>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypedAgent {
    r#type: CodeableConcept,
    who: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<Reference>,
}

#[derive(Serialize)]
struct Entity {
    role: ProvenanceEntityRole,
    what: Reference,
}

impl Provenance {
    /// As FHIR JSON.
    pub fn written(&self) -> Written {
        let sources = self.sources.iter().map(|link| entity(ProvenanceEntityRole::Source, link));
        let revised = self.revised.iter().map(|link| entity(ProvenanceEntityRole::Revision, link));
        written(&Typed {
            head: self.header.typed("Provenance"),
            target: references(&self.targets),
            recorded: instant(self.recorded),
            activity: self.activity.typed(),
            agent: self.agents.iter().map(Agent::typed).collect(),
            entity: sources.chain(revised).collect(),
        })
    }
}

impl Agent {
    fn typed(&self) -> TypedAgent {
        TypedAgent {
            r#type: self.role.typed(),
            who: self.who.typed(),
            on_behalf_of: self.on_behalf_of.as_ref().map(Link::typed),
        }
    }
}

fn entity(role: ProvenanceEntityRole, link: &Link) -> Entity {
    Entity { role, what: link.typed() }
}
