//! The trap that keeps fhir-sdk in a crate of its own, held open to the light.
//!
//! With `serde_json/arbitrary_precision` anywhere in the graph, every quantity below would be gone after a read that
//! says it succeeded.

use fhir_sdk::r4b::resources::MedicationRequest;
use medvan_authoring::lost;
use serde_json::{Value, json};

fn medication_request(dose: &Value) -> Value {
    json!({
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "アムロジピン錠５ｍｇ　「試験」"},
        "subject": {"reference": "Patient/p-1"},
        "dosageInstruction": [{
            "text": "１日１回　朝食後",
            "doseAndRate": [dose],
        }],
    })
}

fn through_fhir_sdk(sent: &Value) -> Value {
    let typed: MedicationRequest = serde_json::from_value(sent.clone()).unwrap();
    serde_json::to_value(typed).unwrap()
}

#[test]
fn a_dose_quantity_survives_reading_and_writing() {
    let quantity = json!({"value": 1.5, "unit": "錠", "system": "urn:oid:1.2.392.100495.20.2.101", "code": "TAB"});
    let sent = medication_request(&json!({"doseQuantity": quantity}));
    let read = through_fhir_sdk(&sent);
    assert_eq!(read, sent);
    assert_eq!(lost(&sent, &read), Vec::<String>::new());
}

#[test]
fn a_choice_element_that_disappears_is_detected() {
    let place = "dosageInstruction[0].doseAndRate[0].doseQuantity";
    let malformed = medication_request(&json!({"doseQuantity": {"value": "1.50", "unit": "錠"}}));
    assert_eq!(lost(&malformed, &through_fhir_sdk(&malformed)), [place]);

    let mut twice = medication_request(&json!({"doseQuantity": {"value": 1}}));
    twice["medicationReference"] = json!({"reference": "Medication/m"});
    let gone = lost(&twice, &through_fhir_sdk(&twice));
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(gone[0].starts_with("medication"), "{gone:?}");
}

#[test]
fn an_unknown_element_that_disappears_is_detected() {
    let mut sent = medication_request(&json!({"doseQuantity": {"value": 1}}));
    sent["subject"]["unknown"] = json!(1);
    assert_eq!(lost(&sent, &through_fhir_sdk(&sent)), ["subject.unknown"]);
}

#[test]
fn what_is_equal_lost_nothing_and_what_is_shorter_did() {
    assert_eq!(lost(&json!({"a": [1, {"b": 1.50}]}), &json!({"a": [1, {"b": 1.5}], "c": 1})), Vec::<String>::new());
    assert_eq!(lost(&json!({"a": [1, {"b": 1}, 3]}), &json!({"a": [1, {}]})), ["a[1].b", "a[2]"]);
    assert_eq!(lost(&json!({"a": {"b": 1}}), &json!({"a": null})), ["a.b"]);
}
