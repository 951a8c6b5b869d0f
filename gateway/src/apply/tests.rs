use serde_json::json;

use super::*;

#[test]
fn only_members_that_the_file_sets_otherwise_are_changes() {
    let current = json!({"id": "kaede", "deadlineMs": 2000, "name": {"ja": "かえで", "en": "Kaede"}, "fhirServer": "https://f/"});
    for (wanted, expected) in [
        (json!({"id": "kaede"}), Change::Unchanged),
        (json!({"id": "kaede", "fhirServer": "https://f"}), Change::Unchanged),
        (json!({"id": "kaede", "linkHosts": []}), Change::Unchanged),
        (json!({"id": "kaede", "deadlineMs": 900}), Change::Update(vec!["deadlineMs".to_owned()])),
        (json!({"name": {"ja": "楓"}}), Change::Update(vec!["name.ja".to_owned()])),
    ] {
        assert_eq!(compared(Some(&current), &wanted), expected, "{wanted}");
    }
    assert_eq!(compared(None, &json!({})), Change::Create);
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
