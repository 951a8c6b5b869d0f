//! The closed lists of codes. Outside them nothing has a meaning that a client could act on.

use serde::{Deserialize, Serialize};

/// Urgency; the order of the variants is the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Indicator {
    /// Good to know.
    Info,
    /// Asks for attention.
    Warning,
    /// Asks for attention now. No rule of the gateway hides such a card.
    Critical,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionType {
    /// Makes a new resource.
    Create,
    /// Replaces a resource whole.
    Update,
    /// Removes a resource.
    Delete,
}

/// How many suggestions of a card may be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionBehavior {
    /// None or one.
    AtMostOne,
    /// Any number.
    Any,
}

/// Which actions of a suggestion are applied (3.0, trial use).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionSelectionBehavior {
    /// All of them: the meaning when absent.
    All,
    /// Those that the user picks.
    Any,
    /// None or the one that the user picks.
    AtMostOne,
}

/// How a link is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkType {
    /// As it stands.
    Absolute,
    /// As a SMART launch.
    Smart,
}

impl Indicator {
    /// The variant that the standard writes so.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// As the standard writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl ActionType {
    /// The variant that the standard writes so.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "create" => Some(Self::Create),
            "update" => Some(Self::Update),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }
}

impl SelectionBehavior {
    /// The variant that the standard writes so.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "at-most-one" => Some(Self::AtMostOne),
            "any" => Some(Self::Any),
            _ => None,
        }
    }
}

impl ActionSelectionBehavior {
    /// The variant that the standard writes so.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "all" => Some(Self::All),
            "any" => Some(Self::Any),
            "at-most-one" => Some(Self::AtMostOne),
            _ => None,
        }
    }
}

impl LinkType {
    /// The variant that the standard writes so.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "absolute" => Some(Self::Absolute),
            "smart" => Some(Self::Smart),
            _ => None,
        }
    }
}
