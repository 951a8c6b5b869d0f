use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{regulatory::Status, *};

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
        "/transport/jwksUrl",
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
        "/hooks",
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
fn forms_are_held_to() {
    for id in ["", "Asagao", "-a", "a_b", "a.b", "ａ", "朝顔", &"a".repeat(64)] {
        refused("/vendor", json!(id), FORM);
        refused("/id", json!(id), FORM);
    }
    for version in ["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3 ", "１.2.3"] {
        refused("/version", json!(version), FORM);
    }
    for version in ["0.0.0", "1.2.3-rc.1", "1.2.3-0a", "1.2.3+2025.01", "1.2.3-x-y.7+b"] {
        passes("/version", json!(version));
    }
    for (place, wrong) in [
        ("/contact/email", "nobody"),
        ("/contact/telephone", "０３"),
        ("/hooks/0/hook", "患者"),
        ("/hooks/0/id", "a/b"),
        ("/transport/baseUrl", "ai.example"),
        ("/transport/baseUrl", "ftp://ai.example"),
        ("/transport/audience", "a b"),
        ("/transport/discoveryPath", "cds"),
        ("/transport/discoveryPath", "/a?b"),
        ("/transport/overrides/contentType", "json\r\n"),
        ("/regulatory/date", "2025/01/01"),
        ("/regulatory/date", "２０２５-01-01"),
    ] {
        refused(place, json!(wrong), FORM);
    }
}

#[test]
fn japanese_text_passes_and_blank_text_does_not() {
    for text in ["全角　空白", "ﾊﾝｶｸ", "髙﨑", "改\n行\tと", "😀", "\u{a0}x"] {
        passes("/name/ja", json!(text));
    }
    for text in ["　", " ", "\n", "a\u{0}", "\u{1b}[2J", "a\u{7f}"] {
        refused("/name/ja", json!(text), FORM);
    }
    check("/name/ja", json!(""), &[("/name/ja", FORM), ("/name/ja", "it is empty or too short")]);
    refused("/name/ja", json!("あ".repeat(201)), "the text is too long");
    passes("/name/ja", json!("あ".repeat(200)));
}

#[test]
fn types_and_values_are_told_apart() {
    refused("/name", json!("NEWS2"), "it is not an object");
    refused("/vendor", json!(1), "it is not a text");
    refused("/purposes", json!("other"), "it is not a list");
    refused("/limits/concurrency", json!("32"), "it is not a whole number");
    refused("/transport/overrides/feedback", json!("yes"), "it is not true or false");
    refused("/descriptor", json!("2"), VALUE);
    refused("/transport/kind", json!("grpc"), VALUE);
    refused("/transport/authentication", json!("basic"), VALUE);
    refused("/regulatory/status", json!("pending"), VALUE);
    refused("/purposes/0", json!("診断支援"), VALUE);
    refused("/purposes", json!([]), "it is empty or too short");
    check("/purposes/0", json!("risk-prediction"), &[("/purposes", "something is listed twice")]);
    refused("/hooks", json!([]), "it is empty or too short");
}

#[test]
fn limits_are_bounded() {
    for (name, least, most) in [
        ("deadlineMs", 50, 30_000),
        ("concurrency", 1, 1024),
        ("requestBytes", 1024, 8 << 20),
        ("responseBytes", 1024, 8 << 20),
    ] {
        let place = format!("/limits/{name}");
        passes(&place, json!(least));
        passes(&place, json!(most));
        refused(&place, json!(least - 1), "the number is too small");
        refused(&place, json!(most + 1), "the number is too large");
        refused(&place, json!(-1), "the number is too small");
        refused(&place, json!(1e300), "the number is too large");
    }
    refused("/limits/deadlineMs", json!(800.5), "it is not a whole number");
    let with_fraction = edited("/limits/deadlineMs", Some(json!(800.0)));
    let faults = Descriptor::check(&with_fraction).unwrap_err();
    assert!(faults[0].mend.contains("whole numbers"), "{faults:?}");
}

#[test]
fn prefetch_keys_have_a_form_and_each_a_reason() {
    let unexplained = "data is asked for without a reason";
    check("/hooks/0/prefetch/labs", json!("Observation?category=laboratory"), &[("/hooks/0/why/labs", unexplained)]);
    check("/hooks/0/why", None, &[("/hooks/0/why/patient", unexplained), ("/hooks/0/why/vitals", unexplained)]);
    check(
        "/hooks/0/why/labs",
        json!({"ja": "検査", "en": "Labs"}),
        &[("/hooks/0/why/labs", "prefetch has no such key")],
    );
    refused("/hooks/0/prefetch/検査", json!("Observation"), FORM);
    refused("/hooks/0/prefetch/patient", json!("x".repeat(4097)), "the text is too long");
}

#[test]
fn hook_ids_are_unique() {
    let again = example()["hooks"][0].clone();
    check("/hooks/1", again, &[("/hooks/1/id", "another hook of this descriptor has the same id")]);
}

#[test]
fn addresses_parse_and_are_safe() {
    let extras = "it has a user, a password, a query or a fragment";
    for (url, reason) in [
        ("https://", "it is not a URL"),
        ("https://a:99999/", "it is not a URL"),
        ("https://u:p@ai.example/", extras),
        ("https://ai.example/?a=b", extras),
        ("https://ai.example/#x", extras),
        ("http://ai.example/", "patient data would travel without TLS"),
        ("http://10.0.0.1/", "patient data would travel without TLS"),
        ("http://localhost.example/", "patient data would travel without TLS"),
    ] {
        let reason = if url == "https://" { FORM } else { reason };
        refused("/transport/baseUrl", json!(url), reason);
    }
    for url in ["http://127.0.0.1:8080/cds", "http://[::1]:1", "http://localhost", "https://ai.example:8443/a/b/"] {
        passes("/transport/baseUrl", json!(url));
    }
    passes("/transport/jwksUrl", json!("https://ai.example/jwks?v=1"));
    refused("/transport/jwksUrl", json!("http://ai.example/jwks"), "patient data would travel without TLS");
    check("/profiles/input/0", json!("http://[/"), &[("/profiles/input/0", "it is not a URL")]);
    refused("/modelCard/evidence/0/url", json!("https://[x]"), "it is not a URL");
    for path in ["/..", "/a/../b", "/.", "//evil.example/x"] {
        refused("/transport/discoveryPath", json!(path), "the path leaves the base URL");
    }
    passes("/transport/discoveryPath", json!("/cds/cds-discovery"));
}

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
        ("approved", "III", "30000BZX00088000"),
        ("certified", "II", "226AABZX00083A02"),
        ("notified", "I", "27B2X00150000001"),
    ];
    for (code, class, number) in numbers {
        passes("/regulatory", status(code, number, class));
        for (other, _, foreign) in numbers.into_iter().filter(|(other, _, _)| *other != code) {
            check("/regulatory", status(code, foreign, class), &[("/regulatory/number", wrong)]);
            assert_ne!(other, code);
        }
        for broken in [&number[1..], &format!("{number}0"), &number.to_lowercase(), "第1号", "３００００BZX00088000"]
        {
            check("/regulatory", status(code, broken, class), &[("/regulatory/number", wrong)]);
        }
    }
}

#[test]
fn a_class_fits_its_status() {
    for (code, number, class) in [
        ("approved", "30000BZX00088000", "I"),
        ("certified", "226AABZX00083A02", "IV"),
        ("certified", "226AABZX00083A02", "I"),
        ("notified", "27B2X00150000001", "II"),
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
        json!({"status": "not_device", "number": "30000BZX00088000"}),
        &[("/regulatory/number", "what is no medical device cannot have it")],
    );
}

#[test]
fn only_an_approved_or_certified_service_with_a_number_carries_the_mark() {
    let regulatory = |value: Value| serde_json::from_value::<Regulatory>(value).unwrap();
    assert!(regulatory(status("approved", "30000BZX00088000", "III")).carries_mark());
    assert!(regulatory(status("certified", "226AABZX00083A02", "II")).carries_mark());
    assert!(!regulatory(status("notified", "27B2X00150000001", "I")).carries_mark());
    assert!(!regulatory(json!({"status": "approved"})).carries_mark());
    assert!(!regulatory(json!({"status": "approved", "number": "1"})).carries_mark());
    assert!(!regulatory(json!({"status": "not_device", "number": "30000BZX00088000"})).carries_mark());
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

fn schema() -> Value {
    serde_json::from_str(schema_text()).unwrap()
}

/// Calls `look` on every object of the schema that describes a value.
fn each_node(node: &Value, look: &mut impl FnMut(&Value)) {
    look(node);
    for children in ["properties", "$defs"] {
        node[children].as_object().into_iter().flatten().for_each(|(_, child)| each_node(child, look));
    }
    for child in ["items", "additionalProperties", "propertyNames"] {
        if node[child].is_object() {
            each_node(&node[child], look);
        }
    }
}

#[test]
fn every_property_of_the_schema_is_described() {
    assert_eq!(schema()["$id"], "https://medvan.example/schemas/service-descriptor.json");
    each_node(&schema(), &mut |node| {
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}");
        }
    });
}

#[test]
fn every_pattern_says_how_to_meet_it_and_every_text_and_list_is_bounded() {
    each_node(&schema(), &mut |node| {
        if node["pattern"].is_string() {
            assert!(node["x-mend"]["en"].is_string() && node["x-mend"]["ja"].is_string(), "{node}");
            let pattern = node["pattern"].as_str().unwrap();
            for unicode_class in ["\\d", "\\w", "\\b"] {
                assert!(!pattern.contains(unicode_class), "{pattern}");
            }
        }
        let bound = match node["type"].as_str() {
            Some("array") => "maxItems",
            Some("integer") => "maximum",
            Some("string") if !node["pattern"].as_str().is_some_and(|pattern| pattern.ends_with("}$")) => "maxLength",
            Some("object") if node["additionalProperties"] != false => "maxProperties",
            _ => return,
        };
        assert!(node[bound].is_number() || node["pattern"] == "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "{node}");
    });
}

#[test]
fn the_schema_and_the_code_list_the_same_codes() {
    let listed = |place: &str| -> BTreeSet<String> {
        let schema = schema();
        let codes = schema.pointer(place).unwrap().as_array().unwrap();
        codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed("/properties/purposes/items/enum"), Purpose::ALL.iter().map(|it| it.code().to_owned()).collect());
    assert_eq!(
        listed("/$defs/regulatory/properties/status/enum"),
        Status::ALL.iter().map(|it| it.code().to_owned()).collect()
    );
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.code());
    }
    assert_eq!(Status::ALL.map(Status::ja), ["承認", "認証", "届出", "非該当"]);
}

#[test]
fn the_example_uses_every_member_of_the_schema() {
    let mut names = BTreeSet::new();
    each_node(&schema(), &mut |node| {
        names.extend(node["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    });
    for name in names {
        assert!(example_text().contains(&format!("\"{name}\":")), "{name}");
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
