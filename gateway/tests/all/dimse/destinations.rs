//! What is sent to nodes that have a DICOMweb root: the archive here is a few lines that read multipart by the library and answer as a
//! test wants it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};
use medvan::tasks::Tasks;
use medvan_fixtures::instances::Instance;
use medvan_imaging::multipart;

use super::{
    outbox::{asks, depth, send},
    *,
};

/// How the archive answers one request.
#[derive(Debug, Clone, Copy)]
enum Answers {
    /// It has them all.
    All,
    /// It has all but the one of this number, for this reason.
    AllBut(usize, u16),
    /// With this status and these words.
    Status(u16, &'static str),
    /// Never.
    Never,
}

/// What it was sent by one request: the login, and the instances.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    login: String,
    study: String,
    instances: Vec<String>,
}

/// An archive of the hospital's that can be stored at.
#[derive(Debug, Clone)]
struct Archive {
    url: String,
    answers: Arc<Mutex<VecDeque<Answers>>>,
    heard: Arc<Mutex<Vec<Request>>>,
}

impl Archive {
    /// It answers so, then with all.
    async fn answering(answers: &[Answers]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/dicom-web", listener.local_addr().unwrap());
        let archive =
            Self { url, answers: Arc::new(Mutex::new(answers.iter().copied().collect())), heard: Arc::default() };
        let routes = Router::new()
            .route("/dicom-web/studies/{study}", post(stores))
            .route("/dicom-web/studies", get(searches))
            .layer(DefaultBodyLimit::disable())
            .with_state(archive.clone());
        Tasks::default().spawn("archive", async move { axum::serve(listener, routes).await });
        archive
    }

    fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }

    fn node(&self) -> Value {
        json!([
            {"aeTitle": "CT1", "host": "127.0.0.1", "store": true},
            {"aeTitle": "PACS", "host": "127.0.0.1", "dicomweb": {"url": self.url, "credential": "vna"}},
        ])
    }
}

fn login(headers: &HeaderMap) -> String {
    headers.get(header::AUTHORIZATION).map_or_else(String::new, |login| login.to_str().unwrap().to_owned())
}

async fn searches(headers: HeaderMap) -> Response {
    let is_known = login(&headers) == "Basic bWVkdmFuOm9wZW4gc2VzYW1l";
    if is_known { "[]".into_response() } else { (StatusCode::UNAUTHORIZED, "who are you?").into_response() }
}

async fn stores(
    State(archive): State<Archive>,
    Path(study): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let content_type = headers[header::CONTENT_TYPE].to_str().unwrap();
    let parts = multipart::instances(content_type, body, 1_000).unwrap();
    let uids: Vec<String> = parts.into_iter().map(|part| Instance::read(part).unwrap().instance.to_string()).collect();
    archive.heard.lock().unwrap().push(Request { login: login(&headers), study, instances: uids.clone() });
    let next = archive.answers.lock().unwrap().pop_front().unwrap_or(Answers::All);
    let refused = match next {
        Answers::All => None,
        Answers::AllBut(number, reason) => Some((number.min(uids.len() - 1), reason)),
        Answers::Status(status, words) => return (StatusCode::from_u16(status).unwrap(), words).into_response(),
        Answers::Never => std::future::pending().await,
    };
    let item = |uid: &String| json!({"00081155": {"vr": "UI", "Value": [uid]}});
    let (mut stored, mut failed) = (Vec::new(), Vec::new());
    for (number, uid) in uids.iter().enumerate() {
        match refused.filter(|(refused, _)| *refused == number) {
            Some((_, reason)) => {
                let mut item = item(uid);
                item["00081197"] = json!({"vr": "US", "Value": [reason]});
                failed.push(item);
            }
            None => stored.push(item(uid)),
        }
    }
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let answer = json!({"00081199": {"vr": "SQ", "Value": stored}, "00081198": {"vr": "SQ", "Value": failed}});
    (status, [(header::CONTENT_TYPE, "application/dicom+json")], answer.to_string()).into_response()
}

/// A gateway whose PACS has a DICOMweb root, and whose operator has entered how to log in there.
async fn gateway(archive: &Archive) -> Gateway {
    let secrets = tempfile::tempdir().unwrap().keep();
    std::fs::write(secrets.join("vna"), "open sesame\n").unwrap();
    let login = format!("[kiku.vna]\nuser = 'medvan'\npassword_file = '{}'", secrets.join("vna").display());
    let gateway = Gateway::configured(Dimse { idle_seconds: 1, ..Dimse::default() }, 9, |config| {
        config.outgoing.credentials = toml::from_str(&login).unwrap();
    })
    .await;
    gateway.put("kiku", "KIKU", &archive.node()).await;
    gateway
}

fn uids(study: &ChestCt) -> Vec<String> {
    let mut uids: Vec<String> = (1..=study.slices).map(|slice| study.instance_uid(slice).to_string()).collect();
    uids.sort();
    uids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_reaches_an_archive_by_one_request_with_the_login_that_the_operator_entered() {
    let archive = Archive::answering(&[]).await;
    let gateway = gateway(&archive).await;
    assert_eq!(asks(&gateway, "POST", "/nodes/PACS/echo", Value::Null).await, (200, json!({"answered": true})));
    let study = small(1, 3);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    let heard = archive.heard();
    let [request] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!(
        (request.login.as_str(), &request.study),
        ("Basic bWVkdmFuOm9wZW4gc2VzYW1l", &study.study_uid().to_string())
    );
    let mut arrived = request.instances.clone();
    arrived.sort();
    assert_eq!(arrived, uids(&study));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_archive_refuses_is_shown_in_its_words_and_the_rest_has_arrived() {
    let archive = Archive::answering(&[Answers::AllBut(1, 0x0122)]).await;
    let gateway = gateway(&archive).await;
    let study = small(1, 3);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    soon("the refusal", async || depth(&gateway).await == (0, 1)).await;
    let (_, page) = asks(&gateway, "GET", "/outbox", Value::Null).await;
    let entry = &page["items"][0];
    assert_eq!(entry["instance"], archive.heard()[0].instances[1]);
    assert_eq!(entry["reason"], "0x0122 (refused: SOP class not supported)");
    // When the archive was mended, somebody sends it once more.
    let again = format!("/outbox/{}/retry", entry["id"].as_str().unwrap());
    assert_eq!(asks(&gateway, "POST", &again, Value::Null).await.0, 202);
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    gateway.close().await;
}

/// Each of these is tried again; what was tried before goes by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_full_away_or_hangs_gets_it_again() {
    for first in [Answers::AllBut(0, 0xA700), Answers::Status(503, "later"), Answers::Status(401, ""), Answers::Never] {
        let archive = Archive::answering(&[first]).await;
        let gateway = gateway(&archive).await;
        let study = small(1, 2);
        gateway.holds(study.clone()).await;
        send(&gateway, &study).await;
        soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
        let heard = archive.heard();
        assert!(heard.iter().skip(1).all(|request| request.instances.len() == 1), "{first:?}: {heard:?}");
        let expected = if matches!(first, Answers::AllBut(..)) { 2 } else { 3 };
        assert_eq!(heard.len(), expected, "{first:?}");
        gateway.close().await;
    }
}

/// Too much at once, or one of them wrong: the others do not pay for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_archive_does_not_take_at_once_it_takes_one_by_one() {
    for first in
        [Answers::Status(413, "too large"), Answers::Status(400, "one of them is odd"), Answers::Status(202, "some")]
    {
        let archive = Archive::answering(&[first]).await;
        let gateway = gateway(&archive).await;
        let study = small(1, 3);
        gateway.holds(study.clone()).await;
        send(&gateway, &study).await;
        soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
        assert_eq!(archive.heard().iter().map(|request| request.instances.len()).collect::<Vec<_>>(), [3, 1, 1, 1]);
        gateway.close().await;
    }
}

/// Somebody else than the archive answers 200: nothing is lost by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_asks_for_a_login_is_no_answer() {
    let archive = Archive::answering(&[Answers::Status(200, "<!DOCTYPE html><title>Log in</title>")]).await;
    let gateway = gateway(&archive).await;
    let study = small(1, 1);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    assert_eq!(archive.heard().len(), 2);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_lets_nobody_in_is_not_asked_for_all_that_waits() {
    let archive = Archive::answering(&[Answers::Status(401, ""); 2]).await;
    let gateway = gateway(&archive).await;
    let study = small(1, 102);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    // Of three requests two are turned away, and the third, of two instances, is not tried; then each goes by itself.
    let heard = archive.heard().iter().map(|request| request.instances.len()).collect::<Vec<_>>();
    assert_eq!(heard, [vec![50, 50], vec![1; 102]].concat());
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_archive_says_of_a_whole_request_is_the_reason_of_each_instance() {
    let conflict = Answers::Status(409, "this patient\n is <b>somebody</b> else's");
    let archive = Archive::answering(&[conflict; 3]).await;
    let gateway = gateway(&archive).await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    soon("the refusal", async || depth(&gateway).await == (0, 2)).await;
    // First both, then each by itself.
    assert_eq!(archive.heard().iter().map(|request| request.instances.len()).collect::<Vec<_>>(), [2, 1, 1]);
    let (_, page) = asks(&gateway, "GET", "/outbox", Value::Null).await;
    for entry in page["items"].as_array().unwrap() {
        let reason = "the archive answered 409 Conflict: this patient is <b>somebody</b> else's";
        assert_eq!(entry["reason"], reason);
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_not_called_with_a_login_that_is_not_entered_for_the_hospital() {
    let archive = Archive::answering(&[]).await;
    let gateway = gateway(&archive).await;
    let mut nodes = archive.node();
    nodes[1]["dicomweb"]["credential"] = json!("other");
    gateway.put("kiku", "KIKU", &nodes).await;
    let (_, answer) = asks(&gateway, "POST", "/nodes/PACS/echo", Value::Null).await;
    let reason = "the operator has entered no credential of this name for this hospital (outgoing.credentials)";
    assert_eq!(answer, json!({"answered": false, "reason": reason}));
    let study = small(1, 1);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    gateway.put("kiku", "KIKU", &archive.node()).await;
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    // Without any login the archive says that it does not know who asks.
    nodes[1]["dicomweb"] = json!({"url": archive.url});
    gateway.put("kiku", "KIKU", &nodes).await;
    let (_, answer) = asks(&gateway, "POST", "/nodes/PACS/echo", Value::Null).await;
    assert_eq!(answer["reason"], "the archive answered 401 Unauthorized: who are you?");
    gateway.close().await;
}
