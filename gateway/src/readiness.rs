//! Whether calls can be answered. Anybody may ask, so the store is not asked more than once a second.

use std::time::Duration;

use tokio::{sync::Mutex, time::Instant};

use crate::store::Store;

/// How long a verdict holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The last verdict, and when it was given.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whether the store takes writes, as of a second ago at most.
    pub(crate) async fn look(&self, store: &Store) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, verdict)) = *last
            && at.elapsed() < HOLDS
        {
            return verdict;
        }
        let verdict = match store.check_writable().await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the store takes no writes");
                false
            }
        };
        *last = Some((Instant::now(), verdict));
        verdict
    }
}
