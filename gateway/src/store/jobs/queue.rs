//! Jobs put in, taken with a lease, held, and brought to an end.

use std::collections::HashMap;

use medvan_imaging::ups::{Fault, State, Workitem};
use sqlx::{AssertSqlSafe, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{COLUMNS, HELD, Job, JobState, NewJob, OPEN, SAME, SERVICES, job, workitem::is_answered};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId},
    store::{
        Store, StoreError,
        column::{count, service_name},
        instant::micros,
        received, workitems,
    },
};

/// How many jobs may be worked on at once.
#[derive(Debug)]
pub struct Places<F> {
    /// Jobs that are taken at most.
    pub most: u32,
    /// Of the services of one vendor, with those that are under way.
    pub of_vendor: u32,
    /// Of one service, with those that are under way.
    pub of_service: F,
}

/// Jobs of a service that are due, in their turn: the most urgent first, then those of the hospital that has the fewest under way.
/// A hospital that puts in a thousand waits for itself and lets others pass.
const TURNS: &str = "SELECT due.id FROM (SELECT id, hospital, priority, \
     row_number() OVER (PARTITION BY hospital ORDER BY priority, id) AS turn FROM jobs \
     WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken') AND due_at <= $2 AND vendor = $3 AND service = $4) AS due \
     LEFT JOIN (SELECT hospital, count(*) AS busy FROM jobs WHERE state IN ('running', 'answered') AND due_at > $2 \
     AND vendor = $3 AND service = $4 GROUP BY hospital) AS under_way ON under_way.hospital = due.hospital \
     ORDER BY due.priority, coalesce(under_way.busy, 0) + due.turn, due.id LIMIT $5";

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
        cancel: impl Fn(&Job, &mut Workitem) -> Result<(), Fault> + Send,
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
            let cancel = |workitem: &mut Workitem| cancel(superseded, workitem);
            let uid = superseded.workitem();
            let canceled = workitems::change(&mut db, &superseded.hospital, &uid, now, cancel).await?;
            if let Some(Err(fault)) = canceled {
                // The job is let go all the same: nobody is kept from the later one.
                tracing::warn!(job = %superseded.id, %fault, "the workitem of a superseded job was not canceled");
            }
        }
        db.commit().await?;
        Ok(Some(superseded))
    }

    /// Takes jobs that are due, the most urgent of each service first and not more at once than there are places. They are the
    /// caller's until `until`. One whose results were taken and not kept as its answer, because the process died in between, takes
    /// results again.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_jobs<F>(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        mut places: Places<F>,
    ) -> Result<Vec<Job>, StoreError>
    where
        F: Fn(&ServiceName) -> u32 + Send,
    {
        let mut db = self.write().await?;
        let due = sqlx::query(AssertSqlSafe(format!(
            "SELECT vendor, service FROM jobs INDEXED BY jobs_open WHERE {OPEN} AND due_at <= $1 \
             GROUP BY vendor, service ORDER BY min(priority), min(due_at) LIMIT $2"
        )))
        .bind(micros(now))
        .bind(SERVICES)
        .fetch_all(&mut *db)
        .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut busy = busy(&mut db, now).await?;
        let mut claimed = Vec::new();
        for row in &due {
            let service = service_name(row)?;
            let room = busy.room(&service, &places);
            if room == 0 {
                continue;
            }
            let rows = sqlx::query(AssertSqlSafe(format!(
                "UPDATE jobs SET state = CASE WHEN EXISTS (SELECT 1 FROM analyses WHERE job = jobs.id) THEN 'answered' \
                 ELSE 'running' END, due_at = $1, attempts = attempts + 1, changed_at = $2 WHERE id IN ({TURNS}) RETURNING {COLUMNS}"
            )))
            .bind(micros(until))
            .bind(micros(now))
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .bind(i64::from(room))
            .fetch_all(&mut *db)
            .await?;
            let taken = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            places.most = places.most.saturating_sub(taken);
            busy.take(&service, taken);
            claimed.extend(rows.iter().map(job).collect::<Result<Vec<_>, _>>()?);
        }
        db.commit().await?;
        Ok(claimed)
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
        let query =
            format!("UPDATE jobs SET state = $4, due_at = $5, fault = $6, changed_at = $7 WHERE {SAME} AND {HELD}");
        let settled = same(&query, job)
            .bind(state.word())
            .bind(micros(due_at))
            .bind(fault)
            .bind(micros(now))
            .execute(&mut *db)
            .await?;
        if settled.rows_affected() == 1 && is_forgotten(&mut db, job, state).await? {
            received::forget(&mut db, job.id).await?;
        }
        db.commit().await?;
        Ok(())
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
             attempts = 0, due_at = $3, changed_at = $3, fault = NULL, offered_until = NULL, run = $4 \
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

type Statement<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// A statement about the job that was taken, if it is still the same ([`SAME`]).
fn same<'q>(query: &str, job: &Job) -> Statement<'q> {
    sqlx::query(AssertSqlSafe(query.to_owned()))
        .bind(job.id.to_string())
        .bind(job.run.to_string())
        .bind(i64::try_from(job.attempts).unwrap_or(i64::MAX))
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

/// Jobs under way.
struct Busy {
    services: HashMap<ServiceName, u32>,
    vendors: HashMap<VendorId, u32>,
}

async fn busy(db: &mut SqliteConnection, now: OffsetDateTime) -> Result<Busy, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT vendor, service, count(*) AS running FROM jobs WHERE {HELD} AND due_at > $1 GROUP BY vendor, service"
    )))
    .bind(micros(now))
    .fetch_all(db)
    .await?;
    let mut busy = Busy { services: HashMap::new(), vendors: HashMap::new() };
    for row in &rows {
        busy.take(&service_name(row)?, u32::try_from(count(row, "running")?).unwrap_or(u32::MAX));
    }
    Ok(busy)
}

impl Busy {
    fn take(&mut self, service: &ServiceName, jobs: u32) {
        let of_service = self.services.entry(service.clone()).or_default();
        *of_service = of_service.saturating_add(jobs);
        let of_vendor = self.vendors.entry(service.vendor.clone()).or_default();
        *of_vendor = of_vendor.saturating_add(jobs);
    }

    fn room<F: Fn(&ServiceName) -> u32>(&self, service: &ServiceName, places: &Places<F>) -> u32 {
        let of_service = self.services.get(service).copied().unwrap_or_default();
        let of_vendor = self.vendors.get(&service.vendor).copied().unwrap_or_default();
        let own = (places.of_service)(service).saturating_sub(of_service);
        own.min(places.of_vendor.saturating_sub(of_vendor)).min(places.most)
    }
}
