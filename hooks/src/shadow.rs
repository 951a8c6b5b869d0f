//! A service in shadow mode: its answer is compared with what the user saw, and never shown.
//!
//! The comparison is kept with the exchange, so it holds counts and topics, nothing that is said about a patient.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    card::{Card, Indicator},
    response::Response,
};

/// How a shadow answer differs from what was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// What was shown.
    pub live: Counts,
    /// What the shadow would have shown.
    pub shadow: Counts,
    /// Topics that both speak of, as `system|code`.
    pub both: BTreeSet<String>,
    /// Topics that only the shown answer speaks of.
    pub only_live: BTreeSet<String>,
    /// Topics that only the shadow speaks of.
    pub only_shadow: BTreeSet<String>,
    /// Topics that the shadow finds more urgent than what was shown.
    pub more_urgent: BTreeSet<String>,
    /// Topics that the shadow finds less urgent than what was shown.
    pub less_urgent: BTreeSet<String>,
}

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Cards that inform.
    pub info: usize,
    /// Cards that warn.
    pub warning: usize,
    /// Cards that are critical.
    pub critical: usize,
    /// Suggestions on all of them.
    pub suggestions: usize,
    /// System actions.
    pub system_actions: usize,
}

/// Compares what was shown with what the shadow answered.
pub fn compare(live: &Response, shadow: &Response) -> Comparison {
    let (of_live, of_shadow) = (topics(live), topics(shadow));
    let urgency = |is_changed: fn(Indicator, Indicator) -> bool| {
        let both = of_live.intersection(&of_shadow);
        let urgency_of = |response, topic| most_urgent(response, topic);
        let changed = both.filter(|topic| match (urgency_of(live, topic), urgency_of(shadow, topic)) {
            (Some(live), Some(shadow)) => is_changed(live, shadow),
            _ => false,
        });
        changed.cloned().collect()
    };
    Comparison {
        live: counts(live),
        shadow: counts(shadow),
        both: of_live.intersection(&of_shadow).cloned().collect(),
        only_live: of_live.difference(&of_shadow).cloned().collect(),
        only_shadow: of_shadow.difference(&of_live).cloned().collect(),
        more_urgent: urgency(|live, shadow| shadow > live),
        less_urgent: urgency(|live, shadow| shadow < live),
    }
}

fn counts(response: &Response) -> Counts {
    let of = |indicator| response.cards.iter().filter(|card| card.indicator == indicator).count();
    Counts {
        info: of(Indicator::Info),
        warning: of(Indicator::Warning),
        critical: of(Indicator::Critical),
        suggestions: response.cards.iter().map(|card| card.suggestions.len()).sum(),
        system_actions: response.system_actions.len(),
    }
}

fn topics(response: &Response) -> BTreeSet<String> {
    response.cards.iter().filter_map(topic).collect()
}

fn most_urgent(response: &Response, topic: &str) -> Option<Indicator> {
    let about = response.cards.iter().filter(|card| self::topic(card).as_deref() == Some(topic));
    about.map(|card| card.indicator).max()
}

fn topic(card: &Card) -> Option<String> {
    let (system, code) = card.source.topic.as_ref()?.key()?;
    Some(format!("{system}|{code}"))
}
