//! What can be wrong with a query, and what its answer warns of. Both name parameters, never their values.

use std::fmt;

use super::Level;

/// Why a query cannot be answered: the caller's mistake. A web server answers 400 (PS3.18 table 10.6.3-1), a C-FIND SCP
/// A900 (PS3.4 table C.4-1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The value does not fit the attribute's value representation or the kind of matching.
    #[error("the value of {attribute} must be {expected}")]
    Value {
        /// Keyword or tag, with the sequences around it.
        attribute: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The value of another parameter is wrong.
    #[error("the value of {parameter} must be {expected}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// It can be returned but not searched.
    #[error("{attribute} holds bulk data, sequences or delimiters and cannot be searched")]
    NotSearchable {
        /// Keyword or tag.
        attribute: String,
    },
    /// A name with a dot whose parts are not sequences with an attribute at the end.
    #[error("{attribute} is not a sequence, so nothing can be inside it")]
    NotASequence {
        /// Keyword or tag.
        attribute: String,
    },
    /// A tag, or a part of a dotted name, that is in no dictionary.
    #[error("{attribute} is not an attribute of the data dictionary (PS3.6)")]
    UnknownAttribute {
        /// What stood there, shortened to plain characters.
        attribute: String,
    },
    /// An attribute stands twice (PS3.18 §8.3.4.1).
    #[error("{attribute} must not be repeated")]
    Repeated {
        /// Keyword, tag or name of the parameter.
        attribute: String,
    },
    /// An attribute of series or instances where studies are searched.
    #[error("{attribute} belongs to the {of}, and cannot be searched where each result is a {level}")]
    BelowLevel {
        /// Keyword or tag.
        attribute: String,
        /// Where it belongs.
        of: Level,
        /// What is searched.
        level: Level,
    },
    /// A private attribute without the creator of its block (PS3.18 §8.3.4.1, PS3.5 §7.8.1).
    #[error("{attribute} is private: the query must also have its Private Creator")]
    NoPrivateCreator {
        /// Its tag.
        attribute: String,
    },
    /// A sequence of an identifier has several items (PS3.4 §C.2.2.2.6).
    #[error("{attribute} must have one item at most")]
    Items {
        /// Keyword or tag.
        attribute: String,
    },
    /// More keys, deeper sequences or longer values than anybody needs.
    #[error("the query has more keys, deeper sequences or longer values than can be handled")]
    TooMuch,
}

/// What a client should know of an answer; the text is PS3.18's where that has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// There are more results than the answer has (§8.3.4.4.1). Put in by whoever counts them.
    AdditionalResults(u64),
    /// Fuzzy matching was asked for and no searched attribute is a person name (§8.3.4.2).
    NoFuzzyMatching,
    /// A parameter that means nothing here was left aside; its name, shortened to plain characters.
    Ignored(String),
}

impl Warning {
    /// The value of the `Warning` header. `service` is the base URI of the origin server.
    pub fn header(&self, service: &str) -> String {
        format!("299 {service}: {self}")
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AdditionalResults(remaining) => {
                write!(f, "There are {remaining} additional results that can be requested")
            }
            Self::NoFuzzyMatching => {
                f.write_str("The fuzzymatching parameter is not supported. Only literal matching has been performed.")
            }
            Self::Ignored(name) => write!(f, "The parameter {name} is not supported and has been ignored."),
        }
    }
}

/// A name that somebody sent, fit for a header and an error text: it may be anything.
pub(super) fn plain(name: &str) -> String {
    const LONGEST: usize = 64;
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '?' };
    name.chars().take(LONGEST).map(plain).collect()
}
