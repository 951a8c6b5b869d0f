use time::Duration;

use super::*;
use crate::{
    catalog::{Move, Vendor},
    trust::{Algorithm, Recipient},
};

fn asagao(algorithm: Algorithm) -> Recipient {
    Recipient { audience: "asagao-news2".to_owned(), algorithm }
}

async fn moves(store: &Store, name: &ServiceName, moves: &[Move]) {
    for wanted in moves {
        let wish = Wish { name, number: &one(), wanted: *wanted, actor: "governor", reason: "a test", now: NOON };
        assert!(matches!(store.move_version(wish).await.unwrap(), Moved::To(_)));
    }
}

/// A store with the approved services of two vendors.
async fn serving() -> (TempDir, Store) {
    let (dir, store) = store().await;
    for name in [news2(), "botan.renal".parse().unwrap()] {
        let vendor = json!({"id": name.vendor, "name": {"ja": "作り手", "en": "Maker"},
            "contact": {"name": "窓口", "email": "support@maker.example"}});
        store.put_vendor(&serde_json::from_value::<Vendor>(vendor).unwrap()).await.unwrap();
        store.register(&name, &one(), &json!({}), &[], NOON).await.unwrap();
        moves(&store, &name, &[Move::Submit, Move::Approve]).await;
    }
    (dir, store)
}

fn outcome(card: Uuid, outcome: &str) -> FeedbackRow {
    FeedbackRow {
        analysis: None,
        exchange: Uuid::now_v7(),
        card,
        service: news2(),
        version: one(),
        cds_id: "news2-patient-view".to_owned(),
        outcome: outcome.to_owned(),
        document: json!({"card": "card-1", "outcome": outcome}).to_string(),
        received_at: NOON,
        delivery: Some(Delivery {
            url: "https://ai.example/cds-services/news2-patient-view/feedback".to_owned(),
            token: Some(asagao(Algorithm::Es384)),
            body: "{}".to_owned(),
        }),
    }
}

async fn claim(store: &Store, now: OffsetDateTime) -> Vec<Claimed> {
    store.claim_outbox(now, Duration::seconds(60), 10, 40).await.unwrap()
}

/// Vendors of what is claimed when each may have four under lease.
async fn claim_fairly(store: &Store) -> Vec<String> {
    let claimed = store.claim_outbox(NOON, Duration::seconds(60), 32, 4).await.unwrap();
    let mut vendors: Vec<_> = claimed.iter().map(|claimed| claimed.service.vendor.to_string()).collect();
    vendors.sort_unstable();
    vendors
}

/// A store with one outcome to deliver.
async fn waiting() -> (TempDir, Store, Uuid) {
    let (dir, store) = serving().await;
    store.feedback(&hospital("kiku"), &[outcome(Uuid::new_v4(), "accepted")]).await.unwrap();
    let id = claim(&store, NOON).await[0].id;
    (dir, store, id)
}

#[tokio::test]
async fn the_same_outcome_again_is_kept_and_delivered_once() {
    let (_dir, store) = serving().await;
    let (kiku, card) = (hospital("kiku"), Uuid::new_v4());
    let first = [outcome(card, "overridden"), outcome(Uuid::new_v4(), "overridden")];
    assert_eq!(store.feedback(&kiku, &first).await.unwrap(), 2);
    assert_eq!(store.feedback(&kiku, &first).await.unwrap(), 0);
    assert_eq!(store.feedback(&kiku, &[outcome(card, "accepted")]).await.unwrap(), 1, "the doctor changed their mind");
    assert_eq!(claim(&store, NOON).await.len(), 3);
}

#[tokio::test]
async fn a_vendor_without_an_endpoint_still_reads_its_outcomes() {
    let (_dir, store) = serving().await;
    let row = FeedbackRow { delivery: None, ..outcome(Uuid::new_v4(), "accepted") };
    store.feedback(&hospital("kiku"), &[row]).await.unwrap();
    assert!(claim(&store, NOON).await.is_empty());
    let page = Page { after: "", limit: 10 };
    let kept = store.feedback_of(&news2().vendor, page).await.unwrap();
    assert_eq!((kept.len(), kept[0].delivered_at), (1, None));
}

#[tokio::test]
async fn a_delivery_is_held_by_one_process_until_its_lease_ends() {
    let (_dir, store, id) = waiting().await;
    assert!(claim(&store, NOON + Duration::seconds(59)).await.is_empty());
    let again = claim(&store, NOON + Duration::seconds(60)).await;
    assert_eq!((again[0].id, again[0].attempt), (id, 2), "its process died: somebody else delivers");
}

#[tokio::test]
async fn a_delivered_outcome_is_never_delivered_again() {
    let (_dir, store, id) = waiting().await;
    store.delivered(id, NOON).await.unwrap();
    assert!(claim(&store, NOON + Duration::days(1)).await.is_empty());
    let page = Page { after: "", limit: 10 };
    assert_eq!(store.feedback_of(&news2().vendor, page).await.unwrap()[0].delivered_at, Some(NOON));
    assert_eq!(store.outbox_depth().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn a_failed_delivery_comes_again_when_its_pause_is_over() {
    let (_dir, store, id) = waiting().await;
    store.deliver_later(id, NOON + Duration::seconds(5), "status 503").await.unwrap();
    assert!(claim(&store, NOON + Duration::seconds(4)).await.is_empty());
    assert_eq!(claim(&store, NOON + Duration::seconds(5)).await[0].attempt, 2);
}

#[tokio::test]
async fn a_dead_delivery_is_kept_and_not_tried_again() {
    let (_dir, store, id) = waiting().await;
    store.undeliverable(id, "status 400").await.unwrap();
    assert!(claim(&store, NOON + Duration::days(1)).await.is_empty());
    assert_eq!(store.outbox_depth().await.unwrap(), (0, 1));
}

#[tokio::test]
async fn two_processes_never_claim_the_same_delivery() {
    let (_dir, store) = serving().await;
    let rows: Vec<_> = (0..40).map(|_| outcome(Uuid::new_v4(), "accepted")).collect();
    store.feedback(&hospital("kiku"), &rows).await.unwrap();
    let claims = futures_util::future::join_all((0..8).map(|_| claim(&store, NOON))).await;
    let mut ids: Vec<_> = claims.into_iter().flatten().map(|claimed| claimed.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn a_vendor_that_hangs_leaves_the_others_their_places() {
    let (_dir, store) = serving().await;
    let hanging: Vec<_> = (0..40).map(|_| outcome(Uuid::new_v4(), "accepted")).collect();
    store.feedback(&hospital("kiku"), &hanging).await.unwrap();
    assert_eq!(claim_fairly(&store).await, ["asagao"; 4]);
    assert!(claim_fairly(&store).await.is_empty(), "what is under lease counts");
    let other = FeedbackRow {
        service: "botan.renal".parse().unwrap(),
        received_at: NOON - Duration::seconds(1),
        ..outcome(Uuid::new_v4(), "accepted")
    };
    store.feedback(&hospital("kiku"), &[other]).await.unwrap();
    assert_eq!(claim_fairly(&store).await, ["botan"]);
}

#[tokio::test]
async fn an_unreadable_delivery_is_set_aside_and_its_neighbours_go_out() {
    let (_dir, store) = serving().await;
    let rows: Vec<_> = (0..3).map(|_| outcome(Uuid::new_v4(), "accepted")).collect();
    store.feedback(&hospital("kiku"), &rows).await.unwrap();
    let mut db = store.write().await.unwrap();
    let spoil = "UPDATE outbox SET hospital = '-' WHERE id = (SELECT min(id) FROM outbox)";
    sqlx::query(spoil).execute(&mut *db).await.unwrap();
    db.commit().await.unwrap();
    assert_eq!(claim(&store, NOON).await.len(), 2);
    assert_eq!(store.outbox_depth().await.unwrap(), (2, 1));
}

#[tokio::test]
async fn a_delivery_remembers_which_token_goes_with_it() {
    let (_dir, store) = serving().await;
    for token in [Some(asagao(Algorithm::Es384)), Some(asagao(Algorithm::Rs384)), None] {
        let mut row = outcome(Uuid::new_v4(), "accepted");
        row.delivery.as_mut().unwrap().token.clone_from(&token);
        store.feedback(&hospital("kiku"), &[row]).await.unwrap();
        assert_eq!(claim(&store, NOON).await[0].delivery.token, token);
    }
}

#[tokio::test]
async fn what_is_for_a_suspended_version_waits_until_it_is_approved_again() {
    let (_dir, store) = serving().await;
    moves(&store, &news2(), &[Move::Suspend]).await;
    store.feedback(&hospital("kiku"), &[outcome(Uuid::new_v4(), "accepted")]).await.unwrap();
    assert!(claim(&store, NOON).await.is_empty());
    moves(&store, &news2(), &[Move::Reinstate]).await;
    assert_eq!(claim(&store, NOON).await.len(), 1);
}

#[tokio::test]
async fn what_is_for_a_withdrawn_version_is_set_aside() {
    let (_dir, store) = serving().await;
    store.feedback(&hospital("kiku"), &[outcome(Uuid::new_v4(), "accepted")]).await.unwrap();
    moves(&store, &news2(), &[Move::Withdraw]).await;
    assert!(claim(&store, NOON).await.is_empty());
    assert_eq!(store.outbox_depth().await.unwrap(), (0, 1));
}

#[tokio::test]
async fn acceptance_is_a_share_once_there_is_enough_feedback() {
    let (_dir, store) = store().await;
    let kiku = hospital("kiku");
    let rows = |count, word| (0..count).map(move |_| outcome(Uuid::new_v4(), word)).collect::<Vec<_>>();
    store.feedback(&kiku, &rows(15, "accepted")).await.unwrap();
    store.feedback(&hospital("ran"), &rows(15, "overridden")).await.unwrap();
    assert!(store.acceptance().await.unwrap().is_empty());
    store.feedback(&kiku, &rows(5, "overridden")).await.unwrap();
    let acceptance = store.acceptance().await.unwrap();
    assert_eq!(acceptance.into_iter().collect::<Vec<_>>(), [((kiku, news2()), 0.75)]);
}
