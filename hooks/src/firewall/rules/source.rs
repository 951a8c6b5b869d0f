//! The source: who says so, and about what.

use super::{Look, Rule, Verdict};
use crate::{
    card::Source,
    firewall::{desk::Desk, target::Allowed},
};

pub(super) const TARGET: Rule = Rule {
    id: "source-target",
    basis: "CDS Hooks 2.0.1, Source: absolute URLs; an icon is loaded without a click, so it must be trusted too",
    does: "leaves out a `url` or `icon` that the hospital has not allowed",
    look: Look::Source(leads_somewhere_allowed),
};

pub(super) const TOPIC: Rule = Rule {
    id: "topic-incomplete",
    basis: "CDS Hooks 2.0.1, Coding: `code` and `system` are REQUIRED",
    does: "leaves the topic out",
    look: Look::Source(has_a_whole_topic),
};

fn leads_somewhere_allowed(source: &mut Source, desk: &mut Desk<'_>) -> Verdict {
    let allowed = Allowed::of(desk.policy);
    for (name, target) in [("url", &mut source.url), ("icon", &mut source.icon)] {
        if target.take_if(|target| !allowed.permits(target)).is_some() {
            desk.repair(&TARGET, name);
        }
    }
    Ok(())
}

fn has_a_whole_topic(source: &mut Source, desk: &mut Desk<'_>) -> Verdict {
    if source.topic.take_if(|topic| topic.key().is_none()).is_some() {
        desk.repair(&TOPIC, "topic");
    }
    Ok(())
}
