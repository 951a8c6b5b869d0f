//! Vendors' discovery documents, read over HTTP from a vendor on the loopback.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderMap, StatusCode, header};
use medvan::tasks::Tasks;
use medvan_adapters::http::Profile;
use serde_json::{Value, json};
use time::Duration;

use super::office::{Office, descriptor, vendor};

const VERSION: &str = "/vendors/asagao/services/news2/versions/1.2.0";

/// A vendor whose discovery document a test can change; it counts what it is asked.
#[derive(Clone, Default)]
struct Asagao(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    services: Value,
    broken: bool,
    authorizations: usize,
    full: usize,
    not_modified: usize,
}

impl Asagao {
    /// Serves the document and says at which base URL.
    async fn open(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/cds-services", get(answer)).with_state(self.clone());
        Tasks::default().spawn("vendor", async move { axum::serve(listener, router).await });
        base
    }

    fn says(&self, change: impl FnOnce(&mut Said)) {
        change(&mut self.0.lock().unwrap());
    }
}

async fn answer(State(asagao): State<Asagao>, headers: HeaderMap) -> axum::response::Response {
    let mut said = asagao.0.lock().unwrap();
    said.authorizations += usize::from(headers.contains_key(header::AUTHORIZATION));
    if said.broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let body = json!({"services": said.services}).to_string();
    let tag = format!("\"{}\"", body.len());
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        said.not_modified += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    said.full += 1;
    ([(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, tag)], body).into_response()
}

/// An office with the example service approved, whose vendor says exactly what it registered.
async fn furnished() -> (Office, Asagao) {
    let office = Office::open_in(Profile::Loopback).await;
    let asagao = Asagao::default();
    let mut registered = descriptor();
    registered["transport"]["baseUrl"] = json!(asagao.open().await);
    let mut services = registered["hooks"].clone();
    services[0].as_object_mut().unwrap().remove("why");
    asagao.says(|said| said.services = services);
    office.operator("PUT", "/vendors/asagao", &vendor("asagao")).await.expect(StatusCode::CREATED);
    office.operator("PUT", VERSION, &registered).await.expect(StatusCode::CREATED);
    office.operator("POST", &format!("{VERSION}/submit"), &Value::Null).await.expect(StatusCode::OK);
    office.decide("approve").await.expect(StatusCode::OK);
    (office, asagao)
}

async fn report(office: &Office, method: &str) -> Value {
    office.operator(method, &format!("{VERSION}/discovery"), &Value::Null).await.expect(StatusCode::OK).json()
}

#[tokio::test]
async fn a_vendor_that_says_what_it_registered_has_no_drift() {
    let (office, asagao) = furnished().await;
    office.operator("GET", &format!("{VERSION}/discovery"), &Value::Null).await.expect(StatusCode::NOT_FOUND);
    let read = report(&office, "POST").await;
    assert_eq!((&read["changes"], &read["defects"], &read["fault"]), (&json!([]), &json!([]), &Value::Null));
    assert_eq!(report(&office, "GET").await, read);
    assert_eq!(asagao.0.lock().unwrap().authorizations, 1, "asked with the gateway's own token");
}

#[tokio::test]
async fn a_document_that_did_not_change_is_not_sent_again() {
    let (office, asagao) = furnished().await;
    report(&office, "POST").await;
    office.pass(Duration::hours(1));
    let again = report(&office, "POST").await;
    assert_eq!(again["readAt"], "2026-11-22T13:00:00Z");
    let said = asagao.0.lock().unwrap();
    assert_eq!((said.full, said.not_modified), (1, 1));
}

#[tokio::test]
async fn a_vendor_that_asks_for_more_is_seen_and_gets_nothing_more() {
    let (office, asagao) = furnished().await;
    asagao.says(|said| said.services[0]["prefetch"]["all"] = json!("Observation?patient={{context.patientId}}"));
    let read = report(&office, "POST").await;
    assert_eq!(read["changes"][0]["change"], "prefetch-widened");
    assert_eq!(read["changes"][0]["needsApproval"], true);
    let kept = office.operator("GET", VERSION, &Value::Null).await.json();
    assert!(kept["descriptor"]["hooks"][0]["prefetch"].get("all").is_none());
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_is_a_fault_beside_what_it_said_before() {
    let (office, asagao) = furnished().await;
    asagao.says(|said| said.services[0]["title"] = json!("Another"));
    let before = report(&office, "POST").await;
    asagao.says(|said| said.broken = true);
    let after = report(&office, "POST").await;
    assert_eq!((&after["changes"], &after["fault"]), (&before["changes"], &json!("status 500")));
}

#[tokio::test]
async fn what_is_approved_is_read_when_it_is_due_and_not_before() {
    let (office, asagao) = furnished().await;
    let hour = std::time::Duration::from_secs(3_600);
    let polled = || {
        let said = asagao.0.lock().unwrap();
        said.full + said.not_modified
    };
    for (minutes, expected) in [(0, 1), (30, 1), (30, 2)] {
        office.pass(Duration::minutes(minutes));
        office.api.discovery.read_due(hour).await.unwrap();
        assert_eq!(polled(), expected);
    }
    office.decide("withdraw").await.expect(StatusCode::OK);
    office.pass(Duration::hours(2));
    office.api.discovery.read_due(hour).await.unwrap();
    assert_eq!(polled(), 2, "a withdrawn version is not asked for any more");
}
