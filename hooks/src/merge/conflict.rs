//! Changes that would overwrite each other: an update carries the whole resource, so the second of two updates
//! silently undoes the first.
//!
//! System actions are applied without asking, so of those in conflict none is passed on. Suggestions are the user's
//! choice: they stay, and their cards say that they exclude each other.
//!
//! Changes are first sorted by what they change, and resources are read only where two services meet: a vendor that
//! sends thousands of changes must not make the others wait.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    Answer, Conflict, Entry, Suppression,
    effect::{Effect, target},
};
use crate::{card::Action, markdown::escape};

/// Characters of another service's label in a warning: every card can warn of every other, so long labels would make
/// an answer many times as large as what the services sent.
const MOST_OF_LABEL: usize = 140;

/// A system action that goes on.
pub(super) struct SystemAction {
    service: String,
    position: usize,
    target: Option<String>,
    pub(super) action: Action,
}

/// Takes the system actions out of all answers and keeps those that nobody contradicts, each once.
pub(super) fn settle_system_actions(answers: &mut [Answer], suppressions: &mut Vec<Suppression>) -> Vec<SystemAction> {
    let mut in_order: Vec<&mut Answer> = answers.iter_mut().collect();
    in_order.sort_by_key(|answer| answer.tier);
    let all: Vec<SystemAction> = in_order.into_iter().flat_map(taken_from).collect();
    let objections = objections(&all);
    let mut kept = Vec::with_capacity(all.len());
    for (index, candidate) in all.into_iter().enumerate() {
        match objections.get(&index) {
            Some(reason) => suppressions.push(candidate.held_back(reason)),
            None => kept.push(candidate),
        }
    }
    kept
}

/// Puts a warning on each card whose suggestions contradict another service's.
pub(super) fn warn(entries: &mut [Entry], system_actions: &[SystemAction]) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    let mut warnings = BTreeSet::new();
    for (target, parties) in contested(entries, system_actions) {
        for (index, left) in parties.iter().enumerate() {
            for right in parties[index + 1..].iter().filter(|right| left.contradicts(right)) {
                warnings.extend(left.entry.map(|entry| (entry, right.label.to_owned())));
                warnings.extend(right.entry.map(|entry| (entry, left.label.to_owned())));
                let conflict = left.conflict_with(right, &target);
                if !conflicts.contains(&conflict) {
                    conflicts.push(conflict);
                }
            }
        }
    }
    for (entry, other) in warnings {
        write_warning(&mut entries[entry], &other);
    }
    conflicts
}

fn taken_from(answer: &mut Answer) -> Vec<SystemAction> {
    let actions = std::mem::take(&mut answer.response.system_actions);
    let named = |(position, action): (usize, Action)| SystemAction {
        service: answer.service.clone(),
        position,
        target: target(&action),
        action,
    };
    actions.into_iter().enumerate().map(named).collect()
}

/// Why which of the actions, by index, cannot go on.
fn objections(all: &[SystemAction]) -> IndexMap<usize, &'static str> {
    let mut by_target: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (index, action) in all.iter().enumerate() {
        if let Some(target) = &action.target {
            by_target.entry(target).or_default().push(index);
        }
    }
    let mut objections = IndexMap::new();
    for indices in by_target.into_values() {
        let first = &all[indices[0]];
        if indices.iter().all(|index| all[*index].service == first.service) {
            continue;
        }
        let effect = Effect::of(&first.action);
        if indices.iter().all(|index| Effect::of(&all[*index].action) == effect) {
            let repeated = indices.iter().filter(|index| all[**index].service != first.service);
            objections.extend(repeated.map(|index| (*index, "another service makes the same change")));
        } else {
            let reason = "another service changes the same resource differently";
            objections.extend(indices.iter().map(|index| (*index, reason)));
        }
    }
    objections
}

/// What one card, or one system action, does to one resource.
struct Party<'a> {
    /// `None` for a system action.
    entry: Option<usize>,
    services: Vec<&'a str>,
    label: &'a str,
    effect: Effect,
    /// Whether the user can choose between different effects on the same resource.
    has_alternatives: bool,
}

/// Where one change comes from: a card, or a system action.
type Change<'a> = (Option<usize>, Vec<&'a str>, &'a str, &'a Action);

/// The resources that several services change, each with those who change it.
fn contested<'a>(entries: &'a [Entry], system_actions: &'a [SystemAction]) -> IndexMap<String, Vec<Party<'a>>> {
    let mut by_target: IndexMap<String, Vec<Change<'a>>> = IndexMap::new();
    for change in changes(entries, system_actions) {
        if let Some(target) = target(change.3) {
            by_target.entry(target).or_default().push(change);
        }
    }
    by_target.retain(|_, changes| changes.iter().any(|change| change.1 != changes[0].1));
    by_target.into_iter().map(|(target, changes)| (target, parties(changes))).collect()
}

fn changes<'a>(entries: &'a [Entry], system_actions: &'a [SystemAction]) -> impl Iterator<Item = Change<'a>> {
    let offered = entries.iter().enumerate().flat_map(|(index, entry)| {
        let actions = entry.card.suggestions.iter().flat_map(|suggestion| &suggestion.actions);
        actions.map(move |action| {
            let services = entry.origins.iter().map(|origin| origin.service.as_str()).collect();
            (Some(index), services, beginning(&entry.card.source.label), action)
        })
    });
    let applied = system_actions.iter().map(|kept| {
        let service = kept.service.as_str();
        (None, vec![service], service, &kept.action)
    });
    offered.chain(applied)
}

fn beginning(label: &str) -> &str {
    label.char_indices().nth(MOST_OF_LABEL).map_or(label, |(end, _)| &label[..end])
}

/// All changes of one card are one party's.
fn parties(changes: Vec<Change<'_>>) -> Vec<Party<'_>> {
    let mut parties: Vec<Party<'_>> = Vec::new();
    for (entry, services, label, action) in changes {
        let effect = Effect::of(action);
        match parties.last_mut().filter(|party| party.entry == entry && party.services == services) {
            Some(party) => party.has_alternatives |= party.effect != effect,
            None => parties.push(Party { entry, services, label, effect, has_alternatives: false }),
        }
    }
    parties
}

impl Party<'_> {
    fn contradicts(&self, other: &Party<'_>) -> bool {
        let are_strangers = self.services.iter().all(|service| !other.services.contains(service));
        are_strangers && (self.has_alternatives || other.has_alternatives || self.effect != other.effect)
    }

    fn conflict_with(&self, other: &Party<'_>, target: &str) -> Conflict {
        let services: BTreeSet<&str> = self.services.iter().chain(&other.services).copied().collect();
        let kind = target.split('/').next().unwrap_or_default();
        Conflict { services: services.into_iter().map(str::to_owned).collect(), resource_type: kind.to_owned() }
    }
}

impl SystemAction {
    fn held_back(self, reason: &'static str) -> Suppression {
        Suppression {
            service: self.service,
            place: format!("systemActions[{}]", self.position),
            reason,
            shown_as: None,
        }
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
