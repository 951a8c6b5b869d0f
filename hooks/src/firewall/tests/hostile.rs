//! Bodies that are no answers, and answers made to hurt.

use serde_json::json;

use super::{card_with, policy, put, put_answer};
use crate::firewall::{NotAResponse, check, rules};

fn refused(body: &[u8]) -> NotAResponse {
    check(body, &policy()).unwrap_err()
}

#[test]
fn a_body_that_is_no_json_is_no_answer() {
    for body in [
        &b""[..],
        b"<html>",
        b"{\"cards\":[}",
        b"{\"cards\":[]} x",
        b"{\"cards\":[],\"cards\":[]}",
        b"\xEF\xBB\xBF{\"cards\":[]}",
        b"{\"cards\":[\"\\ud800\"]}",
        b"{\"cards\":[\"\xff\"]}",
        b"{\"cards\":[NaN]}",
    ] {
        assert!(matches!(refused(body), NotAResponse::Unreadable(_)), "{body:?}");
    }
}

#[test]
fn an_answer_needs_a_list_of_cards() {
    for body in [&b"{}"[..], b"{\"cards\":null}", b"{\"cards\":{}}", b"{\"card\":[]}"] {
        assert_eq!(refused(body), NotAResponse::NoCards, "{body:?}");
    }
    for body in [&b"[]"[..], b"null", b"\"cards\""] {
        assert_eq!(refused(body), NotAResponse::NotAnObject, "{body:?}");
    }
}

#[test]
fn a_deep_body_is_refused_before_it_is_built() {
    let body = format!("{{\"cards\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(refused(body.as_bytes()), NotAResponse::Unreadable(_)));
}

#[test]
fn a_million_breaches_leave_a_small_record() {
    let body = json!({"cards": vec![json!(7); 100_000]}).to_string();
    let checked = check(body.as_bytes(), &policy()).unwrap();
    assert_eq!((checked.quarantined.len(), checked.unlisted), (256, 100_000 - 256));
}

/// In the square of the details' length this took the better part of a minute; the bound keeps what is linear short.
#[test]
fn the_details_of_all_cards_together_are_bounded() {
    for detail in ["https://".repeat(4_000), "字".repeat(32_000)] {
        let (answer, repairs, _) = put_answer(json!({"cards": vec![card_with(json!({"detail": detail})); 40]}));
        let details =
            answer["cards"].as_array().unwrap().iter().map(|card| card["detail"].as_str().unwrap_or_default());
        let lengths: Vec<_> = details.map(|detail| detail.chars().count()).collect();
        assert!(lengths[0] > 16_000 && lengths.iter().sum::<usize>() <= 262_144, "{lengths:?}");
        assert_eq!(lengths[39], 0);
        assert!(repairs.contains(&"detail-too-long@cards[39].detail".to_owned()));
    }
}

#[test]
fn a_detail_of_nothing_but_combining_marks_is_bounded() {
    let (answer, repairs, _) = put(card_with(json!({"detail": "\u{0301}".repeat(40_000)})));
    assert_eq!(answer["cards"][0]["detail"].as_str().unwrap().chars().count(), 32_767);
    assert_eq!(repairs, ["detail-too-long@cards[0].detail"]);
}

#[test]
fn notes_and_errors_hold_no_content() {
    let card = card_with(
        json!({"SECRET": "SECRET", "detail": "<SECRET>", "links": [{"label": "SECRET", "url": "https://secret.example/SECRET", "type": "absolute"}],
        "extension": {"SECRET": null}}),
    );
    let checked = check(json!({"cards": [card, {"summary": "SECRET"}]}).to_string().as_bytes(), &policy()).unwrap();
    let shown = format!("{checked:?} {}", refused(b"{\"SECRET\":1}"));
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[test]
fn every_rule_has_its_own_name_and_says_what_it_does() {
    let mut ids: Vec<_> = rules().iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rules().len());
    assert!(rules().iter().all(|rule| !rule.basis.is_empty() && !rule.does.is_empty()));
}
