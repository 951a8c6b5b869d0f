//! The few things every rule asks of a FHIR resource without knowing its type.
//!
//! Written with ASCII classes throughout: in a Unicode-aware `\w` or `\S` an id could hold a full-width digit, and
//! ordinary Japanese text would fail (U+3000 is white space to Unicode, a character to FHIR R4 §2.24.0.1).

mod reference;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::reference::{Literal, Reference};

/// Real servers pass the 64 characters that FHIR R4 allows: Epic's ids are about 200 long.
const LONGEST_ID: usize = 256;

const LONGEST_TYPE: usize = 64;

/// The name of a resource type, `Patient` or `MedicationRequest`; whether FHIR defines it is another question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceType(String);

/// The text is not shaped like a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a resource type is a capital letter followed by letters, like MedicationRequest")]
pub struct NotAResourceType;

/// What a resource says it is; `None` for everything that is not a resource.
pub fn resource_type(resource: &Value) -> Option<&str> {
    resource.get("resourceType").and_then(Value::as_str).filter(|name| is_resource_type(name))
}

/// Whether a text is an id that may stand in a URL: `[A-Za-z0-9\-\.]`, up to 256 characters, and not `.` or `..`,
/// which would be resolved as a path.
pub fn is_id(text: &str) -> bool {
    let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(is_id_byte) && text != "." && text != ".."
}

/// Whether a text is shaped like the name of a resource type.
pub fn is_resource_type(text: &str) -> bool {
    text.len() <= LONGEST_TYPE
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

impl ResourceType {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ResourceType {
    type Err = NotAResourceType;

    fn from_str(text: &str) -> Result<Self, NotAResourceType> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ResourceType {
    type Error = NotAResourceType;

    fn try_from(text: String) -> Result<Self, NotAResourceType> {
        if is_resource_type(&text) { Ok(Self(text)) } else { Err(NotAResourceType) }
    }
}

impl From<ResourceType> for String {
    fn from(resource_type: ResourceType) -> Self {
        resource_type.0
    }
}
