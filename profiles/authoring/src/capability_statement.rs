//! CapabilityStatement (FHIR R4 §5.2; the same in R5): what a server can be asked.

use fhir_sdk::r4b::codes::{CapabilityStatementKind, PublicationStatus, RestfulCapabilityMode, SearchParamType};
use serde::Serialize;

use crate::{
    release::Release,
    written::{Written, written},
};

/// What a server can be asked.
#[derive(Debug, Clone, Copy)]
pub struct Capabilities<'a> {
    /// The day on which they last changed: `2026-11-23`.
    pub date: &'a str,
    /// Name of the software.
    pub software: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What this server is.
    pub description: &'a str,
    /// Its base address.
    pub url: &'a str,
    /// How callers prove who they are.
    pub security: &'a str,
    /// The types of resource that can be read and searched.
    pub resources: &'a [ResourceCapability],
}

/// What can be asked about a type of resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourceCapability {
    /// The type.
    pub kind: &'static str,
    /// Search parameters: name, type, what it means.
    pub parameters: &'static [(&'static str, SearchParamType, &'static str)],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a> {
    resource_type: &'static str,
    status: PublicationStatus,
    date: &'a str,
    kind: CapabilityStatementKind,
    software: Software<'a>,
    implementation: Implementation<'a>,
    fhir_version: &'static str,
    format: [&'static str; 2],
    rest: [Rest<'a>; 1],
}

#[derive(Serialize)]
struct Software<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Implementation<'a> {
    description: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
struct Rest<'a> {
    mode: RestfulCapabilityMode,
    security: Security<'a>,
    resource: Vec<Resource>,
}

#[derive(Serialize)]
struct Security<'a> {
    description: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    r#type: &'static str,
    interaction: [Interaction; 2],
    search_param: Vec<Parameter>,
}

#[derive(Serialize)]
struct Interaction {
    code: &'static str,
}

#[derive(Serialize)]
struct Parameter {
    name: &'static str,
    r#type: SearchParamType,
    documentation: &'static str,
}

impl Capabilities<'_> {
    /// As FHIR JSON.
    pub fn written(&self, release: Release) -> Written {
        written(&Typed {
            resource_type: "CapabilityStatement",
            status: PublicationStatus::Active,
            date: self.date,
            kind: CapabilityStatementKind::Instance,
            software: Software { name: self.software, version: self.version },
            implementation: Implementation { description: self.description, url: self.url },
            fhir_version: release.version(),
            format: ["application/fhir+json", "json"],
            rest: [Rest {
                mode: RestfulCapabilityMode::Server,
                security: Security { description: self.security },
                resource: self.resources.iter().map(ResourceCapability::typed).collect(),
            }],
        })
    }
}

impl ResourceCapability {
    fn typed(&self) -> Resource {
        let interaction = ["read", "search-type"];
        let parameter = |&(name, r#type, documentation)| Parameter { name, r#type, documentation };
        Resource {
            r#type: self.kind,
            interaction: interaction.map(|code| Interaction { code }),
            search_param: self.parameters.iter().map(parameter).collect(),
        }
    }
}
