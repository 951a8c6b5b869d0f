//! The four states of a prefetch key (2.0 "Prefetch Template", items 24-25): left out, `null`, an OperationOutcome, a resource.
//!
//! They mean different things to a clinician's safety: `null` says *there is none*, leaving out says *not known*. Nothing
//! here ever turns the one into the other.

use std::{borrow::Cow, fmt};

use medvan_profiles::Json;
pub use medvan_profiles::descriptor::transport::EmptySearch;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::json;

use crate::template::Unresolvable;

/// What is known under one prefetch key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefetchState {
    /// Not known, and why: the key is left out.
    Omitted(Omission),
    /// Known not to exist: the key is `null`.
    Null,
    /// Could not be read: the key holds the OperationOutcome that says so.
    Failed(Json),
    /// Known: the key holds a resource, for a search a Bundle.
    Resource(Json),
}

/// Why a key is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Omission {
    /// Nobody has asked for it yet.
    NotAsked,
    /// The template cannot be turned into a query for this call.
    Unresolvable(Unresolvable),
    /// The EHR sent no data and gave no access to its FHIR server.
    NoAccess,
    /// The slice of the deadline for prefetch had passed.
    OutOfTime,
    /// The FHIR server could not be reached, or its answer could not be read.
    Unreachable,
    /// The answer was larger than allowed.
    TooLarge,
    /// The answer held data of another patient and was stopped.
    ForeignPatient,
}

impl PrefetchState {
    /// The state of a value that a client sent, or that a FHIR server answered.
    pub fn of(value: Json) -> Self {
        match value.as_str() {
            "null" => Self::Null,
            _ if is_outcome(&value) => Self::Failed(value),
            _ => Self::Resource(value),
        }
    }

    /// One word for a record: `omitted`, `null`, `failed`, `resource`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Omitted(_) => "omitted",
            Self::Null => "null",
            Self::Failed(_) => "failed",
            Self::Resource(_) => "resource",
        }
    }

    /// The same state in the style that a service expects for a search without a match.
    ///
    /// 2.0 says `null`, also for searches; 3.0 allows a Bundle with zero entries, and the Sandbox sends it.
    pub fn in_style(self, style: EmptySearch, is_search: bool) -> Self {
        match (self, style) {
            (Self::Null, EmptySearch::Bundle) if is_search => Self::Resource(empty_bundle()),
            (Self::Resource(json), EmptySearch::Null) if is_search && is_empty_bundle(&json) => Self::Null,
            (state, _) => state,
        }
    }

    /// Whether the key holds a resource that says something: not a search without a match.
    pub fn is_informative(&self) -> bool {
        matches!(self, Self::Resource(json) if !is_empty_bundle(json))
    }
}

impl From<Omission> for PrefetchState {
    fn from(omission: Omission) -> Self {
        Self::Omitted(omission)
    }
}

impl fmt::Display for Omission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("nobody asked for it yet"),
            Self::Unresolvable(reason) => reason.fmt(f),
            Self::NoAccess => f.write_str("not sent, and no access to the FHIR server was given"),
            Self::OutOfTime => f.write_str("not ready in time"),
            Self::Unreachable => f.write_str("the FHIR server gave no usable answer"),
            Self::TooLarge => f.write_str("larger than allowed"),
            Self::ForeignPatient => f.write_str("stopped: it held data of another patient"),
        }
    }
}

/// An OperationOutcome for services that cannot live without a key: it says *could not be read*, never *there is none*.
pub(crate) fn outcome_for(omission: Omission) -> Json {
    Json::from_value(&json!({
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "incomplete", "diagnostics": omission.to_string()}],
    }))
}

fn is_outcome(value: &Json) -> bool {
    resource_type(value).is_some_and(|name| name == "OperationOutcome")
}

/// The resourceType of a value. Reading stops there: it mostly stands first, and values are large.
pub(crate) fn resource_type(value: &Json) -> Option<Cow<'_, str>> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_str(value.as_str());
    // The seeker stops with an error on purpose; what counts is what it found.
    let _stopped = deserializer.deserialize_map(Seeker(&mut found));
    found
}

struct Seeker<'f, 'de>(&'f mut Option<Cow<'de, str>>);

impl<'de> Visitor<'de> for Seeker<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(Text(name)) = members.next_key()? {
            if name == "resourceType" {
                let Text(name) = members.next_value()?;
                *self.0 = Some(name);
                return Err(M::Error::custom("found"));
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

/// Texts longer than this are not looked at: a Bundle without entries is small.
const EMPTY_BUNDLE_BYTES: usize = 16 * 1024;

fn is_empty_bundle(value: &Json) -> bool {
    #[derive(Deserialize)]
    struct Bundle<'a> {
        #[serde(rename = "resourceType", borrow)]
        resource_type: Option<Cow<'a, str>>,
        #[serde(default)]
        entry: Vec<IgnoredAny>,
        #[serde(default)]
        total: u64,
    }
    value.as_str().len() <= EMPTY_BUNDLE_BYTES
        && serde_json::from_str::<Bundle<'_>>(value.as_str()).is_ok_and(|bundle| {
            bundle.resource_type.as_deref() == Some("Bundle") && bundle.entry.is_empty() && bundle.total == 0
        })
}

fn empty_bundle() -> Json {
    Json::from_value(&json!({"resourceType": "Bundle", "type": "searchset", "total": 0}))
}
