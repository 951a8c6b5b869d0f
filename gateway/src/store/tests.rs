use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::*;
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

fn hospital(id: &str) -> HospitalId {
    id.parse().unwrap()
}

fn news2() -> ServiceName {
    "asagao.news2".parse().unwrap()
}

fn one() -> VersionNumber {
    "1.0.0".parse().unwrap()
}

async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir).await;
    (dir, store)
}

async fn open(dir: &TempDir) -> Store {
    Store::open(&dir.path().join("medvan.db")).await.unwrap()
}

/// An exchange of hospital `kiku` with nothing in it.
fn exchange() -> ExchangeRecord {
    ExchangeRecord {
        id: Uuid::now_v7(),
        hospital: hospital("kiku"),
        client: "ehr".parse().unwrap(),
        hook: "patient-view".to_owned(),
        offer: "van-patient-view".to_owned(),
        received_at: NOON,
        status: 200,
        duration_us: 1_234,
        explanation: json!({"services": []}),
        replay: None,
        cards: Vec::new(),
        usage: Vec::new(),
        marks: Vec::new(),
    }
}

fn use_of(key: u8, mode: &'static str) -> UsageRow {
    UsageRow { key: [key; 32], service: news2(), version: one(), mode }
}

fn card() -> IssuedCard {
    IssuedCard {
        id: Uuid::new_v4(),
        service: news2(),
        version: one(),
        cds_id: "news2-patient-view".to_owned(),
        vendor_id: Some("card-1".to_owned()),
        suggestions: vec![IssuedSuggestion { id: Uuid::new_v4(), vendor_id: None }],
    }
}

async fn count(store: &Store, table: &'static str) -> i64 {
    use sqlx::Row as _;
    let query = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
    query.fetch_one(store.readers()).await.unwrap().get(0)
}

#[tokio::test]
async fn a_recorded_exchange_is_read_again_after_the_store_was_opened_anew() {
    let (dir, store) = store().await;
    let record = exchange();
    store.record(record.clone()).await.unwrap();
    store.close().await;

    let found = open(&dir).await.exchange(&record.hospital, record.id).await.unwrap().unwrap();
    assert_eq!((found.id, found.status, found.duration_us), (record.id, 200, 1_234));
    assert_eq!((found.received_at, found.explanation), (NOON, record.explanation));
}

#[tokio::test]
async fn another_hospital_finds_neither_the_exchange_nor_its_cards() {
    let (_dir, store) = store().await;
    let card = card();
    let record = ExchangeRecord { cards: vec![card.clone()], ..exchange() };
    store.record(record.clone()).await.unwrap();

    let other = hospital("ran");
    assert!(store.exchange(&other, record.id).await.unwrap().is_none());
    assert!(store.exchanges(&other, None, 10).await.unwrap().is_empty());
    assert!(store.issued_cards(&other, &[card.id]).await.unwrap().is_empty());
    let found = store.issued_cards(&record.hospital, &[Uuid::new_v4(), card.id]).await.unwrap();
    assert_eq!(found, [CardOrigin { exchange: record.id, offer: record.offer, card }]);
}

#[tokio::test]
async fn a_page_of_exchanges_goes_on_where_the_last_one_ended() {
    let (_dir, store) = store().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let record = exchange();
        ids.insert(0, record.id);
        store.record(record).await.unwrap();
    }
    let kiku = hospital("kiku");
    let first: Vec<_> = store.exchanges(&kiku, None, 3).await.unwrap().iter().map(|found| found.id).collect();
    let rest: Vec<_> = store.exchanges(&kiku, Some(first[2]), 3).await.unwrap().iter().map(|found| found.id).collect();
    assert_eq!([first, rest].concat(), ids);
}

#[tokio::test]
async fn tokens_are_remembered_over_a_restart_until_they_expire() {
    let (dir, store) = store().await;
    let token = |jti: &str, expires_at| Replay {
        hospital: hospital("kiku"),
        issuer: "https://ehr.example".to_owned(),
        jti: jti.to_owned(),
        expires_at,
    };
    let live = token("live", NOON + Duration::minutes(5));
    for replay in [live.clone(), token("over", NOON)] {
        store.record(ExchangeRecord { replay: Some(replay), ..exchange() }).await.unwrap();
    }
    store.close().await;
    assert_eq!(open(&dir).await.replays(NOON).await.unwrap(), [live]);
}

#[tokio::test]
async fn a_retried_call_is_counted_once_and_a_later_one_again() {
    let (_dir, store) = store().await;
    let at = |received_at| ExchangeRecord { received_at, usage: vec![use_of(1, "live")], ..exchange() };
    for (minutes, expected) in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2)] {
        store.record(at(NOON + Duration::minutes(minutes))).await.unwrap();
        assert_eq!(count(&store, "usage").await, expected, "after {minutes} minutes");
    }
    assert_eq!(count(&store, "exchanges").await, 5);
}

#[tokio::test]
async fn retries_that_share_a_batch_are_counted_once() {
    let (_dir, store) = store().await;
    let calls =
        (0..40).map(|call| store.record(ExchangeRecord { usage: vec![use_of(call % 4, "live")], ..exchange() }));
    assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!((count(&store, "usage").await, count(&store, "exchanges").await), (4, 40));
}

#[tokio::test]
async fn a_record_that_cannot_be_written_fails_alone() {
    let (_dir, store) = store().await;
    let twice = exchange();
    store.record(twice.clone()).await.unwrap();
    let mut batch: Vec<_> = (0..20).map(|_| exchange()).collect();
    batch.insert(7, twice);
    let outcomes = futures_util::future::join_all(batch.into_iter().map(|record| store.record(record))).await;
    let failed: Vec<_> = (0..21).filter(|index| outcomes[*index].is_err()).collect();
    assert_eq!(failed, [7]);
    assert_eq!(count(&store, "exchanges").await, 21);
}

#[tokio::test]
async fn what_was_handed_in_before_closing_is_written_and_what_comes_later_is_refused() {
    let (dir, store) = store().await;
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let store = store.clone();
            let tasks = crate::tasks::Tasks::default();
            tasks.spawn("caller", async move { store.record(exchange()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut written = 0;
    for caller in waiting {
        written += i64::from(caller.await.unwrap().is_ok());
    }
    assert!(matches!(store.record(exchange()).await, Err(StoreError::Closed)));
    assert_eq!(count(&open(&dir).await, "exchanges").await, written);
}

fn ask(exchange: Uuid, key: u8, now: OffsetDateTime) -> TrialAsk {
    TrialAsk { exchange, hospital: hospital("kiku"), service: news2(), key: [key; 32], quota: 50, now }
}

#[tokio::test]
async fn two_hundred_parallel_calls_never_exceed_the_quota_of_a_trial() {
    let (_dir, store) = store().await;
    let calls = (0..200).map(|key| {
        let store = store.clone();
        async move {
            let record = ExchangeRecord { usage: vec![use_of(key, "trial")], ..exchange() };
            let admitted = store.admit_trial(ask(record.id, key, NOON)).await.unwrap();
            if admitted {
                store.record(record).await.unwrap();
            }
            admitted
        }
    });
    let admitted = futures_util::future::join_all(calls).await;
    assert_eq!(admitted.iter().filter(|admitted| **admitted).count(), 50);
    assert_eq!((count(&store, "usage").await, count(&store, "trial_holds").await), (50, 0));
}

#[tokio::test]
async fn a_retry_within_a_trial_needs_no_second_place_and_a_failed_use_gives_its_place_back() {
    let (_dir, store) = store().await;
    let one_place = |exchange, key, now| TrialAsk { quota: 1, ..ask(exchange, key, now) };
    let failed = exchange();
    assert!(store.admit_trial(one_place(failed.id, 1, NOON)).await.unwrap());
    assert!(!store.admit_trial(one_place(Uuid::now_v7(), 2, NOON)).await.unwrap(), "the place is promised");
    store.record(failed).await.unwrap();

    let used = ExchangeRecord { usage: vec![use_of(3, "trial")], ..exchange() };
    assert!(store.admit_trial(one_place(used.id, 3, NOON)).await.unwrap(), "the failed use gave it back");
    store.record(used).await.unwrap();
    assert!(store.admit_trial(one_place(Uuid::now_v7(), 3, NOON)).await.unwrap(), "a retry");
    assert!(!store.admit_trial(one_place(Uuid::now_v7(), 4, NOON)).await.unwrap(), "used up");
}

#[tokio::test]
async fn a_place_that_a_dead_process_promised_is_free_after_the_window() {
    let (_dir, store) = store().await;
    let one_place = |now| TrialAsk { quota: 1, ..ask(Uuid::now_v7(), 1, now) };
    assert!(store.admit_trial(one_place(NOON)).await.unwrap());
    assert!(!store.admit_trial(one_place(NOON + Duration::minutes(9))).await.unwrap());
    assert!(store.admit_trial(one_place(NOON + Duration::minutes(11))).await.unwrap());
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let (dir, store) = store().await;
    sqlx::query("INSERT INTO schema_steps (step) VALUES (99)").execute(&store.0.writer).await.unwrap();
    store.close().await;
    let refused = Store::open(&dir.path().join("medvan.db")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Schema(_)));
}

/// Not a test of the product but its measure: `cargo test -p medvan --release -- --ignored records_per_second --nocapture`.
#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_per_second() {
    let (_dir, store) = store().await;
    for (callers, fan_out) in [(1_u32, 1), (64, 1), (64, 5), (512, 5)] {
        let started = Instant::now();
        let rounds = 8_192 / callers.max(8);
        let calls = (0..callers).map(|_| {
            let store = store.clone();
            let tasks = crate::tasks::Tasks::default();
            tasks.spawn("caller", async move {
                for _ in 0..rounds {
                    store.record(typical(fan_out)).await.unwrap();
                }
            })
        });
        futures_util::future::join_all(calls).await;
        let rate = f64::from(callers * rounds) / started.elapsed().as_secs_f64();
        println!("{callers} callers, fan-out {fan_out}: {rate:.0} exchanges/s");
    }
}

fn typical(fan_out: u32) -> ExchangeRecord {
    let id = Uuid::now_v7();
    let uses = (0..fan_out).map(|index| {
        let mut key = [0; 32];
        key[..16].copy_from_slice(id.as_bytes());
        let service = ServiceName::new("asagao".parse().unwrap(), format!("service-{index}").parse().unwrap());
        UsageRow { key, service, version: one(), mode: "live" }
    });
    ExchangeRecord {
        id,
        explanation: json!({"services": (0..fan_out).map(|_| json!({"service": "asagao.news2", "version": "1.0.0",
            "sent": {"patient": "resource", "vitals": "fetched"}, "ms": 12, "repairs": [], "status": "answered"})).collect::<Vec<_>>()}),
        replay: Some(Replay {
            hospital: hospital("kiku"),
            issuer: "https://ehr.example".to_owned(),
            jti: id.to_string(),
            expires_at: NOON,
        }),
        cards: (0..fan_out).map(|_| card()).collect(),
        usage: uses.collect(),
        marks: vec![Mark { service: news2(), version: one(), kind: "answered", rule: String::new(), times: 1 }],
        ..exchange()
    }
}
