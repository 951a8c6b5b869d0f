//! Type and id of a resource, read straight from its text without building the rest.

use medvan_profiles::{Json, fhir::is_resource_type};
use serde::Deserialize;

/// What a resource calls itself.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    #[serde(rename = "resourceType")]
    kind: Option<String>,
    id: Option<String>,
}

impl Named {
    /// Names nothing when the text is no resource.
    pub(crate) fn of(resource: &Json) -> Self {
        serde_json::from_str(resource.as_str()).unwrap_or_default()
    }

    /// The type, if it is shaped like one.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.kind.as_deref().filter(|kind| is_resource_type(kind))
    }

    /// `Type/id`.
    pub(crate) fn reference(&self) -> Option<String> {
        Some(format!("{}/{}", self.kind()?, self.id.as_deref()?))
    }
}
