//! [`Replay`]: a token is good for one call (check 9).
//!
//! Spent nonces are remembered until their token has expired, skew included, in buckets of a minute that are dropped
//! whole. A nonce is kept as 16 bytes of SHA-256 over hospital, issuer and `jti`: a million of them cost about 25 MB.
//!
//! The memory of one process is not enough: the nonce is also written with the exchange record, and
//! [`Replay::restore`] brings those rows back after a restart.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest;
use time::OffsetDateTime;

use super::jwt::{SKEW_SECONDS, Verified};

const BUCKET_SECONDS: i64 = 60;

/// The spent nonces of all hospitals.
#[derive(Default)]
pub struct Replay(Mutex<BTreeMap<i64, HashSet<[u8; 16]>>>);

impl Replay {
    /// Nothing spent yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spends a verified caller's nonce.
    ///
    /// # Errors
    /// [`super::Refusal::Replayed`] when it was spent before.
    pub fn spend(&self, hospital: &str, caller: &Verified, now: OffsetDateTime) -> Result<(), super::Refusal> {
        let seen = self.seen_or_insert(hospital, &caller.iss, &caller.jti, caller.exp, now);
        if seen { Err(super::Refusal::Replayed) } else { Ok(()) }
    }

    /// Whether the nonce was there already; it is afterwards. What has expired by `now` is forgotten on the way.
    pub fn seen_or_insert(
        &self,
        hospital: &str,
        iss: &str,
        jti: &str,
        exp: OffsetDateTime,
        now: OffsetDateTime,
    ) -> bool {
        let nonce = fingerprint(hospital, iss, jti);
        let bucket = bucket(exp);
        let mut spent = self.lock();
        forget_expired(&mut spent, now);
        if spent.values().any(|nonces| nonces.contains(&nonce)) {
            return true;
        }
        spent.entry(bucket).or_default().insert(nonce);
        false
    }

    /// Brings back what was spent before a restart: hospital, issuer, `jti` and `exp` of each row.
    pub fn restore<'a>(&self, rows: impl IntoIterator<Item = (&'a str, &'a str, &'a str, OffsetDateTime)>) {
        let mut spent = self.lock();
        for (hospital, iss, jti, exp) in rows {
            spent.entry(bucket(exp)).or_default().insert(fingerprint(hospital, iss, jti));
        }
    }

    /// How many nonces are remembered.
    pub fn len(&self) -> usize {
        self.lock().values().map(HashSet::len).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every critical section leaves the map whole, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, HashSet<[u8; 16]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replay({} nonces)", self.len())
    }
}

/// The bucket after whose end the token is expired for certain.
fn bucket(exp: OffsetDateTime) -> i64 {
    (exp.unix_timestamp() + SKEW_SECONDS).div_euclid(BUCKET_SECONDS)
}

fn forget_expired(spent: &mut BTreeMap<i64, HashSet<[u8; 16]>>, now: OffsetDateTime) {
    let current = now.unix_timestamp().div_euclid(BUCKET_SECONDS);
    while spent.first_key_value().is_some_and(|(bucket, _)| *bucket < current) {
        spent.pop_first();
    }
}

/// Lengths go in too, so that no two triples run into the same bytes.
fn fingerprint(hospital: &str, iss: &str, jti: &str) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [hospital, iss, jti] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&context.finish().as_ref()[..16]);
    short
}

#[cfg(test)]
mod tests;
