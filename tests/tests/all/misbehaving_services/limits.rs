//! How long a service is waited for, how much it may say, how often it may fail.

use serde_json::json;

use super::{HOOK, Stage, WHOLE_MS, note, with_time};

/// A breaker opens after repeated failures: then the service is left alone, and the others are not.
#[tokio::test]
async fn a_service_that_keeps_failing_is_left_alone() {
    let stage = Stage::set().await;
    stage.brings("status-500").await;
    for _ in 0..10 {
        stage.asks_well("status-500").await;
    }
    let asked = stage.storm.calls();
    assert_eq!(asked, 10);
    let (_, explanation) = stage.asks_well("status-500").await;
    assert_eq!(note(&explanation, "status-500")["status"], "resting");
    assert_eq!(stage.storm.calls(), asked, "it is not asked while it rests");
}

/// 412 says "I lack data": however often it comes, the service is asked again.
#[tokio::test]
async fn a_412_is_no_failure() {
    let stage = Stage::set().await;
    stage.brings("not-evaluable").await;
    for _ in 0..15 {
        let (_, explanation) = stage.asks_well("not-evaluable").await;
        assert_eq!(note(&explanation, "not-evaluable")["status"], "not-evaluable");
    }
    assert_eq!(stage.storm.calls(), 15);
}

/// An answer that comes too late reaches no doctor; the record tells of it.
#[tokio::test]
async fn a_late_answer_is_recorded_and_never_shown() {
    let stage = Stage::set().await;
    stage.brings("slow-1200").await;
    let (answer, explanation) = stage.asks_well("slow-1200").await;
    assert_eq!(note(&explanation, "slow-1200")["status"], "timed-out");
    assert_eq!(answer.cards.len(), 1, "{}", answer.text);
    let addendum = stage.world.waits_for_addendum(&answer).await;
    assert_eq!(addendum["kind"], "late", "{addendum:#}");
    assert_eq!(addendum["note"]["status"], "answered", "{addendum:#}");
    assert_eq!(addendum["note"]["service"], "arashi.slow-1200");
    assert_eq!(addendum["note"]["cards"], 1);
}

/// However long a service may take by its own word, the EHR has its answer in the hospital's time.
#[tokio::test]
async fn the_hospitals_deadline_holds_over_the_services_own() {
    let stage = Stage::set().await;
    stage.world.hospital(json!({"deadlineMs": 3_000})).await;
    let hanging = with_time(stage.storm.descriptor("hang", HOOK), 30_000);
    stage.world.enrolls(&hanging, json!("live")).await;
    let (answer, explanation) = stage.asks_well("hang").await;
    assert_eq!(note(&explanation, "hang")["status"], "timed-out");
    assert!(answer.took.as_secs() < 20, "{:?}", answer.took);
}

/// The limit is the descriptor's: one byte more than it may answer is too much.
#[tokio::test]
async fn a_service_answers_within_the_size_it_declared() {
    let stage = Stage::set().await;
    for (behaviour, limit, fate) in [
        ("huge-60000", 65_536, "answered"),
        ("huge-70000", 65_536, "unusable"),
        ("gzip-bomb-70000", 65_536, "unusable"),
    ] {
        let mut descriptor = with_time(stage.storm.descriptor(behaviour, HOOK), WHOLE_MS);
        descriptor["limits"]["responseBytes"] = json!(limit);
        stage.world.enrolls(&descriptor, json!("live")).await;
        let (_, explanation) = stage.asks_well(behaviour).await;
        assert_eq!(note(&explanation, behaviour)["status"], fate, "{behaviour}");
    }
}
