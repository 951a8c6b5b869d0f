//! What is left of each run of a job: one record, and its use where it is done.

use serde_json::json;

use super::WorkFault;
use crate::{
    App,
    catalog::{ClientId, ImageMember},
    store::{ExchangeRecord, Job, UsageRow},
};

/// Leaves the one record of a run that is done, and counts its use: of a study once, however often more images come.
pub(super) async fn done(app: &App, job: &Job, member: &ImageMember) -> Result<(), WorkFault> {
    let used = UsageRow {
        key: key(app, job),
        service: job.service.clone(),
        version: job.version.clone(),
        mode: member.mode.word(),
    };
    let usage = if app.store.was_counted(job).await? { Vec::new() } else { vec![used] };
    write(app, job, 200, usage, None).await
}

/// Leaves the one record of a run that was given up: nothing is counted, and a place in a trial is free again.
pub(super) async fn given_up(app: &App, job: &Job, fault: &WorkFault) -> Result<(), WorkFault> {
    write(app, job, fault.status(), Vec::new(), Some(fault.to_string())).await
}

/// Leaves the one record of a run that somebody canceled.
pub(crate) async fn unwanted(app: &App, job: &Job) {
    if let Err(error) = given_up(app, job, &WorkFault::Declined).await {
        tracing::error!(error = &error as &dyn std::error::Error, job = %job.id, "a job that was canceled left no record");
    }
}

async fn write(
    app: &App,
    job: &Job,
    status: u16,
    usage: Vec<UsageRow>,
    fault: Option<String>,
) -> Result<(), WorkFault> {
    if app.store.exchange(&job.hospital, job.run).await?.is_some() {
        return Ok(());
    }
    let mut explanation =
        json!({ "job": job.id, "entry": job.entry, "images": job.images(), "attempts": job.attempts });
    if let Some(prior) = &job.prior {
        explanation["prior"] = prior.study.to_string().into();
    }
    if let Some(fault) = fault {
        explanation["fault"] = fault.into();
    }
    let record = ExchangeRecord {
        id: job.run,
        hospital: job.hospital.clone(),
        client: "gateway".parse::<ClientId>().map_err(|_| WorkFault::NotEnrolled)?,
        hook: "imaging-study".to_owned(),
        offer: job.service.to_string(),
        received_at: job.created_at,
        status,
        duration_us: micros(app.clock.now() - job.created_at),
        explanation: explanation.to_string(),
        on_trial: job.mode == "trial",
        replay: None,
        cards: Vec::new(),
        usage,
        marks: Vec::new(),
    };
    Ok(app.store.record(record).await?)
}

fn micros(duration: time::Duration) -> u64 {
    u64::try_from(duration.whole_microseconds()).unwrap_or_default()
}

/// The key under which the work on a study is counted once.
pub(super) fn key(app: &App, job: &Job) -> [u8; 32] {
    let service = job.service.to_string();
    let parts = ["work", job.hospital.as_str(), job.study.as_str(), &service, &job.entry];
    let mut key = [0; 32];
    key.copy_from_slice(app.secret.tag(&parts).as_ref());
    key
}
