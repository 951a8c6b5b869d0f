//! Definitions of services: read tolerantly from a vendor, written strictly to an EHR (items 5-10).
//!
//! A vendor's document is read as far as it can be understood, and every deviation is a [`Defect`] for its scorecard:
//! known servers answer with an object map instead of an array, or leave the description out. What the gateway publishes
//! itself has no empties and no nulls.

use std::fmt;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::{Deserialize, Serialize};

mod diff;
mod read;

pub use diff::{Change, diff};
pub use read::{Defect, Discovered, NotADiscovery};

/// One service definition: what it is, on which hook, and what data it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The hook to call it on.
    pub hook: String,
    /// Human-friendly name.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub title: Option<String>,
    /// What it does. May hold Markdown.
    pub description: String,
    /// The last part of its URL. The same id may stand for several hooks (item 7).
    pub id: String,
    /// Prefetch templates by key, in the order of publication: a template with `%key` comes after the key.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub prefetch: IndexMap<String, String>,
    /// What must hold for the service to be of use.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub usage_requirements: Option<String>,
    /// 3.0: version of the CDS Hooks specification that it implements.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub version: Option<String>,
    /// 3.0: version of the hook that it implements.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub hook_version: Option<String>,
    /// Extensions.
    #[serde(default, skip_serializing_if = "no_members")]
    pub extension: Option<IndexMap<String, Json>>,
}

/// A discovery document to publish. `{"services": []}` when there is nothing to offer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Services {
    /// The definitions.
    pub services: Vec<Service>,
}

impl Services {
    /// Reads a vendor's document.
    pub fn parse(body: &[u8]) -> Result<Discovered, NotADiscovery> {
        read::read(body)
    }

    /// The document as it is published.
    pub fn to_bytes(&self) -> Vec<u8> {
        let written = serde_json::to_vec(self);
        debug_assert!(written.is_ok());
        written.unwrap_or_default()
    }
}

impl FromIterator<Service> for Services {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        Self { services: services.into_iter().collect() }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.id, self.hook)
    }
}

#[allow(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn is_empty(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(String::is_empty)
}

#[allow(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn no_members(members: &Option<IndexMap<String, Json>>) -> bool {
    members.as_ref().is_none_or(IndexMap::is_empty)
}
