//! Suggestions for EHRs that take one action at a time, or that let the user accept any number.

use uuid::Uuid;

use super::{Adaptation, Dialect};
use crate::{
    card::{ActionSelectionBehavior, Card, SelectionBehavior, Suggestion},
    merge::{Merged, Minted},
};

const TOGETHER: &str = "**The changes of one suggestion belong together: accept all of them or none.** \
                        一つの提案に含まれる変更は、すべて受け入れるか、すべて受け入れないかのどちらかにしてください。";

const ONLY_ONE: &str = "**Accept at most one of the suggestions.** 提案は一つだけ選んでください。";

/// Makes one suggestion of each action where the EHR could not let the user choose as the service meant.
pub(super) fn split(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    let Merged { response, minted, .. } = merged;
    for (index, card) in response.cards.iter_mut().enumerate() {
        let needs = |suggestion: &Suggestion| {
            let meant = suggestion.action_selection_behavior.unwrap_or(ActionSelectionBehavior::All);
            let is_lost = meant != ActionSelectionBehavior::All && !dialect.action_selection_behavior;
            suggestion.actions.len() > 1 && (is_lost || !dialect.several_actions)
        };
        if card.suggestions.iter().any(needs) {
            notes.push(Adaptation::new("split-actions", format!("cards[{index}].suggestions")));
            split_card(card, &needs, minted);
        }
        if !dialect.action_selection_behavior {
            card.suggestions.iter_mut().for_each(|suggestion| suggestion.action_selection_behavior = None);
        }
    }
}

/// Sends `any` to an EHR that knows nothing else, and says in words what is lost.
pub(super) fn allow_any(dialect: &Dialect, merged: &mut Merged, notes: &mut Vec<Adaptation>) {
    if dialect.at_most_one {
        return;
    }
    for (index, card) in merged.response.cards.iter_mut().enumerate() {
        if card.selection_behavior == Some(SelectionBehavior::AtMostOne) {
            card.selection_behavior = Some(SelectionBehavior::Any);
            if card.suggestions.len() > 1 {
                say_first(card, ONLY_ONE);
            }
            notes.push(Adaptation::new("select-any", format!("cards[{index}].selectionBehavior")));
        }
    }
}

fn split_card(card: &mut Card, needs: &dyn Fn(&Suggestion) -> bool, minted: &mut [Minted]) {
    let card_id = card.uuid.clone().unwrap_or_default();
    let mut behaviors = Vec::new();
    for suggestion in std::mem::take(&mut card.suggestions) {
        if needs(&suggestion) {
            behaviors.push(suggestion.action_selection_behavior.unwrap_or(ActionSelectionBehavior::All));
            let parts = parts_of(suggestion, &card_id, minted);
            card.suggestions.extend(parts);
        } else {
            card.suggestions.push(suggestion);
        }
    }
    if behaviors.contains(&ActionSelectionBehavior::AtMostOne) {
        card.selection_behavior = Some(SelectionBehavior::AtMostOne);
    }
    if behaviors.contains(&ActionSelectionBehavior::All) {
        // Accepting all of them must be possible; that not more is accepted can only be asked for.
        let were_alternatives = card.selection_behavior == Some(SelectionBehavior::AtMostOne);
        card.selection_behavior = Some(SelectionBehavior::Any);
        say_first(card, TOGETHER);
        if were_alternatives && behaviors.len() > 1 {
            say_first(card, ONLY_ONE);
        }
    }
    recommend_no_more_than_allowed(card);
}

fn parts_of(suggestion: Suggestion, card_id: &str, minted: &mut [Minted]) -> Vec<Suggestion> {
    let Suggestion { label, uuid, is_recommended, actions, extension, .. } = suggestion;
    let whole = uuid.as_deref().and_then(|id| Uuid::try_parse(id).ok());
    let ids: Vec<Uuid> = (0..).take(actions.len()).map(|part| part_id(whole, part)).collect();
    if let Some(whole) = whole {
        for card in minted.iter_mut().filter(|card| card.gateway_id.to_string() == card_id) {
            card.split_suggestion(whole, &ids);
        }
    }
    let parts = actions.into_iter().zip(ids).map(|(action, id)| Suggestion {
        label: action.description.clone().unwrap_or_else(|| label.clone()),
        uuid: Some(id.to_string()),
        is_recommended,
        actions: vec![action],
        action_selection_behavior: None,
        extension: extension.clone(),
    });
    parts.collect()
}

/// The same part of the same suggestion always gets the same id.
fn part_id(whole: Option<Uuid>, part: u64) -> Uuid {
    Uuid::new_v5(&whole.unwrap_or_default(), &part.to_be_bytes())
}

fn recommend_no_more_than_allowed(card: &mut Card) {
    let recommended = card.suggestions.iter().filter(|suggestion| suggestion.is_recommended == Some(true)).count();
    if card.selection_behavior == Some(SelectionBehavior::AtMostOne) && recommended > 1 {
        card.suggestions.iter_mut().for_each(|suggestion| suggestion.is_recommended = None);
    }
}

fn say_first(card: &mut Card, words: &str) {
    card.detail = Some(match card.detail.take() {
        Some(detail) => format!("{words}\n\n{detail}"),
        None => words.to_owned(),
    });
}
