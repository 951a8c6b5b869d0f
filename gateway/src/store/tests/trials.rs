use futures_util::future::join_all;
use time::Duration;

use super::*;

fn ask(exchange: Uuid, key: u8, now: OffsetDateTime) -> TrialAsk {
    TrialAsk { exchange, hospital: hospital("kiku"), service: news2(), key: [key; 32], quota: 50, now, held_from: now }
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
    let admitted = join_all(calls).await;
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
async fn the_same_call_asked_again_needs_no_second_place() {
    let (_dir, store) = store().await;
    let id = Uuid::now_v7();
    let one_place = |exchange, minutes| TrialAsk { quota: 1, ..ask(exchange, 1, NOON + Duration::minutes(minutes)) };
    assert!(store.admit_trial(one_place(id, 0)).await.unwrap());
    assert!(store.admit_trial(one_place(id, 8)).await.unwrap(), "the service failed, and the job is tried again");
    assert!(!store.admit_trial(one_place(Uuid::now_v7(), 16)).await.unwrap(), "the place is held since the second try");
}
