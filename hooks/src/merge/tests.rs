#![expect(clippy::needless_pass_by_value, reason = "tests read better with their input written in place")]

mod conflicts;
mod duplicates;
mod properties;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Merged, PROVENANCE, SERVICES, merge};
use crate::{card::Indicator, response::Response};

/// Read through text, as in life: resources are kept as text.
fn answer(service: &str, body: Value) -> Answer {
    Answer {
        service: service.to_owned(),
        tier: 0,
        acceptance: None,
        response: serde_json::from_str::<Response>(&body.to_string()).unwrap(),
        provenance: None,
    }
}

fn card(indicator: &str, summary: &str) -> Value {
    json!({"summary": summary, "indicator": indicator, "source": {"label": format!("source of {summary}")}})
}

fn with(mut value: Value, members: Value) -> Value {
    value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    value
}

/// Merges with ids 1, 2, 3, …
fn merged(answers: Vec<Answer>) -> Merged {
    let mut last = 0;
    merge(answers, &mut || {
        last += 1;
        Uuid::from_u128(last)
    })
}

fn shown(merged: &Merged) -> Value {
    serde_json::from_slice(&merged.response.to_bytes()).unwrap()
}

fn summaries(merged: &Merged) -> Vec<&str> {
    merged.response.cards.iter().map(|card| card.summary.as_str()).collect()
}

#[test]
fn no_answers_make_an_answer_without_cards() {
    assert_eq!(merged(vec![]).response.to_bytes(), br#"{"cards":[]}"#);
}

#[test]
fn urgency_comes_before_everything_else() {
    let mut preferred = answer("a.a", json!({"cards": [card("info", "1"), card("critical", "2")]}));
    preferred.acceptance = Some(1.0);
    let mut other = answer("b.b", json!({"cards": [card("warning", "3"), card("critical", "4")]}));
    other.tier = 9;
    assert_eq!(summaries(&merged(vec![other, preferred])), ["2", "4", "3", "1"]);
}

#[test]
fn among_the_equally_urgent_tier_then_acceptance_then_name_then_own_order_decide() {
    let of = |service: &str, tier: u8, acceptance: Option<f32>| Answer {
        tier,
        acceptance,
        ..answer(
            service,
            json!({"cards": [card("info", &format!("{service} 1")), card("info", &format!("{service} 2"))]}),
        )
    };
    let result = merged(vec![
        of("e", 1, Some(0.9)),
        of("d", 1, Some(f32::NAN)),
        of("c", 1, None),
        of("b", 1, Some(0.2)),
        of("a", 2, Some(1.0)),
    ]);
    assert_eq!(summaries(&result), ["e 1", "e 2", "b 1", "b 2", "c 1", "c 2", "d 1", "d 2", "a 1", "a 2"]);
    assert_eq!(result.placements[0].acceptance, Some(0.9));
    assert_eq!((result.placements[9].tier, &result.placements[9].services), (2, &vec!["a".to_owned()]));
}

#[test]
fn every_card_and_suggestion_gets_an_id_of_the_gateway() {
    let body = json!({"cards": [with(card("info", "s"), json!({
        "uuid": "v-card", "selectionBehavior": "any", "suggestions": [{"label": "1", "uuid": "v-1"}, {"label": "2"}]
    }))]});
    let result = merged(vec![answer("a.a", body)]);
    let shown = shown(&result);
    let id = |value: u128| Uuid::from_u128(value);
    assert_eq!(shown["cards"][0]["uuid"], id(1).to_string());
    assert_eq!(shown["cards"][0]["suggestions"][1]["uuid"], id(3).to_string());
    let minted = &result.minted[0];
    assert_eq!((minted.gateway_id, minted.vendor_id.as_deref()), (id(1), Some("v-card")));
    let vendor_ids: Vec<_> = minted.suggestions.iter().map(|suggestion| suggestion.vendor_id.as_deref()).collect();
    assert_eq!(vendor_ids, [Some("v-1"), None]);
    assert_eq!(result.placements[0].indicator, Indicator::Info);
}

#[test]
fn provenance_is_the_gateways_word_and_response_extensions_stay_apart() {
    let body = |value: u8| {
        json!({
            "cards": [with(card("info", "s"), json!({"extension": {PROVENANCE: "forged", "com.example.x": 1}}))],
            "extension": {"com.example.y": value}
        })
    };
    let mut known = answer("a.a", body(1));
    known.provenance = Some(serde_json::from_str(r#"{"model":"m 1.50"}"#).unwrap());
    let shown = shown(&merged(vec![known, answer("b.b", body(2))]));
    assert_eq!(shown["cards"][0]["extension"], json!({"com.example.x": 1, PROVENANCE: [{"model": "m 1.50"}]}));
    assert_eq!(shown["cards"][1]["extension"], json!({"com.example.x": 1}));
    assert_eq!(shown["extension"], json!({SERVICES: {"a.a": {"com.example.y": 1}, "b.b": {"com.example.y": 2}}}));
}

#[test]
fn resources_pass_the_merge_untouched() {
    let resource = r#"{"resourceType":"ServiceRequest", "x": 1.00, "_y":[null], "z":"　"}"#;
    let body = format!(
        r#"{{"cards":[{{"summary":"s","indicator":"info","source":{{"label":"l"}},"selectionBehavior":"any",
            "suggestions":[{{"label":"l","actions":[{{"type":"create","description":"d","resource":{resource}}}]}}]}}]}}"#
    );
    let mut given = answer("a.a", json!({"cards": []}));
    given.response = serde_json::from_str(&body).unwrap();
    let bytes = String::from_utf8(merged(vec![given]).response.to_bytes()).unwrap();
    assert!(bytes.contains(resource), "{bytes}");
}
