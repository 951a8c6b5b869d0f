use serde_json::json;

use super::{FORM, check, example, passes, refused};

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
    check("/profiles/input/0", json!("http://[/"), &[("/profiles/input/0", "it is not a URL")]);
    refused("/modelCard/evidence/0/url", json!("https://[x]"), "it is not a URL");
    for path in ["/..", "/a/../b", "/.", "//evil.example/x"] {
        refused("/transport/discoveryPath", json!(path), "the path leaves the base URL");
    }
    passes("/transport/discoveryPath", json!("/cds/cds-discovery"));
}
