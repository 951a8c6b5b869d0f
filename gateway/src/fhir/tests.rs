use std::time::Duration;

use axum::{Router, extract::State, http::Uri, response::IntoResponse};
use medvan_adapters::http::{Guard, Profile, Settings};
use medvan_hooks::{
    Request as Call,
    template::{Known, Resolution, Scope, Template},
};
use serde_json::{Value, json};
use time::macros::date;

use super::*;

const READ: &str = "Patient/{{context.patientId}}";
const SEARCH: &str = "Observation?patient={{context.patientId}}";
const OUTCOME: &str = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}"#;
const UNREACHABLE: PrefetchState = PrefetchState::Omitted(Omission::Unreachable);
const TOO_LARGE: PrefetchState = PrefetchState::Omitted(Omission::TooLarge);

/// What the server says to a path with a query; `{base}` in it stands for its own address.
type Answer = fn(&str) -> (u16, String);

fn query(template: &str) -> Query {
    let call = json!({"hook": "patient-view", "hookInstance": "3f0b6d4e-59a5-4f3c-9a53-1f7f1d3c8f2a",
        "context": {"userId": "Practitioner/7", "patientId": "ume"}});
    let call = Call::parse(call.to_string().as_bytes()).unwrap();
    let scope = Scope::new(&call, date!(2026 - 11 - 22));
    match Template::parse(template).unwrap().resolve(&scope, &|_| Known::Nothing) {
        Resolution::Query(query) => query,
        other => panic!("{other:?}"),
    }
}

async fn serve(answer: Answer) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/fhir", listener.local_addr().unwrap());
    let say = |State((base, answer)): State<(String, Answer)>, uri: Uri| async move {
        let (status, body) = answer(uri.path_and_query().map_or("", |asked| asked.as_str()));
        (StatusCode::from_u16(status).unwrap(), body.replace("{base}", &base)).into_response()
    };
    let router = Router::new().fallback(say).with_state((base.clone(), answer));
    #[expect(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn fetched_from(base: &str, template: &str) -> PrefetchState {
    let guard = Guard::new(Profile::Loopback, []);
    let access = FhirAccess::new(guard.check(base).unwrap(), None);
    let http = Client::new(guard, &Settings::default()).unwrap();
    access.fetch(&http, &query(template), "ume", Instant::now() + Duration::from_secs(30)).await.state
}

async fn check(template: &str, answer: Answer, expected: PrefetchState) {
    assert_eq!(fetched_from(&serve(answer).await, template).await, expected);
}

fn outcome() -> PrefetchState {
    PrefetchState::Failed(Json::parse(OUTCOME.as_bytes(), &Limits::MESSAGE).unwrap())
}

/// A page with one entry that goes on at `next`.
fn page(next: &Value) -> String {
    json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"fullUrl": "urn:x"}],
        "link": [{"relation": "self", "url": "{base}"}, {"relation": "next", "url": next}]})
    .to_string()
}

fn last_page() -> String {
    json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"fullUrl": "urn:y"}]}).to_string()
}

#[tokio::test]
async fn a_read_of_what_is_not_there_is_null() {
    check(READ, |_| (404, OUTCOME.to_owned()), PrefetchState::Null).await;
    check(READ, |_| (410, String::new()), PrefetchState::Null).await;
}

#[tokio::test]
async fn a_search_that_the_server_does_not_know_is_not_an_empty_one() {
    check(SEARCH, |_| (404, OUTCOME.to_owned()), outcome()).await;
    check(SEARCH, |_| (404, "<html>".to_owned()), UNREACHABLE).await;
    check(SEARCH, |_| (410, String::new()), UNREACHABLE).await;
}

#[tokio::test]
async fn an_answer_that_is_no_resource_is_not_known() {
    for template in [READ, SEARCH] {
        check(template, |_| (200, "null".to_owned()), UNREACHABLE).await;
        check(template, |_| (200, "[]".to_owned()), UNREACHABLE).await;
    }
}

#[tokio::test]
async fn a_base_that_no_query_fits_under_says_not_known() {
    assert_eq!(fetched_from("http://127.0.0.1:8080/fhir?tenant=1", READ).await, UNREACHABLE);
    assert_eq!(fetched_from("http://127.0.0.1:8080/fhir#top", SEARCH).await, UNREACHABLE);
}

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let answer: Answer = |asked| match asked {
        "/fhir/Observation?patient=ume" => (200, page(&json!("{base}?_getpages=2"))),
        "/fhir?_getpages=2" => (200, page(&json!("Observation?page=3"))),
        "/fhir/Observation?page=3" => (200, last_page()),
        _ => (500, String::new()),
    };
    let PrefetchState::Resource(joined) = fetched_from(&serve(answer).await, SEARCH).await else { panic!("not read") };
    let joined: Value = serde_json::from_str(joined.as_str()).unwrap();
    assert_eq!(joined["entry"], json!([{"fullUrl": "urn:x"}, {"fullUrl": "urn:x"}, {"fullUrl": "urn:y"}]));
}

#[tokio::test]
async fn a_search_for_the_first_of_an_order_ends_with_its_first_page() {
    let newest = format!("{SEARCH}&_sort=-date&_count=1");
    let base = serve(|_| (200, page(&json!("{base}?_getpages=2")))).await;
    let PrefetchState::Resource(first) = fetched_from(&base, &newest).await else { panic!("not read") };
    let first: Value = serde_json::from_str(first.as_str()).unwrap();
    assert_eq!((&first["entry"], first.get("link")), (&json!([{"fullUrl": "urn:x"}]), None));
}

#[tokio::test]
async fn a_search_with_more_pages_than_are_followed_is_not_delivered_as_whole() {
    check(SEARCH, |_| (200, page(&json!("{base}/Observation?page=again"))), TOO_LARGE).await;
}

#[tokio::test]
async fn a_search_with_more_bytes_than_are_read_is_not_delivered_as_whole() {
    let answer: Answer = |asked| match asked {
        "/fhir/page4" => (200, last_page()),
        _ => {
            let next = match asked {
                "/fhir/page2" => "{base}/page3",
                "/fhir/page3" => "{base}/page4",
                _ => "{base}/page2",
            };
            (200, page(&json!(next)).replace("urn:x", &"x".repeat(3 << 20)))
        }
    };
    check(SEARCH, answer, TOO_LARGE).await;
}

#[tokio::test]
async fn a_search_whose_next_page_cannot_be_followed_is_not_delivered_as_whole() {
    let answers: [Answer; 7] = [
        |asked| {
            if asked.contains("patient=ume") {
                (200, page(&json!("https://else.example/fhir?p=2")))
            } else {
                (200, last_page())
            }
        },
        |asked| {
            if asked.contains("patient=ume") {
                (200, page(&json!("{base}2/Observation?p=2")))
            } else {
                (200, last_page())
            }
        },
        |asked| {
            if asked.contains("patient=ume") { (200, page(&json!("/Observation?p=2"))) } else { (200, last_page()) }
        },
        |_| (200, page(&json!(2))),
        |_| (200, json!({"resourceType": "Bundle", "link": {"relation": "next", "url": "{base}?p=2"}}).to_string()),
        |asked| if asked.contains("patient=ume") { (200, page(&json!("{base}?p=2"))) } else { (200, "{}".to_owned()) },
        |asked| if asked.contains("patient=ume") { (200, page(&json!("{base}?p=2"))) } else { (410, String::new()) },
    ];
    for answer in answers {
        check(SEARCH, answer, UNREACHABLE).await;
    }
}

#[tokio::test]
async fn a_next_page_that_is_an_outcome_is_a_failure() {
    let answer: Answer = |asked| {
        if asked.contains("patient=ume") { (200, page(&json!("{base}?p=2"))) } else { (200, OUTCOME.to_owned()) }
    };
    check(SEARCH, answer, outcome()).await;
}
