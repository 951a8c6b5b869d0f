//! What stands in a hostile answer and must not stand in ours.

use medvan_fixtures::ehr::Answer;
use serde_json::json;

use super::{Stage, note};

/// Marks of every trick that the misbehaving services know.
#[track_caller]
pub(super) fn is_harmless(answer: &Answer) {
    for trick in ["<script", "<img", "<a href", "tracker.example", "javascript:", "somebody-else", "自動追記"] {
        assert!(!answer.text.contains(trick), "{trick}: {}", answer.text);
    }
}

/// Check 23.
#[tokio::test]
async fn scripts_and_remote_images_are_neutralised() {
    let stage = Stage::set().await;
    stage.brings("script").await;
    let (answer, _) = stage.asks_well("script").await;
    is_harmless(&answer);
    let card = answer.card_from("試験サービス").expect("the card itself stays");
    assert!(card.value["detail"].as_str().unwrap().contains("説明"), "{}", answer.text);
}

/// Check 22: only hosts that the hospital listed, only https, never `javascript:`.
#[tokio::test]
async fn links_lead_only_where_the_hospital_allows() {
    let stage = Stage::set().await;
    stage.brings("bad-links").await;
    let (answer, explanation) = stage.asks_well("bad-links").await;
    is_harmless(&answer);
    let card = answer.card_from("試験サービス").expect("the card itself stays");
    assert!(card.value["links"].is_null(), "{}", answer.text);
    let dropped = note(&explanation, "bad-links");
    assert!(!dropped.to_string().contains("alert(1)"), "the explanation repeats no vendor's text: {dropped:#}");
    stage.policy(json!({"linkHosts": ["unlisted.example"]})).await;
    let (answer, _) = stage.asks_well("bad-links").await;
    let links = &answer.card_from("試験サービス").unwrap().value["links"];
    let urls: Vec<_> = links.as_array().unwrap().iter().map(|link| link["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["https://unlisted.example/a", "https://unlisted.example/launch"]);
}

#[tokio::test]
async fn another_patients_resource_in_an_answer_is_stopped() {
    let stage = Stage::set().await;
    stage.brings("foreign-patient").await;
    let (answer, explanation) = stage.asks_well("foreign-patient").await;
    is_harmless(&answer);
    assert!(answer.card_from("試験サービス").is_none(), "the whole card: its text may be about the other patient too");
    assert!(!explanation.to_string().contains("somebody-else"), "{explanation:#}");
}

/// Refused unless the hospital allowed this service this type of resource.
#[tokio::test]
async fn system_actions_need_the_hospitals_word() {
    let stage = Stage::set().await;
    stage.brings("system-actions").await;
    let allows = |service: &str, kind: &str| json!({"systemActions": [{"service": service, "resourceTypes": [kind]}]});
    for policy in [json!({}), allows("arashi.ok", "MedicationRequest"), allows("arashi.system-actions", "Task")] {
        stage.policy(policy).await;
        let (answer, explanation) = stage.asks_well("system-actions").await;
        assert!(answer.body["systemActions"].is_null(), "{}", answer.text);
        assert!(note(&explanation, "system-actions").to_string().contains("system-action-not-allowed"));
    }
    stage.policy(allows("arashi.system-actions", "MedicationRequest")).await;
    let (answer, _) = stage.asks_well("system-actions").await;
    assert_eq!(answer.body["systemActions"].as_array().map(Vec::len), Some(1), "{}", answer.text);
    assert!(answer.text.contains("自動追記Ａ"));
}

#[tokio::test]
async fn two_services_that_change_one_order_never_overwrite_each_other() {
    let stage = Stage::set().await;
    let rule = |service: &str| json!({"service": service, "resourceTypes": ["MedicationRequest"]});
    let both = json!({"systemActions": [rule("arashi.system-actions"), rule("arashi.conflicting-system-actions")]});
    stage.policy(both).await;
    stage.brings("system-actions").await;
    stage.brings("conflicting-system-actions").await;
    let (answer, explanation) = stage.asks_well("a conflict").await;
    assert!(answer.body["systemActions"].is_null(), "{}", answer.text);
    let suppressed = explanation["explanation"]["suppressed"].as_array().unwrap();
    assert_eq!(suppressed.len(), 2, "{suppressed:#?}");
    for note in suppressed {
        assert!(note.to_string().contains("another service changes the same resource differently"), "{note:#}");
    }
}

/// Two services that say the same become one card that names both, and nothing of either is lost for the record.
#[tokio::test]
async fn what_two_services_say_alike_is_shown_once() {
    let stage = Stage::set().await;
    stage.brings("ok").await;
    stage.brings("duplicate").await;
    let (answer, explanation) = stage.asks_well("a duplicate").await;
    assert_eq!(answer.cards.len(), 2, "one of the good service, one of the two: {}", answer.text);
    let shared = answer.card_from("試験サービス").unwrap();
    assert!(shared.source().contains("もう一つの試験サービス"), "{}", shared.source());
    assert_eq!(explanation["explanation"]["suppressed"].as_array().map(Vec::len), Some(1), "{explanation:#}");
}

/// The order of cards does not depend on who answered first.
#[tokio::test]
async fn cards_stand_in_the_same_order_whoever_answers_first() {
    let stage = Stage::set().await;
    stage.brings("slow-200").await;
    stage.brings("many-cards-3").await;
    let (first, _) = stage.asks_well("an order").await;
    for _ in 0..3 {
        let (again, _) = stage.asks_well("an order").await;
        assert_eq!(again.summaries(), first.summaries());
    }
    assert_eq!(first.cards.len(), 5, "{:?}", first.summaries());
}
