//! [`NamePattern`]: a person's name that is searched. What it means is told in [`crate::person_name`].

use std::fmt;

use crate::person_name::{Pattern, PersonName};

/// A person's name that is searched, literally or fuzzily.
#[derive(Clone, PartialEq, Eq)]
pub struct NamePattern {
    pattern: Box<Pattern>,
    fuzzy: bool,
}

impl NamePattern {
    /// A pattern; `None` where it is longer, or has more wild cards, than any name needs.
    pub(super) fn parse(text: &str, fuzzy: bool) -> Option<Self> {
        Pattern::parse(text).ok().map(|pattern| Self { pattern: Box::new(pattern), fuzzy })
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &PersonName) -> bool {
        if self.fuzzy { name.fuzzy_matches(&self.pattern) } else { name.matches(&self.pattern) }
    }

    /// Whether every name is meant, and also none.
    pub(super) fn is_universal(&self) -> bool {
        self.pattern.is_universal()
    }

    /// Beginnings of folded words: of a name that matches, one of [`PersonName::search_keys`] begins like one of them. `None` where
    /// every name has to be looked at.
    pub fn keys(&self) -> Option<Vec<String>> {
        if self.fuzzy { self.pattern.fuzzy_keys() } else { self.pattern.keys() }
    }
}

impl fmt::Debug for NamePattern {
    /// The pattern may be a patient's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.fuzzy { "NamePattern(fuzzy)" } else { "NamePattern(literal)" })
    }
}
