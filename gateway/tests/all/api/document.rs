//! The OpenAPI document says what the router does.

use std::collections::BTreeSet;

use http::StatusCode;
use medvan::api::{self, rights::RIGHTS};
use serde_json::Value;

use super::office::{Office, method};

fn document() -> Value {
    serde_json::from_str(&api::document().to_json().unwrap()).unwrap()
}

/// Every operation of the document: method, path, and what it says.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
        })
        .collect()
}

#[tokio::test]
async fn the_document_is_served_to_everybody_as_openapi_3_1() {
    let office = Office::open().await;
    let answer = office.send(None, "GET", "/openapi.json", &Value::Null).await.expect(StatusCode::OK);
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.json(), document());
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn the_document_holds_exactly_the_operations_of_the_table_of_rights() {
    let document = document();
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let allowed: BTreeSet<_> = RIGHTS.iter().map(|right| (right.method.to_string(), right.path.to_owned())).collect();
    assert_eq!(described, allowed);
    assert_eq!(allowed.len(), RIGHTS.len(), "a line of the table is there twice");
}

#[tokio::test]
async fn the_router_has_exactly_the_operations_of_the_document() {
    let office = Office::open().await;
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let concrete = path.replace(['{', '}'], "");
        for verb in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            let answer = office.send(None, verb, &concrete, &Value::Null).await;
            let described = item.get(verb.to_lowercase()).is_some();
            // Without a credential every operation that is there says 401.
            let there = answer.status == StatusCode::UNAUTHORIZED;
            assert_eq!(there, described, "{} {path}: {}", method(verb), answer.status);
        }
    }
}

#[test]
fn each_operation_names_its_roles_its_problems_and_itself() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        let right = RIGHTS.iter().find(|right| right.method.as_str() == method && right.path == path).unwrap();
        let roles: Vec<_> = right.roles.iter().map(|role| role.word()).collect();
        assert_eq!(operation["x-roles"], serde_json::json!(roles), "{place}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{place}");
        assert_eq!(operation["security"], serde_json::json!([{"bearer": []}]), "{place}");
        problems_are_described(&place, operation);
    }
}

fn problems_are_described(place: &str, operation: &Value) {
    let responses = operation["responses"].as_object().unwrap();
    assert!(responses["401"].get("content").is_none(), "{place}: a 401 is bare");
    assert!(responses.contains_key("403") && responses.contains_key("500"), "{place}");
    for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400" && *status != "401") {
        let content = response["content"].as_object().unwrap();
        let schema = &content.values().next().unwrap()["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/Problem", "{place} {status}");
        assert!(content.contains_key("application/problem+json"), "{place} {status}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
