//! Service definitions: reading a vendor's, publishing our own, telling what changed.

use medvan_hooks::discovery::{self, Change, Service, Services};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::request::any_json;

fn read(document: &Value) -> discovery::Discovered {
    Services::parse(document.to_string().as_bytes()).expect("a discovery document")
}

fn service(definition: Value) -> Service {
    serde_json::from_value(definition).expect("a definition")
}

fn echo() -> Value {
    json!({
        "hook": "order-select",
        "title": "オーダー確認",
        "description": "Checks the draft orders",
        "id": "order-check",
        "prefetch": {"patient": "Patient/{{context.patientId}}", "med": "MedicationRequest?patient={{context.patientId}}"},
        "usageRequirements": "Needs draft orders",
        "version": "3.0.0",
        "hookVersion": "1.0"
    })
}

#[test]
fn a_definition_is_read_and_published_with_its_keys_in_order() {
    let text = r#"{"services":[{"hook":"patient-view","description":"d","id":"s","prefetch":{"z":"Patient/{{context.patientId}}","a":"Encounter/{{context.encounterId}}"}}]}"#;
    let discovered = Services::parse(text.as_bytes()).expect("good");
    assert!(discovered.defects.is_empty());
    assert_eq!(Services::from_iter(discovered.services).to_bytes(), text.as_bytes());
}

#[test]
fn nothing_to_offer_is_published_as_an_empty_array() {
    assert_eq!(Services::default().to_bytes(), br#"{"services":[]}"#);
    assert!(read(&json!({"services": []})).services.is_empty());
}

#[test]
fn nothing_empty_is_published() {
    let mut bare = service(echo());
    bare.title = Some(String::new());
    bare.prefetch.clear();
    bare.usage_requirements = None;
    bare.extension = Some(indexmap::IndexMap::new());
    let published: Value = serde_json::from_slice(&Services::from_iter([bare]).to_bytes()).expect("JSON");
    let members: Vec<&String> = published["services"][0].as_object().expect("an object").keys().collect();
    assert_eq!(members, ["description", "hook", "hookVersion", "id", "version"]);
}

/// Deviations of running servers.
#[test]
fn documents_that_bend_the_standard_are_read_with_defects() {
    for (document, services, place) in [
        (json!([echo()]), 1, ""),
        (json!({"services": {"order-check": echo()}}), 1, "/services"),
        (json!({"services": [echo(), 7]}), 1, "/services/1"),
        (json!({"services": [echo(), echo()]}), 1, "/services/1"),
        (json!({"services": [{"hook": "h", "id": "a"}]}), 1, "/services/0/description"),
        (json!({"services": [{"hook": "h", "id": "a", "description": "d", "title": ""}]}), 1, "/services/0/title"),
        (
            json!({"services": [{"hook": "h", "id": "a", "description": "d", "prefetch": null}]}),
            1,
            "/services/0/prefetch",
        ),
        (
            json!({"services": [{"hook": "h", "id": "a", "description": "d", "prefetch": {"a/b": 1}}]}),
            1,
            "/services/0/prefetch/a~1b",
        ),
        (
            json!({"services": [{"hook": "h", "id": "a", "description": "d", "extension": []}]}),
            1,
            "/services/0/extension",
        ),
        (json!({"services": [{"hook": "h", "id": "../admin", "description": "d"}]}), 0, "/services/0/id"),
        (json!({"services": [{"id": "a", "description": "d"}]}), 0, "/services/0/hook"),
    ] {
        let discovered = read(&document);
        assert_eq!((discovered.services.len(), discovered.defects[0].place.as_str()), (services, place), "{document}");
    }
    for nothing in ["{}", "7", "{\"services\": 1}", "<html>"] {
        assert!(Services::parse(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn one_id_may_stand_for_several_hooks() {
    let mut sign = echo();
    sign["hook"] = json!("order-sign");
    let discovered = read(&json!({"services": [echo(), sign]}));
    assert_eq!((discovered.services.len(), discovered.defects.len()), (2, 0));
}

fn changes(old: &[Value], new: &[Value]) -> Vec<Change> {
    let services = |values: &[Value]| values.iter().cloned().map(service).collect::<Vec<_>>();
    discovery::diff(&services(old), &services(new))
}

fn with(pointer: &str, value: Value) -> Value {
    let mut changed = echo();
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
    changed.pointer_mut(parent).expect("a parent")[member] = value;
    changed
}

#[test]
fn the_same_definitions_have_not_changed() {
    assert_eq!(changes(&[echo()], &[echo()]), []);
}

#[test]
fn services_come_go_and_take_over_an_id() {
    let (id, hook) = ("order-check".to_owned(), "order-select".to_owned());
    assert_eq!(changes(&[], &[echo()]), [Change::Added { id: id.clone(), hook: hook.clone() }]);
    assert_eq!(changes(&[echo()], &[]), [Change::Removed { id: id.clone(), hook: hook.clone() }]);
    let moved = with("/hook", json!("order-sign"));
    assert_eq!(
        changes(&[echo()], std::slice::from_ref(&moved)),
        [Change::IdReused { id: id.clone(), from: hook, to: "order-sign".to_owned() }]
    );
    assert_eq!(changes(&[echo()], &[echo(), moved]), [Change::Added { id, hook: "order-sign".to_owned() }]);
}

#[test]
fn a_prefetch_change_is_classified_by_what_the_service_would_receive() {
    let (id, med) = ("order-check".to_owned(), "med".to_owned());
    let key = |key: &str| (id.clone(), key.to_owned());
    let change = |template: &str| changes(&[echo()], &[with("/prefetch/med", json!(template))]);
    let widened = |(id, key)| Change::PrefetchWidened { id, key };
    let narrowed = |(id, key)| Change::PrefetchNarrowed { id, key };
    let changed = |(id, key)| Change::PrefetchChanged { id, key };
    let base = "MedicationRequest?patient={{context.patientId}}";
    assert_eq!(change(&format!("{base}&status=active")), [narrowed(key("med"))]);
    assert_eq!(change("MedicationRequest?status=active"), [changed(key("med"))]);
    assert_eq!(change("MedicationRequest?"), [widened(key("med"))]);
    assert_eq!(change("Observation?patient={{context.patientId}}"), [changed(key("med"))]);
    assert_eq!(change(&format!("{base}&_include=MedicationRequest:medication")), [changed(key("med"))]);
    assert_eq!(
        changes(&[echo()], &[with("/prefetch/obs", json!("Observation?patient={{context.patientId}}"))]),
        [widened(key("obs"))]
    );
    let mut fewer = echo();
    fewer["prefetch"].as_object_mut().expect("an object").remove("med");
    assert_eq!(changes(&[echo()], &[fewer]), [Change::PrefetchNarrowed { id: id.clone(), key: med }]);
    assert_eq!(
        changes(&[echo()], &[with("/description", json!("Cures everything"))]),
        [Change::TextChanged { id: id.clone(), member: "description" }]
    );
}

#[test]
fn only_less_data_and_a_service_that_went_away_need_no_approval() {
    let (id, key) = ("s".to_owned(), "k".to_owned());
    assert!(!Change::Removed { id: id.clone(), hook: key.clone() }.needs_approval());
    assert!(!Change::PrefetchNarrowed { id: id.clone(), key: key.clone() }.needs_approval());
    assert!(Change::Added { id: id.clone(), hook: key.clone() }.needs_approval());
    assert!(Change::PrefetchWidened { id: id.clone(), key: key.clone() }.needs_approval());
    assert!(Change::PrefetchChanged { id: id.clone(), key }.needs_approval());
    assert!(Change::TextChanged { id, member: "title" }.needs_approval());
}

proptest! {
    #[test]
    fn arbitrary_documents_never_panic(services in any_json()) {
        let _ = Services::parse(json!({"services": services}).to_string().as_bytes());
        let _ = Services::parse(services.to_string().as_bytes());
    }
}
