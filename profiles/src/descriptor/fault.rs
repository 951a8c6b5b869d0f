//! What is wrong with a descriptor, where, and how to mend it, in both languages.

use std::fmt;

use serde::Serialize;

/// One fault of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// JSON Pointer (RFC 6901) to the member, also to one that is missing. Empty for the whole.
    pub place: String,
    /// What is wrong, in English.
    pub reason: String,
    /// How to mend it, in English.
    pub mend: String,
    /// What is wrong, in Japanese.
    pub reason_ja: String,
    /// How to mend it, in Japanese.
    pub mend_ja: String,
}

impl Fault {
    /// A fault, each text as (English, Japanese).
    pub(super) fn new(
        place: impl Into<String>,
        reason: (impl Into<String>, impl Into<String>),
        mend: (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self {
            place: place.into(),
            reason: reason.0.into(),
            mend: mend.0.into(),
            reason_ja: reason.1.into(),
            mend_ja: mend.1.into(),
        }
    }

    /// Fits the schema, and yet has no typed form: a whole number written with a fraction (`800.0`).
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::new(
            "",
            (format!("it cannot be read: {error}"), format!("読み取れません: {error}")),
            ("write whole numbers without fraction or exponent", "整数は小数点や指数を使わずに書いてください"),
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "/" } else { &self.place };
        write!(f, "{place}: {}; {}", self.reason, self.mend)
    }
}

/// Faults in the order of their places, so that the same descriptor always gets the same answer.
pub(super) fn ordered(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by(|one, other| (&one.place, &one.reason).cmp(&(&other.place, &other.reason)));
    faults
}

/// The JSON Pointer of a member below `place`.
pub(super) fn below(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}
