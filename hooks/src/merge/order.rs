//! The order of cards: urgency, the hospital's preference, the users' acceptance, the service's name, its own order.
//!
//! Nothing in it depends on time or chance: the same answers always give the same order. The name decides only
//! between services that the hospital and its users treat alike.

use std::{
    cell::OnceCell,
    cmp::{Ordering, Reverse},
};

use super::{Answer, Entry, Origin};
use crate::card::Card;

/// All cards of all answers in their order.
pub(super) fn ranked(answers: Vec<Answer>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = answers.into_iter().flat_map(entries_of).collect();
    entries.sort_by(compare);
    entries
}

fn entries_of(answer: Answer) -> impl Iterator<Item = Entry> {
    let Answer { service, tier, acceptance, response, provenance } = answer;
    let acceptance = acceptance.filter(|rate| rate.is_finite());
    response.cards.into_iter().enumerate().map(move |(position, mut card)| Entry {
        origins: vec![Origin {
            service: service.clone(),
            position,
            card_id: card.uuid.take(),
            suggestion_ids: take_suggestion_ids(&mut card),
            provenance: provenance.clone(),
        }],
        card,
        tier,
        acceptance,
        offers: OnceCell::new(),
        words: OnceCell::new(),
    })
}

fn take_suggestion_ids(card: &mut Card) -> Vec<Option<String>> {
    card.suggestions.iter_mut().map(|suggestion| suggestion.uuid.take()).collect()
}

fn compare(left: &Entry, right: &Entry) -> Ordering {
    let (first, second) = (&left.origins[0], &right.origins[0]);
    Reverse(left.card.indicator)
        .cmp(&Reverse(right.card.indicator))
        .then(left.tier.cmp(&right.tier))
        .then_with(|| by_acceptance(left.acceptance, right.acceptance))
        .then_with(|| first.service.cmp(&second.service))
        .then(first.position.cmp(&second.position))
}

fn by_acceptance(left: Option<f32>, right: Option<f32>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => right.total_cmp(&left),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
