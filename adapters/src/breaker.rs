//! [`Breaker`]: a service that fails is left alone for a while, then asked once whether it works again.
//!
//! ```text
//!            too many failures                 pause over
//!   closed ─────────────────────► open ─────────────────────► half open
//!     ▲                            ▲   the probe failed           │
//!     │                            └──────────────────────────────┤
//!     └───────────────────────────────────────────────────────────┘  the probe succeeded
//! ```
//!
//! In the half-open state exactly one call, the probe, goes through. Its right is a lease: when its task dies or hangs,
//! the lease ends and the next call becomes the probe, so the breaker can not stay half open for ever. A probe that is
//! dropped without a verdict frees its place at once.
//!
//! Every permit belongs to one phase; a verdict that comes when the phase is over says nothing about the present one and
//! is ignored. A call counts for the moment it began, so nothing here needs a clock but [`Breaker::permit`]'s caller.

mod window;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use window::Window;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How far back calls count.
    pub window: Duration,
    /// Fewer calls than this in the window prove nothing.
    pub minimum_calls: u32,
    /// Failures among them, in percent, at which it opens.
    pub failure_percent: u32,
    /// How long it stays open before a probe.
    pub pause: Duration,
    /// How long a probe may take before another call may become the probe.
    pub lease: Duration,
}

/// The breaker of one service.
#[derive(Debug)]
pub struct Breaker {
    settings: Settings,
    inner: Mutex<Inner>,
}

/// The right to make one call. Dropped without a verdict it leaves no trace.
#[derive(Debug)]
#[must_use = "a permit is for one call"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    phase: u64,
    since: Instant,
}

/// The service is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service is left alone for a while after failures")]
pub struct Open {
    /// From when on a call may be let through.
    pub retry_at: Instant,
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every call.
    Closed,
    /// None.
    Open,
    /// One probe.
    HalfOpen,
}

#[derive(Debug)]
struct Inner {
    state: Phase,
    /// Counts phases; a permit of an earlier one has no say.
    phase: u64,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a breaker is nearly always closed")]
enum Phase {
    Closed(Window),
    Open { retry_at: Instant },
    HalfOpen { leased_until: Instant },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            minimum_calls: 10,
            failure_percent: 50,
            pause: Duration::from_secs(10),
            lease: Duration::from_secs(30),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: Settings) -> Self {
        let state = Phase::Closed(Window::new(settings.window));
        Self { settings, inner: Mutex::new(Inner { state, phase: 0 }) }
    }

    /// The right to make a call that begins `now`.
    ///
    /// # Errors
    /// [`Open`], with the moment from which on asking again makes sense.
    pub fn permit(&self, now: Instant) -> Result<Permit<'_>, Open> {
        let mut inner = self.lock();
        match inner.state {
            Phase::Closed(_) => {}
            Phase::Open { retry_at } | Phase::HalfOpen { leased_until: retry_at } if now < retry_at => {
                return Err(Open { retry_at });
            }
            Phase::Open { .. } | Phase::HalfOpen { .. } => {
                inner.enter(Phase::HalfOpen { leased_until: now + self.settings.lease });
            }
        }
        Ok(Permit { breaker: self, phase: inner.phase, since: now })
    }

    /// What it lets through, for a metric.
    pub fn state(&self, now: Instant) -> State {
        match self.lock().state {
            Phase::Closed(_) => State::Closed,
            Phase::Open { retry_at } if now < retry_at => State::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Every critical section leaves a whole state, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, permit: &Permit<'_>, failed: bool) {
        let mut inner = self.lock();
        if inner.phase != permit.phase {
            return;
        }
        let failing = match &mut inner.state {
            Phase::Closed(window) => window.count(permit.since, failed).is_failing(&self.settings),
            Phase::HalfOpen { .. } => failed,
            Phase::Open { .. } => return,
        };
        let probing = matches!(inner.state, Phase::HalfOpen { .. });
        if failing {
            inner.enter(Phase::Open { retry_at: permit.since + self.settings.pause });
        } else if probing {
            inner.enter(Phase::Closed(Window::new(self.settings.window)));
        }
    }

    fn release(&self, permit: &Permit<'_>) {
        let mut inner = self.lock();
        if inner.phase == permit.phase && matches!(inner.state, Phase::HalfOpen { .. }) {
            inner.enter(Phase::Open { retry_at: permit.since });
        }
    }
}

impl Inner {
    fn enter(&mut self, state: Phase) {
        self.state = state;
        self.phase += 1;
    }
}

impl Permit<'_> {
    /// The service answered; also with 412, which only says that it lacks data.
    pub fn succeeded(self) {
        self.breaker.judge(&self, false);
    }

    /// The service did not work.
    pub fn failed(self) {
        self.breaker.judge(&self, true);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.release(self);
    }
}

#[cfg(test)]
mod tests;
