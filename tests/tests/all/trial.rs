//! A trial: so many uses, until a day. Never one more, and clear words afterwards.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::world::{Maker, MovingClock, World, card, fared};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A stage whose clock the test moves, and a vendor on trial.
async fn on_trial(quota: u32, days: u32) -> (World, Maker, MovingClock) {
    let (clock, hands) = MovingClock::new();
    let world = World::with_clock(clock).await;
    let sakura = Maker::starts("sakura").await;
    sakura.says(&[card("a", "甲")]);
    world.enrolls(&sakura.descriptor("patient-view"), trial(quota, hands.now() + days * DAY)).await;
    (world, sakura, hands)
}

fn trial(quota: u32, until: OffsetDateTime) -> Value {
    json!({"trial": {"quota": quota, "until": until.format(&Rfc3339).unwrap()}})
}

async fn uses(world: &World) -> Value {
    world.reads("/vendors/sakura/usage").await["lines"][0]["uses"].clone()
}

/// The status of the vendor in one aggregated call.
async fn fares(world: &World) -> String {
    fared(world.asks(world.fires("patient-view"), "patient-view").await.conforms())[0].1.clone()
}

#[tokio::test]
async fn two_hundred_calls_at_once_use_the_quota_and_not_one_more() {
    const QUOTA: usize = 20;
    let (world, sakura, _) = on_trial(20, 30).await;
    let answers = join_all((0..200).map(|_| world.asks(world.fires("patient-view"), "patient-view"))).await;
    let how = |status: &str| answers.iter().filter(|answer| fared(answer)[0].1 == status).count();
    assert_eq!((how("answered"), how("trial-ended")), (QUOTA, 200 - QUOTA));
    assert_eq!((sakura.calls().len(), uses(&world).await), (QUOTA, json!(QUOTA)));
    let shown = answers.iter().filter(|answer| answer.summaries() == ["甲"]).count();
    assert_eq!(shown, QUOTA, "who is over the quota shows nothing");
}

#[tokio::test]
async fn after_the_quota_the_others_still_answer_and_the_single_service_says_clearly_why_not() {
    let (world, sakura, _) = on_trial(1, 30).await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    tsubaki.says(&[card("b", "乙")]);
    let both = world.asks(world.fires("patient-view"), "patient-view").await;
    assert_eq!(both.conforms().summaries(), ["甲", "乙"]);
    let one = world.asks(world.fires("patient-view"), "patient-view").await;
    assert_eq!(one.conforms().summaries(), ["乙"]);
    let expected = [("sakura.advice", "trial-ended"), ("tsubaki.advice", "answered")];
    assert_eq!(fared(&one), expected.map(|(service, status)| (service.to_owned(), status.to_owned())));

    let refused = world.fires("patient-view").at(&world.base(), "sakura.advice").await.unwrap();
    assert_eq!(refused.status, 403);
    let issue = &refused.body["issue"][0];
    assert_eq!(issue["code"], "forbidden", "{}", refused.text);
    let words = issue["diagnostics"].as_str().unwrap();
    assert!(words.contains("trial of sakura.advice is over") && words.contains("試行は終了"), "{words}");
    assert_eq!(sakura.calls().len(), 1, "who may not be used is not asked, and learns nothing");
}

#[tokio::test]
async fn the_trial_ends_with_its_last_day() {
    let (world, sakura, hands) = on_trial(1_000, 30).await;
    for (days, status) in [(0, "answered"), (29, "answered"), (1, "trial-ended"), (400, "trial-ended")] {
        hands.move_on(days * DAY);
        assert_eq!(fares(&world).await, status, "{days} days later");
    }
    let refused = world.fires("patient-view").at(&world.base(), "sakura.advice").await.unwrap();
    assert_eq!((refused.status, sakura.calls().len()), (403, 2));
}

#[tokio::test]
async fn a_failed_call_gives_its_place_back() {
    let (world, sakura, _) = on_trial(1, 30).await;
    for status in [500, 404, 412] {
        sakura.answers(status, json!({}));
        world.asks(world.fires("patient-view"), "patient-view").await;
    }
    sakura.says(&[]);
    assert_eq!((fares(&world).await.as_str(), fares(&world).await.as_str()), ("answered", "trial-ended"));
}

#[tokio::test]
async fn a_retry_of_the_last_use_needs_no_second_place() {
    let (world, sakura, _) = on_trial(1, 30).await;
    let again = || world.fires("patient-view").as_instance("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea");
    for _ in 0..3 {
        let answer = world.asks(again(), "patient-view").await;
        assert_eq!(answer.conforms().summaries(), ["甲"]);
    }
    assert_eq!((sakura.calls().len(), uses(&world).await), (3, json!(1)));
    assert_eq!(fares(&world).await, "trial-ended");
}

#[tokio::test]
async fn a_new_contract_opens_the_service_at_once() {
    let (world, sakura, hands) = on_trial(1, 30).await;
    assert_eq!((fares(&world).await.as_str(), fares(&world).await.as_str()), ("answered", "trial-ended"));
    let descriptor = sakura.descriptor("patient-view");
    let longer = trial(3, hands.now() + 60 * DAY);
    world.enrolled(&descriptor, json!({ "mode": longer })).await;
    assert_eq!((fares(&world).await.as_str(), fares(&world).await.as_str()), ("answered", "answered"));
    assert_eq!(fares(&world).await, "trial-ended", "the first use counts still");
    world.enrolled(&descriptor, json!({"mode": "live"})).await;
    assert_eq!(fares(&world).await, "answered");
}

#[tokio::test]
async fn one_hospitals_uses_are_not_anothers() {
    let (world, sakura, hands) = on_trial(1, 30).await;
    let momiji = world.neighbour("momiji", json!({})).await;
    let path = "/hospitals/momiji/enrollments/sakura.advice";
    let enrollment = json!({"hospital": "momiji", "service": "sakura.advice", "mode": trial(1, hands.now() + DAY)});
    world.puts(crate::world::As::Operator, path, &enrollment).await;
    let client = json!({"hospital": "momiji", "id": "ehr", "authentication": "loopback"});
    world.puts(crate::world::As::Operator, "/hospitals/momiji/clients/ehr", &client).await;
    assert_eq!((fares(&world).await.as_str(), fares(&world).await.as_str()), ("answered", "trial-ended"));
    let unsigned = momiji.ehr.clone().unsigned();
    let theirs = momiji.asks(unsigned.fires("patient-view").without_fhir_access(), "patient-view").await;
    assert_eq!(fared(theirs.conforms())[0].1, "answered", "{}", theirs.text);
    assert_eq!(sakura.calls().len(), 2);
}
