//! [`Vendor`]: a CDS Service that says exactly the bytes a test gives it, each answer when the test lets it. One that
//! changes its words is a [`super::Maker`].

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use medvan_fixtures::{
    Received, misbehaving,
    running::{self, Running},
};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::until;

/// A vendor's server with one service; it ends when dropped.
pub struct Vendor {
    name: String,
    running: Running,
    state: Arc<Act>,
}

struct Act {
    status: StatusCode,
    headers: Vec<(header::HeaderName, String)>,
    body: String,
    /// One permit for each answer that may leave.
    gate: Semaphore,
    received: Mutex<Vec<Received>>,
}

impl Vendor {
    /// Answers every call at once with this JSON text.
    pub async fn saying(name: &str, body: impl Into<String>) -> Self {
        let json = (header::CONTENT_TYPE, "application/json".to_owned());
        Self::start(name, StatusCode::OK, vec![json], body.into(), Semaphore::MAX_PERMITS).await
    }

    /// Answers with this JSON text, each call only after [`Self::lets_go`].
    pub async fn waiting(name: &str, body: impl Into<String>) -> Self {
        let json = (header::CONTENT_TYPE, "application/json".to_owned());
        Self::start(name, StatusCode::OK, vec![json], body.into(), 0).await
    }

    /// Sends every caller on to another address.
    pub async fn redirecting(name: &str, status: u16, to: &str) -> Self {
        let location = (header::LOCATION, to.to_owned());
        Self::start(name, StatusCode::from_u16(status).unwrap(), vec![location], String::new(), Semaphore::MAX_PERMITS)
            .await
    }

    async fn start(
        name: &str,
        status: StatusCode,
        headers: Vec<(header::HeaderName, String)>,
        body: String,
        permits: usize,
    ) -> Self {
        let gate = Semaphore::new(permits);
        let state = Arc::new(Act { status, headers, body, gate, received: Mutex::default() });
        let router = Router::new().fallback(act).with_state(Arc::clone(&state));
        Self { name: name.to_owned(), running: running::serve(router, running::ANY_PORT).await.unwrap(), state }
    }

    /// Its service `only` on this hook, with one prefetch key, `patient`.
    pub fn descriptor(&self, hook: &str) -> Value {
        let mut descriptor = misbehaving::descriptor(&self.running.base_url(), "only", hook);
        descriptor["vendor"] = self.name.clone().into();
        descriptor
    }

    /// One answer more may leave.
    pub fn lets_go(&self) {
        self.state.gate.add_permits(1);
    }

    /// Everything that arrived, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Waits until so many calls have arrived.
    pub async fn has_received(&self, calls: usize) {
        until("the calls arrive", async || (self.received().len() >= calls).then_some(())).await;
    }
}

async fn act(State(act): State<Arc<Act>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    act.received.lock().unwrap().push(Received { path: uri.path().to_owned(), headers, text });
    act.gate.acquire().await.unwrap().forget();
    let mut response = (act.status, act.body.clone()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().extend(act.headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())));
    response
}
