//! The queue of work on images: a table, claimed with leases. What was acknowledged is done even if the process dies at any
//! instruction; a job that is done twice has one effect (design, section 5).

mod claim;
mod find;
mod overview;
mod queue;
mod workitem;
mod worklist;

use medvan_imaging::Uid;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    StoreError,
    column::{count, instant, instant_if_any, parsed, service_name},
};
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

pub use claim::Places;
pub use overview::{JobFilter, JobsIn};
pub(super) use workitem::{Stopped, follow, is_at_vendor, is_of_job, is_open, stop, vendor_of};

/// Services that are looked at in one claim.
const SERVICES: i64 = 1_024;

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
    /// How often its service was tried in this run, by whom it was not lost.
    pub attempts: u64,
    /// How often in this run whoever worked on it was lost with it.
    pub deaths: u64,
    /// How often it was ever taken: who took it last has the job, nobody else. It never goes back.
    pub claim: u64,
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
     deadline_at, attempts, deaths, claim, inputs, prior, fault, offered_until, created_at, changed_at";
/// In the words of the indexes of what is open: else SQLite looks at all that were ever done.
const OPEN: &str = "state IN ('waiting', 'running', 'answered', 'offered', 'taken')";
/// Of these, what a process works on, as long as its lease lasts; an index of its own.
pub(super) const HELD: &str = "state IN ('running', 'answered')";
/// Of these, what somebody at the vendor may do.
const AT_VENDOR: &str = "state IN ('running', 'offered', 'taken')";
/// Proof that a job is still the one that was taken: the same run, and taken by nobody since ([`same`]).
pub(super) const SAME: &str = "id = $1 AND run = $2 AND claim = $3";

type Statement<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// A statement about the job that was taken, if it is still the same ([`SAME`]); `$4` is the next to be bound.
pub(super) fn same<'q>(query: &str, job: &Job) -> Statement<'q> {
    sqlx::query(AssertSqlSafe(query.to_owned()))
        .bind(job.id.to_string())
        .bind(job.run.to_string())
        .bind(i64::try_from(job.claim).unwrap_or(i64::MAX))
}

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
            deaths: 0,
            claim: 0,
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
    /// Whether something of it is still to be done ([`OPEN`]).
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running | Self::Answered | Self::Offered | Self::Taken)
    }

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
        deaths: count(row, "deaths")?,
        claim: count(row, "claim")?,
        inputs: serde_json::from_str(inputs).map_err(|_| StoreError::Unreadable("inputs of a job"))?,
        prior: prior.map(serde_json::from_str).transpose().map_err(|_| StoreError::Unreadable("prior of a job"))?,
        fault: row.try_get("fault")?,
        offered_until: instant_if_any(row, "offered_until")?,
        created_at: instant(row, "created_at")?,
        changed_at: instant(row, "changed_at")?,
    })
}
