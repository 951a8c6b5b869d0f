use serde_json::{Value, json};

use super::{Comparison, compare};
use crate::response::Response;

fn card(indicator: &str, topic: Option<&str>) -> Value {
    let mut card = json!({"summary": "SECRET", "indicator": indicator, "source": {"label": "SECRET"}});
    if let Some(topic) = topic {
        card["source"]["topic"] = json!({"system": "urn:t", "code": topic});
    }
    card
}

fn compared(live: &[Value], shadow: &[Value]) -> Comparison {
    let response =
        |cards: &[Value]| -> Response { serde_json::from_str(&json!({"cards": cards}).to_string()).unwrap() };
    compare(&response(live), &response(shadow))
}

#[test]
fn counts_and_topics_are_compared() {
    let comparison = compared(
        &[card("info", Some("a")), card("warning", Some("b")), card("critical", None)],
        &[card("warning", Some("b")), card("critical", Some("b")), card("info", Some("c"))],
    );
    assert_eq!((comparison.live.info, comparison.live.warning, comparison.live.critical), (1, 1, 1));
    let written = serde_json::to_value(&comparison).unwrap();
    assert_eq!(written["both"], json!(["urn:t|b"]));
    assert_eq!(written["onlyLive"], json!(["urn:t|a"]));
    assert_eq!(written["onlyShadow"], json!(["urn:t|c"]));
    assert_eq!((&written["moreUrgent"], &written["lessUrgent"]), (&json!(["urn:t|b"]), &json!([])));
}

#[test]
fn a_comparison_holds_nothing_that_was_said() {
    let comparison = compared(&[card("info", Some("a"))], &[card("critical", Some("a"))]);
    let kept = format!("{comparison:?}{}", serde_json::to_string(&comparison).unwrap());
    assert!(!kept.contains("SECRET"), "{kept}");
}

#[test]
fn answers_that_say_the_same_do_not_differ() {
    let cards = [card("info", Some("a")), card("critical", Some("b"))];
    let comparison = compared(&cards, &cards);
    assert_eq!(comparison.live, comparison.shadow);
    let differing = [comparison.only_live, comparison.only_shadow, comparison.more_urgent, comparison.less_urgent];
    assert!(differing.iter().all(std::collections::BTreeSet::is_empty));
}
