//! How a discovery document departs from the registered descriptor. Pure.

use medvan_hooks::discovery::{Change, Discovered, Service, diff};
use medvan_profiles::descriptor::{Descriptor, HookEntry};
use serde_json::{Value, json};

use crate::store::Reading;

/// What a document says, beside what was registered.
#[derive(Debug)]
pub(super) struct Drift {
    services: Value,
    changes: Value,
    defects: Value,
}

/// Compares. `siblings` are the ids of the vendor's other services.
pub(super) fn between(descriptor: &Descriptor, found: &Discovered, siblings: &[String]) -> Drift {
    let registered: Vec<Service> = descriptor.hooks.iter().map(registered).collect();
    let published: Vec<Service> =
        found.services.iter().filter(|service| !siblings.contains(&service.id)).map(told).collect();
    let changes = diff(&registered, &published);
    Drift {
        services: json!(published),
        changes: changes.iter().map(described).collect(),
        defects: found.defects.iter().map(|defect| json!({"place": defect.place, "reason": defect.reason})).collect(),
    }
}

impl Drift {
    /// The reading with this in it.
    pub(super) fn into_reading(self, reading: Reading) -> Reading {
        let Self { services, changes, defects } = self;
        Reading { document: services, changes, defects, ..reading }
    }
}

fn described(change: &Change) -> Value {
    let mut described = json!(change);
    if let Value::Object(members) = &mut described {
        members.insert("needsApproval".to_owned(), json!(change.needs_approval()));
    }
    described
}

/// What a descriptor says of a hook, in discovery's words.
fn registered(hook: &HookEntry) -> Service {
    Service {
        hook: hook.hook.clone(),
        title: hook.title.clone(),
        description: hook.description.clone(),
        id: hook.id.clone(),
        prefetch: hook.prefetch.clone(),
        usage_requirements: hook.usage_requirements.clone(),
        version: None,
        hook_version: None,
        extension: None,
    }
}

/// What a vendor tells, as far as a descriptor can say it too: the rest cannot differ from it.
fn told(service: &Service) -> Service {
    Service { version: None, hook_version: None, extension: None, ..service.clone() }
}

#[cfg(test)]
mod tests {
    use medvan_hooks::discovery::Services;
    use medvan_profiles::descriptor::example_text;

    use super::*;

    fn check(change: impl FnOnce(&mut Value), expected: &Value) {
        let descriptor: Descriptor = serde_json::from_str(example_text()).unwrap();
        let mut document = json!({"services": descriptor.hooks.iter().map(registered).collect::<Vec<_>>()});
        change(&mut document["services"]);
        let found = Services::parse(document.to_string().as_bytes()).unwrap();
        let drift = between(&descriptor, &found, &["sibling".to_owned()]);
        assert_eq!(drift.changes, *expected);
    }

    #[test]
    fn a_document_that_says_what_was_registered_is_no_drift() {
        check(|_| {}, &json!([]));
        check(|services| services[0]["hookVersion"] = json!("2.0"), &json!([]));
    }

    #[test]
    fn a_new_prefetch_key_needs_an_approval() {
        check(
            |services| services[0]["prefetch"]["all"] = json!("Patient/{{context.patientId}}"),
            &json!([{"change": "prefetch-widened", "id": "news2-patient-view", "key": "all", "needsApproval": true}]),
        );
    }

    #[test]
    fn a_service_that_went_away_needs_nobody() {
        check(
            |services| *services = json!([]),
            &json!([{"change": "removed", "id": "news2-patient-view", "hook": "patient-view", "needsApproval": false}]),
        );
    }

    #[test]
    fn an_id_on_another_hook_is_another_service() {
        check(
            |services| services[0]["hook"] = json!("order-sign"),
            &json!([{"change": "id-reused", "id": "news2-patient-view", "from": "patient-view", "to": "order-sign",
                "needsApproval": true}]),
        );
    }

    #[test]
    fn the_vendors_other_services_are_nothing_new() {
        let service = |id: &str| json!({"id": id, "hook": "patient-view", "description": "d"});
        check(|services| services.as_array_mut().unwrap().push(service("sibling")), &json!([]));
        check(
            |services| services.as_array_mut().unwrap().push(service("new")),
            &json!([{"change": "added", "id": "new", "hook": "patient-view", "needsApproval": true}]),
        );
    }
}
