//! Which key had which state and why: for the record of an exchange, without content.

use serde::Serialize;

/// Where a state comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The EHR sent it with the call.
    Ehr,
    /// The gateway asked the EHR's FHIR server.
    FhirServer,
    /// Nobody gave it.
    Nobody,
}

/// What a service was sent under one key, and why: for the record of the exchange. No content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyStory {
    /// The service's own key.
    pub key: String,
    /// `resource`, `null`, `failed` or `omitted`.
    pub state: &'static str,
    /// Who gave it.
    pub origin: Origin,
    /// Why it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
