use medvan_imaging::AeTitle;
use time::Duration;

use super::{
    jobs::{claims, indexed, put, work},
    *,
};

#[tokio::test]
async fn what_a_dead_process_held_is_there_at_once_for_the_one_after_it() {
    let (_dir, store) = store().await;
    let (kiku, long, pacs) = (hospital("kiku"), NOON + Duration::hours(1), AeTitle::parse("PACS").unwrap());
    let new = work("kiku", 1);
    put(&store, &new).await;
    indexed(&store, "kiku", 1, "P1").await;
    store.look_again(&kiku, &new.job.study, NOON - Duration::minutes(1)).await.unwrap();
    store.send_to_node(&kiku, &pacs, &["1.2.3".parse().unwrap()], NOON).await.unwrap();
    let taken = async || {
        let jobs = claims(&store, NOON, 9).await.len();
        let intakes = store.claim_intakes(NOON, long, 9).await.unwrap().len();
        let batches = store.claim_for_nodes(NOON, long, 9, 9).await.unwrap().len();
        (jobs, intakes, batches)
    };
    assert_eq!(taken().await, (1, 1, 1));
    assert_eq!(taken().await, (0, 0, 0), "all is held");
    store.end_leases(NOON).await.unwrap();
    assert_eq!(taken().await, (1, 1, 1));
    let job = store.job(&kiku, new.job.id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts, job.deaths), (JobState::Running, 1, 1), "what ended a try is counted");
}

#[tokio::test]
async fn work_that_waits_for_its_time_or_for_somebody_at_the_vendor_is_left_alone() {
    let (_dir, store) = store().await;
    let later = NOON + Duration::minutes(5);
    put(&store, &work("kiku", 1)).await;
    let refused = claims(&store, NOON, 1).await.remove(0);
    store.settle_job(&refused, JobState::Waiting, later, Some("it was away"), NOON).await.unwrap();
    store.end_leases(NOON).await.unwrap();
    assert!(claims(&store, NOON, 1).await.is_empty(), "it pauses between its tries");
    let again = claims(&store, later, 1).await.remove(0);
    store.offer_job(&again, later + Duration::hours(1), later).await.unwrap();
    store.end_leases(later).await.unwrap();
    let due_at = store.job(&again.hospital, again.id).await.unwrap().unwrap().due_at;
    assert!(due_at >= later, "nobody takes it from its worklist");
}
