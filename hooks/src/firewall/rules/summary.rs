//! The summary: one sentence, fewer than 140 characters.

use super::{Look, Rule, Verdict};
use crate::{
    card::Card,
    firewall::{cut::cut, desk::Desk},
    markdown::escape,
};

/// The standard's words are "<140"; its readers take 140 as still short enough, and so do we.
const MOST_CHARS: usize = 140;

pub(super) const TOO_LONG: Rule = Rule {
    id: "summary-too-long",
    basis: "CDS Hooks 2.0.1, Card: `summary` has fewer than 140 characters",
    does: "cuts the summary, marks the cut, and puts the whole of it at the head of the detail",
    look: Look::Card(is_short_enough),
};

fn is_short_enough(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    let Some(short) = cut(&card.summary, MOST_CHARS) else {
        return Ok(());
    };
    let whole = escape(&std::mem::replace(&mut card.summary, short));
    card.detail = Some(match card.detail.take() {
        Some(detail) => format!("{whole}\n\n{detail}"),
        None => whole,
    });
    desk.repair(&TOO_LONG, "summary");
    Ok(())
}
