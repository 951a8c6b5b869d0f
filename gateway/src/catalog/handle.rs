//! [`Catalog`]: the current [`Snapshot`], and the one way to renew it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::snapshot::{Acceptance, Snapshot};
use crate::store::{Store, StoreError};

/// A handle to the catalog as calls see it. Clones share it.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    current: ArcSwap<Snapshot>,
    /// Renewals go one after the other, or an older reading could replace a newer one. What doctors accept is summed
    /// over all feedback, so it is read now and then and not with each change.
    renewing: Mutex<Acceptance>,
}

impl Catalog {
    /// Reads the catalog for the first time.
    pub async fn load(store: Store) -> Result<Self, StoreError> {
        let catalog = Self(Arc::new(Inner { store, current: ArcSwap::default(), renewing: Mutex::default() }));
        catalog.renew_with_acceptance().await?;
        Ok(catalog)
    }

    /// The catalog now. A call takes it once and sees the same catalog to its end.
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// Reads the catalog again: whatever was committed before this was called holds for every later call.
    pub async fn renew(&self) -> Result<(), StoreError> {
        let acceptance = self.0.renewing.lock().await;
        self.read_again(&acceptance).await
    }

    /// The same, and looks anew at what doctors accept.
    pub async fn renew_with_acceptance(&self) -> Result<(), StoreError> {
        let mut acceptance = self.0.renewing.lock().await;
        *acceptance = self.0.store.acceptance().await?;
        self.read_again(&acceptance).await
    }

    async fn read_again(&self, acceptance: &Acceptance) -> Result<(), StoreError> {
        let snapshot = Snapshot::build(self.0.store.contents().await?, acceptance);
        for defect in snapshot.defects() {
            tracing::warn!(hospital = %defect.hospital, service = %defect.service, reason = %defect.reason, "left out");
        }
        self.0.current.store(Arc::new(snapshot));
        Ok(())
    }
}
