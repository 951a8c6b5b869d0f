//! Messages in the shapes of the standard's own examples, and its own defects (`tests/examples`).

use std::{fs, path::PathBuf};

use indexmap::IndexMap;
use medvan_hooks::{
    Outgoing, PrefetchState, Request,
    discovery::Services,
    plan::{Plan, union},
    prefetch::EmptySearch,
    request::OmittedKeys,
    template::{Template, parse_all},
};
use medvan_profiles::Json;
use serde_json::{Value, json};
use time::macros::date;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/examples")
}

fn example(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What becomes of each call: its warnings, or the place where it is refused.
const CALLS: &[(&str, Result<&[&str], &str>)] = &[
    ("request-patient-view.json", Ok(&[])),
    ("request-order-sign-paged.json", Ok(&[])),
    ("request-order-select-dstu2.json", Ok(&[])),
    ("request-medication-refill.json", Ok(&[])),
    ("context-order-sign-3.0.json", Ok(&[])),
    ("defect-allergyintolerance-wrapped.json", Ok(&["context.allergyIntolerance: is wrapped"])),
    (
        "defect-allergyintolerances.json",
        Ok(&[
            "context.allergyIntolerance: was sent as \"allergyIntolerances\"",
            "context.allergyIntolerance: is wrapped",
        ]),
    ),
    (
        "defect-medication-verify-order.json",
        Ok(&["context.medication: was sent as \"order\"", "context.medication: is wrapped"]),
    ),
    (
        "defect-order-dispatch-hyphens.json",
        Ok(&["context.dispatchedOrders: was sent as", "context.fulfillmentTasks: was sent as"]),
    ),
    ("defect-order-select-without-selections.json", Ok(&["context.selections: should be sent"])),
    ("defect-extension-without-patient.json", Err("context.patientId")),
];

#[test]
fn every_example_call_is_read_or_refused_as_told() {
    for (name, expect) in CALLS {
        let outcome = Request::parse(&example(name)).and_then(|mut request| request.check());
        match (outcome, expect) {
            (Ok(warnings), Ok(expect)) => {
                let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
                assert_eq!(told.len(), expect.len(), "{name}: {told:?}");
                assert!(told.iter().zip(*expect).all(|(told, start)| told.starts_with(start)), "{name}: {told:?}");
            }
            (Err(error), Err(place)) => assert_eq!(error.expression(), Some(*place), "{name}"),
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[test]
fn no_example_is_forgotten() {
    let files = fs::read_dir(folder()).expect("the examples").map(|entry| entry.expect("a file").file_name());
    for file in files {
        let name = file.to_string_lossy().into_owned();
        let is_call = CALLS.iter().any(|(call, _)| *call == name);
        let is_other =
            ["README.md", "discovery.json", "prefetch-2.0.json", "prefetch-3.0.json"].contains(&name.as_str());
        assert!(is_call || is_other, "{name} is not in any test");
    }
}

/// What leaves for a vendor holds the same text for every value, under the names of the tables.
#[test]
fn the_values_of_every_example_pass_untouched() {
    for (name, _) in CALLS.iter().filter(|(_, expect)| expect.is_ok()) {
        let mut request = Request::parse(&example(name)).expect(name);
        let before: Vec<Json> = request.context.values().chain(request.prefetch.values()).cloned().collect();
        request.check().expect(name);
        let prefetch =
            request.prefetch.iter().map(|(key, json)| (key.clone(), PrefetchState::of(json.clone()))).collect();
        let outgoing = Outgoing {
            hook: &request.hook,
            hook_instance: &request.hook_instance,
            context: &request.context,
            prefetch,
            omitted_keys: OmittedKeys::LeaveOut,
            extension: None,
        };
        let text = String::from_utf8(outgoing.to_bytes()).expect("UTF-8");
        assert!(before.iter().all(|value| text.contains(value.as_str())), "{name}");
        assert!(!text.contains("access_token") && !text.contains("fhirServer"), "{name}");
        assert!(!text.contains("fulfillment-tasks") && !text.contains("allergyIntolerances"), "{name}");
    }
}

#[test]
fn the_example_discovery_is_read_whole_and_written_again() {
    let discovered = Services::parse(&example("discovery.json")).expect("a discovery document");
    assert!(discovered.defects.is_empty());
    for service in &discovered.services {
        assert!(parse_all(&service.prefetch).is_ok(), "{service}");
    }
    let written: Value = serde_json::from_slice(&Services::from_iter(discovered.services).to_bytes()).expect("JSON");
    let original: Value = serde_json::from_slice(&example("discovery.json")).expect("JSON");
    assert_eq!(written, original);
}

fn templates(name: &str) -> IndexMap<String, Template> {
    parse_all(&serde_json::from_slice(&example(name)).expect("texts")).expect("templates")
}

/// `sort:desc=date` is in the examples of every version; no server since R4 knows it.
#[test]
fn the_old_spelling_of_sorting_in_the_2_0_example_is_remarked_and_kept_from_the_ehr() {
    let templates = templates("prefetch-2.0.json");
    let lints = templates["hemoglobin-a1c"].lint(None);
    assert_eq!((lints[0].place.as_str(), lints[0].mend.0), ("sort:desc", "_sort=-date"));
    let published = union("patient-view", &[("a.b", &templates)]);
    assert_eq!(published.prefetch().keys().collect::<Vec<_>>(), ["patient", "diabetes-type2", "user"]);
}

/// The worked example of the 3.0 ballot, whose printed answer lost the `lt` of its second date.
#[test]
fn the_worked_example_of_3_0_asks_level_by_level_and_leaves_out_what_leads_nowhere() {
    let templates = templates("prefetch-3.0.json");
    let members = [("a.b", &templates)];
    let request = Request::parse(&example("context-order-sign-3.0.json")).expect("a call");
    let mut plan = Plan::new(&request, &members, &union("order-sign", &members), date!(2024 - 09 - 13));
    let conditions = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Condition", "id": "c-1", "asserter": {"reference": "PractitionerRole/pr-1"}}},
        {"resource": {"resourceType": "Condition", "id": "c-2", "asserter": {"reference": "Practitioner/p-9"}}}]});
    let roles = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "PractitionerRole", "id": "pr-1", "practitioner": {"reference": "Practitioner/p-1"}}}]});
    let mut levels = Vec::new();
    loop {
        let queries = plan.queries();
        if queries.is_empty() {
            break;
        }
        levels.push(queries.iter().map(|query| query.as_str().to_owned()).collect::<Vec<_>>());
        for query in queries {
            let answer = match query.resource_type() {
                "Condition" => PrefetchState::of(Json::from_value(&conditions)),
                "PractitionerRole" => PrefetchState::of(Json::from_value(&roles)),
                _ => PrefetchState::Null,
            };
            plan.supply(query, answer);
        }
    }
    assert_eq!(
        levels,
        [
            vec![
                "Medication?_id=eAbCsynthetic0medication.1xY3,eAbCsynthetic0medication.2zW3",
                "Appointment?date=gt2024-09-13&date=lt2025-09-13&patient=eAbCsynthetic0patient0001",
                "Condition?_id=c-1",
            ],
            vec!["PractitionerRole?_id=pr-1"],
            vec!["Practitioner?_id=p-1,p-9"],
        ]
    );
    let slice = plan.slice(0, EmptySearch::Null);
    assert_eq!(slice["prescriber"].word(), "omitted");
}
