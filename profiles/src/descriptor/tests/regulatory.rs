use serde_json::{Value, json};

use super::{check, passes, refused};
use crate::descriptor::Regulatory;

fn status(status: &str, number: &str, class: &str) -> Value {
    json!({"status": status, "number": number, "class": class, "holder": "朝顔", "date": "2025-01-01"})
}

#[test]
fn a_device_has_number_holder_class_and_date() {
    for code in ["approved", "certified", "notified"] {
        let reason = format!("a service with status {code} needs it");
        let places = ["/regulatory/class", "/regulatory/date", "/regulatory/holder", "/regulatory/number"];
        check("/regulatory", json!({"status": code}), &places.map(|place| (place, reason.as_str())));
    }
    refused("/regulatory/date", json!("2025-02-29"), "the calendar has no such day");
    passes("/regulatory/date", json!("2024-02-29"));
}

#[test]
fn a_number_has_the_form_of_its_status() {
    let wrong = "it is not a number of this status";
    let numbers = [
        ("approved", "III", "30100BZX99999000"),
        ("certified", "II", "302AABZX99999A02"),
        ("notified", "I", "13B1X99999000001"),
    ];
    for (code, class, number) in numbers {
        passes("/regulatory", status(code, number, class));
        for (other, _, foreign) in numbers.into_iter().filter(|(other, _, _)| *other != code) {
            check("/regulatory", status(code, foreign, class), &[("/regulatory/number", wrong)]);
            assert_ne!(other, code);
        }
        for broken in [&number[1..], &format!("{number}0"), &number.to_lowercase(), "第1号", "３０１００BZX99999000"]
        {
            check("/regulatory", status(code, broken, class), &[("/regulatory/number", wrong)]);
        }
    }
}

#[test]
fn a_class_fits_its_status() {
    for (code, number, class) in [
        ("approved", "30100BZX99999000", "I"),
        ("certified", "302AABZX99999A02", "IV"),
        ("certified", "302AABZX99999A02", "I"),
        ("notified", "13B1X99999000001", "II"),
    ] {
        let reason = format!("a device of this class cannot have status {code}");
        check("/regulatory", status(code, number, class), &[("/regulatory/class", &reason)]);
    }
}

#[test]
fn what_is_no_device_says_so_and_claims_nothing() {
    passes("/regulatory", json!({"status": "not_device"}));
    passes("/regulatory", json!({"status": "not_device", "scope": "問診票の作成"}));
    check(
        "/regulatory",
        json!({"status": "not_device", "number": "30100BZX99999000"}),
        &[("/regulatory/number", "what is no medical device cannot have it")],
    );
}

#[test]
fn only_an_approved_or_certified_service_with_a_number_carries_the_mark() {
    let regulatory = |value: Value| serde_json::from_value::<Regulatory>(value).unwrap();
    assert!(regulatory(status("approved", "30100BZX99999000", "III")).carries_mark());
    assert!(regulatory(status("certified", "302AABZX99999A02", "II")).carries_mark());
    assert!(!regulatory(status("notified", "13B1X99999000001", "I")).carries_mark());
    assert!(!regulatory(json!({"status": "approved"})).carries_mark());
    assert!(!regulatory(json!({"status": "approved", "number": "1"})).carries_mark());
    assert!(!regulatory(json!({"status": "not_device", "number": "30100BZX99999000"})).carries_mark());
}
