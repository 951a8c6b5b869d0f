//! A job and its workitem: what is done to one is done to the other, in one transaction.

use medvan_imaging::{
    Uid,
    ups::{State, Workitem},
};
use sqlx::{AssertSqlSafe, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{COLUMNS, Job, OPEN, job};
use crate::{
    catalog::{HospitalId, VendorId},
    store::{StoreError, column::parsed, instant::micros, received},
};

/// Lets a job follow its workitem: who took it from the worklist has the job, and what was ended is looked at.
pub(in crate::store) async fn follow(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let Some(run) = workitem.uid().to_uuid().map(|run| Uuid::from_u128(run).to_string()) else { return Ok(()) };
    let statement = match workitem.state() {
        State::Scheduled => return Ok(()),
        State::InProgress => {
            "UPDATE jobs SET state = 'taken', changed_at = $3 WHERE run = $1 AND hospital = $2 AND state = 'offered'"
        }
        State::Completed | State::Canceled => {
            "UPDATE jobs SET due_at = $3 WHERE run = $1 AND hospital = $2 AND state IN ('offered', 'taken')"
        }
    };
    sqlx::query(statement).bind(run).bind(hospital.as_str()).bind(micros(now)).execute(db).await?;
    Ok(())
}

/// Whether a job is on the worklist of its service or was taken from it, in this run.
pub(in crate::store) async fn is_at_vendor(db: &mut SqliteConnection, job: &Job) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT 1 FROM jobs WHERE id = $1 AND run = $2 AND state IN ('offered', 'taken')");
    Ok(found.bind(job.id.to_string()).bind(job.run.to_string()).fetch_optional(db).await?.is_some())
}

/// What became of a wish that a job be canceled.
#[derive(Debug)]
pub(in crate::store) enum Stopped {
    /// It is canceled now.
    Canceled(Box<Job>),
    /// It is not under way any more.
    Ended,
    /// Its service has answered: what was found is being stored.
    TooLate,
}

/// Cancels the job of a workitem that this gateway performs.
pub(in crate::store) async fn stop(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
    now: OffsetDateTime,
) -> Result<Stopped, StoreError> {
    let run = run(workitem);
    let stopped = sqlx::query(AssertSqlSafe(format!(
        "UPDATE jobs SET state = 'canceled', due_at = $3, changed_at = $3, fault = $4 WHERE run = $1 AND hospital = $2 \
         AND state IN ('waiting', 'running') AND NOT EXISTS (SELECT 1 FROM analyses WHERE analyses.job = jobs.id) \
         RETURNING {COLUMNS}"
    )))
    .bind(&run)
    .bind(hospital.as_str())
    .bind(micros(now))
    .bind("the workitem was canceled before it was done")
    .fetch_optional(&mut *db)
    .await?;
    if let Some(row) = &stopped {
        let job = job(row)?;
        received::forget(db, job.id).await?;
        return Ok(Stopped::Canceled(Box::new(job)));
    }
    Ok(if is_open(db, hospital, workitem).await? { Stopped::TooLate } else { Stopped::Ended })
}

/// Whether the job of a workitem is not at its end.
pub(in crate::store) async fn is_open(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let query = format!("SELECT 1 FROM jobs WHERE run = $1 AND hospital = $2 AND {OPEN}");
    let found = sqlx::query(AssertSqlSafe(query)).bind(run(workitem)).bind(hospital.as_str()).fetch_optional(db);
    Ok(found.await?.is_some())
}

/// Whether a workitem is of a job.
pub(in crate::store) async fn is_of_job(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT 1 FROM jobs WHERE run = $1 AND hospital = $2");
    Ok(found.bind(run(workitem)).bind(hospital.as_str()).fetch_optional(db).await?.is_some())
}

/// The vendor on whose worklist a workitem stands or stood.
pub(in crate::store) async fn vendor_of(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<Option<VendorId>, StoreError> {
    let found = sqlx::query("SELECT vendor FROM jobs WHERE run = $1 AND hospital = $2 AND offered_until IS NOT NULL");
    let row = found.bind(run(workitem)).bind(hospital.as_str()).fetch_optional(db).await?;
    row.as_ref().map(|row| parsed(row, "vendor", "vendor id")).transpose()
}

/// The run whose workitem has this UID; nothing that a run is called, where it can be of none.
fn run(workitem: &Uid) -> String {
    workitem.to_uuid().map(|run| Uuid::from_u128(run).to_string()).unwrap_or_default()
}

pub(super) async fn is_answered(db: &mut SqliteConnection, job: Uuid) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM analyses WHERE job = $1").bind(job.to_string()).fetch_optional(db).await?;
    Ok(row.is_some())
}
