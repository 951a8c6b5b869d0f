//! What an action does to the record, as far as two services' actions can be compared.

use serde_json::Value;

use crate::{
    card::{Action, ActionType, Suggestion},
    named::Named,
};

/// The resource that an action changes or removes, as `Type/id`; `None` for a new one.
pub(super) fn target(action: &Action) -> Option<String> {
    match (action.kind, &action.resource, &action.resource_id) {
        (ActionType::Create, _, _) => None,
        (_, _, Some(reference)) => Some(reference.clone()),
        (_, Some(resource), None) => Named::of(resource).reference(),
        (_, None, None) => None,
    }
}

/// Whether both actions leave the record in the same state.
pub(super) fn is_same(left: &Action, right: &Action) -> bool {
    left.kind == right.kind && target(left) == target(right) && content(left) == content(right)
}

/// Whether accepting one suggestion is as good as accepting the other.
pub(super) fn is_same_suggestion(left: &Suggestion, right: &Suggestion) -> bool {
    let is_same_offer = left.is_recommended.unwrap_or(false) == right.is_recommended.unwrap_or(false)
        && left.action_selection_behavior == right.action_selection_behavior
        && left.actions.len() == right.actions.len();
    let is_named_alike = || !left.actions.is_empty() || left.label.trim() == right.label.trim();
    is_same_offer
        && is_named_alike()
        && left.actions.iter().zip(&right.actions).all(|(left, right)| is_same(left, right))
}

/// The resource without what says nothing on its meaning; a new resource's id is only the vendor's placeholder.
fn content(action: &Action) -> Option<Value> {
    if action.kind == ActionType::Delete {
        return None;
    }
    let mut resource = action.resource.as_ref()?.value();
    if let Some(members) = resource.as_object_mut() {
        members.remove("meta");
        members.remove("text");
        if action.kind == ActionType::Create {
            members.remove("id");
        }
    }
    Some(resource)
}
