//! [`Maker`]: a vendor with one service, `advice`, which says what the test told it last, takes its time when the
//! test wants it to, goes down and comes back.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::post,
};
use medvan_fixtures::{
    Received, misbehaving,
    running::{self, Running},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::until;

/// A vendor's server.
pub struct Maker {
    name: String,
    address: SocketAddr,
    running: Option<Running>,
    script: Arc<Script>,
}

/// What it does, and what it saw.
struct Script {
    says: Mutex<(u16, Value)>,
    takes_feedback: Mutex<u16>,
    open: watch::Sender<bool>,
    calls: Mutex<Vec<Received>>,
    deliveries: Mutex<Vec<Received>>,
}

/// A card with one suggestion; `id` is the vendor's own, and the suggestion's is `<id>-suggestion`.
pub fn card(id: &str, summary: &str) -> Value {
    json!({
        "uuid": id,
        "summary": summary,
        "indicator": "info",
        "source": {
            "label": "助言",
            "topic": {"system": "https://maker.example/topics", "code": id, "display": id},
        },
        "suggestions": [{
            "uuid": format!("{id}-suggestion"),
            "label": "確認を依頼",
            "actions": [{
                "type": "create",
                "description": "確認を依頼",
                "resource": {"resourceType": "Task", "status": "draft", "intent": "proposal", "description": id},
            }],
        }],
        "selectionBehavior": "at-most-one",
    })
}

impl Maker {
    /// Starts; it has nothing to say and takes feedback.
    pub async fn starts(name: &str) -> Self {
        let script = Arc::new(Script {
            says: Mutex::new((200, json!({"cards": []}))),
            takes_feedback: Mutex::new(200),
            open: watch::Sender::new(true),
            calls: Mutex::default(),
            deliveries: Mutex::default(),
        });
        let running = running::serve(router(&script), running::ANY_PORT).await.unwrap();
        Self { name: name.to_owned(), address: running.addr, running: Some(running), script }
    }

    /// What it registers: one prefetch key, `patient`, and time enough for everybody.
    pub fn descriptor(&self, hook: &str) -> Value {
        let mut descriptor = misbehaving::descriptor(&format!("http://{}", self.address), "advice", hook);
        descriptor["vendor"] = self.name.clone().into();
        descriptor["limits"]["deadlineMs"] = 30_000.into();
        descriptor
    }

    /// From now on it answers with these cards.
    pub fn says(&self, cards: &[Value]) {
        self.answers(200, json!({ "cards": cards }));
    }

    /// From now on it answers with this status and body.
    pub fn answers(&self, status: u16, body: Value) {
        *self.script.says.lock().unwrap() = (status, body);
    }

    /// From now on it answers feedback with this status.
    pub fn takes_feedback_with(&self, status: u16) {
        *self.script.takes_feedback.lock().unwrap() = status;
    }

    /// From now on whoever calls, or delivers feedback, waits.
    pub fn holds_back(&self) {
        self.script.open.send_replace(false);
    }

    /// Whoever waits gets an answer, and nobody waits any more.
    pub fn lets_go(&self) {
        self.script.open.send_replace(true);
    }

    /// Nothing listens at its address any more.
    pub fn goes_down(&mut self) {
        self.running = None;
    }

    /// It listens again at the same address.
    pub async fn comes_back(&mut self) {
        let listens = async || running::serve(router(&self.script), self.address).await.ok();
        self.running = Some(until("the vendor's address is free again", listens).await);
    }

    /// The hook calls that arrived, oldest first.
    pub fn calls(&self) -> Vec<Received> {
        self.script.calls.lock().unwrap().clone()
    }

    /// Waits until so many hook calls have arrived.
    pub async fn is_asked(&self, times: usize) {
        until("the vendor is asked", async || (self.calls().len() >= times).then_some(())).await;
    }

    /// The requests with feedback that arrived, oldest first.
    pub fn deliveries(&self) -> Vec<Received> {
        self.script.deliveries.lock().unwrap().clone()
    }

    /// Waits until so many requests with feedback have arrived, whether they were answered or not.
    pub async fn is_told(&self, times: usize) {
        until("feedback is delivered", async || (self.deliveries().len() >= times).then_some(())).await;
    }

    /// The outcomes that arrived, oldest first, across deliveries.
    pub fn feedback(&self) -> Vec<Value> {
        let items = |delivery: &Received| delivery.body()["feedback"].as_array().cloned().unwrap_or_default();
        self.deliveries().iter().flat_map(items).collect()
    }

    /// Waits until so many outcomes have arrived; gives them.
    pub async fn learns(&self, outcomes: usize) -> Vec<Value> {
        let arrived = async || Some(self.feedback()).filter(|feedback| feedback.len() >= outcomes);
        until("the vendor learns what became of its cards", arrived).await
    }
}

fn router(script: &Arc<Script>) -> Router {
    Router::new()
        .route("/cds-services/advice", post(advise))
        .route("/cds-services/advice/feedback", post(listen))
        .with_state(Arc::clone(script))
}

async fn advise(State(script): State<Arc<Script>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    script.calls.lock().unwrap().push(received(&uri, headers, &body));
    script.waits().await;
    let (status, body) = script.says.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

async fn listen(State(script): State<Arc<Script>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    script.deliveries.lock().unwrap().push(received(&uri, headers, &body));
    script.waits().await;
    let status = *script.takes_feedback.lock().unwrap();
    StatusCode::from_u16(status).unwrap().into_response()
}

fn received(uri: &Uri, headers: HeaderMap, body: &[u8]) -> Received {
    Received { path: uri.path().to_owned(), headers, text: String::from_utf8_lossy(body).into_owned() }
}

impl Script {
    async fn waits(&self) {
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}
