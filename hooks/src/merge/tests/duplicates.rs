//! Which cards are near-duplicates, and what becomes of them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{answer, merged, shown, with};

fn about(topic: &str, indicator: &str, summary: &str, label: &str) -> Value {
    json!({"summary": summary, "indicator": indicator,
           "source": {"label": label, "topic": {"system": "urn:topics", "code": topic}}})
}

fn stopping(order: &str, id: &str) -> Value {
    json!({"selectionBehavior": "any", "suggestions": [
        {"label": "stop", "uuid": id, "actions": [{"type": "delete", "description": id, "resourceId": order}]}]})
}

/// How many cards are left of two services' cards.
fn left_of(first: Value, second: Value) -> usize {
    merged(vec![answer("a.a", json!({"cards": [first]})), answer("b.b", json!({"cards": [second]}))])
        .response
        .cards
        .len()
}

#[test]
fn two_services_that_suggest_the_same_become_one_card_with_both_named() {
    let first = with(about("k", "warning", "K is high", "Asagao"), stopping("MedicationRequest/1", "a-1"));
    let second = with(about("k", "warning", "Stop *potassium*", "Botan"), stopping("MedicationRequest/1", "b-1"));
    let second = with(second, json!({"uuid": "b-card", "detail": "| a |\n|---|\n| <5 |"}));
    let result = merged(vec![answer("b.b", json!({"cards": [second]})), answer("a.a", json!({"cards": [first]}))]);
    let card = &shown(&result)["cards"][0];
    assert_eq!(result.response.cards.len(), 1);
    assert_eq!(card["source"]["label"], "Asagao / Botan");
    assert_eq!(card["detail"], "**Botan**: Stop \\*potassium\\*\n\na\t\n&lt;5");
    assert_eq!(result.placements[0].services, ["a.a", "b.b"]);
    let suppression = &result.suppressions[0];
    assert_eq!((suppression.service.as_str(), suppression.place.as_str()), ("b.b", "cards[0]"));
    assert_eq!(suppression.shown_as, Some(Uuid::from_u128(1)));
}

#[test]
fn a_code_block_left_open_does_not_swallow_the_second_service() {
    let first = with(about("k", "warning", "K is high", "Asagao"), stopping("MedicationRequest/1", "a-1"));
    let first = with(first, json!({"detail": "```\nopen"}));
    let second = with(about("k", "warning", "Stop *potassium*", "Botan"), stopping("MedicationRequest/1", "b-1"));
    let result = merged(vec![answer("a.a", json!({"cards": [first]})), answer("b.b", json!({"cards": [second]}))]);
    let detail = shown(&result)["cards"][0]["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "**Botan**: Stop \\*potassium\\*\n\n```\nopen");
}

#[test]
fn feedback_on_a_shared_card_finds_both_services() {
    let of = |card: &str, suggestion: &str| {
        with(with(about("k", "warning", "s", "l"), stopping("Task/1", suggestion)), json!({"uuid": card}))
    };
    let result = merged(vec![
        answer("a.a", json!({"cards": [of("a-card", "a-1")]})),
        answer("b.b", json!({"cards": [of("b-card", "b-1")]})),
    ]);
    let parts: Vec<_> = result
        .minted
        .iter()
        .map(|part| (part.service.as_str(), part.vendor_id.as_deref(), part.suggestions[0].vendor_id.as_deref()))
        .collect();
    assert_eq!(parts, [("a.a", Some("a-card"), Some("a-1")), ("b.b", Some("b-card"), Some("b-1"))]);
    assert_eq!(result.minted[0].gateway_id, result.minted[1].gateway_id);
    assert_eq!(result.minted[0].suggestions[0].gateway_id, result.minted[1].suggestions[0].gateway_id);
}

#[test]
fn suggestions_are_paired_by_what_they_do_not_by_their_order() {
    let two = |first: &str, second: &str| {
        json!({"selectionBehavior": "any", "suggestions": [
        {"label": first, "uuid": first, "actions": [{"type": "delete", "description": "d", "resourceId": first}]},
        {"label": second, "uuid": second, "actions": [{"type": "delete", "description": "d", "resourceId": second}]}]})
    };
    let result = merged(vec![
        answer("a.a", json!({"cards": [with(about("k", "info", "s", "A"), two("Task/1", "Task/2"))]})),
        answer("b.b", json!({"cards": [with(about("k", "info", "t", "B"), two("Task/2", "Task/1"))]})),
    ]);
    let ids: Vec<_> = result.minted[1].suggestions.iter().map(|suggestion| suggestion.vendor_id.as_deref()).collect();
    assert_eq!(ids, [Some("Task/1"), Some("Task/2")]);
}

#[test]
fn words_alone_are_the_same_only_when_they_read_the_same() {
    let card = |summary: &str, label: &str| about("k", "info", summary, label);
    assert_eq!(left_of(card("K  6.8", "A"), card("k 6.8", "B")), 1);
    assert_eq!(left_of(card("K 6.8", "A"), card("K 6.9", "B")), 2);
}

#[test]
fn cards_that_differ_in_what_counts_stay_apart() {
    let base = || with(about("k", "warning", "s", "A"), stopping("Task/1", "1"));
    for other in [
        with(about("other", "warning", "s", "B"), stopping("Task/1", "1")),
        with(about("k", "critical", "s", "B"), stopping("Task/1", "1")),
        with(about("k", "warning", "s", "B"), stopping("Task/2", "1")),
        with(base(), json!({"selectionBehavior": "at-most-one"})),
        about("k", "warning", "s", "B"),
        with(base(), json!({"source": {"label": "B"}})),
    ] {
        assert_eq!(left_of(base(), other), 2);
    }
}

#[test]
fn a_service_never_folds_its_own_cards() {
    let card = about("k", "info", "s", "A");
    assert_eq!(merged(vec![answer("a.a", json!({"cards": [card, card]}))]).response.cards.len(), 2);
}

#[test]
fn a_critical_card_is_folded_only_into_one_that_reads_the_same() {
    let card = |summary: &str| with(about("k", "critical", summary, "A"), stopping("Task/1", "1"));
    assert_eq!(left_of(card("K 6.8"), card("Stop potassium")), 2);
    assert_eq!(left_of(card("K 6.8"), card("K 6.8")), 1);
}

#[test]
fn a_shared_card_is_not_hidden_by_one_services_autolaunch() {
    let link =
        json!({"links": [{"label": "l", "url": "https://example.com/", "type": "smart", "autolaunchable": true}]});
    let result = merged(vec![
        answer("a.a", json!({"cards": [with(about("k", "info", "s", "A"), link)]})),
        answer("b.b", json!({"cards": [about("k", "info", "s", "B")]})),
    ]);
    assert_eq!(result.response.cards[0].links[0].autolaunchable, None);
}
