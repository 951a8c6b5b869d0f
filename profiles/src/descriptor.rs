//! The descriptor: what a vendor registers for one version of one AI service.
//!
//! The shape is a JSON Schema (2020-12) that the gateway publishes at `/schemas/service-descriptor.json` and uses
//! itself; [`Descriptor::check`] adds the rules that a schema cannot say. A wrong descriptor is refused when it is
//! registered, with every fault's place, reason and mend, not when the first patient's request arrives. Whoever holds
//! a [`Valid<Descriptor>`] needs no further check.
//!
//! Not here: whether a prefetch template can be read (`medvan-hooks`), whether a URL may be called
//! (`medvan-adapters`).

mod fault;
pub mod images;
pub mod inference;
mod model_card;
pub mod purpose;
pub mod regulatory;
mod rules;
mod schema;
#[cfg(test)]
mod tests;
pub mod transport;

use std::ops::Deref;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    fault::Fault,
    images::ImageEntry,
    model_card::{Contact, Evidence, ModelCard},
    purpose::Purpose,
    regulatory::Regulatory,
    rules::{Rule, rules},
    transport::Transport,
};

/// The published JSON Schema, as text.
pub fn schema_text() -> &'static str {
    schema::TEXT
}

/// A complete descriptor that passes every check, as text: for documentation, and to start from.
pub fn example_text() -> &'static str {
    include_str!("descriptor/example.json")
}

/// The same for a service that works on images.
pub fn image_example_text() -> &'static str {
    include_str!("descriptor/example-images.json")
}

/// The same for a bare model behind the Open Inference Protocol.
pub fn inference_example_text() -> &'static str {
    include_str!("descriptor/example-inference.json")
}

/// The same for a service that gives its results as DICOM objects.
pub fn dicom_example_text() -> &'static str {
    include_str!("descriptor/example-dicom.json")
}

/// One version of one AI service, as its vendor describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Descriptor {
    /// Version of the format: `1`.
    pub descriptor: String,
    /// The vendor's id in the network.
    pub vendor: String,
    /// The service's id, unique within the vendor.
    pub id: String,
    /// Semantic version of the service.
    pub version: String,
    /// The service's name.
    pub name: Words,
    /// What it does.
    pub description: Words,
    /// Who makes it.
    pub maker: Words,
    /// The kind of product.
    pub product_category: Words,
    /// The product's name.
    pub product_name: Words,
    /// The product's model number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_number: Option<String>,
    /// One or more of the ten purposes of use.
    pub purposes: Vec<Purpose>,
    /// Where it stands under the PMD Act.
    pub regulatory: Regulatory,
    /// How the gateway talks to it.
    pub transport: Transport,
    /// The CDS Hooks services behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookEntry>,
    /// The kinds of work on images behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageEntry>,
    /// What it can bear.
    pub limits: CallLimits,
    /// FHIR profiles that it reads and writes.
    #[serde(default, skip_serializing_if = "Profiles::is_empty")]
    pub profiles: Profiles,
    /// Whom to reach.
    pub contact: Contact,
    /// What a doctor and a governor need to know.
    pub model_card: ModelCard,
}

/// A text in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// One CDS Hooks service of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookEntry {
    /// The id in the vendor's own discovery.
    pub id: String,
    /// The hook: `patient-view`.
    pub hook: String,
    /// The human-friendly name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    pub description: String,
    /// Preconditions for its use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_requirements: Option<String>,
    /// Prefetch templates by key.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub prefetch: IndexMap<String, String>,
    /// Why the data is needed, for every key of `prefetch`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub why: IndexMap<String, Words>,
}

/// What a service can bear, and what a caller may expect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallLimits {
    /// Milliseconds within which it answers.
    pub deadline_ms: u32,
    /// Calls at once.
    pub concurrency: u32,
    /// Bytes of the largest request.
    pub request_bytes: u32,
    /// Bytes of the largest response.
    pub response_bytes: u32,
}

/// Canonical URLs of StructureDefinitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profiles {
    /// What the data sent to the service should meet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<String>,
    /// What the service's resources meet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
}

/// Proof that a value passed its checks; only this module makes one.
///
/// ```compile_fail,E0423
/// let forged = medvan_profiles::Valid("never checked");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid<T>(T);

impl Descriptor {
    /// Checks a descriptor against the schema, then against the [`rules`]. Every fault found is told, ordered by
    /// place; the rules look only at what fits the schema.
    pub fn check(value: &Value) -> Result<Valid<Self>, Vec<Fault>> {
        let faults = schema::faults(value);
        if !faults.is_empty() {
            return Err(faults);
        }
        let descriptor = Self::deserialize(value).map_err(|error| vec![Fault::unreadable(&error)])?;
        let faults: Vec<Fault> = rules().iter().flat_map(|rule| rule(&descriptor)).collect();
        if faults.is_empty() { Ok(Valid(descriptor)) } else { Err(fault::ordered(faults)) }
    }
}

impl Profiles {
    fn is_empty(&self) -> bool {
        self.input.is_empty() && self.output.is_empty()
    }
}

impl<T> Valid<T> {
    /// The value without its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Valid<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
