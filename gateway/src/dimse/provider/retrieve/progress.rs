//! [`Progress`]: how far a retrieval got.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use medvan_imaging::{
    TransferSyntax, Uid,
    dataset::Dataset,
    dimse::{Outcome, Request, Response, Status, SubOperations, bytes_of},
    transfer_syntax::Encoding,
};

use crate::store::FoundInstance;

/// How far a retrieval got.
#[derive(Debug, Default)]
pub(super) struct Progress {
    remaining: usize,
    completed: usize,
    warning: usize,
    failed: Vec<Uid>,
    /// Why the first one failed.
    reason: Option<String>,
}

impl Progress {
    pub(super) fn of(instances: usize) -> Self {
        Self { remaining: instances, ..Self::default() }
    }

    pub(super) fn remaining(&self) -> usize {
        self.remaining
    }

    /// The receiver answered.
    pub(super) fn count(&mut self, instance: &FoundInstance, answer: &Response) {
        match answer.status.outcome() {
            Outcome::Success => {
                self.remaining -= 1;
                self.completed += 1;
            }
            Outcome::Warning => {
                self.remaining -= 1;
                self.warning += 1;
            }
            _ => self.fail(instance, &answer.in_words()),
        }
    }

    /// It could not be sent, or was refused.
    pub(super) fn fail(&mut self, instance: &FoundInstance, reason: &impl ToString) {
        self.remaining -= 1;
        self.failed.push(instance.uid.clone());
        self.reason.get_or_insert_with(|| reason.to_string());
    }

    /// The counts. How many remain is told while it goes on, and after a C-CANCEL.
    pub(super) fn counts(&self, with_remaining: bool) -> SubOperations {
        let short = |many: usize| u16::try_from(many).unwrap_or(u16::MAX);
        SubOperations {
            remaining: with_remaining.then(|| short(self.remaining)),
            completed: short(self.completed),
            failed: short(self.failed.len()),
            warning: short(self.warning),
        }
    }

    /// The last answer (PS3.4 tables C.4-2 and C.4-3).
    pub(super) fn answer(&self, request: &Request, is_cancelled: bool) -> Response {
        let nothing_went = self.completed + self.warning == 0;
        let status = match () {
            () if is_cancelled => Status::CANCEL,
            () if self.failed.is_empty() && self.warning == 0 => Status::SUCCESS,
            () if nothing_went => Status::UNABLE_TO_PERFORM_SUB_OPERATIONS,
            () => Status::SUB_OPERATIONS_INCOMPLETE,
        };
        let comment = self.reason.clone();
        Response { comment, sub_operations: Some(self.counts(is_cancelled)), ..Response::to(request, status) }
    }

    /// Failed SOP Instance UID List, if any failed.
    pub(super) fn failed_list(&self, syntax: &TransferSyntax) -> Option<Vec<u8>> {
        let uids: Vec<&str> = self.failed.iter().map(Uid::as_str).collect();
        if uids.is_empty() {
            return None;
        }
        let is_explicit = syntax.encoding == Encoding::ExplicitLittle;
        let mut list = Dataset::new();
        // In explicit VR the value has at most 65534 bytes; a list of a thousand tells enough.
        let most = if is_explicit { uids.len().min(1_000) } else { uids.len() };
        list.put_bytes(tags::FAILED_SOP_INSTANCE_UID_LIST, VR::UI, uids[..most].join("\\"));
        Some(bytes_of(&list, is_explicit))
    }
}

#[cfg(test)]
mod tests;
