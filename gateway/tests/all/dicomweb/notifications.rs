//! The connection by which a subscriber hears of workitems (PS3.18 §8.10.4 and §11.13).

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use super::pacs::Pacs;

const ALL: &str = "1.2.840.10008.5.1.4.34.5";
const UPS_PUSH: &str = "1.2.840.10008.5.1.4.34.6.1";

struct Subscriber(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscriber {
    /// Connects where a subscription's Content-Location says.
    async fn at(url: &str) -> Self {
        Self(connect_async(url).await.unwrap().0)
    }

    /// The next event: workitem, kind, and the state if it says it.
    async fn hears(&mut self) -> String {
        loop {
            let message =
                timeout(Duration::from_secs(20), self.0.next()).await.expect("nothing is said").unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let told: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["00000002"], json!({"vr": "UI", "Value": [UPS_PUSH]}));
            assert!(told["00000110"]["Value"][0].is_u64());
            let state = told["00741000"]["Value"][0].as_str().unwrap_or("-");
            let (uid, kind) = (&told["00001000"]["Value"][0], &told["00001002"]["Value"][0]);
            return format!("{} {kind} {state}", uid.as_str().unwrap());
        }
    }

    async fn hears_nothing_for(&mut self, seconds: u64) {
        let heard = timeout(Duration::from_secs(seconds), self.0.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

/// Subscribes to everything, and gives where it is heard.
async fn subscribed(pacs: &Pacs, ae_title: &str) -> String {
    let told = pacs.asks(Method::POST, &format!("/workitems/{ALL}/subscribers/{ae_title}")).await;
    told.expect(StatusCode::CREATED).header("content-location").to_owned()
}

/// The status with which a connection is refused.
async fn refused(request: http::Request<()>) -> u16 {
    match connect_async(request).await {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_subscriber_hears_what_happens_and_after_a_break_what_happened_meanwhile() {
    let pacs = Pacs::open().await;
    let url = subscribed(&pacs, "READER%201").await;
    assert!(url.starts_with("ws://") && url.ends_with("/subscribers/READER%201"), "{url}");
    let mut reader = Subscriber::at(&url).await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    assert_eq!(reader.hears().await, "1.2.1 1 SCHEDULED");
    pacs.sets("1.2.1", "IN PROGRESS", "2.25.1").await.expect(StatusCode::OK);
    assert_eq!(reader.hears().await, "1.2.1 1 IN PROGRESS");
    drop(reader);

    pacs.wants_work("1.2.2").await.expect(StatusCode::CREATED);
    pacs.sets("1.2.2", "IN PROGRESS", "2.25.2").await.expect(StatusCode::OK);
    let mut again = Subscriber::at(&url).await;
    assert_eq!(again.hears().await, "1.2.2 1 SCHEDULED");
    assert_eq!(again.hears().await, "1.2.2 1 IN PROGRESS");
    again.hears_nothing_for(2).await;
}

#[tokio::test]
async fn each_hears_what_it_asked_for_and_a_stranger_nothing() {
    let pacs = Pacs::open().await;
    let all = subscribed(&pacs, "ALL").await;
    pacs.wants_work("1.2.1").await.expect(StatusCode::CREATED);
    let mut nobody = Subscriber::at(&all.replace("/ALL", "/NOBODY")).await;
    nobody.hears_nothing_for(2).await;
    // What it says is of no interest, and too much of it is the end.
    nobody.0.send(Message::Text("hello".into())).await.unwrap();
    nobody.0.send(Message::Text("x".repeat(100_000).into())).await.ok();
    let end =
        timeout(Duration::from_secs(20), async { while nobody.0.next().await.is_some_and(|said| said.is_ok()) {} });
    end.await.expect("it stays open");
    assert_eq!(Subscriber::at(&all).await.hears().await, "1.2.1 1 SCHEDULED");
}

#[tokio::test]
async fn pages_of_other_origins_and_too_many_are_refused() {
    let pacs = Pacs::open().await;
    let url = subscribed(&pacs, "READER").await;
    let mut request = url.as_str().into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    assert_eq!(refused(request).await, 403);
    let client = json!({"authentication": "loopback", "aeTitles": ["READER"]});
    pacs.client_with("kiku", "pacs", client).await;
    let other = url.replace("/READER", "/OTHER");
    assert_eq!(refused(other.as_str().into_client_request().unwrap()).await, 403);
    let hospital = url.replace("/hospitals/kiku/", "/hospitals/nowhere/");
    assert_eq!(refused(hospital.as_str().into_client_request().unwrap()).await, 401);
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Subscriber::at(&url).await);
    }
    assert_eq!(refused(url.as_str().into_client_request().unwrap()).await, 503);
    drop(open);
    // A GET that is none of a WebSocket.
    pacs.asks(Method::GET, "/subscribers/READER").await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn listeners_do_not_keep_the_gateway_from_ending() {
    let pacs = Pacs::open().await;
    let url = subscribed(&pacs, "READER").await;
    let mut reader = Subscriber::at(&url).await;
    assert!(pacs.ends().await);
    let last = timeout(Duration::from_secs(10), reader.0.next()).await.expect("it is closed");
    assert!(matches!(last, Some(Ok(Message::Close(_))) | None), "{last:?}");
}
