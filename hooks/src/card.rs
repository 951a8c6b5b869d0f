//! Cards and what they hold, in the standard's own shape (2.0.1 "Card Attributes", with the additions of 3.0).
//!
//! One type serves both roles: what a vendor sent and passed the [`firewall`](crate::firewall) is what the EHR
//! gets. Resources and extensions stay text ([`Json`]). Writing leaves out what is absent, because the standard
//! forbids null and empty members ("Use of JSON"). `Debug` shows shape and size only: a card is about a patient.

use std::fmt;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::{Deserialize, Serialize};

/// The `extension` member that every object of the standard may carry; empty means absent.
pub type Extension = IndexMap<String, Json>;

/// One piece of guidance, shown to the user.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Names the card in feedback. Any string: the standard's prose does not ask for UUID syntax.
    #[serde(default, skip_serializing_if = "blank")]
    pub uuid: Option<String>,
    /// One sentence in fewer than 140 characters.
    pub summary: String,
    /// More, in GitHub-flavoured Markdown.
    #[serde(default, skip_serializing_if = "blank")]
    pub detail: Option<String>,
    /// How urgent it is.
    pub indicator: Indicator,
    /// Who says so.
    pub source: Source,
    /// What the user may accept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<Suggestion>,
    /// How many of the suggestions may be accepted; required when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection_behavior: Option<SelectionBehavior>,
    /// What the user may answer when dismissing the card; each needs a `display`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub override_reasons: Vec<Coding>,
    /// Where to read or do more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
}

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

/// The primary source of a card's guidance.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Shown beside the card.
    pub label: String,
    /// Absolute URL that tells more about the source.
    #[serde(default, skip_serializing_if = "blank")]
    pub url: Option<String>,
    /// Absolute URL of a 100x100 PNG.
    #[serde(default, skip_serializing_if = "blank")]
    pub icon: Option<String>,
    /// What the card is about: the rule, where `uuid` is the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Coding>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
}

/// A code in a code system.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coding {
    /// The code.
    #[serde(default, skip_serializing_if = "blank")]
    pub code: Option<String>,
    /// The system the code is from.
    #[serde(default, skip_serializing_if = "blank")]
    pub system: Option<String>,
    /// The code in words; required for an override reason.
    #[serde(default, skip_serializing_if = "blank")]
    pub display: Option<String>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
}

/// A set of changes that the user may accept with one click.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// Text of the button.
    pub label: String,
    /// Names the suggestion in feedback.
    #[serde(default, skip_serializing_if = "blank")]
    pub uuid: Option<String>,
    /// Whether the service prefers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_recommended: Option<bool>,
    /// What happens on acceptance: all of it, unless `action_selection_behavior` says otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// 3.0: which of the actions the user may choose. Sent only to clients known to understand it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_selection_behavior: Option<ActionSelectionBehavior>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
}

/// One change to one resource; also the shape of a system action.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// What is done.
    #[serde(rename = "type")]
    pub kind: ActionType,
    /// The change in words; optional for system actions only.
    #[serde(default, skip_serializing_if = "blank")]
    pub description: Option<String>,
    /// The new resource, or the whole updated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Json>,
    /// Relative reference of the resource to delete.
    #[serde(default, skip_serializing_if = "blank")]
    pub resource_id: Option<String>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionSelectionBehavior {
    /// All of them: the meaning when absent.
    All,
    /// Those that the user picks.
    Any,
    /// None or the one that the user picks.
    AtMostOne,
}

/// A page or a SMART app to open.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Text of the link.
    pub label: String,
    /// Absolute URL, or launch URL of a SMART app.
    pub url: String,
    /// How to open it.
    #[serde(rename = "type")]
    pub kind: LinkType,
    /// Handed to the SMART app on launch; forbidden on absolute links (cds-resp-3).
    #[serde(default, skip_serializing_if = "blank")]
    pub app_context: Option<String>,
    /// Hint to open the link without showing the card (2.0.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autolaunchable: Option<bool>,
    /// Additions outside the standard.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub extension: Extension,
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

impl Coding {
    /// Code system and code, when both are there: what makes two codings the same.
    pub fn key(&self) -> Option<(&str, &str)> {
        Some((self.system.as_deref()?, self.code.as_deref()?))
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({}, {} suggestions, {} links)", self.indicator.code(), self.suggestions.len(), self.links.len())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl fmt::Debug for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coding")
    }
}

impl fmt::Debug for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suggestion({} actions)", self.actions.len())
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({:?}, {:?})", self.kind, self.resource)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({:?})", self.kind)
    }
}

fn blank(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}
