//! From bytes to [`Findings`], and serde's errors in words that repeat nothing of the answer.

use serde::Deserialize as _;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::{ANSWER_BYTES, Findings, Refused};

/// Reads an answer. serde_json itself stops at a depth of 128, refuses numbers beyond an `f64`, NaN and the infinities.
pub(super) fn parse(bytes: &[u8]) -> Result<Findings, Refused> {
    if bytes.len() > ANSWER_BYTES {
        let mend = format!("answer with at most {ANSWER_BYTES} bytes; masks as runs, not as single pixels");
        return Err(Refused::new("", "the answer is too long", mend));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let read = Findings::deserialize(serde_path_to_error::Deserializer::new(&mut json, &mut track));
    let findings = read.map_err(|error| refused(&error, &track.path()))?;
    json.end().map_err(|_| Refused::new("", "something follows the answer", "write one JSON object only"))?;
    Ok(findings)
}

fn refused(error: &serde_json::Error, path: &serde_path_to_error::Path) -> Refused {
    match error.classify() {
        Category::Data => {
            let (reason, mend) = misfit(&error.to_string());
            Refused::new(pointer(path), reason, mend)
        }
        Category::Eof => Refused::new("", "the answer ends too early", "send the whole object"),
        Category::Syntax | Category::Io => {
            let reason = format!("it cannot be read as JSON from line {}, column {}", error.line(), error.column());
            Refused::new(
                pointer(path),
                reason,
                "write JSON (RFC 8259) with finite numbers and at most 127 levels; there is no NaN and no Infinity",
            )
        }
    }
}

/// Of serde's message only what was written by us: what was expected, and names of members that exist.
fn misfit(message: &str) -> (&'static str, String) {
    const SCHEMA: &str = "compare it with /schemas/findings.json and its example";
    let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| format!("write {expected}"));
    let named = |prefix: &str| message.strip_prefix(prefix).map(|name| name.trim_matches('`').to_owned());
    if let Some(name) = named("missing field ") {
        return ("a member is missing", format!("add {name}"));
    }
    if let Some(name) = named("duplicate field ") {
        return ("a member is there twice", format!("keep one {name}"));
    }
    let reason = match message.split([' ', ':']).next() {
        _ if message.starts_with("unknown field") => "a member is unknown",
        _ if message.starts_with("unknown variant") => "it is none of the allowed values",
        _ if message.starts_with("invalid length") => "it has too many or too few items",
        _ if message.starts_with("other members") => "it has other members than its type has",
        _ if message.contains("UID") => {
            return ("it is no UID", "write numbers with single dots, at most 64 characters".into());
        }
        _ => "it is of another kind",
    };
    (reason, expected.unwrap_or_else(|| SCHEMA.to_owned()))
}

/// The path as JSON Pointer, as far as it has names that the format knows.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } if MEMBERS.contains(&key.as_str()) => pointer.push_str(&format!("/{key}")),
            Segment::Enum { .. } => {}
            Segment::Map { .. } | Segment::Unknown => break,
        }
    }
    pointer
}

/// Every name that the format knows.
const MEMBERS: &[&str] = &[
    "format",
    "summary",
    "limitations",
    "findings",
    "heatMaps",
    "id",
    "trackingUid",
    "code",
    "category",
    "presence",
    "site",
    "laterality",
    "confidence",
    "evaluations",
    "measurements",
    "place",
    "text",
    "scheme",
    "meaning",
    "question",
    "answer",
    "value",
    "unit",
    "type",
    "image",
    "at",
    "points",
    "from",
    "to",
    "frameOfReference",
    "frames",
    "heatMap",
    "instance",
    "frame",
    "runs",
    "range",
    "ja",
    "en",
];
