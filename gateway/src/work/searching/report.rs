//! [`Report`]: what a search for priors found where, what was fetched, and why not; it names studies of the one patient, no more.

use medvan_analysis::matching::{PriorVerdict, Refusal, StudyFacts};
use medvan_imaging::Uid;
use serde::Serialize;

use crate::{catalog::ServiceName, work::pacs::PacsFault};

/// What a search found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Why it was not done to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<PacsFault>,
    /// Whether the archive told of more studies than are read: a later one may be among those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_cut: bool,
    /// The studies that were looked at, the latest first.
    pub(super) studies: Vec<Looked>,
}

/// A study that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Looked {
    pub(super) study: Uid,
    date: String,
    modalities: Vec<String>,
    /// `store`, `pacs`.
    pub(super) found_in: Vec<&'static str>,
    /// What was fetched of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fetched: Vec<Fetched>,
    /// Why something of it was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_fetched: Option<PacsFault>,
    /// What it is for each service that wants to compare.
    services: Vec<ForService>,
}

/// A series that was fetched.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fetched {
    pub(super) series: Uid,
    /// Instances that were not stored before.
    pub(super) instances: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ForService {
    service: ServiceName,
    entry: String,
    fits: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refusals: Vec<Refusal>,
}

impl Report {
    /// One that tells only why there was no search.
    pub(super) fn that(fault: PacsFault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// It is over.
    pub(super) fn ends(&mut self, fault: Option<PacsFault>) {
        self.fault = fault;
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl Looked {
    pub(super) fn of(facts: &StudyFacts, found_in: Vec<&'static str>) -> Self {
        Self {
            study: facts.uid.clone(),
            date: facts.date.clone(),
            modalities: facts.modalities.clone(),
            found_in,
            fetched: Vec::new(),
            not_fetched: None,
            services: Vec::new(),
        }
    }

    /// What it is for a service, as far as is known now.
    pub(super) fn is_for(&mut self, service: &ServiceName, entry: &str, verdict: &PriorVerdict) {
        self.services.retain(|told| told.service != *service || told.entry != entry);
        self.services.push(ForService {
            service: service.clone(),
            entry: entry.to_owned(),
            fits: verdict.fits,
            refusals: verdict.refusals.clone(),
        });
    }
}
