//! Priors that only the hospital's own archive has: looked for there and fetched, before a study's jobs are put in.
//!
//! A search is a row in the store, put in by [`super::intake`] when a study is complete and a service wants to compare. It is done
//! here, in tasks of its own, two of a hospital at once: an archive that hangs costs neither the judging of studies nor another
//! hospital anything. When it ends, or when the hospital's time for it is over, the study is judged with what is stored by then. An
//! archive that failed twice in a row is left alone for a while.

mod look;
mod report;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use medvan_adapters::breaker::{self, Breaker};
use time::OffsetDateTime;

use super::pacs::PacsFault;
use crate::{
    App,
    catalog::{HospitalId, HospitalView},
    store::{Intake, PriorSearch, StoreError},
};
use report::Report;

/// Searches under way in this process.
const AT_ONCE: usize = 32;
/// Of these, of one hospital: its archive has other work to do.
const OF_HOSPITAL: usize = 2;
/// How often the table is looked at without being told.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So long a search is this process's without being held anew.
const LEASE: time::Duration = time::Duration::seconds(20);
/// How often one that is under way is held anew.
const HOLD_EVERY: Duration = Duration::from_secs(5);
/// Hospitals that are remembered.
const REMEMBERED: usize = 1_024;
/// An archive that does not work two times out of two is asked again a minute later.
const PATIENCE: breaker::Settings = breaker::Settings {
    window: Duration::from_secs(300),
    minimum_calls: 2,
    failure_percent: 60,
    pause: Duration::from_secs(60),
    lease: Duration::from_secs(600),
};

/// Puts a search in for a study that is complete, where one of these services wants to compare and its hospital names an archive; and
/// says until when it is waited for. Nothing where there is none, or where it is over.
pub(super) async fn search(
    app: &App,
    intake: &Intake,
    view: &HospitalView,
    is_wanted: bool,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let priors = view.hospital.imaging.as_ref().and_then(|imaging| imaging.priors.as_ref());
    let Some(priors) = priors.filter(|_| is_wanted) else { return Ok(None) };
    let until = now + time::Duration::seconds(priors.seconds.into());
    let state = app.store.search_priors(intake, now, until).await?;
    if state.ended_at.is_some() {
        return Ok(None);
    }
    if now < state.until {
        app.searches.ring();
        return Ok(Some(state.until));
    }
    // Nobody came to it, or whoever did died.
    let (hospital, study) = (intake.hospital.clone(), intake.study.clone());
    let search = PriorSearch { hospital, study, changed_at: intake.changed_at, until: state.until };
    app.store.end_prior_search(&search, &Report::that(PacsFault::not_asked()).json(), now).await?;
    Ok(None)
}

/// Searches until the process stops.
pub(crate) async fn watch(app: App) {
    let mut running = FuturesUnordered::new();
    let mut under_way: HashMap<HospitalId, usize> = HashMap::new();
    let mut breakers: HashMap<HospitalId, Arc<Breaker>> = HashMap::new();
    while !app.tasks.is_stopping() {
        for search in claim(&app, &under_way, AT_ONCE - running.len()).await {
            *under_way.entry(search.hospital.clone()).or_default() += 1;
            if breakers.len() >= REMEMBERED {
                breakers.clear();
            }
            let breaker = breakers.entry(search.hospital.clone()).or_insert_with(|| Arc::new(Breaker::new(PATIENCE)));
            let hospital = search.hospital.clone();
            let task = app.tasks.spawn("search for priors", do_one(app.clone(), search, Arc::clone(breaker)));
            running.push(async move {
                let _ended = task.await;
                hospital
            });
        }
        tokio::select! {
            () = app.tasks.stopping() => {}
            Some(hospital) = running.next() => {
                if let Some(count) = under_way.get_mut(&hospital) {
                    *count -= 1;
                }
                under_way.retain(|_, count| *count > 0);
            }
            () = app.searches.rung() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn claim(app: &App, under_way: &HashMap<HospitalId, usize>, room: usize) -> Vec<PriorSearch> {
    let now = app.clock.now();
    let busy: Vec<HospitalId> = under_way.keys().cloned().collect();
    // A hospital that has something under way gets its second place when nobody waits who has none.
    let mut claimed = Vec::new();
    for (busy, of_each) in [(busy, 1), (full(under_way), OF_HOSPITAL - 1)] {
        let room = room.saturating_sub(claimed.len());
        if room == 0 {
            break;
        }
        match app.store.claim_prior_searches(now, now + LEASE, &busy, (of_each, room)).await {
            Ok(more) => claimed.extend(more),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "searches for priors cannot be read");
            }
        }
    }
    claimed
}

fn full(under_way: &HashMap<HospitalId, usize>) -> Vec<HospitalId> {
    let full = under_way.iter().filter(|(_, count)| **count >= OF_HOSPITAL);
    full.map(|(hospital, _)| hospital.clone()).collect()
}

/// One search, held as long as it goes on and ended when its time is over.
async fn do_one(app: App, search: PriorSearch, breaker: Arc<Breaker>) {
    let mut report = Report::default();
    let left = Duration::try_from(search.until - app.clock.now()).unwrap_or_default();
    let fault = tokio::select! {
        looked = tokio::time::timeout(left, look_once(&app, &search, &breaker, &mut report)) => {
            looked.unwrap_or_else(|_| Err(PacsFault::slow())).err()
        }
        () = hold(&app, &search) => return,
        () = app.tasks.stopping() => {
            let _ = app.store.hold_prior_search(&search, app.clock.now()).await;
            return;
        }
    };
    let outcome = if fault.is_some() { "failed" } else { "done" };
    metrics::counter!("medvan_prior_searches_total", "outcome" => outcome).increment(1);
    if fault.is_some() {
        tracing::info!(hospital = %search.hospital, "an archive was not searched for priors to the end");
    }
    report.ends(fault);
    if let Err(error) = app.store.end_prior_search(&search, &report.json(), app.clock.now()).await {
        // The study is judged when its time is over.
        tracing::error!(error = &error as &dyn std::error::Error, "the end of a search for priors was not kept");
    }
}

async fn look_once(app: &App, search: &PriorSearch, breaker: &Breaker, report: &mut Report) -> Result<(), PacsFault> {
    // Whoever drops this because the time is over has seen it fail.
    let mut attempt = Attempt(Some(breaker.permit(Instant::now()).map_err(|_| PacsFault::left_alone())?));
    let looked = look::look(app, search, report).await;
    attempt.ends(looked.as_ref().is_err_and(|fault| fault.is_failure));
    looked
}

/// A permit that counts as failed unless it is said that it was none.
struct Attempt<'a>(Option<breaker::Permit<'a>>);

impl Attempt<'_> {
    fn ends(&mut self, has_failed: bool) {
        match self.0.take() {
            Some(permit) if has_failed => permit.failed(),
            Some(permit) => permit.succeeded(),
            None => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.ends(true);
    }
}

/// Never ends by itself.
async fn hold(app: &App, search: &PriorSearch) {
    loop {
        tokio::time::sleep(HOLD_EVERY).await;
        if let Err(error) = app.store.hold_prior_search(search, app.clock.now() + LEASE).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a search for priors cannot be held");
        }
    }
}
