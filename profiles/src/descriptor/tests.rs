mod forms;
mod images;
mod inference;
mod regulatory;
mod rules;
mod schema;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn example() -> Value {
    serde_json::from_str(example_text()).unwrap()
}

/// The example with one member set to `value`, or taken away.
fn edited(place: &str, value: Option<Value>) -> Value {
    let mut descriptor = example();
    let (around, name) = place.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match (descriptor.pointer_mut(around).unwrap(), value) {
        (Value::Object(members), Some(value)) => drop(members.insert(name, value)),
        (Value::Object(members), None) => drop(members.remove(&name).unwrap()),
        (Value::Array(items), Some(value)) => items.insert(name.parse().unwrap(), value),
        (other, _) => panic!("{place} is in no object or list: {other}"),
    }
    descriptor
}

/// The places and reasons of the faults after one edit of the example.
#[track_caller]
fn check(place: &str, value: impl Into<Option<Value>>, expect: &[(&str, &str)]) {
    let descriptor = edited(place, value.into());
    let faults = Descriptor::check(&descriptor).err().unwrap_or_default();
    let found: Vec<_> = faults.iter().map(|fault| (fault.place.as_str(), fault.reason.as_str())).collect();
    assert_eq!(found, expect, "after editing {place}");
    for fault in &faults {
        assert!(!fault.mend.is_empty() && !fault.mend_ja.is_empty() && !fault.reason_ja.is_empty(), "{fault:?}");
    }
}

#[track_caller]
fn refused(place: &str, value: Value, reason: &str) {
    check(place, value, &[(place, reason)]);
}

#[track_caller]
fn passes(place: &str, value: impl Into<Option<Value>>) {
    check(place, value, &[]);
}

const FORM: &str = "it does not have the required form";
const MISSING: &str = "the member is missing";
const VALUE: &str = "it is none of the allowed values";

#[test]
fn the_example_is_valid_and_is_written_as_it_was_read() {
    let valid = Descriptor::check(&example()).unwrap();
    assert_eq!(valid.purposes, [Purpose::RiskPrediction, Purpose::DeteriorationPrevention]);
    assert_eq!(serde_json::to_value(&*valid).unwrap(), example());
    assert_eq!(valid.clone().into_inner(), *valid);
}

#[test]
fn every_optional_member_may_be_absent() {
    let optional = [
        "/modelNumber",
        "/profiles",
        "/profiles/input",
        "/transport/overrides",
        "/transport/discoveryPath",
        "/transport/signingAlgorithm",
        "/transport/audience",
        "/transport/overrides/feedback",
        "/contact/telephone",
        "/hooks/0/title",
        "/hooks/0/usageRequirements",
        "/modelCard/evidence",
        "/regulatory/scope",
    ];
    for place in optional {
        passes(place, None);
    }
    let without_data = json!([{"id": "a", "hook": "patient-view", "description": "A"}]);
    passes("/hooks", without_data);
}

#[test]
fn what_is_absent_has_its_default() {
    let plain = edited(
        "/transport",
        Some(json!({"kind": "cds-hooks", "baseUrl": "https://a.example", "authentication": "none"})),
    );
    let transport = Descriptor::check(&plain).unwrap().into_inner().transport;
    assert_eq!(transport.discovery_path, "/cds-services");
    assert_eq!(transport.overrides, transport::Overrides::default());
    assert!(transport.overrides.feedback && !transport.overrides.always_send_prefetch);
    assert_eq!(transport.overrides.content_type, "application/json");
}

#[test]
fn each_required_member_is_missed_at_its_place() {
    let required = [
        "/descriptor",
        "/vendor",
        "/id",
        "/version",
        "/name",
        "/name/ja",
        "/name/en",
        "/description",
        "/maker",
        "/productCategory",
        "/productName",
        "/purposes",
        "/regulatory",
        "/regulatory/status",
        "/transport",
        "/transport/kind",
        "/transport/baseUrl",
        "/transport/authentication",
        "/hooks/0/id",
        "/hooks/0/hook",
        "/hooks/0/description",
        "/limits",
        "/limits/deadlineMs",
        "/limits/concurrency",
        "/limits/requestBytes",
        "/limits/responseBytes",
        "/contact",
        "/contact/name",
        "/contact/email",
        "/modelCard",
        "/modelCard/intendedUse",
        "/modelCard/outOfScope",
        "/modelCard/knownRisks",
        "/modelCard/evidence/0/url",
        "/hooks/0/why/patient/ja",
    ];
    for place in required {
        check(place, None, &[(place, MISSING)]);
    }
}

#[test]
fn an_unknown_member_is_refused_everywhere() {
    for around in [
        "",
        "/name",
        "/regulatory",
        "/transport",
        "/transport/overrides",
        "/hooks/0",
        "/limits",
        "/profiles",
        "/contact",
        "/modelCard",
    ] {
        refused(&format!("{around}/price"), json!(1), "no such member is known here");
    }
    refused("/a~1b~0c", json!(1), "no such member is known here");
}

#[test]
fn a_fault_is_told_in_both_languages() {
    let faults = Descriptor::check(&edited("/version", Some(json!("1")))).unwrap_err();
    assert_eq!(
        serde_json::to_value(&faults).unwrap(),
        json!([{
            "place": "/version",
            "reason": "it does not have the required form",
            "mend": "write it as major.minor.patch, like 1.2.0 or 1.2.0-rc.1",
            "reasonJa": "形式が正しくありません",
            "mendJa": "1.2.0 や 1.2.0-rc.1 のように、メジャー.マイナー.パッチの形で書いてください",
        }])
    );
    assert_eq!(
        faults[0].to_string(),
        "/version: it does not have the required form; write it as major.minor.patch, like 1.2.0 or 1.2.0-rc.1"
    );
}

#[test]
fn the_number_of_faults_told_is_bounded() {
    let members = (0..1000).map(|n| (format!("m{n}"), json!(1)));
    let faults = Descriptor::check(&members.collect()).unwrap_err();
    assert_eq!(faults.len(), 100);
}

#[test]
fn anything_but_an_object_is_refused() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        let faults = Descriptor::check(&value).unwrap_err();
        assert_eq!((faults[0].place.as_str(), faults[0].reason.as_str()), ("", "it is not an object"));
    }
}

/// Every place of a value.
fn places(value: &Value, here: String, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, child)| places(child, format!("{here}/{name}"), into))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, child)| places(child, format!("{here}/{index}"), into))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
    into.push(here);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!({})),
        Just(json!([])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(https?|ftp)://[a-z\\[\\]:/@?#.%0-9]{0,20}".prop_map(Value::from),
        "[0-9A-Z]{16}".prop_map(Value::from),
    ]
}

proptest! {
    /// Whatever stands anywhere: an answer, never a panic; and each fault has a place at or around the edit.
    #[test]
    fn any_member_may_be_anything(index in any::<prop::sample::Index>(), value in any_value()) {
        let mut all = Vec::new();
        places(&example(), String::new(), &mut all);
        let place = index.get(&all);
        let mut descriptor = example();
        *descriptor.pointer_mut(place).unwrap() = value;
        for fault in Descriptor::check(&descriptor).err().unwrap_or_default() {
            prop_assert!(!fault.reason.is_empty() && !fault.mend.is_empty());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
            prop_assert!(Descriptor::check(&value).is_err());
        }
    }
}
