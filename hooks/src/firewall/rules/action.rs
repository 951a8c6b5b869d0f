//! Actions: what is created, updated or deleted must be said in the standard's way.

use medvan_profiles::{Json, fhir::Reference};

use super::{Look, Rule, Verdict};
use crate::{
    card::{Action, ActionType, Suggestion},
    firewall::desk::Desk,
    named::Named,
};

const DIFFERENT: &str = "`resource` and `resourceId` name different resources";

const NOT_RELATIVE: &str = "`resourceId` must be a relative reference such as `ServiceRequest/1`";

pub(super) const RESOURCE: Rule = Rule {
    id: "action-resource",
    basis: "CDS Hooks 2.0.1, Action: create holds a new resource, update the whole resource, delete a `resourceId`",
    does: "holds back the suggestion, or the system action",
    look: Look::Action(has_what_it_needs),
};

pub(super) const ID_OF_NEW: Rule = Rule {
    id: "resource-id-on-create",
    basis: "CDS Hooks 2.0.1, Action: `resourceId` names what there already is",
    does: "leaves `resourceId` out",
    look: Look::Action(names_nothing_new),
};

pub(super) const DELETE_BY_RESOURCE: Rule = Rule {
    id: "delete-by-resource",
    basis: "CDS Hooks 2.0.1, Action: `resource` on delete is deprecated (cds-resp-2)",
    does: "moves the reference to `resourceId`",
    look: Look::Action(names_the_deleted),
};

pub(super) const DESCRIPTION: Rule = Rule {
    id: "action-description",
    basis: "CDS Hooks 2.0.1, Action: `description` is REQUIRED in suggestions (cds-resp-5)",
    does: "takes the suggestion's label, which the user accepts together with the action",
    look: Look::Suggestion(is_described),
};

fn has_what_it_needs(action: &mut Action, _: &mut Desk<'_>) -> Verdict {
    match (action.kind, &action.resource) {
        (ActionType::Delete, _) => Ok(()),
        (_, None) => Err("`resource` is required for this type of action".into()),
        (_, Some(resource)) if Named::of(resource).kind().is_none() => Err("`resource` is not a FHIR resource".into()),
        (ActionType::Update, Some(resource)) => says_one_thing(resource, action.resource_id.as_deref()),
        (ActionType::Create, Some(_)) => Ok(()),
    }
}

fn names_nothing_new(action: &mut Action, desk: &mut Desk<'_>) -> Verdict {
    if action.kind == ActionType::Create && action.resource_id.take().is_some() {
        desk.repair(&ID_OF_NEW, "resourceId");
    }
    Ok(())
}

fn names_the_deleted(action: &mut Action, desk: &mut Desk<'_>) -> Verdict {
    if action.kind != ActionType::Delete {
        return Ok(());
    }
    if let Some(resource) = action.resource.take() {
        desk.repair(&DELETE_BY_RESOURCE, "resource");
        let named = reference_to(&resource);
        if action.resource_id.is_some() && named.is_some() && action.resource_id != named {
            return Err(DIFFERENT.into());
        }
        action.resource_id = action.resource_id.take().or(named);
    }
    match action.resource_id.as_deref() {
        Some(id) if is_relative(id) => Ok(()),
        _ => Err(NOT_RELATIVE.into()),
    }
}

fn is_described(suggestion: &mut Suggestion, desk: &mut Desk<'_>) -> Verdict {
    for (index, action) in suggestion.actions.iter_mut().enumerate() {
        if action.description.is_none() {
            action.description = Some(suggestion.label.clone());
            desk.within("actions", |desk| desk.at(index, |desk| desk.repair(&DESCRIPTION, "description")));
        }
    }
    Ok(())
}

/// A resource that leaves its id out still has a type, which `resourceId` must share.
fn says_one_thing(resource: &Json, id: Option<&str>) -> Verdict {
    let Some(id) = id else {
        return Ok(());
    };
    if !is_relative(id) {
        return Err(NOT_RELATIVE.into());
    }
    let named = Named::of(resource);
    let is_same_type = id.split_once('/').map(|(kind, _)| kind) == named.kind();
    if !is_same_type || named.reference().is_some_and(|named| named != id) {
        return Err(DIFFERENT.into());
    }
    Ok(())
}

fn is_relative(reference: &str) -> bool {
    match Reference::parse(reference) {
        Reference::Literal(literal) => literal.base.is_none() && literal.version.is_none(),
        Reference::Fragment(_) | Reference::Urn(_) | Reference::Other(_) => false,
    }
}

/// The relative reference that a resource, or a string in its place, stands for.
fn reference_to(resource: &Json) -> Option<String> {
    serde_json::from_str(resource.as_str()).ok().or_else(|| Named::of(resource).reference())
}
