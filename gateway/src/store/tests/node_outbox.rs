use medvan_imaging::{
    AeTitle, Uid,
    dimse::{CommitmentReport, Reference},
};
use time::Duration;

use super::*;
use crate::store::catalog::Page;

fn title(text: &str) -> AeTitle {
    AeTitle::parse(text).unwrap()
}

fn uids(many: usize) -> Vec<Uid> {
    (1..=many).map(|number| Uid::parse(&format!("1.2.{number}")).unwrap()).collect()
}

fn names(batch: &NodeBatch) -> Vec<String> {
    let name = |row: &ForNode| match &row.what {
        ToNode::Instance(uid) => uid.to_string(),
        ToNode::Report(report) => format!("report {}", report.transaction),
    };
    batch.rows.iter().map(name).collect()
}

const LEASE: Duration = Duration::minutes(2);

async fn claim(store: &Store, now: OffsetDateTime, each: u32) -> Vec<NodeBatch> {
    store.claim_for_nodes(now, now + LEASE, 8, each).await.unwrap()
}

#[tokio::test]
async fn a_node_gets_one_batch_at_a_time_and_others_theirs_meanwhile() {
    let (_dir, store) = store().await;
    for node in ["PACS", "VIEWER"] {
        store.send_to_node(&hospital("kiku"), &title(node), &uids(3), NOON).await.unwrap();
    }
    let batches = claim(&store, NOON, 2).await;
    let mut of: Vec<(String, Vec<String>)> = batches.iter().map(|of| (of.node.to_string(), names(of))).collect();
    of.sort();
    let first_two = vec!["1.2.1".to_owned(), "1.2.2".to_owned()];
    assert_eq!(of, [("PACS".to_owned(), first_two.clone()), ("VIEWER".to_owned(), first_two)]);
    assert!(claim(&store, NOON, 2).await.is_empty(), "both are being sent to");

    for row in &batches.iter().find(|of| of.node == title("PACS")).unwrap().rows {
        store.reached_node(row.id).await.unwrap();
    }
    let batches = claim(&store, NOON, 2).await;
    assert_eq!(batches.len(), 1);
    assert_eq!((batches[0].node.as_str(), names(&batches[0])), ("PACS", vec!["1.2.3".to_owned()]));
}

#[tokio::test]
async fn what_a_dead_process_held_comes_again_and_what_is_renewed_does_not() {
    let (dir, store) = store().await;
    store.send_to_node(&hospital("kiku"), &title("PACS"), &uids(2), NOON).await.unwrap();
    let held = claim(&store, NOON, 9).await;
    let ids: Vec<Uuid> = held[0].rows.iter().map(|row| row.id).collect();
    store.hold_for_node(&ids, NOON + LEASE * 2).await.unwrap();
    store.close().await;
    let store = open(&dir).await;
    assert!(claim(&store, NOON + LEASE, 9).await.is_empty(), "the lease was renewed");
    let again = claim(&store, NOON + LEASE * 2, 9).await;
    assert_eq!(names(&again[0]), ["1.2.1", "1.2.2"]);
    assert_eq!(again[0].rows[0].attempt, 2);
    assert_eq!(again[0].rows[0].put_at, NOON);
}

#[tokio::test]
async fn what_failed_waits_for_its_time_and_what_was_given_up_is_kept_with_its_reason() {
    let (_dir, store) = store().await;
    store.send_to_node(&hospital("kiku"), &title("PACS"), &uids(2), NOON).await.unwrap();
    let held = claim(&store, NOON, 9).await;
    let rows = &held[0].rows;
    store.try_node_later(rows[0].id, NOON + Duration::minutes(1), "0xA700").await.unwrap();
    store.give_up_on_node(rows[1].id, "0xA900: no Patient ID").await.unwrap();
    assert!(claim(&store, NOON, 9).await.is_empty());
    assert_eq!(names(&claim(&store, NOON + Duration::minutes(1), 9).await[0]), ["1.2.1"]);
    assert_eq!(store.node_outbox_depth().await.unwrap(), (1, 1));
    let page = Page { after: "", limit: 10 };
    let dead = store.given_up_on_nodes(&hospital("kiku"), page).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].what.clone(), dead[0].fault.as_str()), (rows[1].what.clone(), "0xA900: no Patient ID"));
    assert!(store.given_up_on_nodes(&hospital("ume"), page).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_given_up_is_forgotten_in_time_and_what_waits_is_not() {
    let (_dir, store) = store().await;
    store.send_to_node(&hospital("kiku"), &title("PACS"), &uids(2), NOON).await.unwrap();
    let held = claim(&store, NOON, 1).await;
    store.give_up_on_node(held[0].rows[0].id, "no").await.unwrap();
    let kept = Retention { feedback: Some(Duration::days(30)), ..Retention::default() };
    store.purge(NOON - Duration::days(30), kept).await.unwrap();
    assert_eq!(store.node_outbox_depth().await.unwrap(), (1, 1));
    // Ids are of the machine's own time.
    store.purge(NOON + Duration::days(36_500), kept).await.unwrap();
    assert_eq!(store.node_outbox_depth().await.unwrap(), (1, 0));
}

#[tokio::test]
async fn a_report_that_is_held_lets_instances_go_and_comes_when_it_is_given_back() {
    let (_dir, store) = store().await;
    let reference = Reference { class: uids(1)[0].clone(), instance: uids(2)[1].clone() };
    let report = CommitmentReport {
        transaction: Uid::parse("1.9").unwrap(),
        retrieve: title("MEDVAN"),
        committed: vec![reference.clone()],
        failed: vec![(reference, 0x0112)],
    };
    let (kiku, pacs) = (hospital("kiku"), title("PACS"));
    let id = store.owe_report(&kiku, &pacs, &report, NOON, NOON + LEASE).await.unwrap();
    assert!(claim(&store, NOON, 9).await.is_empty());
    store.send_to_node(&kiku, &pacs, &uids(1), NOON).await.unwrap();
    let batches = claim(&store, NOON, 9).await;
    assert_eq!(names(&batches[0]), ["1.2.1"]);
    store.reached_node(batches[0].rows[0].id).await.unwrap();
    store.try_node_later(id, NOON, "").await.unwrap();
    let batches = claim(&store, NOON, 9).await;
    assert_eq!(batches[0].rows[0].what, ToNode::Report(Box::new(report)));
}
