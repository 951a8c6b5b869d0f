//! What an answer, or its absence, means for the explanation.

#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use medvan_adapters::advisor::{AdviseError, ErrorKind};
use medvan_hooks::{firewall::Checked, response::Response};

use crate::{
    call::explanation::{Note, ServiceNote, Status},
    catalog::Member,
};

/// The status that an error is told as.
pub(super) fn status(error: &AdviseError) -> Status {
    match error.kind {
        ErrorKind::NotEvaluable => Status::NotEvaluable,
        ErrorKind::Timeout => Status::TimedOut,
        ErrorKind::Unreachable | ErrorKind::Refused => Status::Unreachable,
        ErrorKind::Status(_) => Status::Failed,
        ErrorKind::TooLarge | ErrorKind::NotJson | ErrorKind::NotDicom | ErrorKind::NotStored => Status::Unusable,
    }
}

/// Takes the answer out of its check and notes what the check did.
pub(super) fn noted(checked: Checked, note: &mut ServiceNote) -> Response {
    note.cards = checked.response.cards.len();
    note.unlisted = checked.unlisted;
    note.repairs = checked
        .repairs
        .into_iter()
        .map(|repair| Note { rule: repair.rule.to_owned(), place: repair.place, reason: String::new() })
        .collect();
    note.quarantined = checked
        .quarantined
        .into_iter()
        .map(|held| Note { rule: held.rule.to_owned(), place: held.place, reason: held.reason.to_string() })
        .collect();
    checked.response
}

impl ServiceNote {
    /// A note that says only who and what came of it.
    pub(crate) fn of(member: &Member, status: Status) -> Self {
        Self {
            service: member.name.to_string(),
            version: member.version.to_string(),
            mode: member.mode.word(),
            status,
            sent: IndexMap::new(),
            fetched: Vec::new(),
            omitted: IndexMap::new(),
            request_bytes: 0,
            response_bytes: None,
            elapsed_ms: 0.0,
            cards: 0,
            repairs: Vec::new(),
            quarantined: Vec::new(),
            unlisted: 0,
            re_emitted: false,
        }
    }
}
