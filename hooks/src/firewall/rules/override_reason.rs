//! Override reasons are shown as choices, so each needs words; feedback names them by code, so each needs a code.

use super::{Look, Rule, Verdict};
use crate::{card::Coding, firewall::desk::Desk, override_reason};

pub(super) const INCOMPLETE: Rule = Rule {
    id: "override-reason-incomplete",
    basis: "CDS Hooks 2.0.1, overrideReasons: `display` MUST be populated (cds-resp-4); Coding: `code` and `system`",
    does: "fills in the display of a code of HL7's own system; holds back any other reason that is not whole",
    look: Look::OverrideReason(is_whole),
};

fn is_whole(reason: &mut Coding, desk: &mut Desk<'_>) -> Verdict {
    let Some((system, code)) = reason.key() else {
        return Err("needs `code` and `system`".into());
    };
    if reason.display.is_some() {
        return Ok(());
    }
    let known = (system == override_reason::SYSTEM).then(|| override_reason::find(code)).flatten();
    let known = known.ok_or("needs `display`")?;
    reason.display = Some(known.display.to_owned());
    desk.repair(&INCOMPLETE, "display");
    Ok(())
}
