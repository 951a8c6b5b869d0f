//! The last cards of each service in one context, kept for a short while in memory.
//!
//! An EHR drops a service's earlier cards when the hook fires again (CDS Hooks item 45). Behind an aggregated
//! service this would make the cards of a vendor vanish that merely missed its deadline. A hospital may choose
//! (`missedHook: {"reEmitSeconds": n}`) that such cards are given once more, marked as earlier ones. Only the same
//! user's same context gets them: advice on a dose must not come again when the dose has been changed. Nothing is kept
//! for hospitals that did not choose it, and nothing reaches a disk.

use std::{sync::Arc, time::Duration};

use medvan_hooks::response::Response;
use moka::{Expiry, sync::Cache};
use std::time::Instant;

use crate::catalog::{ClientId, HospitalId, ServiceName};

/// Cards of recent answers. Bounded by count; each answer is bounded by the service's own limit.
pub(crate) struct RecentCards(Cache<Key, Arc<Kept>>);

/// Whose cards: the hospital comes first, so that no key of one hospital equals one of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) hospital: HospitalId,
    pub(crate) client: ClientId,
    pub(crate) service: ServiceName,
    pub(crate) cds_id: String,
    /// Digest of everything in the hook's context: user, patient, encounter, orders.
    pub(crate) context: [u8; 32],
}

/// One answer and how long it may be given again.
struct Kept {
    response: Response,
    lifetime: Duration,
}

struct OwnLifetime;

impl Expiry<Key, Arc<Kept>> for OwnLifetime {
    fn expire_after_create(&self, _key: &Key, kept: &Arc<Kept>, _at: Instant) -> Option<Duration> {
        Some(kept.lifetime)
    }

    fn expire_after_update(&self, _: &Key, kept: &Arc<Kept>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(kept.lifetime)
    }
}

impl RecentCards {
    /// An empty memory.
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(10_000).expire_after(OwnLifetime).build())
    }

    /// Remembers a checked answer for so long.
    pub(crate) fn keep(&self, key: Key, response: Response, lifetime: Duration) {
        self.0.insert(key, Arc::new(Kept { response, lifetime }));
    }

    /// The last answer, if it is still young enough.
    pub(crate) fn last(&self, key: &Key) -> Option<Response> {
        self.0.get(key).map(|kept| kept.response.clone())
    }
}

impl std::fmt::Debug for RecentCards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecentCards({})", self.0.entry_count())
    }
}
