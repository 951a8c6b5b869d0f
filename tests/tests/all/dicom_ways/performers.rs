//! Performers of several vendors at one hospital: each hears of its own worklist, searches it, and takes no place of another.

use std::time::Duration;

use futures_util::StreamExt as _;
use medvan_fixtures::{performer, studies::DensitySpheres};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{DICOM_JSON, credential, root_of, step, tells};
use crate::{
    analysis::{finds, stage, stores, text, waits_for},
    world::{Socket, World, until},
};

const ALL: &str = "1.2.840.10008.5.1.4.34.5";
const FILTERED: &str = "1.2.840.10008.5.1.4.34.5.1";
/// Requests of one vendor that are answered at once.
const PLACES: usize = 16;

/// A vendor whose service pulls its work.
struct Vendor {
    root: String,
    credential: String,
}

impl Vendor {
    async fn joins(world: &World, id: &str) -> Self {
        let mut descriptor = performer::descriptor("https://nobody.calls.example");
        descriptor["vendor"] = id.into();
        world.enrolls(&descriptor, json!("live")).await;
        Self { root: root_of(world, id), credential: credential(world, id).await }
    }

    async fn asks(&self, world: &World, method: Method, path: &str) -> StatusCode {
        tells(world, method, &format!("{}{path}", self.root), &self.credential, Value::Null).await
    }

    /// What a search finds, and whether there is more.
    async fn finds(&self, world: &World, query: &str) -> (Vec<String>, bool) {
        let request = world.http.get(format!("{}/workitems{query}", self.root)).bearer_auth(&self.credential);
        let answer = request.header("accept", DICOM_JSON).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let is_more = answer.headers().contains_key("warning");
        let found: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(json!([]));
        (found.as_array().unwrap().iter().map(|item| text(item, "00080018").to_owned()).collect(), is_more)
    }

    async fn becomes(&self, world: &World, uid: &str, state: &str) -> reqwest::Response {
        let request = world.http.put(format!("{}/workitems/{uid}/state", self.root)).bearer_auth(&self.credential);
        let body = step("2.25.7", state).to_string();
        let answer = request.header("content-type", DICOM_JSON).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{state}");
        answer
    }

    /// Subscribes, and listens where it is told.
    async fn listens(&self, world: &World, to: &str) -> Listener {
        let url = format!("{}/workitems/{to}/subscribers/AI%201", self.root);
        let answer = world.http.post(url).bearer_auth(&self.credential).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let heard_at = answer.headers()["content-location"].to_str().unwrap();
        self.hears_at(heard_at).await.unwrap()
    }

    /// Listens; else the status with which that is refused.
    async fn hears_at(&self, url: &str) -> Result<Listener, u16> {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.credential).parse().unwrap());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Listener(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }
}

struct Listener(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Listener {
    /// The next event: workitem, kind, and the state or the reason that it says.
    async fn hears(&mut self) -> (String, u64, String) {
        loop {
            let said =
                timeout(Duration::from_secs(30), self.0.next()).await.expect("nothing is said").unwrap().unwrap();
            let Message::Text(said) = said else { continue };
            let told: Value = serde_json::from_str(&said).unwrap();
            let words = [text(&told, "00741000"), text(&told, "00741238")].concat();
            return (text(&told, "00001000").to_owned(), told["00001002"]["Value"][0].as_u64().unwrap(), words);
        }
    }
}

fn said(uid: &str, kind: u64, words: &str) -> (String, u64, String) {
    (uid.to_owned(), kind, words.to_owned())
}

fn study(seed: u32) -> DensitySpheres {
    DensitySpheres { seed, size: 32, slices: 4, patient_id: format!("P{seed}"), ..DensitySpheres::default() }
}

/// What is offered to a vendor, once it is.
async fn offered(world: &World, vendor: &Vendor) -> String {
    let found = async || vendor.finds(world, "?ProcedureStepState=SCHEDULED").await.0.pop();
    until("something is offered", found).await
}

async fn cancel_of(world: &World, uid: &str, words: &str) -> StatusCode {
    let reason = json!({ "00741238": { "vr": "LT", "Value": [words] } });
    let url = format!("{}/dicom-web/workitems/{uid}/cancelrequest", world.base());
    let request = world.http.post(url).header("content-type", DICOM_JSON).body(reason.to_string());
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_performer_hears_of_its_own_work_and_of_wishes_to_cancel_it() {
    let world = stage().await;
    let [asagao, botan] = [Vendor::joins(&world, "asagao").await, Vendor::joins(&world, "botan").await];
    let mut hears = asagao.listens(&world, ALL).await;
    let key = "ScheduledProcedureStepPriority=HIGH";
    let mut others = botan.listens(&world, &format!("{FILTERED}/subscribers/NOBODY?{key}#")).await;
    stores(&world, study(1).files()).await;
    let (own, other) = (offered(&world, &asagao).await, offered(&world, &botan).await);
    assert_ne!(own, other);
    assert_eq!(hears.hears().await, said(&own, 1, "SCHEDULED"));
    asagao.becomes(&world, &own, "IN PROGRESS").await;
    assert_eq!(hears.hears().await, said(&own, 1, "IN PROGRESS"));
    assert_eq!(cancel_of(&world, &own, "the wrong patient").await, StatusCode::ACCEPTED);
    assert_eq!(hears.hears().await, said(&own, 2, "the wrong patient"));

    // What happened while nobody listened is told afterwards, to the end.
    drop(hears);
    let reason = json!({ "00741002": { "vr": "SQ", "Value": [{ "0074100E": { "vr": "SQ", "Value": [{
        "00080100": { "vr": "SH", "Value": ["110513"] }, "00080102": { "vr": "SH", "Value": ["DCM"] },
        "00080104": { "vr": "LO", "Value": ["Discontinued for unspecified reason"] } }] } }] } });
    let url = format!("{}/workitems/{own}?transaction-uid=2.25.7", asagao.root);
    assert_eq!(tells(&world, Method::POST, &url, &asagao.credential, reason).await, StatusCode::OK);
    asagao.becomes(&world, &own, "CANCELED").await;
    let mut hears = asagao.listens(&world, ALL).await;
    assert_eq!(hears.hears().await, said(&own, 3, ""));
    assert_eq!(hears.hears().await, said(&own, 1, "CANCELED"));

    // Who took it and does not listen cannot be asked; and once it listens, it hears nothing of its neighbour's.
    botan.becomes(&world, &other, "IN PROGRESS").await;
    assert_eq!(cancel_of(&world, &other, "nobody hears").await, StatusCode::CONFLICT);
    let mut botans = botan.listens(&world, &other).await;
    assert_eq!(botans.hears().await, said(&other, 1, "IN PROGRESS"));
    assert_eq!(cancel_of(&world, &other, "heard").await, StatusCode::ACCEPTED);
    assert_eq!(botans.hears().await, said(&other, 2, "heard"));
    assert!(timeout(Duration::from_secs(2), others.0.next()).await.is_err(), "its filter lets nothing through");
    let end = |path: &str| format!("/workitems/{path}/subscribers/AI%201");
    for (method, path, expected) in [
        (Method::DELETE, end(&other), 200),
        (Method::DELETE, end(&other), 404),
        (Method::DELETE, end(&own), 404), // not botan's
        (Method::POST, format!("{}/suspend", end(ALL)), 404),
        (Method::POST, end(&own), 404),
        (Method::POST, format!("{}?deletionlock=true", end(ALL)), 403),
        (Method::POST, format!("{}?NoSuchAttribute=1", end(FILTERED)), 400),
    ] {
        assert_eq!(botan.asks(&world, method, &path).await.as_u16(), expected, "{path}");
    }
    assert_eq!(cancel_of(&world, &other, "nobody hears any more").await, StatusCode::CONFLICT);
    for (path, expected) in [(end(&own), 200), (format!("{}/suspend", end(ALL)), 200), (end(ALL), 404)] {
        let method = if path.ends_with("suspend") { Method::POST } else { Method::DELETE };
        assert_eq!(asagao.asks(&world, method, &path).await.as_u16(), expected, "{path}");
    }
}

#[tokio::test]
async fn the_events_of_a_vendor_are_for_its_credential_alone() {
    let world = stage().await;
    let [asagao, botan] = [Vendor::joins(&world, "asagao").await, Vendor::joins(&world, "botan").await];
    stores(&world, study(1).files()).await;
    let (own, other) = (offered(&world, &asagao).await, offered(&world, &botan).await);
    let token = asagao.becomes(&world, &own, "IN PROGRESS").await.headers()["medvan-job-token"].clone();
    let of_job = Vendor { root: asagao.root.clone(), credential: token.to_str().unwrap().to_owned() };
    let stranger = Vendor { root: asagao.root.clone(), credential: botan.credential.clone() };
    let events = format!("{}/subscribers/AI%201", asagao.root.replacen("http", "ws", 1));
    let subscribes = format!("/workitems/{own}/subscribers/AI%201");
    for (who, expected) in [(&of_job, 403), (&stranger, 404)] {
        assert_eq!(who.asks(&world, Method::POST, &subscribes).await.as_u16(), expected);
        assert_eq!(who.hears_at(&events).await.err(), Some(expected));
    }
    // Systems of the hospital hear of both vendors' work, as before, and what they lock stays theirs.
    let told = world.http.post(format!("{}/dicom-web/workitems/{ALL}/subscribers/RIS", world.base())).send().await;
    assert_eq!(told.unwrap().status(), StatusCode::CREATED);
    assert_eq!(cancel_of(&world, &own, "its performer does not listen").await, StatusCode::CONFLICT);
    assert_eq!(cancel_of(&world, &other, "nobody has taken it").await, StatusCode::ACCEPTED);

    // The contract ends: what is still to be told is told no more.
    let mut hears = asagao.listens(&world, &own).await;
    assert_eq!(hears.hears().await, said(&own, 1, "IN PROGRESS"));
    let mut descriptor = performer::descriptor("https://nobody.calls.example");
    descriptor["vendor"] = "asagao".into();
    world.leaves(&descriptor).await;
    cancel_of(&world, &own, "who is not asked any more").await;
    assert!(timeout(Duration::from_secs(2), hears.0.next()).await.is_err(), "it has no part in this hospital any more");
}

#[tokio::test]
async fn what_is_taken_keeps_nothing_from_being_found_that_is_free() {
    let world = stage().await;
    let asagao = Vendor::joins(&world, "asagao").await;
    for seed in 1..=8 {
        stores(&world, study(seed).files()).await;
    }
    waits_for(&world, "offered", 8).await;
    let (all, is_more) = asagao.finds(&world, "").await;
    assert_eq!((all.len(), is_more), (8, false));
    // Seven of them say as much as the largest studies do.
    let [class, instance] = ["1.2", "1.3"].map(|uid| json!({ "vr": "UI", "Value": [uid] }));
    let reference = json!({ "00081150": class, "00081155": instance });
    let place = json!([{ "00080054": { "vr": "AE", "Value": ["KAEDE"] } }]);
    let input = json!({ "0040E020": { "vr": "CS", "Value": ["DICOM"] }, "0020000D": { "vr": "UI", "Value": ["1.4"] },
        "0020000E": { "vr": "UI", "Value": ["1.5"] }, "0040E021": { "vr": "SQ", "Value": place },
        "00081199": { "vr": "SQ", "Value": vec![reference; 12_000] } });
    let inputs = json!({ "00404021": { "vr": "SQ", "Value": [input] } }).to_string();
    let (free, taken) = all.split_last().unwrap();
    for uid in taken {
        let url = format!("{}/dicom-web/workitems/{uid}", world.base());
        let request = world.http.post(url).header("content-type", DICOM_JSON).body(inputs.clone());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        asagao.becomes(&world, uid, "IN PROGRESS").await;
    }
    let some = asagao.finds(&world, "").await;
    assert!(some.0.len() < 8 && some.1, "more than a search looks at: {some:?}");
    assert_eq!(asagao.finds(&world, "?ProcedureStepState=SCHEDULED").await, (vec![free.clone()], false));
    assert_eq!(asagao.finds(&world, &format!("?SOPInstanceUID={free}")).await, (vec![free.clone()], false));
    assert_eq!(asagao.finds(&world, "?PatientID=P8").await, (vec![free.clone()], false));
    assert_eq!(asagao.finds(&world, "?ProcedureStepState=COMPLETED").await, (vec![], false));
    assert_eq!(finds(&world, "workitems?ProcedureStepState=SCHEDULED").await.len(), 1);
}

#[tokio::test]
async fn a_token_of_another_vendors_job_takes_no_place() {
    let world = stage().await;
    let [asagao, botan] = [Vendor::joins(&world, "asagao").await, Vendor::joins(&world, "botan").await];
    stores(&world, study(1).files()).await;
    let (own, other) = (offered(&world, &asagao).await, offered(&world, &botan).await);
    let token = asagao.becomes(&world, &own, "IN PROGRESS").await.headers()["medvan-job-token"].clone();
    let stranger = Vendor { root: botan.root.clone(), credential: token.to_str().unwrap().to_owned() };
    // All places are taken by requests that do not go on.
    let path = botan.root.strip_prefix(&world.gateway.url).unwrap();
    let head = format!(
        "PUT {path}/workitems/{other}/state HTTP/1.1\r\nHost: gateway\r\nContent-Type: {DICOM_JSON}\r\nContent-Length: 100\r\n\
         Authorization: Bearer {}\r\n\r\n",
        botan.credential
    );
    let mut slow = Vec::new();
    for _ in 0..PLACES {
        let mut socket = Socket::to(&world).await;
        socket.says(&head).await;
        slow.push(socket);
    }
    let is = async |who: &Vendor, status: u16| {
        let asked = async || (who.asks(&world, Method::GET, "/workitems").await.as_u16() == status).then_some(());
        until(&format!("it is answered {status}"), asked).await;
    };
    is(&botan, 503).await;
    assert_eq!(stranger.asks(&world, Method::GET, "/workitems").await, StatusCode::NOT_FOUND, "and not 503");
    is(&asagao, 200).await;
    drop(slow);
    is(&botan, 200).await;
}
