//! The queue of work on images: a table, claimed with leases. What was acknowledged is done even if the process dies at any
//! instruction; a job that is done twice has one effect (design, section 5).

use medvan_imaging::{
    Uid,
    ups::{State, Workitem},
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Page, Store, StoreError,
    column::{count, instant, instant_if_any, parsed, service_name},
    instant::micros,
    received,
};
use crate::catalog::{HospitalId, ServiceName, VendorId, VersionNumber};

/// Services that are looked at in one claim.
const SERVICES: i64 = 64;

/// The work of one service on one study.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id, a UUID of version 7.
    pub id: Uuid,
    /// What was begun when it was put in or was last told to run again, a UUID of version 7: a workitem ([`Job::workitem`]) and a
    /// record that end once. The first has the id of the job.
    pub run: Uuid,
    /// Whose study.
    pub hospital: HospitalId,
    /// StudyInstanceUID.
    pub study: Uid,
    /// PatientID of the study, or nothing.
    pub patient_id: String,
    /// Who does it.
    pub service: ServiceName,
    /// The version that was enrolled when it was made.
    pub version: VersionNumber,
    /// Which of the descriptor's `images`.
    pub entry: String,
    /// `live`, `shadow` or `trial`.
    pub mode: String,
    /// Where it stands.
    pub state: JobState,
    /// 1 emergency, 2 urgent, 3 routine.
    pub priority: u8,
    /// When it may be taken next, or when its lease ends.
    pub due_at: OffsetDateTime,
    /// When an alarm is due.
    pub deadline_at: OffsetDateTime,
    /// How often it was taken.
    pub attempts: u64,
    /// What the service gets.
    pub inputs: Vec<JobSeries>,
    /// What it gets besides to compare with.
    pub prior: Option<JobPrior>,
    /// Why it does not go on.
    pub fault: Option<String>,
    /// Until when it is on the worklist of its service, once it was put there.
    pub offered_until: Option<OffsetDateTime>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub changed_at: OffsetDateTime,
}

/// A series that a service gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSeries {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// SOPInstanceUIDs.
    pub instances: Vec<Uid>,
}

/// Images of an earlier study of the same patient, for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPrior {
    /// StudyInstanceUID.
    pub study: Uid,
    /// Its series that the service gets.
    pub series: Vec<JobSeries>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It waits to be taken.
    Waiting,
    /// A process works on it.
    Running,
    /// The service answered; the evidence is being made.
    Answered,
    /// It is on the worklist of its service.
    Offered,
    /// The service took it from its worklist.
    Taken,
    /// All is made and stored.
    Done,
    /// It was given up, with a reason; it can be run again.
    Dead,
    /// A later job looks at more of the same study.
    Superseded,
    /// It is not wanted any more.
    Canceled,
}

/// A job to be put in.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The job as it will be.
    pub job: Job,
    /// Of everything that the work depends on.
    pub digest: [u8; 32],
}

/// How many jobs are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobsDepth {
    /// Nobody works on them.
    pub waiting: u64,
    /// Somebody does.
    pub running: u64,
    /// Of both, those whose deadline is over.
    pub overdue: u64,
}

const COLUMNS: &str = "id, run, hospital, study, patient_id, vendor, service, number, entry, mode, state, priority, due_at, \
     deadline_at, attempts, inputs, prior, fault, offered_until, created_at, changed_at";
const OPEN: &str = "state IN ('waiting', 'running', 'answered', 'offered', 'taken')";
/// Of these, what a process works on, as long as its lease lasts.
const HELD: &str = "state IN ('running', 'answered')";
/// Jobs of a service that are due, in their turn (each condition in the words of the index of what is open: else SQLite looks at all
/// that were ever done): the most urgent first, then those of the hospital that has the fewest under way.
/// A hospital that puts in a thousand waits for itself and lets others pass.
const TURNS: &str = "SELECT due.id FROM (SELECT id, hospital, priority, \
     row_number() OVER (PARTITION BY hospital ORDER BY priority, id) AS turn FROM jobs \
     WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken') AND due_at <= $2 AND vendor = $3 AND service = $4) AS due \
     LEFT JOIN (SELECT hospital, count(*) AS busy FROM jobs WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     AND state IN ('running', 'answered') AND due_at > $2 AND vendor = $3 AND service = $4 GROUP BY hospital) AS under_way ON under_way.hospital = due.hospital \
     ORDER BY due.priority, coalesce(under_way.busy, 0) + due.turn, due.id LIMIT $5";

impl Job {
    /// The UID of its workitem.
    pub fn workitem(&self) -> Uid {
        Uid::from_uuid(self.run.as_u128())
    }

    /// How many instances the service gets, those of a prior too.
    pub fn images(&self) -> usize {
        let prior = self.prior.iter().flat_map(|prior| &prior.series);
        self.inputs.iter().chain(prior).map(|series| series.instances.len()).sum()
    }
}

#[cfg(test)]
impl Job {
    /// Work of `asagao.news2` on one image of a study, put in at `now`.
    pub(crate) fn sample(hospital: &str, study: &str, now: OffsetDateTime) -> Self {
        let id = Uuid::now_v7();
        Self {
            id,
            run: id,
            hospital: hospital.parse().unwrap(),
            study: study.parse().unwrap(),
            patient_id: "P1".to_owned(),
            service: "asagao.news2".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            entry: "spots".to_owned(),
            mode: "live".to_owned(),
            state: JobState::Waiting,
            priority: 3,
            due_at: now,
            deadline_at: now + time::Duration::hours(1),
            attempts: 0,
            inputs: vec![JobSeries { uid: "1.2.3".parse().unwrap(), instances: vec!["1.2.3.4".parse().unwrap()] }],
            prior: None,
            fault: None,
            offered_until: None,
            created_at: now,
            changed_at: now,
        }
    }
}

impl JobState {
    /// As it is stored and told.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Answered => "answered",
            Self::Offered => "offered",
            Self::Taken => "taken",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Superseded => "superseded",
            Self::Canceled => "canceled",
        }
    }
}

impl std::str::FromStr for JobState {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        const ALL: [JobState; 9] = [
            JobState::Waiting,
            JobState::Running,
            JobState::Answered,
            JobState::Offered,
            JobState::Taken,
            JobState::Done,
            JobState::Dead,
            JobState::Superseded,
            JobState::Canceled,
        ];
        ALL.into_iter().find(|state| state.word() == word).ok_or(())
    }
}

impl Store {
    /// Puts a job in, and lets go of those of the same service for the same study that nobody took yet: they are given. Nothing
    /// where the very same work was put in before.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_job(&self, new: &NewJob, now: OffsetDateTime) -> Result<Option<Vec<Job>>, StoreError> {
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
        let superseded = sqlx::query(AssertSqlSafe(format!(
            "UPDATE jobs SET state = 'superseded', changed_at = $6 WHERE hospital = $1 AND study = $2 AND vendor = $3 \
             AND service = $4 AND entry = $5 AND state IN ('waiting', 'offered') AND id <> $7 RETURNING {COLUMNS}"
        )))
        .bind(job.hospital.as_str())
        .bind(job.study.as_str())
        .bind(job.service.vendor.as_str())
        .bind(job.service.service.as_str())
        .bind(&job.entry)
        .bind(micros(now))
        .bind(job.id.to_string())
        .fetch_all(&mut *db)
        .await?;
        db.commit().await?;
        superseded.iter().map(self::job).collect::<Result<_, _>>().map(Some)
    }

    /// Takes jobs that are due, the most urgent of each service first and not more at once than `places` says of it. They are the
    /// caller's until `until`.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_jobs(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        mut most: u32,
        places: impl Fn(&ServiceName) -> u32 + Send,
    ) -> Result<Vec<Job>, StoreError> {
        let mut db = self.write().await?;
        let due = sqlx::query(AssertSqlSafe(format!(
            "SELECT vendor, service FROM jobs WHERE {OPEN} AND due_at <= $1 \
             GROUP BY vendor, service ORDER BY min(priority), min(due_at) LIMIT $2"
        )))
        .bind(micros(now))
        .bind(SERVICES)
        .fetch_all(&mut *db)
        .await?;
        let mut claimed = Vec::new();
        for row in &due {
            let service = service_name(row)?;
            let running = sqlx::query(AssertSqlSafe(format!(
                "SELECT count(*) AS running FROM jobs WHERE {OPEN} AND {HELD} \
                 AND vendor = $1 AND service = $2 AND due_at > $3"
            )))
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .bind(micros(now))
            .fetch_one(&mut *db)
            .await?;
            let running = u32::try_from(count(&running, "running")?).unwrap_or(u32::MAX);
            let room = places(&service).saturating_sub(running).min(most);
            if room == 0 {
                continue;
            }
            let rows = sqlx::query(AssertSqlSafe(format!(
                "UPDATE jobs SET state = CASE state WHEN 'answered' THEN 'answered' ELSE 'running' END, due_at = $1, \
                 attempts = attempts + 1, changed_at = $2 WHERE id IN ({TURNS}) RETURNING {COLUMNS}"
            )))
            .bind(micros(until))
            .bind(micros(now))
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .bind(i64::from(room))
            .fetch_all(&mut *db)
            .await?;
            most -= u32::try_from(rows.len()).unwrap_or(most);
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
        let held = sqlx::query(
            "UPDATE jobs SET due_at = $2 WHERE id = $1 AND attempts = $3 AND state IN ('running', 'answered')",
        )
        .bind(job.id.to_string())
        .bind(micros(until))
        .bind(i64::try_from(job.attempts).unwrap_or(i64::MAX))
        .execute(&mut *db)
        .await?;
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
        sqlx::query(
            "UPDATE jobs SET state = $2, due_at = $3, fault = $4, changed_at = $5 WHERE id = $1 AND attempts = $6 \
             AND state IN ('running', 'answered')",
        )
        .bind(job.id.to_string())
        .bind(state.word())
        .bind(micros(due_at))
        .bind(fault)
        .bind(micros(now))
        .bind(i64::try_from(job.attempts).unwrap_or(i64::MAX))
        .execute(&mut *db)
        .await?;
        // What was answered is made into evidence when the job is run again.
        if state == JobState::Done
            || matches!(state, JobState::Dead | JobState::Canceled) && !is_answered(&mut db, job.id).await?
        {
            received::forget(&mut db, job.id).await?;
        }
        db.commit().await?;
        Ok(())
    }

    /// Leaves a job that was taken on the worklist of its service, until somebody there has done it or the time is over. The try is
    /// not counted.
    ///
    /// # Errors
    /// The database does not take it; the job is taken again when its lease ends.
    pub async fn offer_job(&self, job: &Job, until: OffsetDateTime, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        // Who took or ended the workitem meanwhile was not told to this job, which was not on the worklist yet: it is looked again.
        sqlx::query(
            "UPDATE jobs SET state = 'offered', due_at = $2, offered_until = $2, attempts = attempts - 1, changed_at = $3 \
             WHERE id = $1 AND attempts = $4 AND state = 'running'",
        )
        .bind(job.id.to_string())
        .bind(micros(until))
        .bind(micros(now))
        .bind(i64::try_from(job.attempts).unwrap_or(i64::MAX))
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
        sqlx::query(
            "UPDATE jobs SET state = CASE state WHEN 'running' THEN 'waiting' ELSE state END, attempts = attempts - 1, \
             due_at = $2, changed_at = $2 WHERE id = $1 AND attempts = $3 AND state IN ('running', 'answered')",
        )
        .bind(job.id.to_string())
        .bind(micros(now))
        .bind(i64::try_from(job.attempts).unwrap_or(i64::MAX))
        .execute(&mut *db)
        .await?;
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

    /// A job of a hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn job(&self, hospital: &HospitalId, id: Uuid) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM jobs WHERE hospital = $1 AND id = $2")))
            .bind(hospital.as_str())
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// Jobs of a hospital, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs(&self, hospital: &HospitalId, page: Page<'_>) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE hospital = $1 AND id > $2 ORDER BY id LIMIT $3"
        )))
        .bind(hospital.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// Jobs of a vendor's services, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_of_vendor(&self, vendor: &VendorId, page: Page<'_>) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE vendor = $1 AND id > $2 ORDER BY id LIMIT $3"
        )))
        .bind(vendor.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// The job of a vendor's service that has this run, if there is one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn job_of_run(&self, vendor: &VendorId, run: Uuid) -> Result<Option<Job>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM jobs WHERE run = $1 AND vendor = $2")))
            .bind(run.to_string())
            .bind(vendor.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// Jobs of a vendor's services that somebody there may do now: on its worklist, taken from it, or under way with images stored at
    /// the service. Oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_at_vendor(&self, vendor: &VendorId, most: u32) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE {OPEN} AND state IN ('running', 'offered', 'taken') AND vendor = $1 \
             ORDER BY priority, id LIMIT $2"
        )))
        .bind(vendor.as_str())
        .bind(i64::from(most))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// Jobs of a study, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_of_study(&self, hospital: &HospitalId, study: &Uid) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE hospital = $1 AND study = $2 ORDER BY id LIMIT 1000"
        )))
        .bind(hospital.as_str())
        .bind(study.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// What is open.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_depth(&self, now: OffsetDateTime) -> Result<JobsDepth, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT coalesce(sum(NOT {HELD}), 0) AS waiting, coalesce(sum({HELD}), 0) AS running, \
             coalesce(sum(deadline_at < $1), 0) AS overdue FROM jobs WHERE {OPEN}"
        )))
        .bind(micros(now))
        .fetch_one(self.readers())
        .await?;
        Ok(JobsDepth {
            waiting: count(&row, "waiting")?,
            running: count(&row, "running")?,
            overdue: count(&row, "overdue")?,
        })
    }

    /// Services of which open jobs passed their deadline within a time, with how many.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_overdue(
        &self,
        since: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Vec<(ServiceName, u64)>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT vendor, service, count(*) AS jobs FROM jobs WHERE {OPEN} AND deadline_at >= $1 AND deadline_at < $2 \
             GROUP BY vendor, service ORDER BY vendor, service LIMIT {SERVICES}"
        )))
        .bind(micros(since))
        .bind(micros(now))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| Ok((service_name(row)?, count(row, "jobs")?))).collect()
    }
}

/// Lets a job follow its workitem: who took it from the worklist has the job, and what was ended is looked at.
pub(super) async fn follow(
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

/// What became of a wish that a job be canceled.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It is canceled now.
    Canceled(Box<Job>),
    /// It is not under way any more.
    Ended,
    /// Its service has answered: what was found is being stored.
    TooLate,
}

/// Cancels the job of a workitem that this gateway performs.
pub(super) async fn stop(
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
pub(super) async fn is_open(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let query = format!("SELECT 1 FROM jobs WHERE run = $1 AND hospital = $2 AND {OPEN}");
    let found = sqlx::query(AssertSqlSafe(query)).bind(run(workitem)).bind(hospital.as_str()).fetch_optional(db);
    Ok(found.await?.is_some())
}

/// Whether a workitem is of a job.
pub(super) async fn is_of_job(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT 1 FROM jobs WHERE run = $1 AND hospital = $2");
    Ok(found.bind(run(workitem)).bind(hospital.as_str()).fetch_optional(db).await?.is_some())
}

/// The run whose workitem has this UID; nothing that a run is called, where it can be of none.
fn run(workitem: &Uid) -> String {
    workitem.to_uuid().map(|run| Uuid::from_u128(run).to_string()).unwrap_or_default()
}

async fn is_answered(db: &mut SqliteConnection, job: Uuid) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM analyses WHERE job = $1").bind(job.to_string()).fetch_optional(db).await?;
    Ok(row.is_some())
}

fn job(row: &SqliteRow) -> Result<Job, StoreError> {
    let inputs: &str = row.try_get("inputs")?;
    let prior: Option<&str> = row.try_get("prior")?;
    Ok(Job {
        id: parsed(row, "id", "job id")?,
        run: parsed(row, "run", "run of a job")?,
        hospital: parsed(row, "hospital", "hospital id")?,
        study: parsed(row, "study", "study uid")?,
        patient_id: row.try_get("patient_id")?,
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        entry: row.try_get("entry")?,
        mode: row.try_get("mode")?,
        state: parsed(row, "state", "state of a job")?,
        priority: u8::try_from(count(row, "priority")?).unwrap_or(u8::MAX),
        due_at: instant(row, "due_at")?,
        deadline_at: instant(row, "deadline_at")?,
        attempts: count(row, "attempts")?,
        inputs: serde_json::from_str(inputs).map_err(|_| StoreError::Unreadable("inputs of a job"))?,
        prior: prior.map(serde_json::from_str).transpose().map_err(|_| StoreError::Unreadable("prior of a job"))?,
        fault: row.try_get("fault")?,
        offered_until: instant_if_any(row, "offered_until")?,
        created_at: instant(row, "created_at")?,
        changed_at: instant(row, "changed_at")?,
    })
}
