//! What holds for any answers in any order.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Answer, answer, merged};
use crate::{card::Indicator, standard::breaches};

fn action() -> impl Strategy<Value = Value> {
    let resource = |id: &str, dose: u8| json!({"resourceType": "Task", "id": id, "dose": dose});
    prop::sample::select(vec![
        json!({"type": "update", "description": "d", "resource": resource("1", 1)}),
        json!({"type": "update", "description": "d", "resource": resource("1", 2)}),
        json!({"type": "delete", "description": "d", "resourceId": "Task/1"}),
        json!({"type": "delete", "description": "d", "resourceId": "Task/2"}),
        json!({"type": "create", "description": "d", "resource": resource("x", 1)}),
    ])
}

fn card() -> impl Strategy<Value = Value> {
    let topic = prop::option::of(prop::sample::select(vec!["k", "na"]));
    let indicator = prop::sample::select(vec!["info", "warning", "critical"]);
    let summary = prop::sample::select(vec!["high", "HIGH", "low", "<b>"]);
    let detail = prop::option::of(prop::sample::select(vec!["d", "```\nopen", "| a |\n|---|\n| b |", "[x]"]));
    (indicator, summary, topic, detail, prop::collection::vec(action(), 0..3)).prop_map(
        |(indicator, summary, topic, detail, actions)| {
            let mut card = json!({"summary": summary, "indicator": indicator, "source": {"label": "l"}});
            if let Some(topic) = topic {
                card["source"]["topic"] = json!({"system": "urn:t", "code": topic});
            }
            if let Some(detail) = detail {
                card["detail"] = json!(detail);
            }
            if !actions.is_empty() {
                let suggestions: Vec<_> =
                    actions.iter().map(|action| json!({"label": "l", "actions": [action]})).collect();
                card["suggestions"] = json!(suggestions);
                card["selectionBehavior"] = json!("any");
            }
            card
        },
    )
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let one = (
        prop::collection::vec(card(), 0..4),
        prop::collection::vec(action(), 0..2),
        0u8..2,
        prop::option::of(0f32..1.0),
    );
    prop::collection::vec(one, 0..5).prop_map(|all| {
        let answers = all.into_iter().enumerate().map(|(index, (cards, actions, tier, acceptance))| {
            let body = if actions.is_empty() {
                json!({"cards": cards})
            } else {
                json!({"cards": cards, "systemActions": actions})
            };
            Answer { tier, acceptance, ..answer(&format!("v.{index}"), body) }
        });
        answers.collect()
    })
}

fn criticals(answers: &[Answer]) -> Vec<String> {
    let cards = answers.iter().flat_map(|answer| &answer.response.cards);
    let critical = cards.filter(|card| card.indicator == Indicator::Critical);
    critical.map(|card| card.summary.to_lowercase()).collect()
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(answers in answers(), shuffled in any::<prop::sample::Index>()) {
        let mut other = answers.clone();
        let middle = shuffled.index(other.len().max(1)).min(other.len());
        other.rotate_left(middle);
        other.reverse();
        let (first, second) = (merged(answers), merged(other));
        prop_assert_eq!(first.response.to_bytes(), second.response.to_bytes());
        prop_assert_eq!(first.minted, second.minted);
        prop_assert_eq!(first.placements, second.placements);
        prop_assert_eq!((first.suppressions, first.conflicts), (second.suppressions, second.conflicts));
    }

    #[test]
    fn no_critical_card_is_ever_lost(answers in answers()) {
        let given = criticals(&answers);
        let merged = merged(answers);
        let shown: Vec<_> = merged.response.cards.iter()
            .filter(|card| card.indicator == Indicator::Critical)
            .map(|card| card.summary.to_lowercase())
            .collect();
        for summary in given {
            prop_assert!(shown.contains(&summary), "{summary}");
        }
    }

    #[test]
    fn every_card_is_shown_or_its_suppression_is_listed(answers in answers()) {
        let cards: usize = answers.iter().map(|answer| answer.response.cards.len()).sum();
        let actions: usize = answers.iter().map(|answer| answer.response.system_actions.len()).sum();
        let merged = merged(answers);
        prop_assert_eq!(merged.minted.len(), cards);
        let kept = merged.response.cards.len() + merged.response.system_actions.len();
        prop_assert_eq!(kept + merged.suppressions.len(), cards + actions);
    }

    #[test]
    fn the_merged_answer_obeys_the_standard(answers in answers()) {
        prop_assert_eq!(breaches(&merged(answers).response.to_bytes()), Vec::<String>::new());
    }

    #[test]
    fn words_of_a_folded_card_stay_readable(answers in answers()) {
        let words: Vec<String> = answers.iter().flat_map(|answer| &answer.response.cards).map(|card| card.summary.clone()).collect();
        let shown = merged(answers).response.cards.iter()
            .map(|card| format!("{}\n{}", card.summary, crate::markdown::to_plain(card.detail.as_deref().unwrap_or(""))).to_lowercase())
            .collect::<Vec<_>>().join("\n");
        for word in words {
            prop_assert!(shown.contains(&word.to_lowercase()), "{word} in {shown}");
        }
    }
}
