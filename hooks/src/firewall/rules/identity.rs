//! Whose resource is it? A service that mixes patients up once may have written the card's text about the other
//! patient too, so the whole card is held back, not only the suggestion.

use super::{Look, Rule, Stop, Verdict};
use crate::firewall::desk::{Desk, Fault};
use medvan_profiles::{
    Json,
    identity::{check_json, names_another_patient},
};

pub(in crate::firewall) const FOREIGN_PATIENT: Rule = Rule {
    id: "foreign-patient",
    basis: "a resource of another patient than `context.patientId` never goes further",
    does: "holds back the whole card, or the system action",
    look: Look::OnTheWay,
};

/// Looks at what an action touches, before anything else about it can be found wrong.
pub(in crate::firewall) fn of_action(
    resource: Option<&Json>,
    resource_id: Option<&str>,
    desk: &Desk<'_>,
) -> Result<(), Fault> {
    let resource = resource.map_or(Ok(()), |resource| is_own(resource, desk));
    resource
        .and_then(|()| resource_id.map_or(Ok(()), |id| names_own(id, desk)))
        .map_err(|stop| desk.fault(&FOREIGN_PATIENT, stop))
}

/// Extensions may carry resources or references too.
pub(in crate::firewall) fn of_extension(value: &Json, desk: &Desk<'_>) -> Result<(), Fault> {
    is_own(value, desk).map_err(|stop| desk.fault(&FOREIGN_PATIENT, stop))
}

fn is_own(value: &Json, desk: &Desk<'_>) -> Verdict {
    let Some(patient) = desk.policy.patient_id else {
        return Ok(());
    };
    match serde_json::from_str::<String>(value.as_str()) {
        Ok(reference) => names_own(&reference, desk),
        Err(_) => check_json(value, patient).map_err(|foreign| Stop::the_card(foreign.to_string())),
    }
}

fn names_own(reference: &str, desk: &Desk<'_>) -> Verdict {
    match desk.policy.patient_id {
        Some(patient) if names_another_patient(reference, patient) => Err(Stop::the_card("names another patient")),
        _ => Ok(()),
    }
}
