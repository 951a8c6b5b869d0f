//! Jobs put in, taken with a lease, held, and brought to an end.

use medvan_imaging::ups::{Fault, State, Workitem};
use sqlx::{AssertSqlSafe, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{COLUMNS, HELD, Job, JobState, NewJob, SAME, job, same, workitem::is_answered};
use crate::{
    catalog::HospitalId,
    store::{Store, StoreError, instant::micros, received, workitems},
};

impl Store {
    /// Puts a job in, and lets go of those of the same service for the same study that nobody took yet: `cancel` makes of their
    /// workitems what becomes of them, and who takes one in this moment is too late. Nothing where the very same work was put in
    /// before.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_job(
        &self,
        new: &NewJob,
        now: OffsetDateTime,
        cancel: impl Fn(&Job, &mut Workitem) -> Result<(), Fault> + Send + Sync,
    ) -> Result<Option<Vec<Job>>, StoreError> {
        let job = &new.job;
        let inputs = serde_json::to_string(&job.inputs).map_err(|_| StoreError::Unreadable("inputs of a job"))?;
        let prior = job.prior.as_ref().map(serde_json::to_string).transpose();
        let prior = prior.map_err(|_| StoreError::Unreadable("prior of a job"))?;
        let mut db = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO jobs (id, run, hospital, study, patient_id, vendor, service, number, entry, mode, state, priority, \
             due_at, deadline_at, attempts, inputs, digest, created_at, changed_at, prior) \
             VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11, $12, 0, $13, $14, $11, $11, $15) \
             ON CONFLICT (hospital, study, vendor, service, entry, digest) DO NOTHING",
        )
        .bind(job.id.to_string())
        .bind(job.hospital.as_str())
        .bind(job.study.as_str())
        .bind(&job.patient_id)
        .bind(job.service.vendor.as_str())
        .bind(job.service.service.as_str())
        .bind(job.version.to_string())
        .bind(&job.entry)
        .bind(&job.mode)
        .bind(i64::from(job.priority))
        .bind(micros(now))
        .bind(micros(job.deadline_at))
        .bind(inputs)
        .bind(new.digest.as_slice())
        .bind(prior)
        .execute(&mut *db)
        .await?
        .rows_affected();
        if made == 0 {
            return Ok(None);
        }
        let superseded = supersede(&mut db, job, now).await?;
        for superseded in &superseded {
            received::forget(&mut db, superseded.id).await?;
            cancel_workitem(&mut db, superseded, now, |workitem| cancel(superseded, workitem)).await?;
        }
        db.commit().await?;
        Ok(Some(superseded))
    }

    /// Keeps a job that is being worked on until a later time; false where somebody else has it, or nobody wants it any more.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn hold_job(&self, job: &Job, until: OffsetDateTime) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let query = format!("UPDATE jobs SET due_at = $4 WHERE {SAME} AND {HELD}");
        let held = same(&query, job).bind(micros(until)).execute(&mut *db).await?;
        db.commit().await?;
        Ok(held.rows_affected() == 1)
    }

    /// Says where a job stands now, if it is still the one that was taken.
    ///
    /// # Errors
    /// The database does not take it; the job is taken again when its lease ends.
    pub async fn settle_job(
        &self,
        job: &Job,
        state: JobState,
        due_at: OffsetDateTime,
        fault: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        settle(&mut db, job, (state, due_at, fault), now).await?;
        db.commit().await?;
        Ok(())
    }

    /// Brings a job to an end undone, and its workitem with it, of which `cancel` makes what becomes of it: a process that dies leaves
    /// both or none. False where somebody else has the job, or nobody wants it any more.
    ///
    /// # Errors
    /// The database does not take it; the job is taken again when its lease ends.
    pub async fn end_job(
        &self,
        job: &Job,
        state: JobState,
        fault: &str,
        now: OffsetDateTime,
        cancel: impl FnOnce(&mut Workitem) -> Result<(), Fault> + Send,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let is_ours = settle(&mut db, job, (state, now, Some(fault)), now).await?;
        if is_ours {
            cancel_workitem(&mut db, job, now, cancel).await?;
        }
        db.commit().await?;
        Ok(is_ours)
    }

    /// Leaves a job that was taken on the worklist of its service, until somebody there has done it or the time is over. The try is
    /// not counted. Who took or ended the workitem in between is followed.
    ///
    /// # Errors
    /// The database does not take it; the job is taken again when its lease ends.
    pub async fn offer_job(&self, job: &Job, until: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        let (state, due_at) = match workitems::state(&mut db, &job.hospital, &job.workitem()).await? {
            Some(State::Scheduled) => (JobState::Offered, until),
            Some(State::InProgress) => (JobState::Taken, until),
            // It is looked at once more.
            Some(State::Completed | State::Canceled) | None => (JobState::Offered, now),
        };
        let query = format!(
            "UPDATE jobs SET state = $4, due_at = $5, offered_until = $6, attempts = attempts - 1, changed_at = $7 \
             WHERE {SAME} AND state = 'running'"
        );
        same(&query, job)
            .bind(state.word())
            .bind(micros(due_at))
            .bind(micros(until))
            .bind(micros(now))
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// Gives a job back that was taken and cannot be gone on with here; the try is not counted.
    ///
    /// # Errors
    /// The database does not take it; the job is taken again when its lease ends.
    pub async fn give_job_back(&self, job: &Job, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        let query = format!(
            "UPDATE jobs SET state = CASE state WHEN 'running' THEN 'waiting' ELSE state END, attempts = attempts - 1, \
             due_at = $4, changed_at = $4 WHERE {SAME} AND {HELD}"
        );
        same(&query, job).bind(micros(now)).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// Lets a job that was given up or canceled wait once more, as a new run. Gives whether there was such of this hospital.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn run_job_again(
        &self,
        hospital: &HospitalId,
        id: Uuid,
        run: Uuid,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let done = sqlx::query(
            "UPDATE jobs SET state = CASE WHEN EXISTS (SELECT 1 FROM analyses WHERE job = $2) THEN 'answered' ELSE 'waiting' END, \
             attempts = 0, deaths = 0, due_at = $3, changed_at = $3, fault = NULL, offered_until = NULL, run = $4 \
             WHERE hospital = $1 AND id = $2 AND state IN ('dead', 'canceled')",
        )
        .bind(hospital.as_str())
        .bind(id.to_string())
        .bind(micros(now))
        .bind(run.to_string())
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(done.rows_affected() > 0)
    }
}

/// Whether the job was still the one that was taken.
async fn settle(
    db: &mut SqliteConnection,
    job: &Job,
    (state, due_at, fault): (JobState, OffsetDateTime, Option<&str>),
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let query = format!("UPDATE jobs SET state = $4, due_at = $5, fault = $6, changed_at = $7 WHERE {SAME} AND {HELD}");
    let settled = same(&query, job)
        .bind(state.word())
        .bind(micros(due_at))
        .bind(fault)
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
    let is_ours = settled.rows_affected() == 1;
    if is_ours && is_forgotten(db, job, state).await? {
        received::forget(db, job.id).await?;
    }
    Ok(is_ours)
}

/// The job goes its way all the same: nobody waits for a workitem.
async fn cancel_workitem(
    db: &mut SqliteConnection,
    job: &Job,
    now: OffsetDateTime,
    cancel: impl FnOnce(&mut Workitem) -> Result<(), Fault> + Send,
) -> Result<(), StoreError> {
    if let Some(Err(fault)) = workitems::change(db, &job.hospital, &job.workitem(), now, cancel).await? {
        tracing::warn!(job = %job.id, %fault, "the workitem of a job was not canceled");
    }
    Ok(())
}

async fn supersede(db: &mut SqliteConnection, by: &Job, now: OffsetDateTime) -> Result<Vec<Job>, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "UPDATE jobs SET state = 'superseded', changed_at = $6 WHERE hospital = $1 AND study = $2 AND vendor = $3 \
         AND service = $4 AND entry = $5 AND state IN ('waiting', 'offered') AND id <> $7 RETURNING {COLUMNS}"
    )))
    .bind(by.hospital.as_str())
    .bind(by.study.as_str())
    .bind(by.service.vendor.as_str())
    .bind(by.service.service.as_str())
    .bind(&by.entry)
    .bind(micros(now))
    .bind(by.id.to_string())
    .fetch_all(db)
    .await?;
    rows.iter().map(job).collect()
}

/// Whether what came for a job in this state is not needed any more. What was answered is made into evidence when the job is run
/// again.
async fn is_forgotten(db: &mut SqliteConnection, job: &Job, state: JobState) -> Result<bool, StoreError> {
    match state {
        JobState::Done => Ok(true),
        JobState::Dead | JobState::Canceled => Ok(!is_answered(db, job.id).await?),
        _ => Ok(false),
    }
}
