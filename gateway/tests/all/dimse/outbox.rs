//! What is sent to nodes without their asking.

use http_body_util::BodyExt as _;
use medvan::dimse::{CallFault, echo};
use medvan_imaging::dimse::Operation;
use tower::ServiceExt as _;

use super::{peer::Scp, *};

pub(super) async fn depth(gateway: &Gateway) -> (u64, u64) {
    gateway.app.store.node_outbox_depth().await.unwrap()
}

pub(super) async fn send(gateway: &Gateway, study: &ChestCt) {
    let uids: Vec<Uid> = (1..=study.slices).map(|slice| study.instance_uid(slice)).collect();
    medvan::dimse::send(&gateway.app, &kiku(), &title("PACS"), &uids).await.unwrap();
}

fn instances(heard: &[peer::Asked]) -> Vec<Uid> {
    let instance = |asked: &peer::Asked| match &asked.request.operation {
        Operation::Store { instance, originator: None, .. } => instance.clone(),
        other => panic!("{other:?}"),
    };
    heard.iter().map(instance).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_reaches_its_node_over_one_association() {
    let pacs = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 3);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    let mut arrived = instances(&heard);
    arrived.sort();
    let mut expect: Vec<Uid> = (1..=3).map(|slice| study.instance_uid(slice)).collect();
    expect.sort();
    assert_eq!(arrived, expect);
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_in_twice_goes_once_and_keeps_nothing_from_the_node() {
    let pacs = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    let (first, second) = (study.instance_uid(1), study.instance_uid(2));
    let twice = [first.clone(), second.clone(), first.clone()];
    medvan::dimse::send(&gateway.app, &kiku(), &title("PACS"), &twice).await.unwrap();
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    let mut arrived = instances(&heard);
    arrived.sort();
    assert_eq!(arrived, [first, second]);
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_full_gets_it_again_and_one_that_refuses_has_the_last_word() {
    // One is put off once; one is refused for good.
    let pacs = Scp::listening(2, &[CT], EXPLICIT, vec![0xA700, 0xA900]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    assert_eq!(heard.len(), 3);
    soon("the end of it", async || depth(&gateway).await == (0, 1)).await;
    let page = medvan::store::Page { after: "", limit: 10 };
    let dead = gateway.app.store.given_up_on_nodes(&kiku(), page).await.unwrap();
    assert_eq!(dead[0].fault, "0xA900 (data set does not match SOP class): said the PACS");
    assert_eq!(dead[0].node, title("PACS"));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_gets_it_when_it_is_back() {
    // The port is known, but nobody answers there yet.
    let port = {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        taken.local_addr().unwrap().port()
    };
    let gateway = Gateway::with_pacs(port).await;
    let study = small(1, 1);
    gateway.holds(study.clone()).await;
    send(&gateway, &study).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(depth(&gateway).await, (1, 0));
    let pacs = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    gateway.put("kiku", "KIKU", &nodes(pacs.port)).await;
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    assert_eq!(instances(&heard), [study.instance_uid(1)]);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_whether_it_is_there() {
    let pacs = Scp::listening(1, &[VERIFICATION], IMPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let ask = async |node: &str| {
        let catalog = gateway.app.catalog.current();
        let imaging = catalog.hospital(&kiku()).unwrap().hospital.imaging.clone().unwrap();
        echo(&gateway.app.dimse, &imaging.ae_title, imaging.node(&title(node)).unwrap()).await
    };
    ask("PACS").await.unwrap();
    assert!(matches!(ask("CT1").await, Err(CallFault::NoPort)));
    let far = json!([{"aeTitle": "FAR", "host": "10.1.2.3", "port": 104}]);
    gateway.put("kiku", "KIKU", &far).await;
    assert!(matches!(ask("FAR").await, Err(CallFault::NotAllowed)), "the operator did not name it");
    tokio::task::spawn_blocking(move || assert_eq!(pacs.heard().len(), 1)).await.unwrap();
    gateway.close().await;
}

/// What the hospital's own people ask the management API.
pub(super) async fn asks(gateway: &Gateway, method: &str, path: &str, body: Value) -> (u16, Value) {
    let secret = std::fs::read_to_string(gateway.app.config.data.join("operator.credential")).unwrap();
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/api/v1/hospitals/kiku{path}"))
        .header("authorization", format!("Bearer {}", secret.trim()))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(if body.is_null() { String::new() } else { body.to_string() }))
        .unwrap();
    let answer = medvan::router::router(&gateway.app).oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_asks_a_node_sends_it_a_study_and_mends_what_it_refused() {
    // The one who is asked, one refusal for good, then the same again.
    let pacs = Scp::listening(3, &[VERIFICATION, CT], EXPLICIT, vec![0, 0xA900, 0]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 1);
    gateway.holds(study.clone()).await;
    assert_eq!(asks(&gateway, "POST", "/nodes/PACS/echo", Value::Null).await, (200, json!({"answered": true})));
    let (status, answer) = asks(&gateway, "POST", "/nodes/CT1/echo", Value::Null).await;
    let no_port = json!({"answered": false, "reason": "the node has no port to be called on"});
    assert_eq!((status, answer), (200, no_port));
    let order = json!({"study": study.study_uid().to_string(), "series": study.series_uid().to_string()});
    assert_eq!(asks(&gateway, "POST", "/nodes/PACS/send", order).await, (202, json!({"instances": 1})));
    soon("the refusal", async || depth(&gateway).await == (0, 1)).await;
    let (_, page) = asks(&gateway, "GET", "/outbox", Value::Null).await;
    let entry = &page["items"][0];
    assert_eq!(entry["instance"], study.instance_uid(1).to_string());
    assert_eq!(entry["reason"], "0xA900 (data set does not match SOP class): said the PACS");
    let again = format!("/outbox/{}/retry", entry["id"].as_str().unwrap());
    assert_eq!(asks(&gateway, "POST", &again, Value::Null).await.0, 202);
    soon("the end of it", async || depth(&gateway).await == (0, 0)).await;
    assert_eq!(asks(&gateway, "POST", &again, Value::Null).await.0, 404);
    for (path, body, status) in [
        ("/nodes/NOBODY/echo", Value::Null, 404),
        ("/nodes/NOBODY/send", json!({"study": "1.2"}), 404),
        ("/nodes/PACS/send", json!({"study": "1.2.3"}), 404),
        ("/nodes/PACS/send", json!({"study": "a"}), 400),
        ("/nodes/PACS/send", json!({"study": "1.2", "instance": "1.2.3"}), 400),
    ] {
        assert_eq!(asks(&gateway, "POST", path, body).await.0, status, "{path}");
    }
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    assert_eq!(heard.len(), 3);
    gateway.close().await;
}
