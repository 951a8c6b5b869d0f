//! Changes that would overwrite each other: an update carries the whole resource, so the second of two updates
//! silently undoes the first.
//!
//! System actions are applied without asking, so of those in conflict none is passed on. Suggestions are the user's
//! choice: they stay, and their cards say that they exclude each other.

use std::collections::BTreeSet;

use super::{
    Answer, Conflict, Entry, Suppression,
    effect::{is_same, target},
};
use crate::{card::Action, markdown::escape};

/// A system action that goes on.
pub(super) struct SystemAction {
    service: String,
    pub(super) action: Action,
}

/// Takes the system actions out of all answers and keeps those that nobody contradicts, each once.
pub(super) fn settle_system_actions(answers: &mut [Answer], suppressions: &mut Vec<Suppression>) -> Vec<SystemAction> {
    let mut in_order: Vec<&mut Answer> = answers.iter_mut().collect();
    in_order.sort_by_key(|answer| answer.tier);
    let all: Vec<(usize, SystemAction)> = in_order.into_iter().flat_map(taken_from).collect();
    let mut kept: Vec<SystemAction> = Vec::new();
    for (position, candidate) in &all {
        match objection(candidate, &all, &kept) {
            Some(reason) => suppressions.push(Suppression {
                service: candidate.service.clone(),
                place: format!("systemActions[{position}]"),
                reason,
                shown_as: None,
            }),
            None => kept.push(SystemAction { service: candidate.service.clone(), action: candidate.action.clone() }),
        }
    }
    kept
}

/// Puts a warning on each card whose suggestions contradict another service's.
pub(super) fn warn(entries: &mut [Entry], system_actions: &[SystemAction]) -> Vec<Conflict> {
    let changes = changes(entries, system_actions);
    let mut conflicts = Vec::new();
    let mut warnings = BTreeSet::new();
    for (index, left) in changes.iter().enumerate() {
        for right in changes[index + 1..].iter().filter(|right| left.contradicts(right)) {
            left.warn_of(right, &mut warnings);
            right.warn_of(left, &mut warnings);
            let conflict = left.conflict_with(right);
            if !conflicts.contains(&conflict) {
                conflicts.push(conflict);
            }
        }
    }
    for (entry, other) in warnings {
        write_warning(&mut entries[entry], &other);
    }
    conflicts
}

fn taken_from(answer: &mut Answer) -> Vec<(usize, SystemAction)> {
    let actions = std::mem::take(&mut answer.response.system_actions);
    let named = |action| SystemAction { service: answer.service.clone(), action };
    actions.into_iter().map(named).enumerate().collect()
}

fn objection(candidate: &SystemAction, all: &[(usize, SystemAction)], kept: &[SystemAction]) -> Option<&'static str> {
    let target = target(&candidate.action)?;
    let is_rival = |other: &SystemAction| {
        other.service != candidate.service && self::target(&other.action).as_ref() == Some(&target)
    };
    let contradicted = all.iter().any(|(_, other)| is_rival(other) && !is_same(&other.action, &candidate.action));
    let repeated = || kept.iter().any(is_rival);
    if contradicted {
        return Some("another service changes the same resource differently");
    }
    repeated().then_some("another service makes the same change")
}

/// One change of an existing resource that the EHR is offered.
struct Change<'a> {
    /// `None` for a system action.
    entry: Option<usize>,
    services: Vec<String>,
    label: String,
    target: String,
    action: &'a Action,
}

fn changes<'a>(entries: &'a [Entry], system_actions: &'a [SystemAction]) -> Vec<Change<'a>> {
    let offered = entries.iter().enumerate().flat_map(|(index, entry)| {
        let actions = entry.card.suggestions.iter().flat_map(|suggestion| &suggestion.actions);
        actions.filter_map(move |action| {
            Some(Change {
                entry: Some(index),
                services: entry.origins.iter().map(|origin| origin.service.clone()).collect(),
                label: entry.card.source.label.clone(),
                target: target(action)?,
                action,
            })
        })
    });
    let applied = system_actions.iter().filter_map(|kept| {
        Some(Change {
            entry: None,
            services: vec![kept.service.clone()],
            label: kept.service.clone(),
            target: target(&kept.action)?,
            action: &kept.action,
        })
    });
    offered.chain(applied).collect()
}

impl Change<'_> {
    fn contradicts(&self, other: &Change<'_>) -> bool {
        self.target == other.target
            && self.services.iter().all(|service| !other.services.contains(service))
            && !is_same(self.action, other.action)
    }

    fn warn_of(&self, other: &Change<'_>, warnings: &mut BTreeSet<(usize, String)>) {
        warnings.extend(self.entry.map(|entry| (entry, other.label.clone())));
    }

    fn conflict_with(&self, other: &Change<'_>) -> Conflict {
        let services: BTreeSet<&String> = self.services.iter().chain(&other.services).collect();
        let kind = self.target.split('/').next().unwrap_or_default();
        Conflict { services: services.into_iter().cloned().collect(), resource_type: kind.to_owned() }
    }
}

/// At the head of the detail, where an open code block in it cannot swallow the warning.
fn write_warning(entry: &mut Entry, other: &str) {
    let other = escape(other);
    let warning = format!(
        "**{other} proposes another change to the same resource; accept only one of the two.** \
         {other}が同じ対象に別の変更を提案しています。どちらか一方だけを受け入れてください。"
    );
    entry.card.detail = Some(match entry.card.detail.take() {
        Some(detail) => format!("{warning}\n\n{detail}"),
        None => warning,
    });
}
