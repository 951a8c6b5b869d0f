use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{FeedbackError, Problem, Received, Tolerated, split, to_bytes};
use crate::merge::{Minted, MintedSuggestion};

const TIME: &str = "2026-04-01T09:30:00Z";

fn accepted(members: &Value) -> Value {
    let mut item =
        json!({"card": "c", "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}], "outcomeTimestamp": TIME});
    item.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    item
}

fn overridden(reason: &Value) -> Value {
    json!({"card": "c", "outcome": "overridden", "overrideReason": reason, "outcomeTimestamp": TIME})
}

fn parsed(body: &Value) -> Result<Received, FeedbackError> {
    Received::parse(body.to_string().as_bytes())
}

/// `item` is taken with these warnings and written as `expected`.
fn taken(item: &Value, expected: &Value, tolerated: &[Tolerated]) {
    let received = parsed(&json!({"feedback": [item]})).unwrap();
    let written: Value = serde_json::from_slice(&to_bytes(&received.feedback)).unwrap();
    assert_eq!(&written["feedback"][0], expected);
    assert_eq!(received.warnings.iter().map(|warning| warning.tolerated).collect::<Vec<_>>(), tolerated);
}

/// `item` is refused at `place`.
fn refused(item: &Value, place: &str, problem: Problem) {
    let error = parsed(&json!({"feedback": [item]})).unwrap_err();
    assert_eq!(error, FeedbackError::Member { place: place.to_owned(), problem });
}

#[test]
fn the_standards_examples_pass_unchanged() {
    for item in [
        accepted(&json!({})),
        json!({"card": "f6b95768-b1c8-40dc-8385-bf3504b82ffb", "outcome": "overridden", "outcomeTimestamp": "2020-12-11T00:00:00Z"}),
        overridden(
            &json!({"reason": {"code": "d7ecf885", "system": "https://example.com/reasons"}, "userComment": "患者が拒否"}),
        ),
        overridden(&json!({"userComment": "x"})),
        accepted(&json!({"extension": {"com.example.x": {"a": 1.50}}})),
    ] {
        taken(&item, &item, &[]);
    }
}

#[test]
fn shapes_of_early_clients_are_taken_with_a_warning() {
    let coding = json!({"code": "c", "system": "urn:x", "display": "d"});
    taken(&overridden(&coding), &overridden(&json!({"reason": coding})), &[Tolerated::FlatReason]);
    taken(&overridden(&json!("too old")), &overridden(&json!({"userComment": "too old"})), &[Tolerated::TextReason]);
    taken(&accepted(&json!({"acceptedSuggestions": ["s"]})), &accepted(&json!({})), &[Tolerated::BareIds]);
    taken(
        &accepted(&json!({"outcomeTimestamp": "2026-04-01T18:30:00+09:00"})),
        &accepted(&json!({})),
        &[Tolerated::NotUtc],
    );
}

#[test]
fn items_without_the_array_around_them_are_taken_with_a_warning() {
    for body in [accepted(&json!({})), json!([accepted(&json!({}))])] {
        let received = parsed(&body).unwrap();
        assert_eq!((received.feedback.len(), received.warnings[0].tolerated), (1, Tolerated::BareItems));
    }
}

#[test]
fn what_lacks_a_required_member_is_refused_with_its_place() {
    let item = "feedback[0]";
    refused(&json!(7), item, Problem::NotAnObject);
    refused(&accepted(&json!({"card": ""})), "feedback[0].card", Problem::NoText);
    refused(&accepted(&json!({"card": 7})), "feedback[0].card", Problem::NoText);
    refused(&accepted(&json!({"outcome": null})), "feedback[0].outcome", Problem::NoText);
    refused(&accepted(&json!({"outcome": "ignored"})), "feedback[0].outcome", Problem::NotAnOutcome);
    refused(
        &accepted(&json!({"acceptedSuggestions": []})),
        "feedback[0].acceptedSuggestions",
        Problem::NothingAccepted,
    );
    refused(
        &accepted(&json!({"acceptedSuggestions": [{"id": ""}]})),
        "feedback[0].acceptedSuggestions",
        Problem::NothingAccepted,
    );
    refused(
        &accepted(&json!({"acceptedSuggestions": [{}]})),
        "feedback[0].acceptedSuggestions",
        Problem::NothingAccepted,
    );
    refused(&accepted(&json!({"outcomeTimestamp": "2026-04-01"})), "feedback[0].outcomeTimestamp", Problem::NotATime);
    refused(&overridden(&json!({"userComment": " "})), "feedback[0].overrideReason", Problem::EmptyReason);
    for no_reason in
        [json!(7), json!([{"code": "c"}, "x"]), json!({"reason": ["c", "urn:x"]}), json!({"userComment": 7})]
    {
        refused(&overridden(&no_reason), "feedback[0].overrideReason", Problem::EmptyReason);
    }
    let in_list = accepted(&json!({"acceptedSuggestions": [["s"]]}));
    refused(&in_list, "feedback[0].acceptedSuggestions", Problem::NothingAccepted);
}

#[test]
fn a_body_that_is_no_feedback_is_refused() {
    for body in [json!({}), json!({"feedback": {}}), json!("x"), json!(null)] {
        assert!(matches!(parsed(&body), Err(FeedbackError::Member { problem: Problem::NoFeedback, .. })), "{body}");
    }
    assert!(matches!(Received::parse(b"{"), Err(FeedbackError::Json(_))));
    let many = json!({"feedback": vec![accepted(&json!({})); 1_001]});
    assert!(matches!(parsed(&many), Err(FeedbackError::Member { problem: Problem::TooMany, .. })));
}

#[test]
fn an_answer_sent_twice_counts_once_and_a_later_one_again() {
    let later = accepted(&json!({"outcomeTimestamp": "2026-04-01T09:31:00Z"}));
    let received = parsed(&json!({"feedback": [accepted(&json!({})), accepted(&json!({})), later]})).unwrap();
    assert_eq!(received.feedback.len(), 2);
}

#[test]
fn neither_errors_nor_debug_repeat_what_was_sent() {
    let item = overridden(&json!({"reason": {"code": "SECRET"}, "userComment": "SECRET"}));
    let error = parsed(&json!({"feedback": [item, accepted(&json!({"outcome": "SECRET"}))]})).unwrap_err();
    let received = parsed(&json!({"feedback": [item]})).unwrap();
    let shown =
        format!("{error} {error:?} {} {received:?} {:?}", error.diagnostics(), received.feedback[0].override_reason);
    assert!(!shown.contains("SECRET"), "{shown}");
    assert_eq!(error.expression(), Some("feedback[1].outcome"));
}

fn minted(service: &str, vendor_id: Option<&str>, suggestions: &[(u128, Option<&str>)]) -> Minted {
    let suggestions = suggestions.iter().map(|(id, vendor_id)| MintedSuggestion {
        gateway_id: Uuid::from_u128(*id),
        vendor_id: vendor_id.map(str::to_owned),
    });
    Minted {
        gateway_id: Uuid::from_u128(1),
        service: service.to_owned(),
        vendor_id: vendor_id.map(str::to_owned),
        suggestions: suggestions.collect(),
    }
}

/// What each service of card 1 is told when suggestions 2 and 3 are accepted.
fn told(parts: &[Minted]) -> Vec<(String, Option<Value>)> {
    let ids = [2, 3].map(|id| json!({"id": Uuid::from_u128(id)}));
    let body = json!({"feedback": [accepted(&json!({"card": Uuid::from_u128(1), "acceptedSuggestions": ids}))]});
    let split = split(parsed(&body).unwrap().feedback, &|id| if id.as_u128() == 1 { parts.to_vec() } else { vec![] });
    assert!(split.unknown.is_empty());
    let told = split.parts.into_iter().map(|part| {
        let forward = part.forward.map(|forward| serde_json::to_value(forward).unwrap());
        (part.service, forward)
    });
    told.collect()
}

#[test]
fn each_service_is_told_in_its_own_ids() {
    let told = told(&[
        minted("a.a", Some("a-card"), &[(2, Some("a-2")), (3, Some("a-3"))]),
        minted("b.b", Some("b-card"), &[(2, Some("b-2")), (3, None)]),
    ]);
    let of = |card: &str, ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        Some(accepted(&json!({"card": card, "acceptedSuggestions": ids})))
    };
    assert_eq!(told, [("a.a".to_owned(), of("a-card", &["a-2", "a-3"])), ("b.b".to_owned(), of("b-card", &["b-2"]))]);
}

#[test]
fn a_service_that_numbered_nothing_is_not_told() {
    assert_eq!(told(&[minted("a.a", None, &[(2, Some("a-2"))])]), [("a.a".to_owned(), None)]);
    assert_eq!(told(&[minted("a.a", Some("c"), &[(2, None), (3, None)])]), [("a.a".to_owned(), None)]);
}

#[test]
fn parts_of_one_suggestion_are_told_as_one() {
    let told = told(&[minted("a.a", Some("c"), &[(2, Some("whole")), (3, Some("whole"))])]);
    assert_eq!(told[0].1.as_ref().unwrap()["acceptedSuggestions"], json!([{"id": "whole"}]));
}

#[test]
fn an_override_is_told_with_its_reason_as_the_user_gave_it() {
    let reason = json!({"reason": {"code": "c", "system": "urn:vendor"}, "userComment": "　"});
    let mut item = overridden(&json!({"reason": reason["reason"]}));
    item["card"] = json!(Uuid::from_u128(1));
    let received = parsed(&json!({"feedback": [item]})).unwrap();
    let split = split(received.feedback, &|_| vec![minted("a.a", Some("a-card"), &[])]);
    let forward = serde_json::to_value(split.parts[0].forward.as_ref().unwrap()).unwrap();
    assert_eq!((&forward["card"], &forward["overrideReason"]["reason"]), (&json!("a-card"), &reason["reason"]));
}

#[test]
fn feedback_on_a_card_nobody_knows_is_listed() {
    let body = json!({"feedback": [accepted(&json!({})), accepted(&json!({"card": Uuid::from_u128(9)}))]});
    let split = split(parsed(&body).unwrap().feedback, &|_| vec![]);
    assert_eq!((split.parts.len(), split.unknown), (0, vec![0, 1]));
}

proptest! {
    #[test]
    fn no_bytes_at_all_end_the_process(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Received::parse(&body);
    }

    #[test]
    fn no_broken_feedback_ends_the_process(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = json!({"feedback": [accepted(&json!({})), overridden(&json!({"userComment": "x"}))]}).to_string().into_bytes();
        let index = at.index(body.len());
        body[index] = byte;
        let _ = Received::parse(&body);
    }

    #[test]
    fn what_was_read_is_written_and_read_again(reason in prop::option::of("[a-z]{1,3}"), comment in ".{1,20}", offset in -12i8..=14) {
        let mut item = overridden(&json!({"userComment": format!("x{comment}")}));
        item["outcomeTimestamp"] = json!(format!("2026-04-01T09:30:00{}{:02}:00", if offset < 0 { '-' } else { '+' }, offset.abs()));
        if let Some(reason) = reason {
            item["overrideReason"]["reason"] = json!({"code": reason});
        }
        let first = parsed(&json!({"feedback": [item]})).unwrap();
        let second = Received::parse(&to_bytes(&first.feedback)).unwrap();
        prop_assert_eq!(second.feedback, first.feedback);
        prop_assert!(second.warnings.is_empty());
    }
}
