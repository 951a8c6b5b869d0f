use serde_json::{Value, json};

use super::{object::Kind, *};

/// A hospital in a file, beside one that the gateway has.
fn check(kind: Kind, current: &Value, wanted: &Value, expected: &[&str]) {
    let current = kind.completed(current);
    let change = match compared(Some(&current), &kind.completed(wanted)) {
        Change::Update(members) => members,
        Change::Unchanged => Vec::new(),
        other => panic!("{other:?}"),
    };
    assert_eq!(change, expected, "{wanted}");
}

#[test]
fn an_object_that_says_the_same_in_other_words_is_no_change() {
    let hospital = json!({"id": "kaede", "name": {"ja": "かえで", "en": "Kaede"}});
    for (member, value) in [("deadlineMs", json!(2_000)), ("linkHosts", json!([])), ("missedHook", json!("drop"))] {
        let mut wordy = hospital.clone();
        wordy[member] = value;
        check(Kind::Hospital, &hospital, &wordy, &[]);
        check(Kind::Hospital, &wordy, &hospital, &[]);
    }
    let client = |url: &str| json!({"hospital": "kaede", "id": "ehr", "authentication": "loopback", "fhirServer": url});
    check(Kind::Client, &client("https://fhir.example"), &client("https://fhir.example/"), &[]);
}

#[test]
fn what_differs_is_named_by_its_place() {
    let hospital = json!({"id": "kaede", "name": {"ja": "かえで", "en": "Kaede"}});
    let other = json!({"id": "kaede", "name": {"ja": "楓", "en": "Kaede"}, "deadlineMs": 900});
    check(Kind::Hospital, &hospital, &other, &["deadlineMs", "name.ja"]);
    assert_eq!(compared(None, &json!({})), Change::Create);
}

#[test]
fn a_permission_that_is_taken_out_of_the_file_ends() {
    let plain = json!({"id": "kaede", "name": {"ja": "かえで", "en": "Kaede"}});
    let mut permitting = plain.clone();
    permitting["systemActions"] = json!([{"service": "asagao.news2", "resourceTypes": ["ServiceRequest"]}]);
    check(Kind::Hospital, &permitting, &plain, &["systemActions"]);
}

#[test]
fn a_decision_that_holds_already_is_no_change() {
    for (state, decision, unchanged) in [
        ("approved", "approve", true),
        ("approved", "suspend", false),
        ("suspended", "suspend", true),
        ("suspended", "reinstate", false),
        ("submitted", "approve", false),
    ] {
        let change = decided(Some(&json!({"state": state})), decision);
        assert_eq!(change == Change::Unchanged, unchanged, "{state} {decision}");
    }
}

#[test]
fn a_file_may_hold_several_documents_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    std::fs::write(folder.path().join("d.json"), r#"{"vendor":"asagao","id":"news2","version":"1.0.0"}"#).unwrap();
    let text = "kind: Enrollment\nhospital: kaede\nservice: asagao.news2\nmode: live\n---\n\
                {\"kind\": \"Hospital\", \"id\": \"kaede\", \"name\": {\"ja\": \"かえで病院\", \"en\": \"Kaede\"}}\n---\n\
                - {kind: Service, descriptorFile: d.json}\n\
                - {kind: Approval, service: asagao.news2, version: 1.0.0, decision: approve, reason: r}\n";
    std::fs::write(&file, text).unwrap();
    let mut objects = read_files(&[&file]).unwrap();
    objects.sort_by_key(Object::rank);
    let told: Vec<String> = objects.iter().map(|object| format!("{object} at {}", object.path())).collect();
    assert_eq!(
        told,
        [
            "Hospital kaede at /hospitals/kaede",
            "Service asagao.news2 1.0.0 at /vendors/asagao/services/news2/versions/1.0.0",
            "Approval of asagao.news2 1.0.0 at /vendors/asagao/services/news2/versions/1.0.0",
            "Enrollment of kaede in asagao.news2 at /hospitals/kaede/enrollments/asagao.news2",
        ]
    );
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (text, told) in [
        ("kind: Hospital\n", "document 1: `id` is needed"),
        ("kind: Vendor\nid: a\n---\nkind: Nurse\n", "document 2: `Nurse` is no kind"),
        ("just text", "document 1: an object with `kind` is needed"),
        ("kind: Service\ndescriptorFile: nowhere.json\n", "document 1: nowhere.json:"),
        ("{\"kind\": ", "wrong.yaml: "),
    ] {
        let file = folder.path().join("wrong.yaml");
        std::fs::write(&file, text).unwrap();
        let error = read_files(&[&file]).unwrap_err().to_string();
        assert!(error.contains(told), "{text}: {error}");
    }
}
