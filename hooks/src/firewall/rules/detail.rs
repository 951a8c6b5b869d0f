//! The detail is Markdown from outside, rendered in the EHR: no markup of its own, no remote content.

use super::{Look, Rule, Verdict};
use crate::{
    card::Card,
    firewall::{cut::cut, desk::Desk, target::Allowed},
    markdown::neutralise,
};

/// No screen shows more, and the work of checking stays bounded.
const MOST_CHARS: usize = 32_768;

pub(super) const TOO_LONG: Rule = Rule {
    id: "detail-too-long",
    basis: "a vendor's answer is bounded (32,768 characters of detail)",
    does: "cuts the detail and marks the cut",
    look: Look::OnTheWay,
};

pub(super) const MARKDOWN: Rule = Rule {
    id: "markdown",
    basis: "CDS Hooks 3.0 ballot, Card: GFM permits some HTML, proceed with caution; allow-list of links",
    does: "shows HTML as text, images as their description, and links to places not allowed as text",
    look: Look::Card(is_harmless),
};

/// Harmless text can be longer than what it was made from, and cut text can mean something else: hence the loop,
/// which ends because each cut is half of the one before.
fn is_harmless(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    let Some(mut detail) = card.detail.take() else {
        return Ok(());
    };
    let allowed = Allowed::of(desk.policy);
    let mut most = MOST_CHARS;
    while let Some(changed) = cut_if_too_long(&detail, &mut most, desk).or_else(|| harmless(&detail, &allowed, desk)) {
        detail = changed;
    }
    card.detail = Some(detail);
    Ok(())
}

fn cut_if_too_long(detail: &str, most: &mut usize, desk: &mut Desk<'_>) -> Option<String> {
    cut(detail, MOST_CHARS)?;
    desk.repair(&TOO_LONG, "detail");
    let short = cut(detail, *most);
    *most /= 2;
    short
}

fn harmless(detail: &str, allowed: &Allowed<'_>, desk: &mut Desk<'_>) -> Option<String> {
    let changed = neutralise(detail, &|target| allowed.permits(target))?;
    desk.repair(&MARKDOWN, "detail");
    Some(changed)
}
