use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_resource_says_what_it_is() {
    assert_eq!(resource_type(&json!({"resourceType": "Patient"})), Some("Patient"));
    for not_a_resource in
        [json!(null), json!([]), json!({}), json!({"resourceType": 1}), json!({"resourceType": "患者"})]
    {
        assert_eq!(resource_type(&not_a_resource), None);
    }
}

#[test]
fn an_id_is_ascii_and_no_path() {
    for id in ["1", "a-b.C", "eM5CWtq15N0WJeuCet5bJlQ3", &"x".repeat(256)] {
        assert!(is_id(id), "{id}");
    }
    for other in ["", ".", "..", "a/b", "a b", "a　b", "１", "a_b", "a%20", "a\n", &"x".repeat(257)] {
        assert!(!is_id(other), "{other:?}");
    }
}

#[test]
fn a_resource_type_is_read_with_its_shape_checked() {
    assert_eq!("Patient".parse::<ResourceType>().unwrap().as_str(), "Patient");
    assert_eq!(serde_json::from_value::<ResourceType>(json!("Bundle")).unwrap().to_string(), "Bundle");
    for other in ["", "patient", "Patient/1", "Pati3nt", "Ｐatient"] {
        assert_eq!(other.parse::<ResourceType>(), Err(NotAResourceType));
    }
}

fn literal(text: &str, base: Option<&str>, resource_type: &str, id: &str, version: Option<&str>) {
    let expect = Reference::Literal(Literal { base, resource_type, id, version });
    assert_eq!(Reference::parse(text), expect, "{text}");
    assert_eq!(expect.target(), Some((resource_type, id)));
}

#[test]
fn references_are_sorted_into_their_forms() {
    literal("Patient/1", None, "Patient", "1", None);
    literal("Patient/1/_history/2", None, "Patient", "1", Some("2"));
    literal("https://ehr.example/r4/Patient/a.b", Some("https://ehr.example/r4"), "Patient", "a.b", None);
    literal("http://h/Patient/1/_history/v1", Some("http://h"), "Patient", "1", Some("v1"));
    assert_eq!(Reference::parse("#p1"), Reference::Fragment("p1"));
    assert_eq!(Reference::parse("urn:uuid:0a48a4bf"), Reference::Urn("urn:uuid:0a48a4bf"));
}

#[test]
fn what_names_no_resource_is_other() {
    let others = [
        "",
        "Patient",
        "Patient/",
        "/Patient/1",
        "patient/1",
        "Patient?identifier=1",
        "a/Patient/1",
        "ftp://h/Patient/1",
        "https://h/x?y=/Patient/1",
        "Patient/a b",
        "Patient/1/_history/",
        "Patient/１",
        "https:///Patient/1",
    ];
    for text in others {
        assert_eq!(Reference::parse(text), Reference::Other(text));
        assert_eq!(Reference::parse(text).target(), None);
    }
}

proptest! {
    #[test]
    fn any_text_has_a_form(text in ".{0,40}") {
        let _ = Reference::parse(&text);
    }

    #[test]
    fn type_and_id_come_back(resource_type in "[A-Z][A-Za-z]{1,20}", id in "[A-Za-z0-9-][A-Za-z0-9.-]{0,80}", absolute in any::<bool>()) {
        let base = if absolute { "https://ehr.example/fhir/" } else { "" };
        let text = format!("{base}{resource_type}/{id}");
        prop_assert_eq!(Reference::parse(&text).target(), Some((resource_type.as_str(), id.as_str())));
    }
}
