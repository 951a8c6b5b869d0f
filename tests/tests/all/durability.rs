//! What the gateway acknowledged survives the end of its process, also the hardest one.

use medvan_fixtures::ehr::Outcome;
use serde_json::{Value, json};

use crate::world::{Maker, Process, World, card, no_hurry, until};

/// Deliveries are tried again soon, and a dead process's claims are soon free.
const IMPATIENT: &str = "[outbox]\nfirst_retry_ms = 1\nlease_seconds = 1\n";

async fn world() -> World<Process> {
    let world = World::around(Process::starts(IMPATIENT)).await;
    world.hospital(no_hurry()).await;
    world
}

async fn revived(world: World<Process>) -> World<Process> {
    answers_again(world.while_gateway(async |process| process.dies().starts_again()).await).await
}

/// The EHR finds out that its connections are gone, as any client does.
async fn answers_again(world: World<Process>) -> World<Process> {
    until("the gateway answers again", async || world.ehr.discovers(&world.base()).await.ok()).await;
    world
}

async fn uses(world: &World<Process>) -> Value {
    world.reads("/hospitals/kaede/usage").await["lines"].clone()
}

async fn kept(world: &World<Process>) -> Vec<Value> {
    world.reads("/vendors/sakura/feedback").await["items"].as_array().unwrap().clone()
}

async fn is_delivered(world: &World<Process>) {
    until("the outcome counts as delivered", async || kept(world).await[0].get("deliveredAt").cloned()).await;
}

#[tokio::test]
async fn acknowledged_feedback_survives_a_kill_and_is_delivered_afterwards() {
    let world = world().await;
    let mut sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    sakura.goes_down();
    assert_eq!(world.ehr.accepts(&answer.cards[0]).await.unwrap().status, 200);
    let world = revived(world).await;
    sakura.comes_back().await;
    assert_eq!(sakura.learns(1).await[0]["acceptedSuggestions"], json!([{"id": "a-suggestion"}]));
    is_delivered(&world).await;
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test]
async fn a_delivery_that_a_kill_interrupted_is_repeated_and_says_the_same() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    sakura.holds_back();
    let outcome = [Outcome::accepted(&answer.cards[0], &[0]).unwrap()];
    let service = &answer.cards[0].service_url;
    assert_eq!(world.ehr.reports(service, &outcome).await.unwrap().status, 200);
    sakura.learns(1).await;
    // The vendor has it, the gateway does not know that.
    let world = revived(world).await;
    sakura.lets_go();
    is_delivered(&world).await;
    let told = sakura.learns(2).await;
    assert!(told.iter().all(|item| *item == told[0]), "a vendor can tell that it has this one already: {told:?}");
    // The EHR that was not sure either sends it again: it counts once.
    assert_eq!(world.ehr.reports(service, &outcome).await.unwrap().status, 200);
    assert_eq!(kept(&world).await.len(), 1);
}

#[tokio::test]
async fn records_and_uses_of_answers_that_left_survive_a_kill() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let mut answers = Vec::new();
    for patient in ["hanako", "ichiro", "jiro"] {
        answers.push(world.asks(world.fires("patient-view").on(patient), "patient-view").await);
    }
    let world = revived(world).await;
    for answer in &answers {
        let exchange = world.explains(answer).await;
        assert_eq!(
            (&exchange["status"], &exchange["explanation"]["services"][0]["status"]),
            (&json!(200), &json!("answered"))
        );
    }
    let expected = json!([{"service": "sakura.advice", "version": "1.0.0", "mode": "live", "uses": 3}]);
    assert_eq!(uses(&world).await, expected);
    // And the card of a former life still has its maker.
    assert_eq!(world.ehr.accepts(&answers[1].cards[0]).await.unwrap().status, 200);
    assert_eq!(sakura.learns(1).await[0]["card"], "a");
}

#[tokio::test]
async fn a_call_retried_after_a_kill_is_one_use() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let asks = async |world: &World<Process>| {
        world
            .asks(world.fires("patient-view").as_instance("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"), "patient-view")
            .await
    };
    asks(&world).await.conforms();
    let world = revived(world).await;
    asks(&world).await.conforms();
    assert_eq!(sakura.calls().len(), 2);
    assert_eq!(uses(&world).await[0]["uses"], 1);
}

#[tokio::test]
async fn a_token_that_was_spent_is_refused_after_a_kill() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let service = format!("{}/cds-services/van-patient-view", world.base());
    let token = world.ehr.token(&service);
    let calls = async |world: &World<Process>| {
        let firing = world.fires("patient-view").with_token(token.clone());
        firing.at(&world.base(), "van-patient-view").await.unwrap().status
    };
    assert_eq!(calls(&world).await, 200);
    assert_eq!(calls(&world).await, 401);
    let world = revived(world).await;
    assert_eq!(calls(&world).await, 401, "a restart makes no token new");
    assert_eq!(
        world.asks(world.fires("patient-view"), "patient-view").await.status,
        200,
        "a new token is as good as ever"
    );
    assert_eq!(sakura.calls().len(), 2);
}

#[tokio::test]
async fn what_a_governor_decided_survives_a_kill() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    world.decides(&sakura.descriptor("patient-view"), "suspend").await;
    let world = revived(world).await;
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    assert_eq!((answer.status, sakura.calls().len()), (404, 0), "{}", answer.text);
}

#[tokio::test]
async fn running_calls_finish_when_it_is_asked_to_stop_and_new_ones_are_refused() {
    let world = world().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    sakura.holds_back();
    let running = world.asks(world.fires("patient-view"), "patient-view");
    let stopping = async {
        sakura.is_asked(1).await;
        world.gateway.is_asked_to_stop();
        refuses_new_calls(&world, &sakura).await;
        sakura.lets_go();
    };
    let (answer, ()) = tokio::join!(running, stopping);
    assert_eq!(answer.conforms().summaries(), ["甲"]);

    let world = world
        .while_gateway(async |process| {
            let (status, remains) = process.ends().await;
            assert!(status.success(), "{status}");
            remains.starts_again()
        })
        .await;
    assert_eq!(world.explains(&answer).await["status"], 200);
    assert_eq!(uses(&world).await[0]["uses"], 1);
}

/// No call comes through any more once the gateway has heard that it is to stop.
async fn refuses_new_calls(world: &World<Process>, sakura: &Maker) {
    let refused = async || {
        let discovery = world.ehr.discovers(&world.base()).await;
        discovery.map_or(true, |answer| answer.status >= 500).then_some(())
    };
    until("new connections are refused", refused).await;
    let late = world.fires("patient-view").at(&world.base(), "van-patient-view").await;
    assert!(late.is_err() || late.is_ok_and(|answer| answer.status == 503));
    assert_eq!(sakura.calls().len(), 1);
}
