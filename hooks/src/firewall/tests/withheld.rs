//! What cannot be mended is held back in the smallest unit that makes sense, and noted.

use serde_json::{Value, json};

use super::{card_with, check as check_answer, policy, put, put_answer, suggestion_with};
use crate::firewall::Policy;

/// `card` loses what is noted; `left` says what of the card remains, if anything.
fn check(card: Value, left: Option<Value>, quarantined: &[&str]) {
    let (answer, _, noted) = put(card);
    assert_eq!(answer["cards"].get(0).cloned(), left);
    assert_eq!(noted, quarantined);
}

#[test]
fn a_card_without_source_is_quarantined() {
    check(json!({"summary": "s", "indicator": "info"}), None, &["missing-member@cards[0]"]);
}

#[test]
fn a_card_that_lacks_what_is_required_is_quarantined() {
    for members in [
        json!({"summary": null}),
        json!({"summary": "　"}),
        json!({"summary": 5}),
        json!({"indicator": ""}),
        json!({"source": {"label": ""}}),
        json!({"source": {"url": "https://example.com/"}}),
    ] {
        check(card_with(members), None, &["missing-member@cards[0]"]);
    }
    check(json!("card"), None, &["wrong-kind@cards[0]"]);
}

#[test]
fn a_code_nobody_knows_is_quarantined() {
    check(card_with(json!({"indicator": "hard-stop"})), None, &["unknown-code@cards[0]"]);
    check(card_with(json!({"selectionBehavior": "all"})), None, &["unknown-code@cards[0]"]);
    check(
        card_with(
            json!({"selectionBehavior": "any", "suggestions": [{"label": "l", "actionSelectionBehavior": "some"}]}),
        ),
        Some(card_with(json!({"selectionBehavior": "any"}))),
        &["unknown-code@cards[0].suggestions[0]"],
    );
}

#[test]
fn an_action_that_cannot_be_done_takes_its_suggestion_with_it() {
    for (action, rule) in [
        (json!({"type": "merge", "description": "d"}), "unknown-code"),
        (json!({"type": "create", "description": "d"}), "action-resource"),
        (json!({"type": "update", "description": "d", "resource": {"id": "1"}}), "action-resource"),
        (
            json!({"type": "update", "description": "d", "resource": {"resourceType": "Task", "id": "1"}, "resourceId": "Task/2"}),
            "action-resource",
        ),
        (
            json!({"type": "update", "description": "d", "resource": {"resourceType": "Task"}, "resourceId": "Goal/1"}),
            "action-resource",
        ),
        (
            json!({"type": "update", "description": "d", "resource": {"resourceType": "Task", "id": "1"}, "resourceId": "https://x.example/Task/1"}),
            "action-resource",
        ),
        (json!({"type": "delete", "description": "d", "resource": "1"}), "delete-by-resource"),
        (
            json!({"type": "delete", "description": "d", "resourceId": "Task/1", "resource": "Task/2"}),
            "delete-by-resource",
        ),
        (json!({"type": "delete", "description": "d", "resourceId": "https://x.example/Task/1"}), "delete-by-resource"),
        (json!({"type": "delete", "description": "d"}), "delete-by-resource"),
    ] {
        check(
            suggestion_with(action),
            Some(card_with(json!({"selectionBehavior": "any"}))),
            &[&format!("{rule}@cards[0].suggestions[0]")],
        );
    }
}

#[test]
fn a_link_to_where_the_hospital_does_not_let_its_users_go_is_quarantined() {
    for url in [
        "http://example.com/",
        "https://evil.example/",
        "https://example.com.evil.example/",
        "https://evil.example/?https://example.com",
        "https://example.com@evil.example/",
        "https://user@example.com/",
        "https://example.com:8443/",
        "https://hospital.example/",
        "https://xhospital.example/",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " https://example.com/",
        "https:\\\\example.com",
        "data:text/html,x",
        "//example.com/",
        "/relative",
        "file:///etc/passwd",
        "http://127.0.0.1/",
    ] {
        check(
            card_with(json!({"links": [{"label": "l", "url": url, "type": "absolute"}]})),
            Some(card_with(json!({}))),
            &["link-target@cards[0].links[0]"],
        );
    }
}

#[test]
fn a_link_within_the_allowed_hosts_stays() {
    for url in ["https://example.com/a?b#c", "https://EXAMPLE.com/", "https://a.b.hospital.example/launch"] {
        let card = card_with(json!({"links": [{"label": "l", "url": url, "type": "smart"}]}));
        check(card.clone(), Some(card), &[]);
    }
}

#[test]
fn plain_http_is_for_this_machine_in_the_loopback_profile_only() {
    let hosts = ["127.0.0.1:8080".to_owned(), "example.com".to_owned()];
    let policy = Policy { link_hosts: &hosts, loopback: true, ..policy() };
    let links = |url: &str| {
        let card = card_with(json!({"links": [{"label": "l", "url": url, "type": "absolute"}]}));
        let body = json!({"cards": [card]}).to_string();
        check_answer(body.as_bytes(), &policy).unwrap().response.cards[0].links.len()
    };
    assert_eq!(links("http://127.0.0.1:8080/a"), 1);
    assert_eq!(links("http://127.0.0.1:9090/a"), 0);
    assert_eq!(links("http://example.com/"), 0);
}

#[test]
fn an_override_reason_that_is_not_whole_is_quarantined_alone() {
    let whole = json!({"code": "c", "system": "urn:x", "display": "d"});
    check(
        card_with(json!({"overrideReasons": [{"code": "c", "system": "urn:x"}, whole, {"display": "d"}]})),
        Some(card_with(json!({"overrideReasons": [whole]}))),
        &[
            "override-reason-incomplete@cards[0].overrideReasons[0]",
            "override-reason-incomplete@cards[0].overrideReasons[2]",
        ],
    );
}

#[test]
fn a_resource_of_another_patient_takes_the_whole_card_with_it() {
    let other = json!({"resourceType": "ServiceRequest", "subject": {"reference": "Patient/pat-2"}});
    for card in [
        suggestion_with(json!({"type": "create", "description": "d", "resource": other})),
        suggestion_with(json!({"type": "nonsense", "resource": other})),
        suggestion_with(json!({"type": "delete", "description": "d", "resourceId": "Patient/pat-2"})),
        suggestion_with(json!({"type": "delete", "description": "d", "resource": "Patient/pat-2"})),
        card_with(json!({"extension": {"com.example.x": {"deep": [other]}}})),
        card_with(json!({"source": {"label": "l", "extension": {"com.example.x": other}}})),
        card_with(json!({"selectionBehavior": "any", "suggestions": [{"label": "l", "actions": [
            {"type": "nonsense"}, {"type": "create", "resource": other}]}]})),
    ] {
        check(card, None, &["foreign-patient@cards[0]"]);
    }
}

#[test]
fn a_resource_of_this_patient_stays() {
    let own = json!({"resourceType": "ServiceRequest", "subject": {"reference": "Patient/pat-1"}});
    let card = suggestion_with(json!({"type": "create", "description": "d", "resource": own}));
    check(card.clone(), Some(card), &[]);
}

#[test]
fn one_bad_card_costs_no_other() {
    let (answer, _, quarantined) = put_answer(json!({"cards": [{}, card_with(json!({})), {"summary": "s"}]}));
    assert_eq!(answer, json!({"cards": [card_with(json!({}))]}));
    assert_eq!(quarantined, ["missing-member@cards[2]"]);
}

#[test]
fn system_actions_are_refused_unless_their_type_is_allowed() {
    let update = |kind: &str, patient: &str| json!({"type": "update", "resource": {"resourceType": kind, "id": "1", "subject": {"reference": format!("Patient/{patient}")}}});
    let (answer, _, quarantined) = put_answer(json!({
        "cards": [],
        "systemActions": [update("MedicationRequest", "pat-1"), update("ServiceRequest", "pat-1"), update("ServiceRequest", "pat-2")],
        "extension": {"systemActions": [{"type": "delete", "resourceId": "Task/1"}]}
    }));
    assert_eq!(answer, json!({"cards": [], "systemActions": [update("ServiceRequest", "pat-1")]}));
    assert_eq!(
        quarantined,
        [
            "system-action-not-allowed@systemActions[0]",
            "foreign-patient@systemActions[2]",
            "system-action-not-allowed@extension.systemActions[0]",
        ]
    );
}

#[test]
fn a_system_action_cannot_pass_as_one_on_another_type() {
    let resource = json!({"resourceType": "MedicationRequest", "subject": {"reference": "Patient/pat-1"}});
    for (kind, rule) in [("create", "system-action-not-allowed"), ("update", "action-resource")] {
        let action = json!({"type": kind, "resourceId": "ServiceRequest/1", "resource": resource});
        let (answer, _, quarantined) = put_answer(json!({"cards": [], "systemActions": [action]}));
        assert_eq!(answer, json!({"cards": []}));
        assert_eq!(quarantined, [format!("{rule}@systemActions[0]")]);
    }
}

#[test]
fn of_too_many_cards_the_most_urgent_stay() {
    let mut cards = vec![card_with(json!({"indicator": "info"})); 70];
    cards.push(card_with(json!({"indicator": "critical"})));
    let (answer, _, quarantined) = put_answer(json!({"cards": cards}));
    let shown = answer["cards"].as_array().unwrap();
    assert_eq!((shown.len(), &shown[63]["indicator"]), (64, &json!("critical")));
    assert_eq!(quarantined, ["too-many@cards"]);
}

#[test]
fn of_too_many_parts_the_first_stay() {
    let link = json!({"label": "l", "url": "https://example.com/", "type": "absolute"});
    check(
        card_with(json!({"links": vec![&link; 65]})),
        Some(card_with(json!({"links": vec![&link; 64]}))),
        &["too-many@cards[0].links"],
    );
}

#[test]
fn the_reason_says_where_inside_the_unit_and_never_what() {
    let card = suggestion_with(json!({"type": "SECRET", "description": "d"}));
    let quarantined = super::checked(&json!({"cards": [card]})).quarantined;
    assert_eq!(quarantined[0].reason, "actions[0].type: is not one of the standard's codes");
}

#[test]
fn of_too_many_system_actions_the_first_stay() {
    let action = json!({"type": "delete", "resourceId": "ServiceRequest/1"});
    let (answer, _, quarantined) = put_answer(json!({"cards": [], "systemActions": vec![action; 65]}));
    assert_eq!(answer["systemActions"].as_array().unwrap().len(), 64);
    assert_eq!(quarantined, ["too-many@systemActions"]);
}
