use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Dialect, EPIC, GENERIC, ORACLE, SANDBOX, all};
use crate::{
    merge::{Answer, Merged, merge},
    standard::breaches,
};

fn merged_of(answer: &Value) -> Merged {
    let mut last = 0;
    let answer = Answer {
        service: "asagao.news2".to_owned(),
        tier: 0,
        acceptance: None,
        response: serde_json::from_str(&answer.to_string()).unwrap(),
        provenance: None,
    };
    merge(vec![answer], &mut || {
        last += 1;
        Uuid::from_u128(last)
    })
}

fn rendered(dialect: Dialect, answer: &Value) -> (Value, Merged, Vec<String>) {
    let mut merged = merged_of(answer);
    let notes = dialect.render(&mut merged);
    let shown = serde_json::from_slice(&merged.response.to_bytes()).unwrap();
    (shown, merged, notes.into_iter().map(|note| format!("{}@{}", note.rule, note.place)).collect())
}

fn card_with(members: &Value) -> Value {
    let mut card = json!({"summary": "s", "indicator": "warning", "source": {"label": "l"}});
    card.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({"cards": [card]})
}

fn suggestion(id: &str, behavior: Option<&str>, orders: &[&str]) -> Value {
    let actions: Vec<_> = orders
        .iter()
        .map(|order| json!({"type": "delete", "description": format!("stop {order}"), "resourceId": format!("Task/{order}")}))
        .collect();
    let mut suggestion = json!({"label": id, "uuid": id, "actions": actions});
    if let Some(behavior) = behavior {
        suggestion["actionSelectionBehavior"] = json!(behavior);
    }
    suggestion
}

#[test]
fn every_dialect_is_found_by_its_name() {
    for dialect in all() {
        assert_eq!(Dialect::find(dialect.name).as_ref(), Some(dialect));
    }
    assert_eq!(Dialect::find("Epic"), None);
}

#[test]
fn the_generic_dialect_changes_nothing_of_the_standard() {
    let answer = card_with(&json!({"detail": "**d**", "selectionBehavior": "at-most-one",
        "suggestions": [suggestion("1", None, &["a", "b"])],
        "links": [{"label": "l", "url": "https://x.example/", "type": "smart", "appContext": "c"}]}));
    let plain = serde_json::from_slice::<Value>(&merged_of(&answer).response.to_bytes()).unwrap();
    assert_eq!(rendered(GENERIC, &answer).0, plain);
    assert_eq!(rendered(GENERIC, &answer).2, Vec::<String>::new());
}

#[test]
fn a_choice_that_the_ehr_cannot_offer_becomes_suggestions_of_one_action() {
    let answer =
        card_with(&json!({"selectionBehavior": "any", "suggestions": [suggestion("1", Some("any"), &["a", "b"])]}));
    let (shown, merged, notes) = rendered(GENERIC, &answer);
    let card = &shown["cards"][0];
    assert_eq!(
        (&card["suggestions"][0]["label"], &card["suggestions"][1]["label"]),
        (&json!("stop a"), &json!("stop b"))
    );
    assert_eq!(card["selectionBehavior"], "any");
    assert_eq!(notes, ["split-actions@cards[0].suggestions"]);
    let of_parts: Vec<_> = merged.minted[0].suggestions.iter().map(|part| part.vendor_id.as_deref()).collect();
    assert_eq!(of_parts, [Some("1"), Some("1")]);
    assert_eq!(card["suggestions"][1]["uuid"], merged.minted[0].suggestions[1].gateway_id.to_string());
    let known = GENERIC.with_action_selection_behavior(true);
    assert_eq!(rendered(known, &answer).0["cards"][0]["suggestions"][0]["actionSelectionBehavior"], "any");
}

#[test]
fn a_choice_of_one_action_never_becomes_a_choice_of_several() {
    let answer = card_with(
        &json!({"selectionBehavior": "any", "suggestions": [suggestion("1", Some("at-most-one"), &["a", "b"])]}),
    );
    assert_eq!(rendered(GENERIC, &answer).0["cards"][0]["selectionBehavior"], "at-most-one");
}

#[test]
fn the_meaning_of_all_is_not_worth_a_word() {
    let answer =
        card_with(&json!({"selectionBehavior": "any", "suggestions": [suggestion("1", Some("all"), &["a", "b"])]}));
    let (shown, _, notes) = rendered(GENERIC, &answer);
    assert_eq!((shown["cards"][0]["suggestions"][0].get("actionSelectionBehavior"), notes.len()), (None, 0));
}

#[test]
fn epic_gets_one_action_at_a_time_and_words_for_what_is_lost() {
    let answer = card_with(&json!({"detail": "d", "selectionBehavior": "at-most-one",
        "suggestions": [suggestion("1", None, &["a", "b"]), suggestion("2", None, &["c", "d"])]}));
    let (shown, _, notes) = rendered(EPIC, &answer);
    let card = &shown["cards"][0];
    let suggestions = card["suggestions"].as_array().unwrap();
    assert_eq!(suggestions.len(), 4);
    assert!(suggestions.iter().all(|suggestion| suggestion["actions"].as_array().unwrap().len() == 1));
    assert_eq!(card["selectionBehavior"], "any");
    let detail = card["detail"].as_str().unwrap();
    assert!(
        detail.contains("at most one") && detail.contains("belong together") && detail.ends_with("<p>d</p>\n"),
        "{detail}"
    );
    assert_eq!(card["extension"]["com.epic.cdshooks.card.detail.content-type"], "text/html");
    assert_eq!(notes, ["split-actions@cards[0].suggestions", "detail-as-html@cards[0].detail"]);
}

#[test]
fn epic_is_asked_in_words_for_one_of_several_alternatives() {
    let answer = card_with(&json!({"selectionBehavior": "at-most-one",
        "suggestions": [suggestion("1", None, &["a"]), suggestion("2", None, &["b"])]}));
    let (shown, _, notes) = rendered(EPIC, &answer);
    assert!(shown["cards"][0]["detail"].as_str().unwrap().contains("at most one"));
    assert_eq!(notes, ["select-any@cards[0].selectionBehavior", "detail-as-html@cards[0].detail"]);
}

#[test]
fn epics_topic_codes_are_plain_short_and_the_same_for_ever() {
    let code = |topic: &str| {
        let answer =
            card_with(&json!({"source": {"label": "l", "topic": {"system": "urn:t", "code": topic, "display": "d"}}}));
        rendered(EPIC, &answer).0["cards"][0]["source"]["topic"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("high-K"), "asagaohighKcd3aea5f78ce50348f5303c60d3129bd");
    for topic in ["high-K", "高カリウム", &"x".repeat(200)] {
        let code = code(topic);
        assert!(code.len() <= 100 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{code}");
    }
    assert_ne!(code("a-b"), code("ab"));
    assert_eq!(rendered(EPIC, &card_with(&json!({}))).0["cards"][0]["source"], json!({"label": "l"}));
}

#[test]
fn oracle_gets_no_app_context() {
    let answer =
        card_with(&json!({"links": [{"label": "l", "url": "https://x.example/", "type": "smart", "appContext": "c"}]}));
    let (shown, _, notes) = rendered(ORACLE, &answer);
    assert_eq!(shown["cards"][0]["links"][0], json!({"label": "l", "url": "https://x.example/", "type": "smart"}));
    assert_eq!(notes, ["drop-app-context@cards[0].links"]);
}

#[test]
fn the_sandbox_finds_system_actions_in_the_extension() {
    let actions = json!([{"type": "delete", "resourceId": "Task/1"}]);
    let (shown, _, notes) = rendered(SANDBOX, &json!({"cards": [], "systemActions": actions}));
    assert_eq!(shown, json!({"cards": [], "extension": {"systemActions": actions}}));
    assert_eq!(notes, ["system-actions-in-extension@extension.systemActions"]);
}

fn any_answer() -> impl Strategy<Value = Value> {
    let behavior = prop::sample::select(vec![None, Some("all"), Some("any"), Some("at-most-one")]);
    let orders = prop::sample::select(vec![vec![], vec!["a"], vec!["a", "b"]]);
    let suggestion = (behavior, orders, any::<bool>()).prop_map(|(behavior, orders, recommended)| {
        let mut suggestion = suggestion("s", behavior, &orders);
        suggestion["isRecommended"] = json!(recommended);
        if orders.is_empty() {
            suggestion.as_object_mut().unwrap().remove("actions");
        }
        suggestion
    });
    prop::collection::vec(suggestion, 1..3).prop_map(|suggestions| {
        let selection = if suggestions.len() > 1 { "any" } else { "at-most-one" };
        card_with(&json!({"selectionBehavior": selection, "suggestions": suggestions}))
    })
}

proptest! {
    #[test]
    fn every_dialect_stays_within_the_standard_and_keeps_every_card(answer in any_answer()) {
        for dialect in all() {
            let (shown, merged, _) = rendered(*dialect, &answer);
            prop_assert_eq!(breaches(shown.to_string().as_bytes()), Vec::<String>::new());
            prop_assert_eq!(merged.response.cards.len(), 1);
            let shown: Vec<_> = merged.response.cards[0].suggestions.iter().map(|suggestion| suggestion.uuid.clone().unwrap()).collect();
            let minted: Vec<_> = merged.minted[0].suggestions.iter().map(|suggestion| suggestion.gateway_id.to_string()).collect();
            prop_assert_eq!(shown, minted);
        }
    }
}
