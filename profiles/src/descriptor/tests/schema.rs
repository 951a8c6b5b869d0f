//! The schema itself: described, bounded, and the same as the code.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::descriptor::{
    Purpose, dicom_example_text, example_text, image_example_text, inference_example_text, regulatory::Status,
    schema_text,
};

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
fn the_examples_use_every_member_of_the_schema() {
    let mut names = BTreeSet::new();
    each_node(&schema(), &mut |node| {
        names.extend(node["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    });
    for name in names {
        let is_used = |example: &str| example.contains(&format!("\"{name}\":"));
        let examples = [example_text(), image_example_text(), inference_example_text(), dicom_example_text()];
        assert!(examples.into_iter().any(is_used), "{name}");
    }
}
