use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::json;

use super::*;
use crate::trust::{
    ClientKeys, ClientTrust, Verified, Verifier,
    testing::{self, EhrKey, NOW, claims, guarded, set},
};

/// A key server whose answer a test changes.
#[derive(Clone)]
struct KeyServer {
    url: String,
    answer: Arc<Mutex<(StatusCode, &'static str, String)>>,
    requests: Arc<AtomicUsize>,
}

impl KeyServer {
    async fn publishing(keys: &[&EhrKey]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}/jwks.json", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new((StatusCode::OK, "max-age=300", set(keys)))),
            requests: Arc::default(),
        };
        let router = Router::new().route("/jwks.json", get(Self::serve)).with_state(server.clone());
        #[expect(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    async fn serve(State(server): State<Self>) -> impl IntoResponse {
        server.requests.fetch_add(1, Ordering::SeqCst);
        let (status, control, body) = server.answer.lock().unwrap().clone();
        (status, [("cache-control", control)], body)
    }

    fn now_publishes(&self, control: &'static str, keys: &[&EhrKey]) {
        *self.answer.lock().unwrap() = (StatusCode::OK, control, set(keys));
    }

    fn fails(&self) {
        *self.answer.lock().unwrap() = (StatusCode::INTERNAL_SERVER_ERROR, "", String::new());
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

struct Caller {
    verifier: Verifier,
    client: ClientKeys,
}

impl Caller {
    fn of(server: &KeyServer) -> Self {
        let url = guarded(&server.url);
        let client = ClientKeys::new(ClientTrust { jwks: None, jwks_url: Some(&url), ..testing::trust("") }).unwrap();
        Self { verifier: Verifier::new(testing::jwks()), client }
    }

    /// A fresh token of `key`, sent `after` seconds.
    async fn calls(&self, key: &EhrKey, after: i64) -> Result<Verified, Refusal> {
        let now = NOW + Span::seconds(after);
        let mut claims = claims();
        claims["iat"] = json!(now.unix_timestamp());
        claims["exp"] = json!(now.unix_timestamp() + 300);
        testing::verify_through(&self.verifier, &key.sign(&key.header(), &claims), &self.client, now).await
    }
}

#[tokio::test]
async fn published_keys_are_fetched_once() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    for after in [0, 1, 299] {
        caller.calls(&key, after).await.unwrap();
    }
    assert_eq!(server.requests(), 1);
    caller.calls(&key, 300).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_rotation_is_noticed_without_a_restart() {
    let (old, new) = (EhrKey::es384("old"), EhrKey::es384("new"));
    let server = KeyServer::publishing(&[&old]).await;
    let caller = Caller::of(&server);
    caller.calls(&old, 0).await.unwrap();
    server.now_publishes("max-age=300", &[&old, &new]);
    caller.calls(&new, 30).await.unwrap();
    caller.calls(&old, 31).await.unwrap();
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_revoked_key_is_dead_when_the_publishers_time_is_over() {
    let (old, new) = (EhrKey::es384("old"), EhrKey::es384("new"));
    let server = KeyServer::publishing(&[&old]).await;
    server.now_publishes("public, max-age=60", &[&old]);
    let caller = Caller::of(&server);
    caller.calls(&old, 0).await.unwrap();
    server.now_publishes("max-age=60", &[&new]);
    caller.calls(&old, 59).await.unwrap();
    assert_eq!(caller.calls(&old, 60).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn old_keys_do_not_outlive_their_time_because_the_server_is_down() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    caller.calls(&key, 0).await.unwrap();
    server.fails();
    assert_eq!(caller.calls(&key, 300).await, Err(Refusal::KeysUnavailable));
}

#[tokio::test]
async fn fresh_keys_outlive_a_failed_look_for_another() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    caller.calls(&key, 0).await.unwrap();
    server.fails();
    assert_eq!(caller.calls(&EhrKey::es384("b"), 30).await, Err(Refusal::UnknownKey));
    caller.calls(&key, 31).await.unwrap();
}

#[tokio::test]
async fn unknown_kids_fetch_at_most_every_half_minute() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    caller.calls(&key, 0).await.unwrap();
    for (after, requests) in [(1, 1), (29, 1), (30, 2), (31, 2), (59, 2), (60, 3)] {
        assert_eq!(caller.calls(&EhrKey::es384("unknown"), after).await, Err(Refusal::UnknownKey));
        assert_eq!(server.requests(), requests, "{after}");
    }
}

#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    server.fails();
    let caller = Caller::of(&server);
    for (after, requests) in [(0, 1), (1, 1), (9, 1), (10, 2)] {
        assert_eq!(caller.calls(&key, after).await, Err(Refusal::KeysUnavailable));
        assert_eq!(server.requests(), requests, "{after}");
    }
    server.now_publishes("max-age=300", &[&key]);
    caller.calls(&key, 20).await.unwrap();
}

#[tokio::test]
async fn many_calls_share_one_fetch() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    let results = futures_util::future::join_all((0..50).map(|_| caller.calls(&key, 0))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn an_unregistered_jku_is_refused_and_never_called() {
    let key = EhrKey::es384("a");
    let (registered, attacker) = (KeyServer::publishing(&[&key]).await, Sockets::listening().await);
    let caller = Caller::of(&registered);
    let mut header = key.header();
    header["jku"] = json!(attacker.url());
    let token = key.sign(&header, &claims());
    let result = testing::verify_through(&caller.verifier, &token, &caller.client, NOW).await;
    assert_eq!(result, Err(Refusal::KeyLocation));
    assert_eq!((attacker.count(), registered.requests()), (0, 0));
}

#[tokio::test]
async fn nothing_is_fetched_for_a_token_that_its_text_refuses() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    for (claim, value) in [("aud", json!("https://other.example")), ("iss", json!("x")), ("exp", json!(1))] {
        let mut claims = claims();
        claims[claim] = value;
        let token = key.sign(&key.header(), &claims);
        assert!(testing::verify_through(&caller.verifier, &token, &caller.client, NOW).await.is_err());
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_registered_jku_may_be_named() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    let mut header = key.header();
    header["jku"] = json!(server.url);
    testing::verify_through(&caller.verifier, &key.sign(&header, &claims()), &caller.client, NOW).await.unwrap();
}

#[tokio::test]
async fn a_key_server_that_publishes_nonsense_has_no_keys() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    for body in ["<html>".to_owned(), r#"{"keys":[]}"#.into(), " ".repeat(jwk::MAX_BYTES + 1)] {
        *server.answer.lock().unwrap() = (StatusCode::OK, "", body);
        assert_eq!(Caller::of(&server).calls(&key, 0).await, Err(Refusal::KeysUnavailable));
    }
}

#[tokio::test]
async fn a_clock_set_back_makes_keys_stale_not_eternal() {
    let key = EhrKey::es384("a");
    let server = KeyServer::publishing(&[&key]).await;
    let caller = Caller::of(&server);
    caller.calls(&key, 0).await.unwrap();
    caller.calls(&key, -86_400).await.unwrap();
    assert_eq!(server.requests(), 2);
}

/// Counts connections and says nothing.
struct Sockets {
    address: std::net::SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Sockets {
    async fn listening() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counter = count.clone();
        #[expect(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, count }
    }

    fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// Connections so far. A fetch from here would have waited for an answer, so it would have been counted.
    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
