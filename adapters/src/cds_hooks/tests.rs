use std::time::Duration;

use axum::{
    Router,
    extract::Request as Incoming,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};

use super::*;
use crate::{
    advisor::{AdviseError, Advisor, Call, ErrorKind},
    http::{Bearer, Client, Guard, Profile, Settings},
    testing::{AMPLE, Server, client},
};

const PATH: &str = "/cds-services/news2";

fn call() -> Call {
    Call { body: r#"{"hook":"patient-view"}"#.into(), bearer: Some(Bearer::new("t.o.k").unwrap()), timeout: AMPLE }
}

fn service(server: &Server) -> Service {
    Service::new(
        client(),
        Endpoint { url: &server.text(PATH), content_type: "application/json", response_bytes: 1 << 16 },
    )
}

/// A service that answers with this status, type and body.
async fn check(status: u16, content_type: Option<&'static str>, body: &'static str, expect: Result<(), ErrorKind>) {
    let answer = move || async move {
        let status = StatusCode::from_u16(status).unwrap();
        let mut headers = HeaderMap::new();
        content_type.map(|value| headers.insert(header::CONTENT_TYPE, value.parse().unwrap()));
        (status, headers, axum::body::Body::from(body)).into_response()
    };
    let server = Server::axum(Router::new().route(PATH, post(answer))).await;
    let advice = service(&server).advise(call()).await;
    let got = advice.as_ref().map(|advice| &advice.body[..]).map_err(|error| error.kind);
    assert_eq!(got, expect.map(|()| body.as_bytes()), "{status} {content_type:?} {body}");
}

#[tokio::test]
async fn only_json_in_a_200_is_advice() {
    let json = Some("application/json");
    check(200, json, r#"{"cards":[]}"#, Ok(())).await;
    check(200, Some("Application/JSON; charset=utf-8"), " \r\n{\"cards\":[]}", Ok(())).await;
    check(200, Some("application/fhir+json"), "{}", Ok(())).await;
    check(200, None, "{}", Ok(())).await;
    check(200, Some("text/html"), "<html>", Err(ErrorKind::NotJson)).await;
    check(200, Some("text/plain"), "{}", Err(ErrorKind::NotJson)).await;
    check(200, Some("application/jsonp"), "{}", Err(ErrorKind::NotJson)).await;
    check(200, json, "<html>", Err(ErrorKind::NotJson)).await;
    check(200, json, "", Err(ErrorKind::NotJson)).await;
    check(200, json, "[]", Err(ErrorKind::NotJson)).await;
    check(200, json, "\u{feff}{}", Err(ErrorKind::NotJson)).await;
    check(204, None, "", Err(ErrorKind::Status(204))).await;
    check(206, json, "{}", Err(ErrorKind::Status(206))).await;
}

#[tokio::test]
async fn a_412_is_not_evaluable_and_other_statuses_are_told() {
    check(412, Some("application/json"), "{}", Err(ErrorKind::NotEvaluable)).await;
    for status in [301, 302, 307, 400, 401, 404, 422, 429, 500, 503] {
        check(status, Some("application/json"), "{}", Err(ErrorKind::Status(status))).await;
    }
}

#[tokio::test]
async fn what_a_service_receives_is_exactly_what_was_written_for_it() {
    let echo = |request: Incoming| async move {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let header = |name| parts.headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        let names =
            [header::CONTENT_TYPE, header::ACCEPT, header::AUTHORIZATION, header::ACCEPT_ENCODING, header::COOKIE];
        let text = format!("{} {}", names.map(header).join(" | "), String::from_utf8_lossy(&body).replace('"', "'"));
        ([(header::CONTENT_TYPE, "application/json")], format!("{{\"seen\":\"{text}\"}}"))
    };
    let server = Server::axum(Router::new().route(PATH, post(echo))).await;
    let seen = service(&server).advise(call()).await.unwrap().body;
    let expect = "{\"seen\":\"application/json | application/json | Bearer t.o.k | - | - {'hook':'patient-view'}\"}";
    assert_eq!(seen, expect);

    let endpoint = Endpoint { url: &server.text(PATH), content_type: "application/cds+json", response_bytes: 999 };
    let seen = Service::new(client(), endpoint).advise(Call { bearer: None, ..call() }).await.unwrap().body;
    assert!(seen.starts_with(b"{\"seen\":\"application/cds+json | application/json | - |"), "{seen:?}");
}

#[tokio::test]
async fn a_service_at_a_forbidden_address_is_refused_without_a_connection() {
    let server = Server::saying("").await;
    let production = Client::new(Guard::new(Profile::Production, []), &Settings::default()).unwrap();
    for url in [server.text(PATH).as_str(), "https://10.0.0.1/cds-services/x", "nonsense"] {
        let service =
            Service::new(production.clone(), Endpoint { url, content_type: "application/json", response_bytes: 999 });
        assert_eq!(service.advise(call()).await.unwrap_err(), AdviseError::from(ErrorKind::Refused));
    }
    assert_eq!(server.sockets(), 0);
}

#[tokio::test]
async fn time_and_size_are_those_of_the_call_and_the_descriptor() {
    let silent = Server::raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let impatient = Call { timeout: Duration::from_millis(100), ..call() };
    assert_eq!(service(&silent).advise(impatient).await.unwrap_err().kind, ErrorKind::Timeout);

    let large = || async { ([(header::CONTENT_TYPE, "application/json")], format!("{{{}}}", " ".repeat(1 << 16))) };
    let large = Server::axum(Router::new().route(PATH, post(large))).await;
    assert_eq!(service(&large).advise(call()).await.unwrap_err().kind, ErrorKind::TooLarge);
}

#[tokio::test]
async fn feedback_is_posted_as_json_with_the_token() {
    let taken = |headers: HeaderMap, body: String| async move {
        let right =
            headers[header::AUTHORIZATION] == "Bearer t.o.k" && headers[header::CONTENT_TYPE] == "application/json";
        if right && body == "{\"feedback\":[]}" { StatusCode::OK } else { StatusCode::BAD_REQUEST }
    };
    let server = Server::axum(Router::new().route("/x/feedback", post(taken))).await;
    let bearer = Some(Bearer::new("t.o.k").unwrap());
    let request = feedback(server.url("/x/feedback"), bearer, "{\"feedback\":[]}", AMPLE, 999);
    assert_eq!(client().fetch(request).await.unwrap().status, StatusCode::OK);
}

async fn look(server: &Server, previous: &Validators) -> Result<Discovered, AdviseError> {
    discover(&client(), server.url("/cds-services"), None, previous, AMPLE, 1 << 16).await
}

#[tokio::test]
async fn discovery_is_read_once_and_recognised_by_its_etag() {
    let document = |headers: HeaderMap| async move {
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|etag| etag == "W/\"7\"")
            && headers.get(header::IF_MODIFIED_SINCE).is_some_and(|date| date == "Sun, 22 Nov 2026 09:00:00 GMT");
        let validators = [
            (header::ETAG, "W/\"7\""),
            (header::LAST_MODIFIED, "Sun, 22 Nov 2026 09:00:00 GMT"),
            (header::CONTENT_TYPE, "application/json"),
        ];
        if known { StatusCode::NOT_MODIFIED.into_response() } else { (validators, "{\"services\":[]}").into_response() }
    };
    let server = Server::axum(Router::new().route("/cds-services", get(document))).await;
    let Ok(Discovered::Document { body, validators }) = look(&server, &Validators::default()).await else {
        panic!("a first look gives the document");
    };
    assert_eq!(body, "{\"services\":[]}");
    assert_eq!(look(&server, &validators).await, Ok(Discovered::Unchanged));
    let other = Validators { etag: Some("\"6\"".into()), ..validators };
    assert!(matches!(look(&server, &other).await, Ok(Discovered::Document { .. })));
}

#[tokio::test]
async fn a_304_that_was_not_asked_for_and_other_statuses_are_errors() {
    for status in [304, 404, 500] {
        let answer = move || async move { StatusCode::from_u16(status).unwrap() };
        let server = Server::axum(Router::new().route("/cds-services", get(answer))).await;
        assert_eq!(look(&server, &Validators::default()).await.unwrap_err().kind, ErrorKind::Status(status));
    }
}
