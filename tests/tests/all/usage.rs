//! What is counted as a use, and that every statement says the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{MovingClock, World, card, until};

/// What real senders repeat in every call.
const CONSTANT: &str = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea";

/// The uses of each version in a statement, as `service@version mode`, with their number.
async fn statement(world: &World, of: &str) -> Vec<(String, u64)> {
    let lines = world.reads(&format!("{of}/usage")).await["lines"].as_array().unwrap().clone();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let name = |line: &Value| format!("{}@{} {}", text(line, "service"), text(line, "version"), text(line, "mode"));
    lines.iter().map(|line| (name(line), line["uses"].as_u64().unwrap())).collect()
}

/// The uses of the only version that was used at all.
async fn uses(world: &World) -> u64 {
    let lines = statement(world, "/hospitals/kaede").await;
    assert!(lines.len() <= 1, "{lines:?}");
    lines.first().map_or(0, |line| line.1)
}

#[tokio::test]
async fn each_exchange_is_one_use_of_each_version_that_answered() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let _tsubaki = world.makes("tsubaki", "patient-view").await;
    sakura.says(&[card("a", "甲"), card("b", "乙")]);
    for patient in ["hanako", "ichiro"] {
        world.asks(world.fires("patient-view").on(patient), "patient-view").await.conforms();
    }
    let mut newer = sakura.descriptor("patient-view");
    newer["version"] = "1.1.0".into();
    world.registers(&newer).await;
    world.asks(world.fires("patient-view"), "patient-view").await.conforms();

    let sakuras = [("sakura.advice@1.0.0 live".to_owned(), 2), ("sakura.advice@1.1.0 live".to_owned(), 1)];
    let tsubakis = [("tsubaki.advice@1.0.0 live".to_owned(), 3)];
    assert_eq!(statement(&world, "/vendors/sakura").await, sakuras);
    assert_eq!(statement(&world, "/vendors/tsubaki").await, tsubakis);
    assert_eq!(statement(&world, "/hospitals/kaede").await, [sakuras.as_slice(), &tsubakis].concat());
}

#[tokio::test]
async fn a_retried_call_is_one_use_whatever_its_token() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    for _ in 0..3 {
        let again = world.fires("patient-view").as_instance(CONSTANT);
        assert_eq!(world.asks(again, "patient-view").await.status, 200);
    }
    assert_eq!((sakura.calls().len(), uses(&world).await), (3, 1));
}

#[tokio::test]
async fn calls_retried_while_the_first_still_runs_are_one_use() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.holds_back();
    let ask = || world.asks(world.fires("patient-view").as_instance(CONSTANT), "patient-view");
    let release = async {
        sakura.is_asked(3).await;
        sakura.lets_go();
    };
    let (first, second, third, ()) = tokio::join!(ask(), ask(), ask(), release);
    for answer in [first, second, third] {
        answer.conforms();
    }
    assert_eq!(uses(&world).await, 1);
}

#[tokio::test]
async fn a_constant_instance_counts_again_for_whatever_is_another_event() {
    let world = World::in_no_hurry().await;
    let _sakura = world.makes("sakura", "order-sign").await;
    let fires = || world.fires("order-sign").as_instance(CONSTANT).ordering("levofloxacin");
    let suzuki = world.ehr.clone().user("Practitioner/dr-suzuki");
    let by_another = suzuki.fires("order-sign").as_instance(CONSTANT).ordering("levofloxacin");
    for (number, event) in [
        (1, fires()),
        (1, fires()),
        (2, fires().on("ichiro")),
        (3, fires().ordering("famotidine")),
        (4, by_another),
        (5, fires().as_instance("2d5a7c2b-8f5b-4a3c-9b1d-6f1f0d5c7a11")),
        (5, fires().on("ichiro")),
    ] {
        world.asks(event, "order-sign").await.conforms();
        assert_eq!(uses(&world).await, number);
    }
}

#[tokio::test]
async fn a_call_that_comes_again_long_after_is_another_use() {
    let (clock, hands) = MovingClock::new();
    let world = World::with_clock(clock).await;
    let _sakura = world.makes("sakura", "patient-view").await;
    for (pause, number) in [(0, 1), (9 * 60, 1), (9 * 60, 2)] {
        hands.move_on(Duration::from_secs(pause));
        let again = world.fires("patient-view").as_instance(CONSTANT);
        world.asks(again, "patient-view").await.conforms();
        assert_eq!(uses(&world).await, number);
    }
}

#[tokio::test]
async fn whoever_did_not_answer_is_not_paid() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    for (status, body) in [
        (500, json!({})),
        (404, json!({})),
        (412, json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]})),
        (200, json!({"cards": null})),
        (200, json!("no cards")),
    ] {
        sakura.answers(status, body.clone());
        let answer = world.asks(world.fires("patient-view"), "patient-view").await;
        assert!(answer.cards.is_empty(), "{status} {body}: {}", answer.text);
    }
    assert_eq!(uses(&world).await, 0);
    sakura.says(&[]);
    world.asks(world.fires("patient-view"), "patient-view").await.conforms();
    assert_eq!(uses(&world).await, 1, "to have nothing to say is an answer");
}

#[tokio::test]
async fn a_late_answer_is_recorded_and_not_paid() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes_hurried("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    sakura.holds_back();
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    assert!(answer.conforms().cards.is_empty());
    sakura.lets_go();
    let recorded = async || world.explains(&answer).await["addenda"].as_array()?.first().cloned();
    let late = until("the late answer is recorded", recorded).await;
    assert_eq!((&late["kind"], &late["note"]["cards"]), (&json!("late"), &json!(1)));
    assert_eq!(uses(&world).await, 0);
    let marks = world.reads("/vendors/sakura/scorecard").await["marks"].clone();
    let counted =
        |kind, rule| marks.as_array().unwrap().iter().any(|mark| mark["kind"] == kind && mark["rule"] == rule);
    assert!(counted("asked", "timed-out") && counted("late", "answered"), "{marks:#}");
}

#[tokio::test]
async fn a_retry_that_succeeds_after_a_failure_is_one_use() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    for (status, number) in [(500, 0), (200, 1), (500, 1), (200, 1)] {
        sakura.answers(status, json!({"cards": []}));
        world.asks(world.fires("patient-view").as_instance(CONSTANT), "patient-view").await;
        assert_eq!(uses(&world).await, number, "{status}");
    }
}

#[tokio::test]
async fn hospitals_and_vendors_read_the_same_numbers_and_only_their_own() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let momiji = world.neighbour("momiji", json!({})).await;
    world.enrolls_neighbour(&momiji, &sakura.descriptor("patient-view")).await;
    // One EHR product sends one constant everywhere: each hospital's call is a use of its own.
    world.asks(world.fires("patient-view").as_instance(CONSTANT), "patient-view").await.conforms();
    momiji.asks(momiji.ehr.fires("patient-view").as_instance(CONSTANT), "patient-view").await.conforms();

    let sum = |of: Vec<(String, u64)>| of.iter().map(|line| line.1).sum::<u64>();
    let hospitals = [statement(&world, "/hospitals/kaede").await, statement(&world, "/hospitals/momiji").await];
    assert_eq!(hospitals.clone().map(sum), [1, 1]);
    assert_eq!(sum(statement(&world, "/vendors/sakura").await), 2);
    for (holder, path, status) in [
        (("vendor", "sakura"), "/vendors/sakura/usage", 200),
        (("vendor", "sakura"), "/hospitals/kaede/usage", 403),
        (("hospital", "kaede"), "/hospitals/kaede/usage", 200),
        (("hospital", "kaede"), "/hospitals/momiji/usage", 404),
        (("hospital", "kaede"), "/vendors/sakura/usage", 403),
    ] {
        let holder = world.issues(holder.0, holder.1).await;
        assert_eq!(world.manages(holder, reqwest::Method::GET, path, None).await.0, status, "{path}");
    }
}
