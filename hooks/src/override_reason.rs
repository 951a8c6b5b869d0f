//! Why a user doesn't follow a card: HL7's code system of the 3.0 ballot (trial use).
//!
//! Vendors bring codes of their own, and those stay theirs in feedback. Beside them, these codes let a hospital count
//! across vendors why cards are overridden. A card that brings no reasons can be given [`clinical`]'s twelve.

mod codes;
#[cfg(test)]
mod tests;

pub use self::codes::CODES;
use crate::card::{Coding, Extension};

/// The code system's canonical URL.
pub const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes";

/// One reason, or one category of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: &'static str,
    /// HL7's words.
    pub display: &'static str,
    /// The same in Japanese.
    pub display_ja: &'static str,
    /// The category's code; `None` for a category itself.
    pub category: Option<&'static str>,
    /// Whether HL7's value set for the point of care holds it.
    pub clinical: bool,
}

/// The reason with this code.
pub fn find(code: &str) -> Option<&'static Reason> {
    CODES.iter().find(|reason| reason.code == code)
}

/// The reasons of HL7's value set for the point of care: the six categories and six of their codes.
pub fn clinical() -> impl Iterator<Item = &'static Reason> {
    CODES.iter().filter(|reason| reason.clinical)
}

impl Reason {
    /// As a card or a feedback carries it.
    pub fn coding(&self) -> Coding {
        Coding {
            code: Some(self.code.to_owned()),
            system: Some(SYSTEM.to_owned()),
            display: Some(self.display.to_owned()),
            extension: Extension::new(),
        }
    }
}
