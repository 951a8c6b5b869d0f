//! How many suggestions may be accepted, and how many may be preferred.

use super::{Look, Rule, Verdict};
use crate::{
    card::{Card, SelectionBehavior},
    firewall::desk::Desk,
};

/// The official demonstration services break this one. `at-most-one` is the mend that can do no harm: it lets the
/// user accept less than the service may have meant, never more.
pub(super) const MISSING: Rule = Rule {
    id: "selection-behavior-missing",
    basis: "CDS Hooks 2.0.1, Card: with suggestions, `selectionBehavior` MUST be provided (cds-resp-6)",
    does: "sets `at-most-one`",
    look: Look::Card(says_how_many),
};

/// Which one the service prefers cannot be known, so none is marked.
pub(super) const SEVERAL_RECOMMENDED: Rule = Rule {
    id: "several-recommended",
    basis: "CDS Hooks 2.0.1, Suggestion: several recommended only if `any` (cds-resp-1)",
    does: "marks none of them as recommended",
    look: Look::Card(recommends_one),
};

fn says_how_many(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    if !card.suggestions.is_empty() && card.selection_behavior.is_none() {
        card.selection_behavior = Some(SelectionBehavior::AtMostOne);
        desk.repair(&MISSING, "selectionBehavior");
    }
    Ok(())
}

fn recommends_one(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    let recommended = card.suggestions.iter().filter(|suggestion| suggestion.is_recommended == Some(true));
    if card.selection_behavior == Some(SelectionBehavior::AtMostOne) && recommended.count() > 1 {
        for suggestion in &mut card.suggestions {
            suggestion.is_recommended = None;
        }
        desk.repair(&SEVERAL_RECOMMENDED, "suggestions");
    }
    Ok(())
}
