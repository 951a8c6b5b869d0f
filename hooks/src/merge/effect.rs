//! What an action does to the record, as far as two services' actions can be compared.
//!
//! Vendors are untrusted: 64 cards with 64 suggestions each, alike but for the last word, must not cost a comparison of
//! everything with everything. Offers therefore carry a keyed digest, and only what agrees in it is looked at.

use std::{
    hash::{BuildHasher, RandomState},
    sync::LazyLock,
};

use medvan_profiles::Json;
use serde_json::Value;

use crate::{
    card::{Action, ActionSelectionBehavior, ActionType, Suggestion},
    named::Named,
};

/// What one action does; equal effects leave the record in the same state.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Effect {
    kind: ActionType,
    target: Option<String>,
    content: Option<Value>,
}

/// What accepting one suggestion does; equal offers are as good as each other.
#[derive(PartialEq, Eq, Hash)]
struct Offer {
    is_recommended: bool,
    choice: Option<ActionSelectionBehavior>,
    effects: Vec<Effect>,
    /// What tells suggestions without actions apart.
    label: Option<String>,
}

/// What all suggestions of a card do.
pub(super) struct Offers {
    each: Vec<(u64, Offer)>,
    /// The digests added up: cards that offer the same in another order agree in it.
    sum: u64,
}

/// Nobody outside of this process can make two digests agree.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Offers {
    pub(super) fn of(suggestions: &[Suggestion]) -> Self {
        let offers = suggestions.iter().map(Offer::of);
        let each: Vec<_> = offers.map(|offer| (KEY.hash_one(&offer), offer)).collect();
        let sum = each.iter().fold(0_u64, |sum, (digest, _)| sum.wrapping_add(*digest));
        Self { each, sum }
    }

    /// For each of these suggestions the index of its twin among the others; `None` when one has none.
    pub(super) fn twins_among(&self, others: &Self) -> Option<Vec<usize>> {
        if self.sum != others.sum {
            return None;
        }
        let mut free: Vec<usize> = (0..others.each.len()).collect();
        let twin_of = |offer: &(u64, Offer)| {
            let at = free.iter().position(|index| others.each[*index] == *offer)?;
            Some(free.remove(at))
        };
        self.each.iter().map(twin_of).collect()
    }
}

impl Effect {
    pub(super) fn of(action: &Action) -> Self {
        Self {
            kind: action.kind,
            target: target(action),
            content: action.resource.as_ref().map(|resource| content(action.kind, resource)),
        }
    }
}

impl Offer {
    fn of(suggestion: &Suggestion) -> Self {
        let has_no_actions = suggestion.actions.is_empty();
        Self {
            is_recommended: suggestion.is_recommended.unwrap_or(false),
            choice: suggestion.action_selection_behavior,
            effects: suggestion.actions.iter().map(Effect::of).collect(),
            label: has_no_actions.then(|| suggestion.label.trim().to_owned()),
        }
    }
}

/// The resource that an action changes or removes, as `Type/id`; `None` for a new one.
pub(super) fn target(action: &Action) -> Option<String> {
    match (action.kind, &action.resource, &action.resource_id) {
        (ActionType::Create, _, _) => None,
        (_, _, Some(reference)) => Some(reference.clone()),
        (_, Some(resource), None) => Named::of(resource).reference(),
        (_, None, None) => None,
    }
}

/// The resource without what says nothing on its meaning; a new resource's id is only the vendor's placeholder.
fn content(kind: ActionType, resource: &Json) -> Value {
    let mut resource = resource.value();
    if let Some(members) = resource.as_object_mut() {
        members.remove("meta");
        members.remove("text");
        if kind == ActionType::Create {
            members.remove("id");
        }
    }
    resource
}
