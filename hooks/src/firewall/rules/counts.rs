//! How much one answer may bring.

use std::cmp::Reverse;

use super::{Look, Rule};
use crate::card::Card;

/// The standard sets no bounds; a screen does, and so does the work of checking.
pub(in crate::firewall) const TOO_MANY: Rule = Rule {
    id: "too-many",
    basis: "a vendor's answer is bounded (64 cards, suggestions, actions, links, override reasons, system actions)",
    does: "holds back what is over the bound; of the cards, the least urgent",
    look: Look::OnTheWay,
};

/// The most elements that any list of the answer may have.
pub(in crate::firewall) const MOST: usize = 64;

/// The cards that stay, still in their order, and how many go.
pub(in crate::firewall) fn most_urgent(mut cards: Vec<(usize, Card)>) -> (Vec<Card>, usize) {
    let over = cards.len().saturating_sub(MOST);
    if over > 0 {
        cards.sort_by_key(|(index, card)| (Reverse(card.indicator), *index));
        cards.truncate(MOST);
        cards.sort_by_key(|(index, _)| *index);
    }
    (cards.into_iter().map(|(_, card)| card).collect(), over)
}
