//! [`Shares`]: how many calls of one hospital are answered at once. A hospital whose EHR runs wild uses up its own share
//! and leaves the others theirs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::catalog::HospitalId;

/// Each hospital's places. Only believed callers' hospitals come here, so there are no more entries than hospitals.
#[derive(Debug)]
pub(crate) struct Shares {
    each: usize,
    places: Mutex<HashMap<HospitalId, Arc<Semaphore>>>,
}

impl Shares {
    /// So many places for each hospital.
    pub(crate) fn of(each: usize) -> Self {
        Self { each: each.min(Semaphore::MAX_PERMITS), places: Mutex::default() }
    }

    /// A place for a call of this hospital, if it has one left.
    pub(crate) fn place(&self, hospital: &HospitalId) -> Option<OwnedSemaphorePermit> {
        self.places_of(hospital).try_acquire_owned().ok()
    }

    fn places_of(&self, hospital: &HospitalId) -> Arc<Semaphore> {
        // The map is whole whenever the lock is free, so a poisoned lock is as good as any.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        match places.get(hospital) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(places.entry(hospital.clone()).or_insert(Arc::new(Semaphore::new(self.each)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hospital_uses_up_its_own_share_and_no_others() {
        let shares = Shares::of(2);
        let (kiku, ran) = ("kiku".parse().unwrap(), "ran".parse().unwrap());
        let held: Vec<_> = std::iter::from_fn(|| shares.place(&kiku)).collect();
        assert_eq!(held.len(), 2);
        assert!(shares.place(&ran).is_some());
        drop(held);
        assert!(shares.place(&kiku).is_some());
    }

    #[test]
    fn a_panic_beside_it_costs_nobody_a_place() {
        let shares = Arc::new(Shares::of(1));
        let poisoned = Arc::clone(&shares);
        let panicked = std::thread::spawn(move || {
            let _lock = poisoned.places.lock();
            panic!("while it holds the lock");
        });
        assert!(panicked.join().is_err() && shares.places.is_poisoned());
        assert!(shares.place(&"kiku".parse().unwrap()).is_some());
    }
}
