//! [`Jwks`]: the keys that clients publish, fetched from registered locations only, and kept as long as they may be.
//!
//! - Kept no longer than the publisher's `Cache-Control` says (SMART: SHALL NOT), so a revoked key is dead by then; at
//!   most an hour in any case.
//! - An unknown `kid` fetches anew, which is how a rotation is noticed, but at most every 30 seconds, as anybody can
//!   send unknown `kid`s.
//! - A failure is remembered for 10 seconds, so that a dead key server is not asked by every call.
//! - Calls that need the same fetch share it.

use std::time::Duration;

use medvan_adapters::http::{Client, GuardedUrl, Request, Response};
use moka::future::Cache;
use time::{Duration as Span, OffsetDateTime};
use tracing::warn;

use super::{Algorithm, KeySet, Refusal, jwk};

mod freshness;

/// Most locations kept; each costs a few kilobytes.
const MAX_LOCATIONS: u64 = 10_000;

/// Between two fetches because of a `kid` that was not there.
const UNKNOWN_KID_PAUSE: Span = Span::seconds(30);

/// How long a failed fetch is remembered.
const FAILURE_PAUSE: Span = Span::seconds(10);

/// Time for one fetch: part of a call's deadline.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// The published keys of every client. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub struct Jwks {
    client: Client,
    fetched: Cache<GuardedUrl, Fetched>,
}

/// What a location gave, and how long that counts.
#[derive(Clone)]
struct Fetched {
    keys: Option<KeySet>,
    at: OffsetDateTime,
    fresh_until: OffsetDateTime,
}

impl Jwks {
    /// An empty cache that fetches through the guarded client.
    pub fn new(client: Client) -> Self {
        Self { client, fetched: Cache::new(MAX_LOCATIONS) }
    }

    /// The keys at a location, fetched anew when they are old or lack the wanted one.
    pub(super) async fn keys(
        &self,
        url: &GuardedUrl,
        kid: &str,
        algorithm: Algorithm,
        now: OffsetDateTime,
    ) -> Result<KeySet, Refusal> {
        let known = self.fetched.get(url).await;
        if let Some(known) = known.as_ref().filter(|known| !known.is_outdated(kid, algorithm, now)) {
            return known.keys.clone().ok_or(Refusal::KeysUnavailable);
        }
        let outdated = |known: &Fetched| known.is_outdated(kid, algorithm, now);
        let fetch = self.fetch(url, known, now);
        let entry = self.fetched.entry_by_ref(url).or_insert_with_if(fetch, outdated).await;
        entry.into_value().keys.ok_or(Refusal::KeysUnavailable)
    }

    async fn fetch(&self, url: &GuardedUrl, known: Option<Fetched>, now: OffsetDateTime) -> Fetched {
        let response = self.client.fetch(Request::get(url.clone(), TIMEOUT, jwk::MAX_BYTES)).await;
        let answer = response.map_err(|error| error.to_string()).and_then(|response| read(&response));
        match answer {
            Ok((keys, life)) => Fetched { keys: Some(keys), at: now, fresh_until: now + life },
            Err(reason) => {
                warn!(location = ?url, reason, "a client's public keys could not be fetched");
                Fetched::failed(known, now)
            }
        }
    }
}

impl Fetched {
    /// Keys that are still fresh outlive a failure; nothing else does.
    fn failed(known: Option<Self>, now: OffsetDateTime) -> Self {
        match known {
            Some(known) if known.keys.is_some() && known.is_fresh(now) => Self { at: now, ..known },
            _ => Self { keys: None, at: now, fresh_until: now + FAILURE_PAUSE },
        }
    }

    /// A clock that was set back makes everything stale rather than eternal.
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        now < self.fresh_until && self.at <= now + Span::MINUTE
    }

    fn is_outdated(&self, kid: &str, algorithm: Algorithm, now: OffsetDateTime) -> bool {
        let lacks = self.keys.as_ref().is_some_and(|keys| !keys.has(kid, algorithm));
        !self.is_fresh(now) || (lacks && now >= self.at + UNKNOWN_KID_PAUSE)
    }
}

impl std::fmt::Debug for Jwks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jwks({} locations)", self.fetched.entry_count())
    }
}

fn read(response: &Response) -> Result<(KeySet, Span), String> {
    if response.status != http::StatusCode::OK {
        return Err(format!("status {}", response.status.as_u16()));
    }
    let keys = KeySet::parse(&response.body).map_err(|error| error.to_string())?;
    Ok((keys, freshness::life(&response.headers)))
}

#[cfg(test)]
mod tests;
