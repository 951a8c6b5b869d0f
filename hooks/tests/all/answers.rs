//! Answers and feedback in the shapes of the standard's own examples, of known services and of known clients, all the
//! way: checked, merged, said in a dialect, answered by the user, told to the service.

use medvan_hooks::{
    dialect::{self, Dialect},
    feedback::{Received, split, to_bytes},
    firewall::{self, Checked, Policy},
    merge::{Answer, Merged, merge},
};
use serde_json::{Value, json};
use uuid::Uuid;

fn checked(answer: &Value) -> Checked {
    let hosts = ["example.com".to_owned(), "*.example.com".to_owned()];
    let system_actions = ["ServiceRequest".to_owned()];
    let policy =
        Policy { patient_id: Some("pat-1"), link_hosts: &hosts, loopback: false, system_actions: &system_actions };
    firewall::check(answer.to_string().as_bytes(), &policy).expect("an answer")
}

/// The answer passes as it is, or with these notes.
fn passes(answer: &Value, expected: &Value, notes: &[&str]) {
    let checked = checked(answer);
    let written: Value = serde_json::from_slice(&checked.response.to_bytes()).expect("JSON");
    assert_eq!(&written, expected);
    let repairs = checked.repairs.iter().map(|repair| format!("{}@{}", repair.rule, repair.place));
    let quarantined = checked.quarantined.iter().map(|unit| format!("{}@{}", unit.rule, unit.place));
    assert_eq!(repairs.chain(quarantined).collect::<Vec<_>>(), notes);
}

fn merged(service: &str, answer: &Value) -> Merged {
    let answer = Answer {
        service: service.to_owned(),
        tier: 0,
        acceptance: None,
        response: checked(answer).response,
        provenance: None,
    };
    let mut last = 0;
    merge(vec![answer], &mut || {
        last += 1;
        Uuid::from_u128(last)
    })
}

#[test]
fn the_standards_example_answer_passes_as_it_is() {
    let answer = json!({"cards": [
        {
            "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719", "summary": "説明用のカード", "indicator": "info",
            "detail": "これは説明用のカードです。",
            "source": {"label": "説明用サービス", "url": "https://example.com", "icon": "https://example.com/img/icon-100px.png"},
            "links": [
                {"label": "資料", "url": "https://docs.example.com", "type": "absolute"},
                {"label": "アプリ", "url": "https://smart.example.com/launch", "type": "smart",
                 "appContext": "{\"session\":1,\"settings\":{\"module\":2}}"}
            ]
        },
        {
            "summary": "もう一枚", "indicator": "warning", "source": {"label": "説明用サービス"},
            "overrideReasons": [{"code": "r-1", "system": "http://example.org/override-reasons", "display": "患者が希望しない"}]
        }
    ]});
    passes(&answer, &answer, &[]);
}

#[test]
fn the_standards_system_action_without_description_passes_as_it_is() {
    let answer = json!({"cards": [], "systemActions": [
        {"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "example-mri", "subject": {"reference": "Patient/pat-1"}}}
    ]});
    passes(&answer, &answer, &[]);
}

#[test]
fn the_standards_autolaunch_example_lacks_its_indicator_and_is_quarantined() {
    let answer = json!({"cards": [{
        "uuid": "4e0a3a1e-3283-4575-ab82-028d55fe2719", "summary": "検診の意思決定支援", "source": {"label": "支援アプリ"},
        "links": [{"label": "開く", "url": "https://example.com", "type": "absolute", "autolaunchable": true}]
    }]});
    passes(&answer, &json!({"cards": []}), &["missing-member@cards[0]"]);
}

#[test]
fn answers_of_known_services_are_mended() {
    // Empty members, as a CQL-based service writes them.
    passes(
        &json!({"cards": [{"summary": "s", "detail": "", "indicator": "info", "source": {"label": "l", "url": ""}, "suggestions": [], "links": []}]}),
        &json!({"cards": [{"summary": "s", "indicator": "info", "source": {"label": "l"}}]}),
        &[
            "empty-member@cards[0].suggestions",
            "empty-member@cards[0].links",
            "empty-member@cards[0].detail",
            "empty-member@cards[0].source.url",
        ],
    );
    // Suggestions without `selectionBehavior` and the older place of system actions, as the public demonstration services write them.
    let action = json!({"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "1"}});
    passes(
        &json!({"cards": [{"summary": "s", "indicator": "info", "source": {"label": "l"}, "suggestions": [{"label": "l", "uuid": "1"}]}],
                "extension": {"systemActions": [action]}}),
        &json!({"cards": [{"summary": "s", "indicator": "info", "source": {"label": "l"}, "suggestions": [{"label": "l", "uuid": "1"}],
                           "selectionBehavior": "at-most-one"}], "systemActions": [action]}),
        &["selection-behavior-missing@cards[0].selectionBehavior", "system-actions-place@extension.systemActions"],
    );
}

#[test]
fn feedback_travels_home_from_every_dialect() {
    let answer = json!({"cards": [{
        "uuid": "v-card", "summary": "減量", "indicator": "warning", "source": {"label": "腎機能"}, "selectionBehavior": "any",
        "suggestions": [{"label": "減量する", "uuid": "v-1", "actionSelectionBehavior": "any", "actions": [
            {"type": "delete", "description": "中止", "resourceId": "MedicationRequest/1"},
            {"type": "create", "description": "開始", "resource": {"resourceType": "MedicationRequest"}}
        ]}]
    }]});
    for dialect in dialect::all() {
        let mut merged = merged("asagao.renal", &answer);
        dialect.render(&mut merged);
        let card = &merged.response.cards[0];
        let accepted = card.suggestions.last().and_then(|suggestion| suggestion.uuid.clone());
        let body = json!({"feedback": [{"card": card.uuid, "outcome": "accepted", "acceptedSuggestions": [{"id": accepted}],
                                        "outcomeTimestamp": "2026-04-01T09:30:00Z"}]});
        let received = Received::parse(body.to_string().as_bytes()).expect("feedback");
        let split = split(received.feedback, &|_| merged.minted.clone());
        let forward = split.parts[0].forward.clone().expect("the vendor numbered both");
        let told: Value = serde_json::from_slice(&to_bytes(&[forward])).expect("JSON");
        assert_eq!(told["feedback"][0]["card"], "v-card", "{}", dialect.name);
        assert_eq!(told["feedback"][0]["acceptedSuggestions"], json!([{"id": "v-1"}]), "{}", dialect.name);
    }
}

#[test]
fn an_unknown_dialect_is_not_guessed() {
    assert_eq!(Dialect::find(""), None);
    assert_eq!(Dialect::find("cerner"), None);
}
