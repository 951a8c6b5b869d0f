//! [`Arriving`]: the studies of which something came by an arrival that is still open, and may bring more.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use medvan_imaging::Uid;

use crate::catalog::HospitalId;

/// Studies that one arrival is remembered for; an association of days may bring thousands.
const MOST: usize = 1_000;

type Study = (HospitalId, Uid);

/// How many open arrivals brought something of each study. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Arriving(Arc<Mutex<HashMap<Study, usize>>>);

impl Arriving {
    /// Open arrivals that brought something of a study.
    pub(super) fn of(&self, hospital: &HospitalId, study: &Uid) -> usize {
        self.counts().get(&(hospital.clone(), study.clone())).copied().unwrap_or_default()
    }

    /// What one arrival brings.
    pub(super) fn begin(&self, hospital: &HospitalId) -> Brings {
        Brings { arriving: self.clone(), hospital: hospital.clone(), studies: HashSet::new() }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Study, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The studies of one arrival, until it is dropped.
#[derive(Debug)]
pub(super) struct Brings {
    arriving: Arriving,
    hospital: HospitalId,
    studies: HashSet<Uid>,
}

impl Brings {
    /// The studies.
    pub(super) fn studies(&self) -> Vec<&Uid> {
        self.studies.iter().collect()
    }

    /// It brought something of this study.
    pub(super) fn note(&mut self, study: &Uid) {
        if self.studies.len() < MOST && !self.studies.contains(study) {
            self.studies.insert(study.clone());
            *self.arriving.counts().entry((self.hospital.clone(), study.clone())).or_default() += 1;
        }
    }
}

impl Drop for Brings {
    fn drop(&mut self) {
        let mut counts = self.arriving.counts();
        for study in self.studies.drain() {
            let study = (self.hospital.clone(), study);
            match counts.get_mut(&study) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(counts.remove(&study)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_is_arriving_as_long_as_something_that_brought_of_it_is_open() {
        let (arriving, kiku) = (Arriving::default(), "kiku".parse().unwrap());
        let [one, other] = ["1.2.1", "1.2.2"].map(|uid| uid.parse::<Uid>().unwrap());
        let (mut first, mut second) = (arriving.begin(&kiku), arriving.begin(&kiku));
        first.note(&one);
        first.note(&one);
        second.note(&one);
        assert_eq!((arriving.of(&kiku, &one), arriving.of(&kiku, &other)), (2, 0));
        assert_eq!(arriving.of(&"ran".parse().unwrap(), &one), 0);
        drop(first);
        assert_eq!(arriving.of(&kiku, &one), 1);
        drop(second);
        assert_eq!(arriving.of(&kiku, &one), 0);
        assert!(arriving.counts().is_empty());
    }
}
