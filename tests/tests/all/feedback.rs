//! What doctors did with cards comes home to their makers (CDS Hooks 2.0.1, "Feedback").

use std::collections::HashSet;

use medvan_fixtures::{
    Received,
    ehr::{Answer, Outcome, ShownCard},
    services::{self, Options, Trust, renal_dosing},
};
use serde_json::{Value, json};

use crate::world::{As, Maker, World, card, decoded, until};

/// An outcome that nobody will mistake for another.
fn comment(card: &ShownCard, words: &str) -> Outcome {
    Outcome::overridden(card, Some(words)).unwrap()
}

async fn view(world: &World) -> Answer {
    let answer = world.asks(world.fires("patient-view"), "patient-view").await;
    answer.conforms();
    answer
}

async fn reports(world: &World, card: &ShownCard, outcomes: &[Outcome]) {
    let taken = world.ehr.reports(&card.service_url, outcomes).await.unwrap();
    assert_eq!(taken.status, 200, "{}", taken.text);
}

/// What is kept of a vendor's feedback, oldest first.
async fn kept(world: &World, vendor: &str) -> Vec<Value> {
    world.reads(&format!("/vendors/{vendor}/feedback")).await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_batch_over_several_vendors_and_calls_is_split_and_speaks_each_vendors_ids() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    sakura.says(&[card("sakura-1", "桜の助言")]);
    tsubaki.says(&[card("tsubaki-1", "椿の助言")]);
    let first = view(&world).await;
    sakura.says(&[card("sakura-2", "桜の助言")]);
    let second = view(&world).await;

    let of =
        |answer: &Answer, summary: &str| answer.cards.iter().find(|card| card.summary() == summary).cloned().unwrap();
    let batch = [
        Outcome::accepted(&of(&first, "桜の助言"), &[0]).unwrap(),
        comment(&of(&first, "椿の助言"), "経過観察中"),
        comment(&of(&second, "桜の助言"), "対応済み"),
    ];
    reports(&world, &first.cards[0], &batch).await;

    let of_sakura = sakura.learns(2).await;
    let accepted = of_sakura.iter().find(|item| item["outcome"] == "accepted").unwrap();
    assert_eq!(accepted["card"], "sakura-1");
    assert_eq!(accepted["acceptedSuggestions"], json!([{"id": "sakura-1-suggestion"}]));
    let overridden = of_sakura.iter().find(|item| item["outcome"] == "overridden").unwrap();
    assert_eq!(
        (&overridden["card"], &overridden["overrideReason"]["userComment"]),
        (&json!("sakura-2"), &json!("対応済み"))
    );
    let of_tsubaki = tsubaki.learns(1).await;
    assert_eq!((of_tsubaki.len(), &of_tsubaki[0]["card"]), (1, &json!("tsubaki-1")));
    for (maker, other) in [(&sakura, "tsubaki"), (&tsubaki, "sakura")] {
        assert!(
            maker.deliveries().iter().all(|delivery| !delivery.text.contains(other)),
            "one vendor learns of another"
        );
    }
}

#[tokio::test]
async fn a_card_that_two_vendors_made_is_feedback_for_both() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    let same = |id: &str| {
        let mut same = card("same", "同じ助言");
        same["uuid"] = id.into();
        same["suggestions"][0]["uuid"] = format!("{id}-suggestion").into();
        same
    };
    sakura.says(&[same("of-sakura")]);
    tsubaki.says(&[same("of-tsubaki")]);
    let answer = view(&world).await;
    assert_eq!(answer.cards.len(), 1, "{}", answer.text);
    reports(&world, &answer.cards[0], &[Outcome::accepted(&answer.cards[0], &[0]).unwrap()]).await;
    for (maker, id) in [(&sakura, "of-sakura"), (&tsubaki, "of-tsubaki")] {
        let learned = maker.learns(1).await;
        assert_eq!(learned[0]["card"], id);
        assert_eq!(learned[0]["acceptedSuggestions"][0]["id"], format!("{id}-suggestion"));
    }
}

#[tokio::test]
async fn it_is_delivered_with_a_token_for_the_vendors_feedback_endpoint() {
    with_tokens("ES384").await;
}

#[tokio::test]
async fn a_vendor_may_have_its_tokens_signed_by_rs384() {
    with_tokens("RS384").await;
}

async fn with_tokens(algorithm: &str) {
    let world = World::in_no_hurry().await;
    let trust = Trust::keys_at(format!("{}/.well-known/jwks.json", world.gateway.url)).issuer(&world.gateway.url);
    let options = Options { trust: Some(trust), ..Options::default() };
    let renal = services::start(&renal_dosing::SERVICE, options).await.unwrap();
    let mut descriptor = renal.descriptor();
    descriptor["transport"]["signingAlgorithm"] = algorithm.into();
    world.enrolls(&descriptor, json!("live")).await;
    let answer = world.asks(world.fires("order-sign").on("hanako").ordering("levofloxacin"), "order-sign").await;
    let card = answer.conforms().card_from("腎機能").unwrap();
    assert_eq!(world.ehr.accepts(card).await.unwrap().status, 200);
    // The service gives 401 to whoever lacks a token of the gateway's for exactly this address.
    let learned = until("the service learns of it", async || renal.feedback().first().cloned()).await;
    assert_eq!(learned["outcome"], "accepted");
    let signed_by = |received: &Received| jsonwebtoken::decode_header(received.token().unwrap()).unwrap().alg;
    let wanted: jsonwebtoken::Algorithm = algorithm.parse().unwrap();
    assert!(renal.received().iter().all(|received| signed_by(received) == wanted), "calls and feedback alike");
    let tenants: HashSet<String> = renal.received().iter().map(|received| tenant(received.token().unwrap())).collect();
    assert_eq!(tenants.len(), 1, "the hospital has one name for this vendor, in calls and feedback alike");
}

fn tenant(token: &str) -> String {
    decoded(token).1["tenant"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_card_that_its_maker_did_not_number_is_kept_but_not_delivered() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let mut nameless = card("gone", "番号のない助言");
    nameless.as_object_mut().unwrap().remove("uuid");
    sakura.says(&[nameless, card("numbered", "番号のある助言")]);
    let answer = view(&world).await;
    let of = |summary: &str| answer.cards.iter().find(|card| card.summary() == summary).unwrap();
    let batch = [comment(of("番号のない助言"), "一"), comment(of("番号のある助言"), "二")];
    reports(&world, &answer.cards[0], &batch).await;

    assert_eq!(sakura.learns(1).await[0]["card"], "numbered");
    let kept = kept(&world, "sakura").await;
    let words = |item: &Value| item["feedback"]["overrideReason"]["userComment"].as_str().unwrap().to_owned();
    assert_eq!(kept.iter().map(words).collect::<Vec<_>>(), ["一", "二"]);
    assert_eq!(sakura.feedback().len(), 1, "what it did not number it cannot be told");
}

#[tokio::test]
async fn a_vendor_without_an_endpoint_is_asked_once_and_the_outcome_stays_kept() {
    let world = World::configured(|config| config.outbox.first_retry_ms = 1).await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲"), card("b", "乙")]);
    sakura.takes_feedback_with(404);
    let answer = view(&world).await;
    reports(&world, &answer.cards[0], &[comment(&answer.cards[0], "一")]).await;
    sakura.learns(1).await;
    // By the time the second outcome arrives, the first would have come again many times.
    reports(&world, &answer.cards[1], &[comment(&answer.cards[1], "二")]).await;
    sakura.learns(2).await;
    let told: Vec<_> = sakura.feedback().iter().map(|item| item["card"].clone()).collect();
    assert_eq!(told, ["a", "b"], "404 is an answer, not a failure");
    let kept = kept(&world, "sakura").await;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|item| item.get("deliveredAt").is_none()), "nobody took it: {kept:?}");
}

#[tokio::test]
async fn the_same_outcome_sent_again_is_kept_and_delivered_once() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲"), card("b", "乙")]);
    let answer = view(&world).await;
    let [first, second] = [&answer.cards[0], &answer.cards[1]];
    let outcome = comment(first, "一");
    reports(&world, first, &[outcome.clone(), outcome.clone()]).await;
    reports(&world, first, std::slice::from_ref(&outcome)).await;
    reports(&world, first, &[comment(second, "二"), outcome]).await;
    sakura.learns(2).await;
    assert_eq!(kept(&world, "sakura").await.len(), 2);
    let told: Vec<_> = sakura.feedback().iter().map(|item| item["card"].clone()).collect();
    assert_eq!(told, ["a", "b"]);
}

#[tokio::test]
async fn nobody_can_speak_about_another_hospitals_cards() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲"), card("b", "乙")]);
    let momiji = world.neighbour("momiji", json!({})).await;
    world.enrolls_neighbour(&momiji, &sakura.descriptor("patient-view")).await;
    let answer = view(&world).await;

    let own_door = momiji.service_url("patient-view");
    let foreign = [comment(&answer.cards[0], "よその病院から")];
    let taken = momiji.ehr.reports(&own_door, &foreign).await.unwrap();
    assert_eq!(taken.status, 200, "the rest of a batch must not be lost with it");
    let at_kaede = momiji.ehr.reports(&answer.cards[0].service_url, &foreign).await.unwrap();
    assert_eq!(at_kaede.status, 401, "its token says nothing at another hospital");

    reports(&world, &answer.cards[1], &[comment(&answer.cards[1], "自分の病院から")]).await;
    let learned = sakura.learns(1).await;
    assert_eq!(learned.iter().map(|item| item["card"].clone()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(kept(&world, "sakura").await.len(), 1);
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole_with_its_place() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = view(&world).await;
    let shown = &answer.cards[0];
    let good = json!({"card": shown.uuid(), "outcome": "overridden", "outcomeTimestamp": "2026-11-20T01:02:03Z"});
    let with = |name: &str, value: Value| {
        let mut item = good.clone();
        item[name] = value;
        json!({"feedback": [good, item]})
    };
    for (body, place) in [
        (json!({}), "feedback"),
        (json!("feedback"), "$this"),
        (json!({"feedback": {}}), "feedback"),
        (json!({"feedback": [1]}), "feedback[0]"),
        (json!({"feedback": [{}]}), "feedback[0].outcome"),
        (with("card", json!(null)), "feedback[1].card"),
        (with("outcome", json!("ignored")), "feedback[1].outcome"),
        (with("outcome", json!("accepted")), "feedback[1].acceptedSuggestions"),
        (with("outcomeTimestamp", json!("yesterday")), "feedback[1].outcomeTimestamp"),
        (with("overrideReason", json!(7)), "feedback[1].overrideReason"),
    ] {
        let refused = world.ehr.posts_feedback(&shown.service_url, &body).await.unwrap();
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        let outcome: Value = serde_json::from_str(&refused.text).unwrap();
        assert_eq!(outcome["issue"][0]["expression"], json!([place]), "{body}: {outcome}");
    }
    assert!(kept(&world, "sakura").await.is_empty(), "nothing of a refused batch is kept");
}

#[tokio::test]
async fn a_vendor_that_is_down_learns_of_it_when_it_is_back() {
    let world = World::configured(|config| config.outbox.first_retry_ms = 1).await;
    let mut sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = view(&world).await;
    sakura.goes_down();
    reports(&world, &answer.cards[0], &[comment(&answer.cards[0], "一")]).await;
    assert!(kept(&world, "sakura").await[0].get("deliveredAt").is_none());
    sakura.takes_feedback_with(503);
    sakura.comes_back().await;
    sakura.learns(2).await;
    sakura.takes_feedback_with(200);
    is_delivered(&world, &sakura).await;
    assert!(sakura.feedback().windows(2).all(|pair| pair[0] == pair[1]), "every attempt says the same");
    assert_eq!(kept(&world, "sakura").await.len(), 1);
}

async fn is_delivered(world: &World, maker: &Maker) {
    let before = maker.feedback().len();
    let delivered = async || kept(world, "sakura").await[0].get("deliveredAt").cloned();
    until("the outcome counts as delivered", delivered).await;
    assert!(maker.feedback().len() > before);
}

#[tokio::test]
async fn a_vendor_reads_its_own_outcomes_and_no_other_vendors() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let _tsubaki = world.makes("tsubaki", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = view(&world).await;
    reports(&world, &answer.cards[0], &[comment(&answer.cards[0], "一")]).await;
    for (vendor, status) in [("sakura", 200), ("tsubaki", 404)] {
        let own = world.issues("vendor", vendor).await;
        let (seen, body) = world.manages(own, reqwest::Method::GET, "/vendors/sakura/feedback", None).await;
        assert_eq!(seen, status, "{vendor}");
        assert!(!body.to_string().contains("kaede"), "which hospital it was is none of a vendor's business");
    }
    assert_eq!(world.manages(As::Operator, reqwest::Method::GET, "/vendors/nobody/feedback", None).await.0, 200);
}

#[tokio::test]
async fn no_token_goes_to_a_service_that_checks_none() {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    let answer = view(&world).await;
    reports(&world, &answer.cards[0], &[comment(&answer.cards[0], "一")]).await;
    sakura.learns(1).await;
    assert_eq!((sakura.calls()[0].token(), sakura.deliveries()[0].token()), (None, None));
}

#[tokio::test]
async fn a_vendor_that_hangs_delays_no_other_vendors_feedback() {
    const MANY: usize = 40;
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    tsubaki.says(&[card("b", "乙")]);
    let answer = view(&world).await;
    let of = |summary: &str| answer.cards.iter().find(|card| card.summary() == summary).unwrap();
    sakura.holds_back();
    // One after the other, each until the patience with it ends, these alone would take minutes.
    let batch: Vec<Outcome> = (0..MANY).map(|number| comment(of("甲"), &format!("{number}"))).collect();
    reports(&world, of("甲"), &batch).await;
    sakura.is_told(4).await;
    reports(&world, of("乙"), &[comment(of("乙"), "一")]).await;
    assert_eq!(tsubaki.learns(1).await[0]["card"], "b");
    assert!(sakura.feedback().len() < MANY, "it has only its own few places");
    sakura.lets_go();
}

#[tokio::test]
async fn feedback_for_a_suspended_version_waits_and_goes_out_when_it_serves_again() {
    let world = World::configured(|config| config.outbox.first_retry_ms = 1).await;
    let sakura = world.makes("sakura", "patient-view").await;
    let tsubaki = world.makes("tsubaki", "patient-view").await;
    sakura.says(&[card("a", "甲")]);
    tsubaki.says(&[card("b", "乙")]);
    let answer = view(&world).await;
    let of = |summary: &str| answer.cards.iter().find(|card| card.summary() == summary).unwrap();
    let descriptor = sakura.descriptor("patient-view");
    world.decides(&descriptor, "suspend").await;
    reports(&world, of("甲"), &[comment(of("甲"), "一"), comment(of("乙"), "二")]).await;
    tsubaki.learns(1).await;
    assert!(sakura.feedback().is_empty(), "nothing is sent to who is suspended");
    world.decides(&descriptor, "reinstate").await;
    assert_eq!(sakura.learns(1).await[0]["overrideReason"]["userComment"], "一");
}

#[tokio::test]
async fn feedback_goes_to_the_very_version_that_made_the_card() {
    let world = World::in_no_hurry().await;
    let old = world.makes("sakura", "patient-view").await;
    old.says(&[card("a", "旧版の助言")]);
    let answer = view(&world).await;
    let new = Maker::starts("sakura").await;
    new.says(&[card("b", "新版の助言")]);
    let mut descriptor = new.descriptor("patient-view");
    descriptor["version"] = "2.0.0".into();
    world.registers(&descriptor).await;
    assert_eq!(view(&world).await.summaries(), ["新版の助言"]);
    reports(&world, &answer.cards[0], &[comment(&answer.cards[0], "一")]).await;
    assert_eq!(old.learns(1).await[0]["card"], "a");
    assert!(new.feedback().is_empty());
}
