//! What is wrong with an answer, where, and how to mend it.

use std::fmt;

use serde::Serialize;

/// One thing for which an answer is refused. The words are ours: what the service wrote is not repeated, for it may say
/// something about a patient, or to whoever reads the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// JSON Pointer (RFC 6901) to what is wrong; empty for the whole.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    /// How to mend it.
    pub mend: String,
}

impl Refused {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into(), mend: mend.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "/" } else { &self.place };
        write!(f, "{place}: {}; {}", self.reason, self.mend)
    }
}
