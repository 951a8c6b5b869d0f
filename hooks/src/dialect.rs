//! What EHRs make of the standard, as data: one [`Dialect`] for each, all in one table.
//!
//! A dialect never adds guidance and never removes a card. Where an EHR can show less than the services said, the
//! difference is put into words on the card, and every change is listed as an [`Adaptation`].

mod actions;
mod shape;
#[cfg(test)]
mod tests;
mod topic;

use serde::Serialize;

use crate::{card::LinkType, merge::Merged};

/// What one kind of EHR needs to be told differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Its name in a client's settings.
    pub name: &'static str,
    /// Whether `actionSelectionBehavior` (3.0) is understood. Services "SHALL NOT use it without knowing".
    pub action_selection_behavior: bool,
    /// Whether a suggestion may hold several actions.
    pub several_actions: bool,
    /// Whether `selectionBehavior: at-most-one` is understood; else `any` is sent.
    pub at_most_one: bool,
    /// Whether `source.topic.code` must be alphanumeric, at most 100 characters long, and the same for ever.
    pub plain_topic_codes: bool,
    /// Whether a SMART link's `appContext` reaches the app.
    pub app_context: bool,
    /// Kinds of links that can be opened.
    pub links: &'static [LinkType],
    /// What `detail` is read as.
    pub detail: DetailFormat,
    /// Where system actions are looked for.
    pub system_actions: SystemActionsPlace,
}

/// What an EHR reads `detail` as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetailFormat {
    /// The standard's.
    Markdown,
    /// HTML, with its content type in Epic's extension of the card.
    Html,
    /// Text without any markup.
    Plain,
}

/// Where an EHR looks for system actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemActionsPlace {
    /// Beside the cards, as the standard says since 2.0.
    BesideCards,
    /// In the response's extension, as before.
    Extension,
}

/// Something that was said differently for this EHR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adaptation {
    /// What was done.
    pub rule: &'static str,
    /// Where in the answer.
    pub place: String,
}

const EVERY_LINK: &[LinkType] = &[LinkType::Absolute, LinkType::Smart];

/// The standard, as 2.0.1 has it.
pub const GENERIC: Dialect = Dialect {
    name: "generic",
    action_selection_behavior: false,
    several_actions: true,
    at_most_one: true,
    plain_topic_codes: false,
    app_context: true,
    links: EVERY_LINK,
    detail: DetailFormat::Markdown,
    system_actions: SystemActionsPlace::BesideCards,
};

/// Epic: what its tutorial says, as quoted in public code.
pub const EPIC: Dialect = Dialect {
    name: "epic",
    several_actions: false,
    at_most_one: false,
    plain_topic_codes: true,
    detail: DetailFormat::Html,
    ..GENERIC
};

/// Oracle Health: its draft page of 2021.
pub const ORACLE: Dialect = Dialect { name: "oracle", app_context: false, ..GENERIC };

/// The public CDS Hooks Sandbox.
pub const SANDBOX: Dialect = Dialect { name: "sandbox", system_actions: SystemActionsPlace::Extension, ..GENERIC };

/// All dialects.
pub fn all() -> &'static [Dialect] {
    &[GENERIC, EPIC, ORACLE, SANDBOX]
}

impl Dialect {
    /// The dialect of this name.
    pub fn find(name: &str) -> Option<Self> {
        all().iter().find(|dialect| dialect.name == name).copied()
    }

    /// The same for an EHR that is known to understand, or not to understand, `actionSelectionBehavior`.
    #[must_use]
    pub fn with_action_selection_behavior(self, understood: bool) -> Self {
        Self { action_selection_behavior: understood, ..self }
    }

    /// Says the answer in this dialect. Ids of suggestions that had to be split are added to `merged.minted`.
    pub fn render(&self, merged: &mut Merged) -> Vec<Adaptation> {
        let mut notes = Vec::new();
        for step in STEPS {
            step(self, merged, &mut notes);
        }
        notes
    }
}

type Step = fn(&Dialect, &mut Merged, &mut Vec<Adaptation>);

/// In this order: splitting decides how many may be selected, and words that are added come before the detail's format.
const STEPS: &[Step] =
    &[actions::split, actions::allow_any, topic::plain_codes, shape::links, shape::detail, shape::system_actions];

impl Adaptation {
    fn new(rule: &'static str, place: String) -> Self {
        Self { rule, place }
    }
}
