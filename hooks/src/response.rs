//! The answer to one hook call (2.0.1 "CDS Service Response").
//!
//! Reading here is for answers that already obey the standard: our simulators' and our own. What comes from a
//! vendor goes through [`firewall::check`](crate::firewall::check).

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::card::{Action, Card, Extension};

/// Cards to show and actions to apply.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Always written, also when empty: "no guidance" is `"cards": []`.
    pub cards: Vec<Card>,
    /// Changes proposed without asking the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_actions: Vec<Action>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
}

impl Response {
    /// No guidance.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The body to send. Absent members are left out; resources and extensions are copied, not rewritten.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text, lists and checked JSON texts can always be written")
    }
}

#[cfg(test)]
mod tests;
