//! [`Line`]: what the gateway keeps about one version of one service between calls: its adapter, its breaker and
//! its limit of calls at once.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use medvan_adapters::{Advisor, breaker::Breaker, cds_hooks, concurrency::Concurrency, http};

use crate::catalog::{Member, ServiceName, VersionNumber};

/// The way to one version of one service.
pub(crate) struct Line {
    pub(crate) advisor: Arc<dyn Advisor>,
    pub(crate) breaker: Breaker,
    pub(crate) concurrency: Concurrency,
}

/// Every line, made on first use and kept: a renewed catalog must not forget that a service is failing.
#[derive(Default)]
pub(crate) struct Lines(RwLock<HashMap<Key, Arc<Line>>>);

/// A line belongs to one CDS service of one version: another version is another program.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(ServiceName, VersionNumber, String);

impl Lines {
    /// The line to this service.
    pub(crate) fn to(&self, member: &Member, http: &http::Client) -> Arc<Line> {
        let key = Key(member.name.clone(), member.version.clone(), member.cds_id.clone());
        let known = self.0.read().ok().and_then(|lines| lines.get(&key).cloned());
        known.unwrap_or_else(|| self.open(key, member, http))
    }

    fn open(&self, key: Key, member: &Member, http: &http::Client) -> Arc<Line> {
        let line = Arc::new(Line::of(member, http));
        match self.0.write() {
            Ok(mut lines) => Arc::clone(lines.entry(key).or_insert(line)),
            Err(_) => line,
        }
    }
}

impl Line {
    fn of(member: &Member, http: &http::Client) -> Self {
        let limits = &member.descriptor.limits;
        Self {
            advisor: Arc::new(cds_hooks::Service::new(http.clone())),
            breaker: Breaker::default(),
            concurrency: Concurrency::new(limits.concurrency),
        }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines")
    }
}
