//! Requests that are not as they must be: the right status, the place and the mend, and never a 500.

use axum::body::Body;
use http::{Request, StatusCode, header};
use medvan_adapters::http::Profile;
use serde_json::{Value, json};

use super::office::{Answer, Office, client, descriptor, hospital, vendor};

async fn put(office: &Office, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::put(format!("/api/v1{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", office.operator))
        .header(header::CONTENT_TYPE, content_type);
    office.raw(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_body_that_is_not_strict_json_is_refused_before_it_is_looked_at() {
    let office = Office::open().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many = format!("[{}1]", "1,".repeat(200_000));
    for (content_type, body, status) in [
        ("text/plain", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/json", "", StatusCode::BAD_REQUEST),
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", "\u{feff}{}", StatusCode::BAD_REQUEST),
        ("application/json", "{\"id\": NaN}", StatusCode::BAD_REQUEST),
        ("application/json", "{\"id\": \"kiku\", \"id\": \"ran\"}", StatusCode::BAD_REQUEST),
        ("application/json", "{\"id\": \"\\ud800\"}", StatusCode::BAD_REQUEST),
        ("application/json", deep.as_str(), StatusCode::BAD_REQUEST),
        ("application/json", many.as_str(), StatusCode::BAD_REQUEST),
        ("application/json; charset=utf-8", "{}", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = put(&office, "/hospitals/kiku", content_type, body.to_owned()).await.expect(status);
        assert_eq!(answer.content_type, "application/problem+json");
        assert_eq!(answer.json()["status"], status.as_u16());
    }
}

#[tokio::test]
async fn a_body_longer_than_a_mebibyte_is_refused() {
    let office = Office::open().await;
    let long = format!("{{\"id\": \"{}\"}}", "x".repeat(2 << 20));
    put(&office, "/hospitals/kiku", "application/json", long).await.expect(StatusCode::PAYLOAD_TOO_LARGE);
}

/// One object with one thing changed in it, and the place that must be named.
async fn check(office: &Office, path: &str, good: &Value, changes: &[(&str, Value, &str)]) {
    for (pointer, value, place) in changes {
        let mut bad = good.clone();
        match bad.pointer_mut(pointer) {
            Some(member) => *member = value.clone(),
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                bad.pointer_mut(parent).unwrap()[name] = value.clone();
            }
        }
        let answer = office.operator("PUT", path, &bad).await;
        let status = answer.status;
        let places = answer.fault_places();
        assert!(places.contains(&(*place).to_owned()), "{pointer} = {value}: {status} {places:?}");
    }
}

#[tokio::test]
async fn a_wrong_hospital_is_told_where_and_how() {
    let office = Office::open().await;
    let rule = |types: Value| json!([{"service": "asagao.news2", "resourceTypes": types}]);
    let changes = [
        ("/id", json!("other"), "/id"),
        ("/id", json!("Not An Id"), "/id"),
        ("/name/ja", json!("  "), "/name"),
        ("/deadlineMs", json!(50), "/deadlineMs"),
        ("/deadlineMs", json!(800), "/deadlineMs"),
        ("/deadlineMs", json!("2000"), "/deadlineMs"),
        ("/missedHook", json!({"reEmitSeconds": 0}), "/missedHook/reEmitSeconds"),
        ("/linkHosts", json!(["https://www.example.jp/"]), "/linkHosts/0"),
        ("/systemActions", rule(json!([])), "/systemActions/0/resourceTypes"),
        ("/systemActions", rule(json!(["service request"])), "/systemActions/0/resourceTypes"),
        ("/unknown", json!(1), "/unknown"),
    ];
    check(&office, "/hospitals/kiku", &hospital("kiku"), &changes).await;
}

#[tokio::test]
async fn a_wrong_client_is_told_where_and_how() {
    let office = Office::open().await;
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    let jwt = "/authentication/jwt";
    let changes = [
        ("/hospital", json!("ran"), "/hospital"),
        ("/authentication", json!("loopback"), "/authentication"),
        ("/authentication/jwt/issuer", json!(""), "/authentication/jwt/issuer"),
        ("/authentication/jwt/jwks", json!({}), jwt),
        ("/authentication/jwt/jwks", json!(null), jwt),
        ("/authentication/jwt/jwksUrl", json!("https://ehr.example/jwks"), jwt),
        ("/authentication/jwt/jwksUrl", json!("http://169.254.169.254/"), "/authentication/jwt/jwksUrl"),
        ("/authentication/jwt/algorithms", json!(["none"]), "/authentication/jwt/algorithms/0"),
        ("/authentication/jwt/algorithms", json!(["HS256"]), "/authentication/jwt/algorithms/0"),
        ("/authentication/jwt/maxLifeSeconds", json!(86_400), "/authentication/jwt/maxLifeSeconds"),
        ("/fhirServer", json!("https://[::ffff:127.0.0.1]/fhir"), "/fhirServer"),
        ("/fhirServer", json!("https://user@fhir.example/"), "/fhirServer"),
        ("/fhirServer", json!("https://fhir.example/r4?tenant=kiku"), "/fhirServer"),
        ("/fhirServer", json!("https://fhir.example/r4#kiku"), "/fhirServer"),
        ("/dialect", json!("klingon"), "/dialect"),
        ("/origins", json!(["https://ehr.example/"]), "/origins/0"),
        ("/origins", json!(["*"]), "/origins/0"),
    ];
    check(&office, "/hospitals/kiku/clients/ehr", &client("kiku", "ehr"), &changes).await;
}

#[tokio::test]
async fn a_wrong_descriptor_is_told_where_and_how() {
    let office = Office::open().await;
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    let changes = [
        ("/vendor", json!("botan"), "/vendor"),
        ("/version", json!("1.3.0"), "/version"),
        ("/purposes", json!(["world-peace"]), "/purposes/0"),
        ("/transport/baseUrl", json!("https://10.0.0.1/cds"), "/transport/baseUrl"),
        ("/transport/baseUrl", json!("https://localhost/cds"), "/transport/baseUrl"),
        ("/transport/baseUrl", json!("https://vendor.example:22/cds"), "/transport/baseUrl"),
        ("/transport/signingAlgorithm", json!("HS256"), "/transport/signingAlgorithm"),
        ("/hooks/0/prefetch/patient", json!("Patient/{{context.patientId"), "/hooks/0/prefetch/patient"),
        ("/hooks/0/prefetch/patient", json!("Patient/{{%nothing.id}}"), "/hooks/0/prefetch/patient"),
    ];
    check(&office, "/vendors/asagao/services/news2/versions/1.2.0", &descriptor(), &changes).await;
}

#[tokio::test]
async fn a_client_on_the_same_machine_is_believed_only_in_the_loopback_profile() {
    let office = Office::open_in(Profile::Loopback).await;
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    let client = json!({"hospital": "kiku", "id": "ehr", "authentication": "loopback",
        "fhirServer": "http://127.0.0.1:9000/fhir"});
    office.operator("PUT", "/hospitals/kiku/clients/ehr", &client).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_decision_needs_a_reason() {
    let office = Office::open().await;
    office.furnish().await;
    let path = "/vendors/asagao/services/news2/versions/1.2.0/decision";
    for reason in ["", "   ", &"x".repeat(4_001)] {
        let answer = office.governor("POST", path, &json!({"decision": "suspend", "reason": reason})).await;
        assert_eq!(answer.fault_places(), ["/reason"]);
    }
    let unknown = office.governor("POST", path, &json!({"decision": "bless", "reason": "x"})).await;
    assert_eq!(unknown.fault_places(), ["/decision"]);
}

#[tokio::test]
async fn paths_and_parameters_that_name_nothing_are_refused_as_problems() {
    let office = Office::open().await;
    for (method, path, status) in [
        ("GET", "/nothing", StatusCode::NOT_FOUND),
        ("GET", "/hospitals/..%2f..%2fetc", StatusCode::NOT_FOUND),
        ("GET", "/hospitals/%00", StatusCode::NOT_FOUND),
        ("GET", "/hospitals/kiku'--", StatusCode::NOT_FOUND),
        ("GET", "/exchanges/1", StatusCode::NOT_FOUND),
        ("GET", "/vendors/a/services/b/versions/one", StatusCode::NOT_FOUND),
        ("PATCH", "/hospitals/kiku", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/hospitals?limit=0", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals?limit=201", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals?limit=many", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals?offset=1", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals/kiku/exchanges?cursor=x", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals/kiku/usage?from=yesterday", StatusCode::BAD_REQUEST),
        ("GET", "/hospitals/kiku/usage?from=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z", StatusCode::BAD_REQUEST),
        ("GET", "/vendors/a/usage?from=1900-01-01T00:00:00Z", StatusCode::BAD_REQUEST),
    ] {
        let answer = office.operator(method, path, &Value::Null).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.content_type, "application/problem+json", "{method} {path}");
    }
}

/// Check 21 of the security facts: what must never be called, whoever registers it and where.
const NEVER: &[&str] = &[
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://0.0.0.0/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://127.1/",
    "https://10.0.0.7/",
    "https://100.64.0.1/",
    "https://localhost/",
    "https://localhost./",
    "https://fhir.localhost/",
    "https://user@ai.example/",
    "https://ai.example:22/",
    "https://ai.example:25/",
    "https://ai.example:6379/",
    "http://ai.example/",
    "ftp://ai.example/",
    "file:///etc/passwd",
    "gopher://ai.example/",
];

#[tokio::test]
async fn what_must_never_be_called_is_registered_nowhere() {
    let office = Office::open().await;
    office.operator("PUT", "/hospitals/kiku", &hospital("kiku")).await.expect(StatusCode::CREATED);
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    let published = json!({"jwt": {"issuer": "https://ehr.example", "jwksUrl": "https://ehr.example/jwks"}});
    let mut keys_elsewhere = client("kiku", "ehr");
    keys_elsewhere["authentication"] = published;
    for (path, object, place) in [
        ("/vendors/asagao/services/news2/versions/1.2.0", descriptor(), "/transport/baseUrl"),
        ("/hospitals/kiku/clients/ehr", keys_elsewhere.clone(), "/fhirServer"),
        ("/hospitals/kiku/clients/ehr", keys_elsewhere, "/authentication/jwt/jwksUrl"),
    ] {
        for url in NEVER {
            let mut object = object.clone();
            *object.pointer_mut(place).unwrap() = json!(url);
            let places = office.operator("PUT", path, &object).await.fault_places();
            // A text that is no URL at all cannot be read as a client: then a part of the object is the place.
            let is_there = |found: &String| place.starts_with(found.as_str());
            assert!(!places.is_empty() && places.iter().all(is_there), "{place} {url}: {places:?}");
        }
    }
}
