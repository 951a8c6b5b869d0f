//! The last cards of each service in one context, kept for a short while in memory.
//!
//! An EHR drops a service's earlier cards when the hook fires again (CDS Hooks item 45). Behind an aggregated
//! service this would make the cards of a vendor vanish that merely missed its deadline. A hospital may choose
//! (`missedHook: {"reEmitSeconds": n}`) that such cards are given once more, marked as earlier ones. Only the same
//! user's same context gets them: advice on a dose must not come again when the dose has been changed. Nothing is kept
//! for hospitals that did not choose it, and nothing reaches a disk. System actions are not kept: they were applied.

use std::{sync::Arc, time::Duration};

use medvan_hooks::card::Card;
use moka::{Expiry, sync::Cache};
use std::time::Instant;

use crate::catalog::{ClientId, HospitalId, ServiceName, VersionNumber};

/// Most bytes of all answers kept.
const CAPACITY: u64 = 64 << 20;

/// Cards of recent answers, bounded in bytes.
pub(crate) struct RecentCards(Cache<Key, Arc<Kept>>);

/// Whose cards: the hospital comes first, so that no key of one hospital equals one of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) hospital: HospitalId,
    pub(crate) client: ClientId,
    pub(crate) service: ServiceName,
    pub(crate) cds_id: String,
    pub(crate) version: VersionNumber,
    /// A keyed hash of everything in the hook's context: user, patient, encounter, orders.
    pub(crate) context: Vec<u8>,
}

/// One answer's cards and how long they may be given again.
struct Kept {
    cards: Vec<Card>,
    bytes: u32,
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
        let weigher = |_: &Key, kept: &Arc<Kept>| kept.bytes;
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weigher).expire_after(OwnLifetime).build())
    }

    /// Remembers the cards of a checked answer for so long.
    pub(crate) fn keep(&self, key: Key, cards: Vec<Card>, lifetime: Duration) {
        let bytes = serde_json::to_vec(&cards).map_or(u32::MAX, |text| u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.insert(key, Arc::new(Kept { cards, bytes, lifetime }));
    }

    /// The last answer's cards, if they are still young enough.
    pub(crate) fn last(&self, key: &Key) -> Option<Vec<Card>> {
        self.0.get(key).map(|kept| kept.cards.clone())
    }
}

impl std::fmt::Debug for RecentCards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecentCards({})", self.0.entry_count())
    }
}
