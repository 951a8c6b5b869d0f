//! Links: only to where the hospital lets its users go.

use super::{Look, Rule, Verdict};
use crate::{
    card::{Link, LinkType},
    firewall::{desk::Desk, target::Allowed},
};

pub(super) const TARGET: Rule = Rule {
    id: "link-target",
    basis: "CDS Hooks 2.0.1, Trusting CDS Services: allow-list of card links",
    does: "holds back the link",
    look: Look::Link(leads_somewhere_allowed),
};

pub(super) const APP_CONTEXT: Rule = Rule {
    id: "app-context-on-absolute",
    basis: "CDS Hooks 2.0.1, Link: `appContext` is not valid for absolute links (cds-resp-3)",
    does: "leaves `appContext` out",
    look: Look::Link(has_no_needless_context),
};

fn leads_somewhere_allowed(link: &mut Link, desk: &mut Desk<'_>) -> Verdict {
    Allowed::of(desk.policy).judge(&link.url).map_err(|why| format!("`url` {why}").into())
}

fn has_no_needless_context(link: &mut Link, desk: &mut Desk<'_>) -> Verdict {
    if link.kind == LinkType::Absolute && link.app_context.take().is_some() {
        desk.repair(&APP_CONTEXT, "appContext");
    }
    Ok(())
}
