//! What users did with cards, on its way from the EHR to the services that made them.
//!
//! The EHR knows the gateway's ids only. [`Received::parse`] reads what it sends, also the shapes of early clients;
//! [`split`] gives each service its part in the service's own ids; [`to_bytes`] writes a body for it.
//! A user's comment is free text about a patient: `Debug` and errors never show it.

mod error;
mod read;
mod split;
#[cfg(test)]
mod tests;

use std::fmt;

use medvan_profiles::{Limits, json};
use serde::{Deserialize, Serialize};

pub use self::{
    error::{FeedbackError, Problem, Tolerated, Warning},
    split::{Part, Split, split},
};
use crate::card::{Coding, Extension};

/// One user's answer to one card.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Feedback {
    /// `card.uuid`.
    pub card: String,
    /// What the user did.
    pub outcome: Outcome,
    /// What the user accepted; never empty when `accepted`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_suggestions: Vec<AcceptedSuggestion>,
    /// Why the user did not follow the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<OverrideReason>,
    /// When, in UTC (RFC 3339).
    pub outcome_timestamp: String,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "Extension::is_empty")]
    pub extension: Extension,
}

/// What a user did with a card. Ignoring it is not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Took at least one suggestion.
    Accepted,
    /// Dismissed the card.
    Overridden,
}

/// A suggestion that the user took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedSuggestion {
    /// `suggestion.uuid`.
    pub id: String,
}

/// Why a card was dismissed: a reason, a comment, or both (cds-fb-3).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideReason {
    /// One of the card's reasons, or of the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Coding>,
    /// The user's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_comment: Option<String>,
}

/// What an EHR sent in one body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// Each answer once.
    pub feedback: Vec<Feedback>,
    /// What was taken although the standard asks otherwise.
    pub warnings: Vec<Warning>,
}

impl Received {
    /// Reads a body; one wrong item refuses all, so that the sender notices and can send it again.
    pub fn parse(body: &[u8]) -> Result<Self, FeedbackError> {
        json::scan(body, &Limits::MESSAGE)?;
        read::body(body)
    }
}

impl Outcome {
    /// As the standard writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Overridden => "overridden",
        }
    }
}

/// The body that a service gets.
pub fn to_bytes(feedback: &[Feedback]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        feedback: &'a [Feedback],
    }
    serde_json::to_vec(&Body { feedback }).expect("text, lists and checked JSON texts can always be written")
}

impl fmt::Debug for Feedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feedback({}, {} suggestions)", self.outcome.code(), self.accepted_suggestions.len())
    }
}

impl fmt::Debug for OverrideReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverrideReason")
    }
}
