//! [`Concurrency`]: how many calls one service gets at once, as its descriptor says.
//!
//! Without it a slow service would hold ever more of the gateway's connections and memory. Who finds no place may wait
//! for one within the call's own time, in the order of arrival; not more may wait than are being served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one service.
#[derive(Debug)]
pub struct Concurrency {
    places: Arc<Semaphore>,
    limit: usize,
    waiting: AtomicUsize,
}

/// One place, given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// No place now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service has as many calls as it takes at once")]
pub struct Busy;

impl Concurrency {
    /// Places for `limit` calls at once; at least one.
    pub fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(limit)), limit, waiting: AtomicUsize::new(0) }
    }

    /// A place, if there is one now.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn try_enter(&self) -> Result<Place, Busy> {
        Arc::clone(&self.places).try_acquire_owned().map(Place).map_err(|_| Busy)
    }

    /// A place, waited for at most `patience`.
    ///
    /// # Errors
    /// [`Busy`] when the time is over, and at once when as many wait already as there are places.
    pub async fn enter(&self, patience: Duration) -> Result<Place, Busy> {
        if let Ok(place) = self.try_enter() {
            return Ok(place);
        }
        let _waiting = Waiting::among(self)?;
        let place = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(patience, place).await {
            Ok(Ok(place)) => Ok(Place(place)),
            _ => Err(Busy),
        }
    }

    /// Calls under way now, for a metric.
    pub fn in_flight(&self) -> usize {
        self.limit - self.places.available_permits()
    }
}

/// Counts one who waits, also when its call is dropped meanwhile.
struct Waiting<'a>(&'a Concurrency);

impl<'a> Waiting<'a> {
    fn among(concurrency: &'a Concurrency) -> Result<Self, Busy> {
        let waiting = Self(concurrency);
        let before = concurrency.waiting.fetch_add(1, Ordering::Relaxed);
        if before < concurrency.limit { Ok(waiting) } else { Err(Busy) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::join};

    use super::*;

    const AMPLE: Duration = Duration::from_secs(3600);

    #[test]
    fn there_are_as_many_places_as_were_said_and_at_least_one() {
        for (limit, places) in [(0, 1), (1, 1), (3, 3)] {
            let concurrency = Concurrency::new(limit);
            let held: Vec<_> = std::iter::from_fn(|| concurrency.try_enter().ok()).collect();
            assert_eq!((held.len(), concurrency.in_flight()), (places, places));
            drop(held);
            assert_eq!(concurrency.in_flight(), 0);
        }
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let concurrency = Concurrency::new(1);
        let held = concurrency.try_enter().unwrap();
        let (waited, ()) = join(concurrency.enter(AMPLE), async { drop(held) }).await;
        assert!(waited.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_ends_with_the_patience() {
        let concurrency = Concurrency::new(1);
        let _held = concurrency.try_enter().unwrap();
        assert_eq!(concurrency.enter(AMPLE).await.unwrap_err(), Busy);
        assert_eq!(concurrency.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn no_more_wait_than_are_served() {
        let concurrency = Concurrency::new(2);
        let _held = [concurrency.try_enter().unwrap(), concurrency.try_enter().unwrap()];
        let mut first = Box::pin(concurrency.enter(AMPLE));
        let mut second = Box::pin(concurrency.enter(AMPLE));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        assert_eq!(concurrency.enter(AMPLE).now_or_never().unwrap().unwrap_err(), Busy);
        drop(first);
        assert!(Box::pin(concurrency.enter(AMPLE)).as_mut().now_or_never().is_none());
    }
}
