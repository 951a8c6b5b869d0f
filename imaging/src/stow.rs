//! The answer to a Store transaction (STOW-RS; PS3.18 §10.5.3 and annex I), and the same for C-STORE (PS3.4 §B.2.3).

mod reason;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use dicom_dictionary_std::tags;
pub use reason::{FailureReason, WarningReason};

use crate::{Uid, attributes::Attributes};

/// What became of one instance, or of a part of the request that is none.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// SOP Class UID, as far as it could be read.
    pub class: Option<Uid>,
    /// SOP Instance UID, as far as it could be read.
    pub instance: Option<Uid>,
    /// Where it is now, or why it is nowhere.
    pub result: Result<Stored, Failure>,
}

/// An instance that is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its study.
    pub study: Uid,
    /// Its series.
    pub series: Uid,
    /// What the sender should know.
    pub warning: Option<WarningReason>,
    /// Items of Original Attributes Sequence (0400,0561), where values were coerced or corrected.
    pub originals: Vec<Attributes>,
}

/// An instance that is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why, as a code.
    pub reason: FailureReason,
    /// Why, in words for the sender: places and mends, never values. The reason's own words where there are no better ones.
    pub detail: Option<String>,
}

/// The answer to one Store request.
#[derive(Debug, Clone)]
pub struct StoreResponse {
    study: Option<String>,
    stored: Vec<Attributes>,
    failed: Vec<Attributes>,
    others: Vec<Attributes>,
    /// Codes and words, each once.
    warnings: BTreeSet<(u16, String)>,
    status: u16,
}

impl From<FailureReason> for Failure {
    fn from(reason: FailureReason) -> Self {
        Self { reason, detail: None }
    }
}

impl Failure {
    /// In words.
    pub fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.reason.text())
    }

    /// Error Comment (0000,0902) of a C-STORE response: 64 characters of ASCII.
    pub fn error_comment(&self) -> String {
        let plain = |c: char| if (' '..='~').contains(&c) && c != '\\' { c } else { '?' };
        self.text().chars().take(64).map(plain).collect()
    }
}

impl StoreResponse {
    /// The answer for what became of each instance, in their order.
    ///
    /// `service` is the base URI of the service, without a slash at the end; `study` the one that the path of the request
    /// names.
    pub fn new(service: &str, study: Option<&Uid>, outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut response = Self {
            study: None,
            stored: Vec::new(),
            failed: Vec::new(),
            others: Vec::new(),
            warnings: BTreeSet::new(),
            status: 0,
        };
        let mut studies: BTreeSet<Uid> = study.cloned().into_iter().collect();
        let mut failures = Failures::default();
        for outcome in outcomes {
            match &outcome.result {
                Ok(stored) => {
                    studies.insert(stored.study.clone());
                    response.stored(service, &outcome, stored);
                }
                Err(failure) => {
                    failures.count(failure.reason);
                    response.failed(&outcome, failure);
                }
            }
        }
        // Of several studies none is "the Study" (table I.1-1); of none there is nothing to retrieve.
        response.study = match studies.pop_first() {
            Some(study) if studies.is_empty() && !response.stored.is_empty() => {
                Some(format!("{service}/studies/{study}"))
            }
            _ => None,
        };
        response.status = response.status_of(failures);
        response
    }

    /// The HTTP status (table 10.5.3-1). Where nothing was stored because this server is short of room or of time it is
    /// 503 (§8.5), so that the sender tries again.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The Store Instances Response Module (table I.1-1). Sequences without items are absent.
    pub fn to_attributes(&self) -> Attributes {
        let mut module = Attributes::new();
        module.put_text(tags::RETRIEVE_URL, self.study.as_deref().unwrap_or_default());
        let sequences = [
            (tags::FAILED_SOP_SEQUENCE, &self.failed),
            (tags::REFERENCED_SOP_SEQUENCE, &self.stored),
            (tags::OTHER_FAILURES_SEQUENCE, &self.others),
        ];
        for (tag, items) in sequences.into_iter().filter(|(_, items)| !items.is_empty()) {
            module.put_items(tag, items.clone());
        }
        module
    }

    /// Values for `Warning` header fields: each code with its words (§10.5.3.2 recommends this form). The module has room for
    /// codes only, so that this is where a sender reads what is wrong.
    pub fn warnings(&self, service: &str) -> Vec<String> {
        self.warnings.iter().map(|(code, text)| format!("{code:04X} {service}: {text}")).collect()
    }

    fn stored(&mut self, service: &str, outcome: &Outcome, stored: &Stored) {
        let mut item = reference(outcome);
        let Stored { study, series, warning, originals } = stored;
        if let Some(instance) = &outcome.instance {
            let url = format!("{service}/studies/{study}/series/{series}/instances/{instance}");
            item.put_text(tags::RETRIEVE_URL, url);
        }
        if let Some(warning) = warning {
            item.put_number(tags::WARNING_REASON, u64::from(warning.code()));
            self.warn(warning.code(), warning.text());
        }
        if !originals.is_empty() {
            item.put_items(tags::ORIGINAL_ATTRIBUTES_SEQUENCE, originals.clone());
        }
        self.stored.push(item);
    }

    fn failed(&mut self, outcome: &Outcome, failure: &Failure) {
        let code = failure.reason.code();
        self.warn(code, failure.text());
        let mut item = if outcome.instance.is_some() { reference(outcome) } else { Attributes::new() };
        item.put_number(tags::FAILURE_REASON, u64::from(code));
        if outcome.instance.is_some() { self.failed.push(item) } else { self.others.push(item) }
    }

    /// A request of thousands may fail in as many ways: the header has the first of them.
    fn warn(&mut self, code: u16, text: &str) {
        const MOST: usize = 16;
        if self.warnings.len() < MOST {
            let plain = text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' });
            self.warnings.insert((code, plain.collect()));
        }
    }

    fn status_of(&self, failures: Failures) -> u16 {
        if !self.stored.is_empty() {
            // With no failure and no warning to tell.
            return if self.warnings.is_empty() { 200 } else { 202 };
        }
        match failures {
            // Also when there was nothing in the request.
            Failures { all, syntax, .. } if all == syntax => 400,
            Failures { all, temporary, .. } if all == temporary => 503,
            _ => 409,
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Failures {
    all: usize,
    syntax: usize,
    temporary: usize,
}

impl Failures {
    fn count(&mut self, reason: FailureReason) {
        self.all += 1;
        self.syntax += usize::from(reason.is_bad_syntax());
        self.temporary += usize::from(reason.is_temporary());
    }
}

/// SOP Instance Reference (PS3.3 table 10-11).
fn reference(outcome: &Outcome) -> Attributes {
    let mut item = Attributes::new();
    let text = |uid: &Option<Uid>| uid.as_ref().map(Uid::to_string).unwrap_or_default();
    item.put_text(tags::REFERENCED_SOP_CLASS_UID, text(&outcome.class));
    item.put_text(tags::REFERENCED_SOP_INSTANCE_UID, text(&outcome.instance));
    item
}
