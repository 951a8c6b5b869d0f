//! [`Line`]: what the gateway keeps about one version of one service between calls: its adapter, its breaker and
//! its limit of calls at once.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use medvan_adapters::{
    advisor::{Advice, AdviseError, Advisor},
    breaker::{Breaker, Permit, State},
    cds_hooks::{self, Endpoint},
    concurrency::{Concurrency, Place},
    http,
};
use tokio::time::Instant;

use super::explanation::Status;
use crate::catalog::{Member, ServiceName, VersionNumber};

/// The way to one version of one service.
pub(crate) struct Line {
    pub(crate) advisor: Arc<dyn Advisor>,
    breaker: Breaker,
    concurrency: Concurrency,
}

/// Every line, made on first use and kept: a renewed catalog must not forget that a service is failing. Nor must a
/// panic: every critical section leaves the map whole, so a poisoned lock is as good as any.
#[derive(Default)]
pub(crate) struct Lines(RwLock<HashMap<Key, Arc<Line>>>);

/// A line belongs to one CDS service of one version: another version is another program.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key(ServiceName, VersionNumber, String);

impl Lines {
    /// The line to this service.
    pub(crate) fn to(&self, member: &Member, http: &http::Client) -> Arc<Line> {
        let key = Key(member.name.clone(), member.version.clone(), member.cds_id.clone());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        known.unwrap_or_else(|| self.open(key, member, http))
    }

    /// Sets a gauge for each line: calls under way, and whether the service is left alone (0 no, 1 one probe, 2 yes).
    pub(crate) fn gauge(&self) {
        let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (Key(service, version, cds_id), line) in lines.iter() {
            let labels = [("service", service.to_string()), ("version", version.to_string()), ("id", cds_id.clone())];
            let resting = match line.breaker.state(Instant::now().into_std()) {
                State::Closed => 0.0,
                State::HalfOpen => 1.0,
                State::Open => 2.0,
            };
            metrics::gauge!("medvan_service_in_flight", &labels).set(line.concurrency.in_flight() as f64);
            metrics::gauge!("medvan_service_resting", &labels).set(resting);
        }
    }

    fn open(&self, key: Key, member: &Member, http: &http::Client) -> Arc<Line> {
        let line = Arc::new(Line::of(member, http));
        Arc::clone(self.0.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(line))
    }
}

impl Line {
    fn of(member: &Member, http: &http::Client) -> Self {
        let descriptor = &member.descriptor;
        let endpoint = Endpoint {
            url: member.url.as_str(),
            content_type: descriptor.transport.overrides.content_type.as_str(),
            response_bytes: descriptor.limits.response_bytes,
        };
        Self {
            advisor: Arc::new(cds_hooks::Service::new(http.clone(), endpoint)),
            breaker: Breaker::default(),
            concurrency: Concurrency::new(descriptor.limits.concurrency),
        }
    }

    /// The right to make one call, waited for until the call's deadline at most.
    ///
    /// # Errors
    /// [`Status::Resting`] or [`Status::Busy`]: the service is not asked.
    pub(crate) async fn enter(&self, until: Instant) -> Result<(Place, Permit<'_>), Status> {
        let permit = self.breaker.permit(Instant::now().into_std()).map_err(|_| Status::Resting)?;
        let patience = until.saturating_duration_since(Instant::now());
        let place = self.concurrency.enter(patience).await.map_err(|_| Status::Busy)?;
        Ok((place, permit))
    }
}

/// Tells the breaker what an answer says about the service's health.
pub(crate) fn judge(permit: Permit<'_>, answer: &Result<Advice, AdviseError>) {
    match answer {
        Err(error) if error.is_failure() => permit.failed(),
        _ => permit.succeeded(),
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines")
    }
}
