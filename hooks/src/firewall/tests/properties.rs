//! Whatever a vendor sends, what leaves obeys the standard, and a second check finds nothing more to do.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::policy;
use crate::{firewall::check, standard::breaches};

/// Good values, empty values, values of the wrong kind.
fn value(good: Vec<Value>) -> impl Strategy<Value = Value> {
    let bad = vec![json!(null), json!(""), json!([]), json!({}), json!(7), json!(true), json!("?"), json!(["", null])];
    prop_oneof![6 => prop::sample::select(good), 1 => prop::sample::select(bad)]
}

type Members = Vec<(&'static str, BoxedStrategy<Value>)>;

fn object(members: Members) -> BoxedStrategy<Value> {
    let each: Vec<_> = members
        .into_iter()
        .map(|(name, value)| prop::option::weighted(0.8, value).prop_map(move |value| (name, value)))
        .collect();
    each.prop_map(|members| {
        let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(present.collect::<Map<_, _>>())
    })
    .boxed()
}

fn list(element: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let list = prop::collection::vec(element, 0..4).prop_map(Value::Array);
    prop_oneof![9 => list, 1 => value(vec![json!(null)])].boxed()
}

fn text() -> BoxedStrategy<Value> {
    let good = vec![
        json!("s"),
        json!("高血圧"),
        json!("x".repeat(150)),
        json!("か\u{3099}".repeat(80)),
        json!(" <b>*a*</b> "),
    ];
    value(good).boxed()
}

fn target() -> BoxedStrategy<Value> {
    value(vec![
        json!("https://example.com/a"),
        json!("https://evil.example/"),
        json!("javascript:x"),
        json!("http://example.com"),
    ])
    .boxed()
}

fn extension() -> BoxedStrategy<Value> {
    value(vec![
        json!({"com.example.x": 1}),
        json!({"a": {"b": null, "c": [{"d": ""}]}, "e": [1]}),
        json!({"r": {"resourceType": "X", "a": [null]}}),
    ])
    .boxed()
}

fn resource() -> BoxedStrategy<Value> {
    value(vec![
        json!({"resourceType": "ServiceRequest", "id": "1", "subject": {"reference": "Patient/pat-1"}, "x": [null]}),
        json!({"resourceType": "Task"}),
        json!("ServiceRequest/1"),
        json!({"resourceType": "Task", "for": {"reference": "Patient/pat-9"}}),
    ])
    .boxed()
}

fn action() -> BoxedStrategy<Value> {
    object(vec![
        ("type", value(vec![json!("create"), json!("update"), json!("delete")]).boxed()),
        ("description", text()),
        ("resource", resource()),
        ("resourceId", value(vec![json!("ServiceRequest/1"), json!("Task/2")]).boxed()),
        ("extension", extension()),
    ])
}

fn coding() -> BoxedStrategy<Value> {
    object(vec![
        ("code", value(vec![json!("patient-refuses"), json!("c")]).boxed()),
        ("system", value(vec![json!(crate::override_reason::SYSTEM), json!("urn:x")]).boxed()),
        ("display", text()),
        ("more", text()),
    ])
}

fn suggestion() -> BoxedStrategy<Value> {
    object(vec![
        ("label", text()),
        ("uuid", text()),
        ("isRecommended", value(vec![json!(true), json!(false)]).boxed()),
        ("actions", list(action())),
        ("actionSelectionBehavior", value(vec![json!("all"), json!("any"), json!("at-most-one")]).boxed()),
        ("extension", extension()),
    ])
}

fn link() -> BoxedStrategy<Value> {
    object(vec![
        ("label", text()),
        ("url", target()),
        ("type", value(vec![json!("absolute"), json!("smart")]).boxed()),
        ("appContext", text()),
        ("autolaunchable", value(vec![json!(true)]).boxed()),
    ])
}

fn card() -> BoxedStrategy<Value> {
    let source = object(vec![
        ("label", text()),
        ("url", target()),
        ("icon", target()),
        ("topic", coding()),
        ("extension", extension()),
    ]);
    object(vec![
        ("uuid", text()),
        ("summary", text()),
        ("detail", detail()),
        ("indicator", value(vec![json!("info"), json!("critical")]).boxed()),
        ("source", source),
        ("suggestions", list(suggestion())),
        ("selectionBehavior", value(vec![json!("any"), json!("at-most-one")]).boxed()),
        ("overrideReasons", list(coding())),
        ("links", list(link())),
        ("extension", extension()),
        ("custom", text()),
    ])
}

fn detail() -> BoxedStrategy<Value> {
    prop_oneof![text(), r"[<>\[\]()!:/.a-z &*_`\n-]{0,60}".prop_map(Value::from)].boxed()
}

fn answer() -> BoxedStrategy<Value> {
    object(vec![
        ("cards", list(card())),
        ("systemActions", list(action())),
        ("extension", extension()),
        ("status", text()),
    ])
}

proptest! {
    #[test]
    fn what_leaves_obeys_the_standard(answer in answer()) {
        if let Ok(checked) = check(answer.to_string().as_bytes(), &policy()) {
            prop_assert_eq!(breaches(&checked.response.to_bytes()), Vec::<String>::new());
        }
    }

    #[test]
    fn a_second_check_finds_nothing_to_do(answer in answer()) {
        if let Ok(first) = check(answer.to_string().as_bytes(), &policy()) {
            let second = check(&first.response.to_bytes(), &policy()).unwrap();
            prop_assert_eq!(second.response.to_bytes(), first.response.to_bytes());
            prop_assert_eq!((second.repairs, second.quarantined), (vec![], vec![]));
        }
    }

    #[test]
    fn a_card_is_shown_or_noted(cards in prop::collection::vec(card(), 0..5)) {
        let checked = check(json!({"cards": cards}).to_string().as_bytes(), &policy()).unwrap();
        let withheld = checked.quarantined.iter().filter(|unit| unit.place.ends_with(']') && !unit.place.contains('.'));
        let emptied = checked.repairs.iter().filter(|repair| repair.place.ends_with(']') && !repair.place.contains('.') && repair.rule == "empty-member");
        prop_assert_eq!(checked.response.cards.len() + withheld.count() + emptied.count(), cards.len());
    }

    #[test]
    fn no_bytes_at_all_end_the_process(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(&body, &policy());
    }

    #[test]
    fn no_broken_answer_ends_the_process(answer in answer(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = answer.to_string().into_bytes();
        let index = at.index(body.len());
        body[index] = byte;
        let _ = check(&body, &policy());
    }
}
