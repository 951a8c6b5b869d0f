//! System actions change the record without asking anybody. They are refused unless the hospital has allowed this
//! service to touch that type of resource ("only appropriate in specific, pre-coordinated scenarios").

use super::{Look, Rule, Verdict};
use crate::{card::Action, firewall::desk::Desk, named::Named};

pub(in crate::firewall) const PLACE: Rule = Rule {
    id: "system-actions-place",
    basis: "CDS Hooks 2.0.1, HTTP Response: `systemActions` stands beside `cards`; before 2.0 it stood in `extension`",
    does: "moves them beside the cards",
    look: Look::OnTheWay,
};

pub(super) const NOT_ALLOWED: Rule = Rule {
    id: "system-action-not-allowed",
    basis: "CDS Hooks 2.0.1, System Action; hospital's list of resource types for this service",
    does: "holds back the system action",
    look: Look::SystemAction(is_allowed),
};

fn is_allowed(action: &mut Action, desk: &mut Desk<'_>) -> Verdict {
    let allowed = |kind: &str| desk.policy.system_actions.iter().any(|entry| entry == kind);
    match touched_type(action) {
        Some(kind) if allowed(&kind) => Ok(()),
        _ => Err("this hospital has not allowed the service to change such resources".into()),
    }
}

/// What a resource says of itself counts; `resourceId` speaks only where there is none.
fn touched_type(action: &Action) -> Option<String> {
    match &action.resource {
        Some(resource) => Named::of(resource).kind().map(str::to_owned),
        None => action.resource_id.as_deref()?.split_once('/').map(|(kind, _)| kind.to_owned()),
    }
}
