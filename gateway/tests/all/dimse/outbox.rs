//! What is sent to nodes without their asking.

use medvan::dimse::{CallFault, echo};
use medvan_imaging::dimse::Operation;

use super::{peer::Scp, *};

async fn depth(gateway: &Gateway) -> (u64, u64) {
    gateway.app.store.node_outbox_depth().await.unwrap()
}

async fn send(gateway: &Gateway, study: &ChestCt) {
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
        echo(&gateway.app, &imaging.ae_title, imaging.node(&title(node)).unwrap()).await
    };
    ask("PACS").await.unwrap();
    assert!(matches!(ask("CT1").await, Err(CallFault::NoPort)));
    let far = json!([{"aeTitle": "FAR", "host": "10.1.2.3", "port": 104}]);
    gateway.put("kiku", "KIKU", &far).await;
    assert!(matches!(ask("FAR").await, Err(CallFault::NotAllowed)), "the operator did not name it");
    tokio::task::spawn_blocking(move || assert_eq!(pacs.heard().len(), 1)).await.unwrap();
    gateway.close().await;
}
