//! What one answer adds to the scorecard of a version: how it fared, what was repaired, what was taken out.

use super::explanation::ServiceNote;
use crate::{catalog::Member, store::Mark};

/// The marks of one part. `fared` is the kind under which its status counts: `asked` for what the doctor waited for,
/// `late` and `shadow` for what came after.
pub(super) fn marks(member: &Member, fared: &'static str, note: &ServiceNote) -> Vec<Mark> {
    let mark = |kind, rule: &str| Mark {
        service: member.name.clone(),
        version: member.version.clone(),
        kind,
        rule: rule.to_owned(),
        times: 1,
    };
    let status = std::iter::once(mark(fared, note.status.word()));
    let repaired = note.repairs.iter().map(|repair| mark("repaired", &repair.rule));
    let quarantined = note.quarantined.iter().map(|quarantined| mark("quarantined", &quarantined.rule));
    status.chain(repaired).chain(quarantined).collect()
}
