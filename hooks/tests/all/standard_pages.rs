//! Every JSON example that the standard's pages print is read (`tests/standard`), and what is odd about some is told.

use std::{fs, path::PathBuf};

use medvan_hooks::{
    Request,
    discovery::Services,
    feedback::Received,
    firewall::{Policy, check},
    template::parse_all,
};
use serde_json::{Value, json};

/// One example of a page.
struct Example {
    page: String,
    line: u32,
    /// What it is, such as `request` or `context order-sign`.
    kind: String,
    text: String,
}

/// What is told about an example, of which the beginnings are here; about all others nothing.
#[rustfmt::skip]
const TOLD: &[(&str, u32, &[&str])] = &[
    // Fields under another name, and resources in a wrapper: taken, and told.
    ("hook-allergyintolerance-create", 29, &["context.allergyIntolerance: is wrapped"]),
    ("hook-allergyintolerance-create", 68, &["context.allergyIntolerance: was sent as", "context.allergyIntolerance: is wrapped"]),
    ("hook-allergyintolerance-create", 111, &["context.allergyIntolerance: was sent as", "context.allergyIntolerance: is wrapped"]),
    ("hook-medication-verify", 41, &["context.medication: was sent as", "context.medication: is wrapped"]),
    ("hook-medication-verify", 116, &["context.medication: was sent as", "context.medication: is wrapped"]),
    ("hook-medication-verify", 191, &["context.medication: was sent as", "context.medication: is wrapped"]),
    ("hook-order-dispatch", 45, &["context.fulfillmentTasks: was sent as"]),
    ("hook-medication-prescribe", 35, &["hook: is deprecated"]),
    ("hook-medication-prescribe", 180, &["hook: is deprecated"]),
    ("hook-order-review", 34, &["hook: is deprecated"]),
    ("hook-order-review", 214, &["hook: is deprecated"]),
    // Defects of the pages: a value that is no resource, a comment in JSON, a call without its patient, the resource in
    // the wrapper of 2016.
    ("cds-hooks-2.0", 409, &["refused: prefetch.user: must be a FHIR resource"]),
    ("cds-hooks-2.0", 851, &["refused: not valid JSON at line 4"]),
    ("cds-hooks-2.0", 1065, &["refused: context.patientId: is required"]),
    ("cds-hooks-3.0", 1435, &["refused: context.patientId: is required"]),
    ("examples", 9, &["refused: prefetch.medication: must be a FHIR resource"]),
    // Cards without indicator or source, with an indicator that never was, and with a member that is null.
    ("cds-hooks-2.0", 753, &["held back: missing-member at cards[0]"]),
    ("cds-hooks-3.0", 1102, &["held back: missing-member at cards[0]"]),
    ("examples", 113, &["held back: missing-member at cards[0]"]),
    ("quickstart", 45, &["held back: unknown-code at cards[0]"]),
    ("quickstart", 151, &["empty-member at cards[0].source.url"]),
];

#[test]
fn every_example_of_the_standard_is_read() {
    let examples = examples();
    assert_eq!(examples.len(), 100);
    let mut differ = Vec::new();
    for example in &examples {
        let expected = TOLD.iter().find(|(page, line, _)| (*page, *line) == (example.page.as_str(), example.line));
        let told = told(example);
        let expected = expected.map_or(&[] as &[&str], |(_, _, told)| told);
        let as_expected =
            told.len() == expected.len() && told.iter().zip(expected).all(|(told, start)| told.starts_with(start));
        if !as_expected {
            differ.push(format!("{} {} {}: {told:#?}", example.page, example.line, example.kind));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn examples() -> Vec<Example> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/standard");
    let files = fs::read_dir(folder).expect("the examples").map(|entry| entry.expect("a file").path());
    let mut pages: Vec<PathBuf> = files.filter(|path| !path.ends_with("README.md")).collect();
    pages.sort();
    pages.iter().flat_map(|path| of_page(path)).collect()
}

fn of_page(path: &std::path::Path) -> Vec<Example> {
    let page = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("a page");
    let section = |section: &str| {
        let (head, rest) = section.split_once('\n').expect("a heading");
        let (kind, line) = head.split_once(", line ").expect("kind and line");
        let (_, fenced) = rest.split_once("```json\n").expect("an example");
        let (example, _) = fenced.rsplit_once("\n```").expect("its end");
        let (kind, text) = (kind.to_owned(), example.to_owned());
        Example { page: page.clone(), line: line.trim().parse().expect("a number"), kind, text }
    };
    text.split("\n## ").skip(1).map(section).collect()
}

fn told(example: &Example) -> Vec<String> {
    match example.kind.split_once(' ').unwrap_or((&example.kind, "")) {
        ("request", _) => call(&example.text),
        ("context", hook) => call(&with(&request(hook), "context", &member(&example.text, "context"))),
        ("values", _) => call(&with(&request("patient-view"), "prefetch", &member(&example.text, "prefetch"))),
        ("authorization", _) => {
            let request = with(&request("patient-view"), "fhirServer", &json!("https://fhir.example/r4"));
            let request: Value = serde_json::from_str(&request).expect("JSON");
            call(&with(&request, "fhirAuthorization", &member(&example.text, "fhirAuthorization")))
        }
        ("services", _) => discovery(&example.text),
        ("service", _) => discovery(&format!("{{\"services\": [{}]}}", example.text)),
        ("templates", _) => templates(&member(&example.text, "prefetch")),
        ("response", _) => answer(&example.text),
        ("card", _) => answer(&format!("{{\"cards\": [{}]}}", example.text)),
        ("source", _) => answer(&with_card("source", &member(&example.text, "source"))),
        ("reasons", _) => answer(&with_card("overrideReasons", &member(&example.text, "overrideReasons"))),
        ("action", _) => {
            let action: Value = serde_json::from_str(&example.text).expect("JSON");
            answer(&with_card("suggestions", &json!([{"label": "Do it", "actions": [action]}])))
        }
        ("feedback", _) => feedback(&example.text),
        // What the gateway knows of tokens is tested with these very keys in `gateway/src/trust`.
        ("token" | "key" | "keys", _) => Vec::new(),
        (kind, _) => panic!("nobody reads a {kind}"),
    }
}

fn request(hook: &str) -> Value {
    json!({"hook": hook, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/example", "patientId": "1288992"}})
}

/// The same with one more member.
fn with(object: &Value, name: &str, value: &Value) -> String {
    let mut object = object.clone();
    object[name] = value.clone();
    object.to_string()
}

/// A harmless answer of one card with this member.
fn with_card(name: &str, value: &Value) -> String {
    let mut card = json!({"summary": "An example", "indicator": "info", "source": {"label": "Example"},
        "selectionBehavior": "at-most-one"});
    card[name] = value.clone();
    json!({"cards": [card]}).to_string()
}

/// Some pages print the member alone, without the object around it.
fn member(text: &str, name: &str) -> Value {
    let whole = if text.starts_with('{') { text.to_owned() } else { format!("{{{text}}}") };
    let object: Value = serde_json::from_str(&whole).expect("JSON");
    object[name].clone()
}

fn call(text: &str) -> Vec<String> {
    match Request::parse(text.as_bytes()).and_then(|mut request| request.check()) {
        Ok(warnings) => warnings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("refused: {error}")],
    }
}

fn discovery(text: &str) -> Vec<String> {
    let found = Services::parse(text.as_bytes()).expect("a discovery document");
    let defects = found.defects.iter().map(|defect| format!("{defect:?}"));
    let faults = found.services.iter().flat_map(|service| parse_all(&service.prefetch).err().unwrap_or_default());
    defects.chain(faults.map(|fault| fault.to_string())).collect()
}

fn templates(templates: &Value) -> Vec<String> {
    let templates = serde_json::from_value(templates.clone()).expect("texts");
    parse_all(&templates).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn answer(text: &str) -> Vec<String> {
    let hosts = ["example.com", "*.example.com", "google.com", "github.com"].map(str::to_owned);
    let system_actions = ["ServiceRequest".to_owned()];
    let policy = Policy { patient_id: None, link_hosts: &hosts, loopback: false, system_actions: &system_actions };
    let checked = check(text.as_bytes(), &policy).expect("an answer");
    let repairs = checked.repairs.iter().map(|repair| format!("{} at {}", repair.rule, repair.place));
    let held = checked.quarantined.iter().map(|held| format!("held back: {} at {}", held.rule, held.place));
    repairs.chain(held).collect()
}

fn feedback(text: &str) -> Vec<String> {
    // The 2.0 page prints the request line above the body.
    let body = text.find('{').map_or(text, |_| match text.strip_prefix("POST") {
        Some(request) => request.split_once('\n').map_or(request, |(_, body)| body),
        None => text,
    });
    match Received::parse(body.as_bytes()) {
        Ok(received) => received.warnings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("refused: {error}")],
    }
}
