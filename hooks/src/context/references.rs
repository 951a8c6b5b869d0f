//! References between the fields of one context. A dangling one is the sender's mistake and harms nobody: a warning.

use std::collections::HashSet;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::Deserialize;

use super::{Oddity, Warning};

pub(super) fn check(context: &IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    selections(context, warnings);
    tasks(context, warnings);
}

/// order-select: "the selections field references FHIR resources in the draftOrders Bundle".
fn selections(context: &IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    let (Some(selections), Some(orders)) = (context.get("selections"), context.get("draftOrders")) else {
        return;
    };
    let selections: Vec<String> = serde_json::from_str(selections.as_str()).unwrap_or_default();
    let bundle: Bundle = serde_json::from_str(orders.as_str()).unwrap_or_default();
    let known: HashSet<String> = bundle.entry.into_iter().filter_map(Entry::reference).collect();
    if selections.iter().any(|selection| !known.contains(selection)) {
        warnings.push(Warning::new("context.selections", Oddity::Dangling));
    }
}

/// order-dispatch: each task "SHALL reference one of the dispatchedOrders". Vendors can still use the rest of the call.
fn tasks(context: &IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    let (Some(orders), Some(tasks)) = (context.get("dispatchedOrders"), context.get("fulfillmentTasks")) else {
        return;
    };
    let orders: HashSet<String> = serde_json::from_str(orders.as_str()).unwrap_or_default();
    let tasks: Vec<Task> = serde_json::from_str(tasks.as_str()).unwrap_or_default();
    let dangling = |task: &Task| task.focus.reference.as_ref().is_none_or(|focus| !orders.contains(focus));
    if tasks.iter().any(dangling) {
        warnings.push(Warning::new("context.fulfillmentTasks", Oddity::Dangling));
    }
}

#[derive(Deserialize, Default)]
struct Bundle {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) resource: Option<Head>,
}

#[derive(Deserialize)]
pub(super) struct Head {
    #[serde(rename = "resourceType")]
    pub(super) resource_type: Option<String>,
    id: Option<String>,
}

impl Entry {
    fn reference(self) -> Option<String> {
        let head = self.resource?;
        Some(format!("{}/{}", head.resource_type?, head.id?))
    }
}

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    focus: Focus,
}

#[derive(Deserialize, Default)]
struct Focus {
    reference: Option<String>,
}
