//! [`Shares`]: how many calls of one hospital are answered at once, how many arrivals it has, how many connections stand at the
//! door from one address. A hospital whose EHR runs wild uses up its own share and leaves the others theirs.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::catalog::HospitalId;

/// How many who came at most are remembered before those who have gone are forgotten.
const REMEMBERED: usize = 1_024;

/// Everyone's places.
#[derive(Debug)]
pub(crate) struct Shares<K = HospitalId> {
    each: usize,
    places: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Clone + Eq + Hash> Shares<K> {
    /// So many places for each.
    pub(crate) fn of(each: usize) -> Self {
        Self { each: each.min(Semaphore::MAX_PERMITS), places: Mutex::default() }
    }

    /// A place, if there is one left.
    pub(crate) fn place(&self, whose: &K) -> Option<OwnedSemaphorePermit> {
        self.places_of(whose).try_acquire_owned().ok()
    }

    /// Waits for a place.
    pub(crate) async fn wait(&self, whose: &K) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.places_of(whose).acquire_owned().await.ok()
    }

    fn places_of(&self, whose: &K) -> Arc<Semaphore> {
        // The map is whole whenever the lock is free, so a poisoned lock is as good as any.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = places.get(whose) {
            return Arc::clone(known);
        }
        if places.len() >= REMEMBERED {
            places.retain(|_, own| own.available_permits() < self.each);
        }
        Arc::clone(places.entry(whose.clone()).or_insert(Arc::new(Semaphore::new(self.each))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hospital_uses_up_its_own_share_and_no_others() {
        let shares = Shares::<HospitalId>::of(2);
        let (kiku, ran) = ("kiku".parse().unwrap(), "ran".parse().unwrap());
        let held: Vec<_> = std::iter::from_fn(|| shares.place(&kiku)).collect();
        assert_eq!(held.len(), 2);
        assert!(shares.place(&ran).is_some());
        drop(held);
        assert!(shares.place(&kiku).is_some());
    }

    #[test]
    fn those_who_have_gone_are_forgotten_and_those_who_are_there_keep_their_places() {
        let shares = Shares::of(1);
        let held = shares.place(&0).unwrap();
        for address in 1..10_000 {
            assert!(shares.place(&address).is_some());
        }
        assert!(shares.places.lock().unwrap().len() <= REMEMBERED);
        assert!(shares.place(&0).is_none());
        drop(held);
        assert!(shares.place(&0).is_some());
    }

    #[test]
    fn a_panic_beside_it_costs_nobody_a_place() {
        let shares = Arc::new(Shares::<HospitalId>::of(1));
        let poisoned = Arc::clone(&shares);
        let panicked = std::thread::spawn(move || {
            let _lock = poisoned.places.lock();
            panic!("while it holds the lock");
        });
        assert!(panicked.join().is_err() && shares.places.is_poisoned());
        assert!(shares.place(&"kiku".parse().unwrap()).is_some());
    }
}
