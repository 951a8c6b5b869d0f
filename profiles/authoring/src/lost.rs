//! What a typed read of a resource lost.
//!
//! fhir-sdk reads a choice element (`value[x]`, `dose[x]`) as an optional enum: where the element is malformed, or
//! given twice, it becomes *absent*, and the read succeeds. A dose that silently disappears must not decide anything.

use serde_json::Value;

/// The places, in the manner of FHIRPath, of every member that `sent` has and `read` (the typed form, written again)
/// has not. Values are not compared: a decimal may come back as `1.5` for `1.50`.
pub fn lost(sent: &Value, read: &Value) -> Vec<String> {
    let mut places = Vec::new();
    compare(sent, read, &mut String::new(), &mut places);
    places
}

fn compare(sent: &Value, read: &Value, place: &mut String, places: &mut Vec<String>) {
    match (sent, read) {
        (Value::Object(members), _) => members.iter().for_each(|(name, member)| {
            let dot = if place.is_empty() { "" } else { "." };
            step(&format!("{dot}{name}"), member, read.get(name), place, places);
        }),
        (Value::Array(items), _) => items.iter().enumerate().for_each(|(index, item)| {
            step(&format!("[{index}]"), item, read.get(index), place, places);
        }),
        _ => (),
    }
}

fn step(name: &str, sent: &Value, read: Option<&Value>, place: &mut String, places: &mut Vec<String>) {
    let around = place.len();
    place.push_str(name);
    match read {
        Some(read) => compare(sent, read, place, places),
        None => places.push(place.clone()),
    }
    place.truncate(around);
}
