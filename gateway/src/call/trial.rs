//! Trials: a quota that two hundred calls at once cannot overrun (security check 56).
//!
//! A use is reserved before the service is asked and given back when it came to nothing. The count starts from the
//! store's usage rows, so that a restart forgets none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use time::OffsetDateTime;

use crate::{
    catalog::{HospitalId, Member, Mode, ServiceName},
    store::{Store, StoreError},
};

/// Uses of every trial, reserved and counted.
#[derive(Debug, Default)]
pub(crate) struct Trials(Mutex<HashMap<(HospitalId, ServiceName), u32>>);

/// One reserved use; given back when dropped, unless it was counted.
#[derive(Debug)]
pub(crate) struct Reservation {
    trials: Arc<Trials>,
    key: (HospitalId, ServiceName),
    counted: bool,
}

/// Why a trial answers no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its last day is over.
    Time,
    /// Its quota is used up.
    Quota,
}

impl Ended {
    /// For the refusal's text.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Time => "its last day is over",
            Self::Quota => "its quota is used up",
        }
    }
}

impl Trials {
    /// Counts what the store already holds.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let counted = store.trial_uses().await?;
        Ok(Self(Mutex::new(counted.into_iter().collect())))
    }

    /// Takes one use of the trial; `None` for services that are no trial.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        hospital: &HospitalId,
        member: &Member,
        now: OffsetDateTime,
    ) -> Result<Option<Reservation>, Ended> {
        let Mode::Trial { quota, until } = member.mode else { return Ok(None) };
        if now >= until {
            return Err(Ended::Time);
        }
        let key = (hospital.clone(), member.name.clone());
        let mut uses = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let used = uses.entry(key.clone()).or_default();
        if *used >= quota {
            return Err(Ended::Quota);
        }
        *used += 1;
        Ok(Some(Reservation { trials: Arc::clone(self), key, counted: false }))
    }
}

impl Reservation {
    /// The use happened: it stays counted.
    pub(crate) fn count(mut self) {
        self.counted = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.counted {
            let mut uses = self.trials.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(used) = uses.get_mut(&self.key) {
                *used = used.saturating_sub(1);
            }
        }
    }
}
