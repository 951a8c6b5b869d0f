//! What people read: whom to reach, and what a doctor and a governor need to judge the service.

use serde::{Deserialize, Serialize};

use super::Words;

/// Whom to reach about a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// A person or a desk.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
}

/// The model card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelCard {
    /// For whom and for what it is made.
    pub intended_use: Words,
    /// What it must not be used for.
    pub out_of_scope: Words,
    /// How it is known to fail.
    pub known_risks: Words,
    /// Publications and reports that support it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// One publication or report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Title.
    pub title: String,
    /// Where to read it.
    pub url: String,
}
