//! What an action does to the record, as far as two services' actions can be compared.

use medvan_profiles::Json;
use serde_json::Value;

use crate::{
    card::{Action, ActionSelectionBehavior, ActionType, Suggestion},
    named::Named,
};

/// What one action does; equal effects leave the record in the same state.
#[derive(PartialEq)]
pub(super) struct Effect {
    kind: ActionType,
    target: Option<String>,
    content: Option<Value>,
}

/// What accepting one suggestion does; equal offers are as good as each other.
#[derive(PartialEq)]
pub(super) struct Offer {
    is_recommended: bool,
    choice: Option<ActionSelectionBehavior>,
    effects: Vec<Effect>,
    /// What tells suggestions without actions apart.
    label: Option<String>,
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
    pub(super) fn of(suggestion: &Suggestion) -> Self {
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
