//! Delivering feedback to vendors, at least once, also after a crash.
//!
//! A delivery is claimed with a lease; a process that dies with it frees it by not renewing. Vendors without a
//! feedback endpoint (404, 405, 501) are done: the outcome itself stays kept here. Each vendor has its own few places,
//! and whatever ends makes room at once: a vendor that hangs delays nobody else.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use medvan_adapters::http::{FetchError, Response};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::{
    App, call,
    store::{Claimed, StoreError},
};

/// Deliveries under way at once.
const AT_ONCE: usize = 32;
/// Of these, to one vendor.
const AT_ONCE_PER_VENDOR: u32 = 4;
/// How often the table is looked at without being told: deliveries whose pause or lease is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for one delivery.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a vendor's answer that are read; nothing in it is used.
const ANSWER_BYTES: usize = 64 << 10;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Wakes the outbox when something was put into it.
#[derive(Debug, Default)]
pub(crate) struct Bell(Notify);

impl Bell {
    /// There is something to deliver.
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

/// Delivers until the process stops.
pub(crate) async fn deliver(app: App) {
    let mut running = FuturesUnordered::new();
    while !app.tasks.is_stopping() {
        match claim(&app, AT_ONCE - running.len()).await {
            // Tasks of their own: one that is about to write must not wait for this loop, which may wait to write too.
            Ok(claimed) => running.extend(
                claimed.into_iter().map(|claimed| app.tasks.spawn("delivery", deliver_one(app.clone(), claimed))),
            ),
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        tokio::select! {
            Some(_ended) = running.next() => {}
            () = rest(&app) => {}
        }
    }
}

async fn rest(app: &App) {
    tokio::select! {
        () = app.tasks.stopping() => {}
        () = app.bell.0.notified() => {}
        () = tokio::time::sleep(LOOK_EVERY) => {}
    }
}

/// Takes what is due now, as far as there is room.
async fn claim(app: &App, room: usize) -> Result<Vec<Claimed>, StoreError> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let lease = time::Duration::seconds(i64::try_from(app.config.outbox.lease_seconds).unwrap_or(60));
    app.store.claim_outbox(app.clock.now(), lease, room, AT_ONCE_PER_VENDOR).await
}

async fn deliver_one(app: App, claimed: Claimed) {
    let outcome = Outcome::of(send(&app, &claimed).await);
    metrics::counter!("medvan_feedback_deliveries_total", "outcome" => outcome.word()).increment(1);
    let now = app.clock.now();
    let written = match outcome {
        Outcome::Delivered => app.store.delivered(claimed.id, now).await,
        Outcome::NotWanted => app.store.not_wanted(claimed.id).await,
        Outcome::Refused(fault) => app.store.undeliverable(claimed.id, &fault).await,
        Outcome::Failed(fault) if claimed.attempt >= u64::from(app.config.outbox.attempts) => {
            tracing::warn!(service = %claimed.service, fault, "feedback set aside: too many attempts");
            app.store.undeliverable(claimed.id, &fault).await
        }
        Outcome::Failed(fault) => {
            let next = next_attempt(now, claimed.attempt, app.config.outbox.first_retry_ms);
            app.store.deliver_later(claimed.id, next, &fault).await
        }
    };
    if let Err(error) = written {
        // The lease ends and the delivery comes again: at least once.
        tracing::error!(%error, "the outcome of a delivery was not recorded");
    }
}

async fn send(app: &App, claimed: &Claimed) -> Result<Response, FetchError> {
    let url = app.vendors.guard().check(&claimed.delivery.url)?;
    let tenant = call::tenant(&app.secret, &claimed.hospital, &claimed.service.vendor);
    let token = claimed.delivery.token.as_ref();
    let bearer = token.and_then(|to| app.keys.bearer(to, Some(&tenant), app.clock.now()).ok());
    let request =
        medvan_adapters::cds_hooks::feedback(url, bearer, claimed.delivery.body.clone(), PATIENCE, ANSWER_BYTES);
    app.vendors.fetch(request).await
}

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// The vendor has no such endpoint.
    NotWanted,
    /// Trying again cannot help.
    Refused(String),
    /// Trying again may help.
    Failed(String),
}

impl Outcome {
    fn of(answer: Result<Response, FetchError>) -> Self {
        match answer {
            Ok(answer) => Self::of_status(answer.status.as_u16()),
            Err(FetchError::Url(refused)) => Self::Refused(refused.to_string()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            404 | 405 | 501 => Self::NotWanted,
            // A vendor's keys may be rotating, and 408, 425 and 429 ask for another try.
            401 | 403 | 408 | 425 | 429 | 500..=599 => Self::Failed(format!("status {status}")),
            _ => Self::Refused(format!("status {status}")),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::NotWanted => "not-wanted",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// Doubling pauses, up to an hour.
pub(crate) fn next_attempt(now: OffsetDateTime, attempt: u64, first_ms: u64) -> OffsetDateTime {
    let doublings = u32::try_from(attempt.saturating_sub(1).min(31)).unwrap_or(31);
    let pause = Duration::from_millis(first_ms.saturating_mul(1 << doublings)).min(LONGEST_PAUSE);
    now + pause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_decide_whether_another_try_can_help() {
        for (status, word) in [
            (200, "delivered"),
            (204, "delivered"),
            (404, "not-wanted"),
            (405, "not-wanted"),
            (401, "failed"),
            (429, "failed"),
            (500, "failed"),
            (503, "failed"),
            (302, "refused"),
            (400, "refused"),
            (422, "refused"),
        ] {
            assert_eq!(Outcome::of_status(status).word(), word, "{status}");
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let pause = |attempt| (next_attempt(now, attempt, 1000) - now).whole_seconds();
        assert_eq!([pause(1), pause(2), pause(3), pause(12), pause(13), pause(900)], [1, 2, 4, 2048, 3600, 3600]);
    }
}
