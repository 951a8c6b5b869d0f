//! A service that misses a repeated hook. The EHR drops the cards of the call before (CDS Hooks 2.0.1, "Managing
//! cards"), so a hospital may choose that the missing service's earlier cards are given once more, marked as such.

use medvan_fixtures::ehr::{Answer, Ehr, Firing};
use serde_json::{Value, json};

use crate::world::{Maker, World, card, no_hurry, until};

/// Cards of a service that misses a call come again for a minute, or so many seconds.
fn comes_again(seconds: u32) -> Value {
    let mut policy = no_hurry();
    policy["missedHook"] = json!({ "reEmitSeconds": seconds });
    policy
}

/// Two vendors on one hook; the hospital has this policy.
async fn stage(hook: &str, policy: Value) -> (World, Maker, Maker) {
    let world = World::start().await;
    world.hospital(policy).await;
    let sakura = world.makes("sakura", hook).await;
    let tsubaki = world.makes("tsubaki", hook).await;
    sakura.says(&[card("a", "桜の助言")]);
    tsubaki.says(&[card("b", "椿の助言")]);
    (world, sakura, tsubaki)
}

async fn view(world: &World) -> Answer {
    world.asks(world.fires("patient-view"), "patient-view").await
}

/// The provenance of the card with this summary.
fn provenance(answer: &Answer, summary: &str) -> Value {
    let card = answer.cards.iter().find(|card| card.summary() == summary).unwrap();
    card.value["extension"]["jp.medvan.provenance"][0].clone()
}

#[tokio::test]
async fn its_earlier_cards_come_again_marked_as_earlier_ones() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    let first = view(&world).await;
    assert_eq!(first.conforms().summaries(), ["桜の助言", "椿の助言"]);
    sakura.answers(500, json!({}));
    let second = view(&world).await;
    assert_eq!(second.conforms().summaries(), ["桜の助言", "椿の助言"]);
    assert_eq!(provenance(&first, "桜の助言")["earlier"], false);
    assert_eq!(provenance(&second, "桜の助言")["earlier"], true);
    assert_eq!(provenance(&second, "椿の助言")["earlier"], false);
    let services = world.explains(&second).await["explanation"]["services"].clone();
    assert_eq!((&services[0]["status"], &services[0]["reEmitted"]), (&json!("failed"), &json!(true)));
    assert_eq!(services[1].get("reEmitted"), None);
}

#[tokio::test]
async fn feedback_on_a_card_that_came_again_reaches_its_maker() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    let second = view(&world).await;
    let again = second.cards.iter().find(|card| card.summary() == "桜の助言").unwrap();
    assert_eq!(world.ehr.accepts(again).await.unwrap().status, 200);
    let learned = sakura.learns(1).await;
    assert_eq!(
        (&learned[0]["card"], &learned[0]["acceptedSuggestions"][0]["id"]),
        (&json!("a"), &json!("a-suggestion"))
    );
}

#[tokio::test]
async fn a_card_that_came_again_is_not_a_use() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    view(&world).await.conforms();
    assert_eq!(world.reads("/vendors/sakura/usage").await["lines"][0]["uses"], 1);
    assert_eq!(world.reads("/vendors/tsubaki/usage").await["lines"][0]["uses"], 2);
}

#[tokio::test]
async fn by_default_its_earlier_cards_are_gone() {
    let (world, sakura, _tsubaki) = stage("patient-view", no_hurry()).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
}

#[tokio::test]
async fn what_a_service_said_last_counts_also_when_it_was_nothing() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    sakura.says(&[]);
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
    sakura.answers(500, json!({}));
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
}

#[tokio::test]
async fn a_service_that_lacks_data_did_not_miss_the_call() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    sakura.answers(412, json!({}));
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
}

#[tokio::test]
async fn another_patient_user_or_client_never_gets_them() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    let suzuki = world.ehr.clone().user("Practitioner/dr-suzuki");
    let tablet = Ehr::new("kaede-tablet").fhir(&world.fhir).publishing_keys().await.unwrap();
    world
        .client(
            "tablet",
            json!({
                "authentication": {"jwt": {"issuer": tablet.iss(), "jwksUrl": tablet.jwks_url()}},
                "fhirServer": world.fhir.base_url(),
            }),
        )
        .await;
    let others: [(&str, Firing<'_>); 4] = [
        ("patient", world.fires("patient-view").on("ichiro")),
        ("encounter", world.fires("patient-view").saying("encounterId", &json!("another-visit"))),
        ("user", suzuki.fires("patient-view")),
        ("client", tablet.fires("patient-view")),
    ];
    for (another, firing) in others {
        let answer = world.asks(firing, "patient-view").await;
        assert_eq!(answer.conforms().summaries(), ["椿の助言"], "another {another}");
    }
    assert_eq!(view(&world).await.conforms().summaries(), ["桜の助言", "椿の助言"], "the same one still does");
}

#[tokio::test]
async fn another_hospital_never_gets_them_though_patient_and_user_are_called_the_same() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    let momiji = world.neighbour("momiji", comes_again(60)).await;
    world.enrolls_neighbour(&momiji, &sakura.descriptor("patient-view")).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    let theirs = momiji.asks(momiji.ehr.fires("patient-view"), "patient-view").await;
    assert!(theirs.conforms().cards.is_empty(), "{}", theirs.text);
}

#[tokio::test]
async fn cards_about_orders_that_have_changed_never_come_again() {
    let (world, sakura, _tsubaki) = stage("order-sign", comes_again(60)).await;
    let signs = async |drug: &str| world.asks(world.fires("order-sign").ordering(drug), "order-sign").await;
    signs("levofloxacin").await.conforms();
    sakura.answers(500, json!({}));
    assert_eq!(signs("levofloxacin").await.conforms().summaries(), ["桜の助言", "椿の助言"], "the same orders");
    assert_eq!(signs("famotidine").await.conforms().summaries(), ["椿の助言"], "other orders");
}

#[tokio::test]
async fn changes_by_system_actions_are_never_made_twice() {
    let mut policy = comes_again(60);
    policy["systemActions"] = json!([{"service": "sakura.advice", "resourceTypes": ["Task"]}]);
    let (world, sakura, _tsubaki) = stage("patient-view", policy).await;
    let task = json!({"resourceType": "Task", "status": "draft", "intent": "proposal"});
    let action = json!({"type": "create", "description": "作業を加える", "resource": task});
    sakura.answers(200, json!({"cards": [card("a", "桜の助言")], "systemActions": [action]}));
    let first = view(&world).await;
    assert_eq!(first.conforms().body["systemActions"].as_array().map(Vec::len), Some(1), "{}", first.text);
    sakura.answers(500, json!({}));
    let second = view(&world).await;
    assert_eq!(second.conforms().summaries(), ["桜の助言", "椿の助言"]);
    assert_eq!(second.body.get("systemActions"), None);
}

#[tokio::test]
async fn a_suspended_service_is_silent_at_once() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(60)).await;
    view(&world).await.conforms();
    world.decides(&sakura.descriptor("patient-view"), "suspend").await;
    assert_eq!(view(&world).await.conforms().summaries(), ["椿の助言"]);
}

#[tokio::test]
async fn after_their_time_they_are_gone() {
    let (world, sakura, _tsubaki) = stage("patient-view", comes_again(1)).await;
    view(&world).await.conforms();
    sakura.answers(500, json!({}));
    let gone = async || (view(&world).await.conforms().summaries() == ["椿の助言"]).then_some(());
    until("the earlier cards are too old", gone).await;
}
