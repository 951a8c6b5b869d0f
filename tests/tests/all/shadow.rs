//! A shadow service is asked, recorded and compared. No doctor ever sees a word of it.

use medvan_fixtures::ehr::Answer;
use serde_json::{Value, json};

use crate::world::{Maker, World, card, fared, until};

/// Kaede tries tsubaki in the shadow while sakura answers.
async fn stage() -> (World, Maker, Maker) {
    let world = World::in_no_hurry().await;
    let sakura = world.makes("sakura", "patient-view").await;
    sakura.says(&[card("a", "光の助言")]);
    let tsubaki = Maker::starts("tsubaki").await;
    tsubaki.says(&[urgent("b", "影の助言")]);
    world.enrolls(&tsubaki.descriptor("patient-view"), json!("shadow")).await;
    (world, sakura, tsubaki)
}

fn urgent(id: &str, summary: &str) -> Value {
    let mut card = card(id, summary);
    card["indicator"] = "critical".into();
    card
}

async fn view(world: &World) -> Answer {
    world.asks(world.fires("patient-view"), "patient-view").await
}

/// What was added to the exchange about the shadow service.
async fn noted(world: &World, answer: &Answer) -> Value {
    let added = async || {
        let exchange = world.explains(answer).await;
        exchange["addenda"].as_array()?.iter().find(|addendum| addendum["kind"] == "shadow").cloned()
    };
    until("the shadow's answer is recorded", added).await["note"].clone()
}

#[tokio::test]
async fn nothing_of_it_is_shown_however_urgent() {
    let (world, _sakura, tsubaki) = stage().await;
    let answer = view(&world).await;
    assert_eq!(answer.conforms().summaries(), ["光の助言"]);
    assert_eq!(fared(&answer), [("sakura.advice".to_owned(), "answered".to_owned())], "not even that it was asked");
    assert!(!answer.text.contains("tsubaki") && !answer.text.contains("影"), "{}", answer.text);
    assert_eq!(tsubaki.calls().len(), 1);
}

#[tokio::test]
async fn it_gets_what_it_would_get_if_it_were_live() {
    let (world, sakura, tsubaki) = stage().await;
    view(&world).await.conforms();
    let (live, shadow) = (sakura.calls()[0].body(), tsubaki.calls()[0].body());
    for member in ["hook", "context", "prefetch"] {
        assert_eq!(live[member], shadow[member], "{member}");
    }
    assert_ne!(live["hookInstance"], shadow["hookInstance"], "two vendors share no name for one event");
}

#[tokio::test]
async fn the_live_answer_does_not_wait_for_it() {
    let (world, _sakura, tsubaki) = stage().await;
    tsubaki.holds_back();
    // The shadow keeps its answer to itself until the live one has arrived.
    let answer = view(&world).await;
    assert_eq!(answer.conforms().summaries(), ["光の助言"]);
    tsubaki.lets_go();
    assert_eq!(noted(&world, &answer).await["status"], "answered");
}

#[tokio::test]
async fn it_breaks_nothing_when_it_fails() {
    let (world, _sakura, mut tsubaki) = stage().await;
    for (status, body, noted_as) in [
        (500, json!({}), "failed"),
        (412, json!({}), "not-evaluable"),
        (200, json!({"cards": 1}), "unusable"),
        (200, json!("nonsense"), "unusable"),
    ] {
        tsubaki.answers(status, body);
        let answer = view(&world).await;
        assert_eq!(answer.conforms().summaries(), ["光の助言"]);
        assert_eq!(noted(&world, &answer).await["status"], noted_as);
    }
    tsubaki.goes_down();
    let answer = view(&world).await;
    assert_eq!(answer.conforms().summaries(), ["光の助言"]);
    assert_eq!(noted(&world, &answer).await["status"], "unreachable");
}

#[tokio::test]
async fn the_comparison_is_recorded_in_numbers_without_clinical_content() {
    let (world, sakura, tsubaki) = stage().await;
    let both = card("shared", "二つとも言うこと");
    sakura.says(&[card("a", "光の助言"), both]);
    tsubaki.says(&[urgent("shared", "二つとも言うこと"), urgent("b", "影の助言")]);
    let answer = view(&world).await;
    let note = noted(&world, &answer).await;
    let comparison = &note["comparison"];
    for (name, number) in
        [("topicsInBoth", 1), ("topicsOnlyShown", 1), ("topicsOnlyShadow", 1), ("moreUrgent", 1), ("lessUrgent", 0)]
    {
        assert_eq!(comparison[name], number, "{name}: {comparison}");
    }
    assert_eq!(
        (&note["service"], &note["mode"], &note["cards"]),
        (&json!("tsubaki.advice"), &json!("shadow"), &json!(2))
    );
    let exchange = world.explains(&answer).await.to_string();
    for content in ["助言", "言うこと", "shared", "maker.example", "hanako", "鈴木", "確認を依頼"] {
        assert!(!exchange.contains(content), "the record holds {content}");
    }
}

#[tokio::test]
async fn it_cannot_be_called_singly() {
    let (world, _sakura, tsubaki) = stage().await;
    let offered = world.ehr.discovers(&world.base()).await.unwrap();
    assert_eq!(offered.conforms().ids(), ["van-patient-view", "sakura.advice"]);
    let refused = world.fires("patient-view").at(&world.base(), "tsubaki.advice").await.unwrap();
    assert_eq!((refused.status, tsubaki.calls().len()), (404, 0));
}

#[tokio::test]
async fn a_hook_with_nothing_but_shadows_answers_nothing_and_asks_them_all_the_same() {
    let world = World::in_no_hurry().await;
    let tsubaki = Maker::starts("tsubaki").await;
    tsubaki.says(&[urgent("b", "影の助言")]);
    world.enrolls(&tsubaki.descriptor("patient-view"), json!("shadow")).await;
    let answer = view(&world).await;
    assert!(answer.conforms().cards.is_empty());
    assert_eq!(noted(&world, &answer).await["comparison"]["topicsOnlyShadow"], 1);
}

#[tokio::test]
async fn it_changes_nothing_by_system_actions() {
    let (world, _sakura, tsubaki) = stage().await;
    let allowed =
        json!({"systemActions": [{"service": "tsubaki.advice", "resourceTypes": ["Task"]}], "deadlineMs": 30_000});
    world.hospital(allowed).await;
    let task = json!({"resourceType": "Task", "id": "t1", "status": "draft", "intent": "proposal"});
    let action = json!({"type": "update", "description": "影が変える", "resource": task});
    tsubaki.answers(200, json!({"cards": [], "systemActions": [action]}));
    let answer = view(&world).await;
    assert!(answer.conforms().body.get("systemActions").is_none(), "{}", answer.text);
}

#[tokio::test]
async fn a_use_in_the_shadow_is_counted_as_such_and_only_if_it_answered() {
    let (world, _sakura, tsubaki) = stage().await;
    let used = [json!({"service": "tsubaki.advice", "version": "1.0.0", "mode": "shadow", "uses": 1})];
    for (status, body, lines) in [
        (500, json!({}), [].as_slice()),
        (200, json!({"cards": 1}), &[]),
        (200, json!({"cards": []}), &used),
        (412, json!({}), &used),
    ] {
        tsubaki.answers(status, body.clone());
        let answer = view(&world).await;
        noted(&world, &answer).await;
        assert_eq!(world.reads("/vendors/tsubaki/usage").await["lines"], json!(lines), "{status} {body}");
    }
}

#[tokio::test]
async fn its_vendor_finds_in_the_scorecard_what_was_mended() {
    let (world, _sakura, tsubaki) = stage().await;
    tsubaki.says(&[json!({"uuid": "x", "summary": "影".repeat(200), "indicator": "info", "source": {"label": "影"}})]);
    let answer = view(&world).await;
    noted(&world, &answer).await;
    let marks = world.reads("/vendors/tsubaki/scorecard").await["marks"].clone();
    let kinds: Vec<(&str, &str)> = (marks.as_array().unwrap().iter())
        .map(|mark| (mark["kind"].as_str().unwrap(), mark["rule"].as_str().unwrap()))
        .collect();
    assert!(kinds.contains(&("asked", "shadowed")) && kinds.contains(&("shadow", "answered")), "{kinds:?}");
    assert!(kinds.iter().any(|(kind, _)| *kind == "repaired"), "{kinds:?}");
}

#[tokio::test]
async fn taken_into_the_light_it_is_shown_from_the_next_call_on() {
    let (world, _sakura, tsubaki) = stage().await;
    view(&world).await.conforms();
    world.enrolled(&tsubaki.descriptor("patient-view"), json!({"mode": "live"})).await;
    assert_eq!(view(&world).await.conforms().summaries(), ["影の助言", "光の助言"]);
}
