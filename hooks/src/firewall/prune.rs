//! Takes empty members out of an extension's value without touching anything else of its text.
//!
//! "JSON elements SHALL NOT be null or empty" holds inside extensions too. Members of objects can go; an empty
//! element of a list cannot, because the positions of the others may mean something, so the whole list goes.
//! FHIR resources are left alone: FHIR's own JSON uses null inside lists.

use std::borrow::Cow;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde_json::value::RawValue;

/// The value without empty members; `None` when nothing is left.
pub(super) fn prune(value: &Json) -> Option<Json> {
    let raw: &RawValue = serde_json::from_str(value.as_str()).ok()?;
    match pruned(raw)? {
        Cow::Borrowed(_) => Some(value.clone()),
        Cow::Owned(raw) => Some(Json::from(raw)),
    }
}

fn pruned(raw: &RawValue) -> Option<Cow<'_, RawValue>> {
    match raw.get().as_bytes().first()? {
        b'{' => object(raw),
        b'[' => list(raw),
        b'n' => None,
        b'"' if raw.get() == "\"\"" => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

fn object(raw: &RawValue) -> Option<Cow<'_, RawValue>> {
    let members: IndexMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    if members.contains_key("resourceType") {
        return Some(Cow::Borrowed(raw));
    }
    let before = members.len();
    let kept: IndexMap<_, _> = members.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?))).collect();
    let changed = kept.len() < before || kept.values().any(|value| matches!(value, Cow::Owned(_)));
    match (kept.is_empty(), changed) {
        (true, _) => None,
        (false, false) => Some(Cow::Borrowed(raw)),
        (false, true) => serde_json::value::to_raw_value(&kept).ok().map(Cow::Owned),
    }
}

fn list(raw: &RawValue) -> Option<Cow<'_, RawValue>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    let kept: Vec<_> = elements.into_iter().map(pruned).collect::<Option<_>>()?;
    match (kept.is_empty(), kept.iter().any(|value| matches!(value, Cow::Owned(_)))) {
        (true, _) => None,
        (false, false) => Some(Cow::Borrowed(raw)),
        (false, true) => serde_json::value::to_raw_value(&kept).ok().map(Cow::Owned),
    }
}
