//! Cards and what they hold, in the standard's own shape (2.0.1 "Card Attributes", with the additions of 3.0).
//!
//! One type serves both roles: what a vendor sent and passed the [`firewall`](crate::firewall) is what the EHR
//! gets. Resources and extensions stay text ([`Json`]). Writing leaves out what is absent, because the standard
//! forbids null and empty members ("Use of JSON"). `Debug` shows shape and size only: a card is about a patient.

mod codes;
mod debug;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::{Deserialize, Serialize};

pub use self::codes::{ActionSelectionBehavior, ActionType, Indicator, LinkType, SelectionBehavior};

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

impl Coding {
    /// Code system and code, when both are there: what makes two codings the same.
    pub fn key(&self) -> Option<(&str, &str)> {
        Some((self.system.as_deref()?, self.code.as_deref()?))
    }
}

fn blank(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}
