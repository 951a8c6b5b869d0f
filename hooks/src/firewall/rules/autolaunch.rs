//! A card with an autolaunchable link "may not be shown to the user". What is critical is always shown.

use super::{Look, Rule, Verdict};
use crate::{
    card::{Card, Indicator},
    firewall::desk::Desk,
};

pub(super) const ON_CRITICAL: Rule = Rule {
    id: "autolaunch-on-critical",
    basis: "nothing critical is ever hidden; CDS Hooks 2.0.1, Link: `autolaunchable` may hide its card",
    does: "leaves `autolaunchable` out",
    look: Look::Card(stays_visible),
};

fn stays_visible(card: &mut Card, desk: &mut Desk<'_>) -> Verdict {
    let hides = card.links.iter().any(|link| link.autolaunchable == Some(true));
    if card.indicator == Indicator::Critical && hides {
        for link in &mut card.links {
            link.autolaunchable = None;
        }
        desk.repair(&ON_CRITICAL, "links");
    }
    Ok(())
}
