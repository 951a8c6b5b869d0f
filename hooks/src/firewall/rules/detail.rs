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
    basis: "a vendor's answer is bounded (32,768 characters of detail, 262,144 in all cards together)",
    does: "cuts the detail and marks the cut; leaves it out when the cards before it have used up the bound",
    look: Look::OnTheWay,
};

pub(super) const MARKDOWN: Rule = Rule {
    id: "markdown",
    basis: "CDS Hooks 3.0 ballot, Card: GFM permits some HTML, proceed with caution; allow-list of links",
    does: "shows HTML as text, images as their description, and links to places not allowed as text",
    look: Look::Card(is_harmless),
};

fn is_harmless(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    let Some(detail) = card.detail.take() else {
        return Ok(());
    };
    if desk.detail_left == 0 {
        desk.repair(&TOO_LONG, "detail");
        return Ok(());
    }
    let most = MOST_CHARS.min(desk.detail_left);
    // What is looked at counts, even when little of it is left.
    let looked_at = detail.chars().take(most).count();
    let settled = settle(detail, most, desk);
    desk.detail_left -= looked_at.max(settled.chars().count());
    card.detail = Some(settled);
    Ok(())
}

/// Harmless text can be longer than what it was made from, and cut text can mean something else: hence the loop,
/// which ends because each cut is half of the one before.
fn settle(mut detail: String, most: usize, desk: &mut Desk<'_>) -> String {
    let allowed = Allowed::of(desk.policy);
    let mut shorter = most;
    loop {
        let short = cut(&detail, most).and_then(|_| cut_to(&detail, &mut shorter, desk));
        match short.or_else(|| harmless(&detail, &allowed, desk)) {
            Some(changed) => detail = changed,
            None => return detail,
        }
    }
}

fn cut_to(detail: &str, most: &mut usize, desk: &mut Desk<'_>) -> Option<String> {
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
