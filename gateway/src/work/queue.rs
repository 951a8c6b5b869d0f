//! Taking jobs that are due, each in a task of its own, and holding them while they are worked on.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Notify;

use super::{
    WorkFault,
    perform::{self, Performed},
};
use crate::{
    App,
    catalog::ServiceName,
    outbox::next_attempt,
    store::{Job, JobState, Places, StoreError},
};

/// Jobs under way at once in this process. Most of them wait for their service; what takes processors and memory has bounds of its own.
const AT_ONCE: u32 = 256;
/// Of these, of one service: one that hangs leaves room for others, whatever it says it can bear.
const OF_SERVICE: u32 = 8;
/// Of the services of one vendor together.
const OF_VENDOR: u32 = 16;
/// From so many on a service is given one at a time: those that hang must not take what is left from those that work.
const CROWDED: u32 = AT_ONCE / 2;
/// How often the table is looked at without being told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So long a job is this process's without being held anew: a process that died gives it back after that.
const LEASE: time::Duration = time::Duration::seconds(30);
/// How often a job that is worked on is held anew.
const HOLD_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked for jobs whose deadline is over.
const ALARM_EVERY: time::Duration = time::Duration::seconds(10);
/// The first pause between two tries; it doubles.
const FIRST_PAUSE_MS: u64 = 2_000;

/// Wakes the queue when a job was put in.
#[derive(Debug, Default)]
pub(crate) struct Bell(Notify);

impl Bell {
    /// There is something to do.
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until there is.
    pub(super) async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Works until the process stops.
pub(crate) async fn work(app: App) {
    let mut running = FuturesUnordered::new();
    // What passed its deadline while nobody looked is told now.
    let mut alarmed = time::OffsetDateTime::UNIX_EPOCH;
    while !app.tasks.is_stopping() {
        alarmed = alarm(&app, alarmed).await;
        let room = AT_ONCE.saturating_sub(u32::try_from(running.len()).unwrap_or(u32::MAX));
        match claim(&app, room).await {
            Ok(jobs) => running.extend(jobs.into_iter().map(|job| app.tasks.spawn("job", do_one(app.clone(), job)))),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "the queue of jobs cannot be read"),
        }
        tokio::select! {
            () = app.tasks.stopping() => {}
            Some(_ended) = running.next() => {}
            () = app.jobs.0.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Says once of each job that its deadline is over and it is not done: until when it was looked.
async fn alarm(app: &App, since: time::OffsetDateTime) -> time::OffsetDateTime {
    let now = app.clock.now();
    if now - since < ALARM_EVERY {
        return since;
    }
    match app.store.jobs_overdue(since, now).await {
        Ok(overdue) => {
            for (service, jobs) in overdue {
                metrics::counter!("medvan_jobs_overdue_total", "service" => service.to_string()).increment(jobs);
                tracing::warn!(%service, jobs, "jobs are not done at their deadline");
            }
            now
        }
        Err(_) => since,
    }
}

async fn claim(app: &App, room: u32) -> Result<Vec<Job>, StoreError> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let (now, snapshot) = (app.clock.now(), app.catalog.current());
    // What is left before it is crowded is not given to a few in one turn.
    let (most, room) = match CROWDED.checked_sub(AT_ONCE - room) {
        None | Some(0) => (1, room),
        Some(left) => (OF_SERVICE, room.min(left)),
    };
    let of_service = |service: &ServiceName| snapshot.places_of(service).min(most);
    app.store.claim_jobs(now, now + LEASE, Places { most: room, of_vendor: OF_VENDOR, of_service }).await
}

/// One job, held as long as it is worked on. What becomes of it is written; a process that stops gives it back.
async fn do_one(app: App, job: Job) {
    let outcome = tokio::select! {
        outcome = perform::perform(&app, &job) => outcome,
        () = hold(&app, &job) => return,
        () = app.tasks.stopping() => return give_back(&app, &job).await,
    };
    let now = app.clock.now();
    let settled = match outcome {
        Ok(Performed::Done(kept_back)) => settle(&app, &job, JobState::Done, now, kept_back.as_deref()).await,
        Ok(Performed::Offered(until)) => return offer(&app, &job, until).await,
        Err(WorkFault::Lost) => return,
        Err(fault) if fault.is_end() => give_up(&app, &job, JobState::Canceled, &fault).await,
        Err(fault) if fault.may_retry() && job.attempts < perform::attempts(&app, &job) => {
            let next = next_attempt(now, job.attempts, FIRST_PAUSE_MS);
            tracing::info!(service = %job.service, job = %job.id, attempt = job.attempts, %fault, "a job is tried again later");
            let state = perform::state_to_retry(&app, &job).await;
            settle(&app, &job, state, next, Some(&fault.to_string())).await
        }
        Err(fault) => {
            tracing::warn!(service = %job.service, job = %job.id, %fault, "a job was given up");
            give_up(&app, &job, JobState::Dead, &fault).await
        }
    };
    if let Err(error) = settled {
        // The lease ends and the job comes again: what was kept of it is not done twice.
        tracing::error!(error = &error as &dyn std::error::Error, "the outcome of a job was not kept");
    }
    app.jobs.ring();
}

/// The job is the service's until it is done, or until then.
async fn offer(app: &App, job: &Job, until: time::OffsetDateTime) {
    if let Err(error) = app.store.offer_job(job, until, app.clock.now()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a job was not put on its worklist; it comes again");
    }
}

async fn settle(
    app: &App,
    job: &Job,
    state: JobState,
    at: time::OffsetDateTime,
    fault: Option<&str>,
) -> Result<(), StoreError> {
    count(job, state);
    app.store.settle_job(job, state, at, fault, app.clock.now()).await
}

/// Gives a job up, if it is still this process's.
async fn give_up(app: &App, job: &Job, state: JobState, fault: &WorkFault) -> Result<(), StoreError> {
    if !is_ours(app, job).await {
        return Ok(());
    }
    count(job, state);
    perform::give_up(app, job, state, fault).await
}

fn count(job: &Job, state: JobState) {
    metrics::counter!("medvan_jobs_settled_total", "service" => job.service.to_string(), "state" => state.word())
        .increment(1);
}

/// Whether the job is still this process's: what another one goes on with is not given up here.
async fn is_ours(app: &App, job: &Job) -> bool {
    match app.store.hold_job(job, app.clock.now() + LEASE).await {
        Ok(is_ours) => is_ours,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a job cannot be held; it comes again");
            false
        }
    }
}

/// Ends when the job is not ours any more.
async fn hold(app: &App, job: &Job) {
    loop {
        tokio::time::sleep(HOLD_EVERY).await;
        match app.store.hold_job(job, app.clock.now() + LEASE).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a job cannot be held"),
        }
    }
}

async fn give_back(app: &App, job: &Job) {
    if let Err(error) = app.store.give_job_back(job, app.clock.now()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a job was not given back; its lease ends by itself");
    }
}
