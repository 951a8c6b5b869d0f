//! Changes of two services on one resource.

use serde_json::{Value, json};

use super::{answer, card, merged, with};

fn update(dose: f64) -> Value {
    json!({"type": "update", "description": "d", "resource": {"resourceType": "MedicationRequest", "id": "1", "dose": dose}})
}

fn suggesting(summary: &str, action: Value) -> Value {
    with(
        card("info", summary),
        json!({"selectionBehavior": "any", "suggestions": [{"label": "l", "actions": [action]}]}),
    )
}

/// Which system actions of `a.a` and `b.b` go on, and which are held back for what reason.
fn system_actions(of_a: Value, of_b: Value) -> (usize, Vec<(String, &'static str)>) {
    let result = merged(vec![
        answer("b.b", json!({"cards": [], "systemActions": of_b})),
        answer("a.a", json!({"cards": [], "systemActions": of_a})),
    ]);
    let dropped = result.suppressions.into_iter().map(|suppression| (suppression.service, suppression.reason));
    (result.response.system_actions.len(), dropped.collect())
}

#[test]
fn system_actions_that_overwrite_each_other_are_all_held_back() {
    let reason = "another service changes the same resource differently";
    let delete = json!({"type": "delete", "resourceId": "MedicationRequest/1"});
    let both = vec![("a.a".to_owned(), reason), ("b.b".to_owned(), reason)];
    assert_eq!(system_actions(json!([update(1.0)]), json!([update(2.0)])), (0, both.clone()));
    assert_eq!(system_actions(json!([update(1.0)]), json!([delete])), (0, both));
}

#[test]
fn the_same_system_action_is_applied_once() {
    let (kept, dropped) = system_actions(json!([update(1.0)]), json!([update(1.0)]));
    assert_eq!((kept, dropped), (1, vec![("b.b".to_owned(), "another service makes the same change")]));
}

#[test]
fn system_actions_on_different_resources_and_new_resources_all_go_on() {
    let create = json!({"type": "create", "resource": {"resourceType": "Task"}});
    let (kept, dropped) = system_actions(json!([update(1.0), create]), json!([create]));
    assert_eq!((kept, dropped), (3, vec![]));
}

/// With whole labels it would be a hundred times as large as the services' answers, and take as long to make.
#[test]
fn warnings_among_many_cards_with_long_labels_stay_short() {
    let cards = |service: &str, dose: f64| {
        let labelled = |index: usize| {
            let label = format!("{index}{}", "札".repeat(20_000));
            with(suggesting(&format!("{service}{index}"), update(dose)), json!({"source": {"label": label}}))
        };
        answer(service, json!({"cards": (0..20).map(labelled).collect::<Vec<_>>()}))
    };
    let result = merged(vec![cards("a.a", 1.0), cards("b.b", 2.0)]);
    let details = result.response.cards.iter().map(|card| card.detail.as_deref().unwrap().chars().count());
    assert!(details.max().unwrap() < 20 * 600);
}

#[test]
fn suggestions_that_overwrite_each_other_say_so() {
    let result = merged(vec![
        answer("a.a", json!({"cards": [suggesting("halve", update(1.0)), card("info", "bystander")]})),
        answer("b.b", json!({"cards": [with(suggesting("stop", update(0.0)), json!({"detail": "why"}))]})),
    ]);
    let details: Vec<_> = result.response.cards.iter().map(|card| card.detail.as_deref().unwrap_or("")).collect();
    assert!(details[0].starts_with("**source of stop proposes another change"), "{}", details[0]);
    assert_eq!(details[1], "");
    assert!(details[2].contains("source of halve") && details[2].ends_with("\n\nwhy"), "{}", details[2]);
    assert_eq!(result.conflicts.len(), 1);
    assert_eq!(result.conflicts[0].services, ["a.a", "b.b"]);
    assert_eq!(result.conflicts[0].resource_type, "MedicationRequest");
}

#[test]
fn a_suggestion_that_would_undo_a_system_action_says_so() {
    let result = merged(vec![
        answer("a.a", json!({"cards": [], "systemActions": [update(1.0)]})),
        answer("b.b", json!({"cards": [suggesting("stop", update(0.0))]})),
    ]);
    assert!(result.response.cards[0].detail.as_deref().unwrap().starts_with("**a.a proposes"));
}

#[test]
fn alternatives_of_one_service_are_its_own_matter() {
    let both = json!({"cards": [suggesting("1", update(1.0)), suggesting("2", update(2.0))]});
    assert!(merged(vec![answer("a.a", both)]).conflicts.is_empty());
}

#[test]
fn a_conflict_names_no_resource_id() {
    let result = merged(vec![
        answer("a.a", json!({"cards": [], "systemActions": [{"type": "delete", "resourceId": "Task/SECRET"}]})),
        answer(
            "b.b",
            json!({"cards": [suggesting("s", json!({"type": "update", "description": "d",
            "resource": {"resourceType": "Task", "id": "SECRET"}}))]}),
        ),
    ]);
    let noted = serde_json::to_string(&(&result.conflicts, &result.suppressions, &result.placements)).unwrap();
    assert_eq!(result.conflicts.len(), 1);
    assert!(!noted.contains("SECRET") && !format!("{result:?}").contains("SECRET"), "{noted}");
}

#[test]
fn alternatives_on_one_card_contradict_whatever_another_service_changes() {
    let alternatives = with(
        card("info", "choose"),
        json!({"selectionBehavior": "at-most-one", "suggestions": [
        {"label": "1", "actions": [update(1.0)]}, {"label": "2", "actions": [update(2.0)]}]}),
    );
    let result = merged(vec![
        answer("a.a", json!({"cards": [alternatives]})),
        answer("b.b", json!({"cards": [suggesting("halve", update(1.0))]})),
    ]);
    assert_eq!(result.conflicts.len(), 1);
}

#[test]
fn thousands_of_changes_of_one_service_are_settled_with_the_others() {
    let many: Vec<Value> = (0..5_000).map(|_| update(1.0)).collect();
    let of_b = with(
        card("info", "many"),
        json!({"selectionBehavior": "any", "suggestions": [{"label": "l", "actions": many}]}),
    );
    let result = merged(vec![
        answer("a.a", json!({"cards": [suggesting("one", update(2.0))], "systemActions": many})),
        answer("b.b", json!({"cards": [of_b], "systemActions": many})),
    ]);
    assert_eq!((result.response.system_actions.len(), result.suppressions.len()), (5_000, 5_000));
    assert_eq!(result.conflicts.len(), 1);
}
