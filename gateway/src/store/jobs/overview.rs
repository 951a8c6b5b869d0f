//! A hospital's jobs for people who look after them: those of some states, of one service, of one study; and how many there are.

use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite};
use time::OffsetDateTime;

use medvan_imaging::Uid;

use super::{COLUMNS, Job, JobState, OPEN, job};
use crate::{
    catalog::{HospitalId, ServiceName},
    store::{
        Page, Store, StoreError,
        column::{count, parsed},
        instant::micros,
    },
};

/// In the words of the index of what has no result, as [`OPEN`].
const WITHOUT_RESULT: &str = "state IN ('dead', 'canceled', 'superseded')";
/// After every id.
const LAST: &str = "~";

/// Which jobs are looked for: all, where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In one of these states; in any, where none is named.
    pub states: Vec<JobState>,
    /// Of this service.
    pub service: Option<ServiceName>,
    /// About this study.
    pub study: Option<Uid>,
    /// Open ones whose deadline is over by then.
    pub overdue_at: Option<OffsetDateTime>,
    /// The newest first instead of the oldest.
    pub is_newest_first: bool,
}

/// How many jobs of a hospital are in a state that is not [`JobState::Done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobsIn {
    /// The state.
    pub state: JobState,
    /// How many.
    pub jobs: u64,
    /// Of these, open ones whose deadline is over.
    pub overdue: u64,
}

impl Store {
    /// A page of a hospital's jobs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs(
        &self,
        hospital: &HospitalId,
        filter: &JobFilter,
        page: Page<'_>,
    ) -> Result<Vec<Job>, StoreError> {
        let rows = filter.query(hospital, page).build().fetch_all(self.readers()).await?;
        rows.iter().map(job).collect()
    }

    /// How many jobs of a hospital wait, run, or came to no result; those that are done are not counted.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_in_states(&self, hospital: &HospitalId, now: OffsetDateTime) -> Result<Vec<JobsIn>, StoreError> {
        let of = |group: &str, overdue: &str| {
            format!(
                "SELECT state, count(*) AS jobs, coalesce(sum({overdue}), 0) AS overdue FROM jobs \
                 WHERE {group} AND +hospital = $1 GROUP BY state"
            )
        };
        let both = format!("{} UNION ALL {} ORDER BY state", of(OPEN, "deadline_at < $2"), of(WITHOUT_RESULT, "0"));
        let rows = sqlx::query(AssertSqlSafe(both))
            .bind(hospital.as_str())
            .bind(micros(now))
            .fetch_all(self.readers())
            .await?;
        let of = |row| {
            let state = parsed(row, "state", "state of a job")?;
            Ok(JobsIn { state, jobs: count(row, "jobs")?, overdue: count(row, "overdue")? })
        };
        rows.iter().map(of).collect()
    }
}

impl JobFilter {
    fn query<'a>(&'a self, hospital: &'a HospitalId, page: Page<'a>) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM jobs WHERE "));
        // What is not done is little and has indexes of its own; the signs keep SQLite from looking at all that there is instead.
        let group = self.group();
        query.push(if group.is_some() { "+hospital = " } else { "hospital = " }).push_bind(hospital.as_str());
        if let Some(group) = group {
            query.push(" AND ").push(group);
        }
        if !self.states.is_empty() {
            query.push(" AND +state IN (");
            let mut states = query.separated(", ");
            for state in &self.states {
                states.push_bind(state.word());
            }
            query.push(")");
        }
        if let Some(service) = &self.service {
            query.push(" AND +vendor = ").push_bind(service.vendor.as_str());
            query.push(" AND +service = ").push_bind(service.service.as_str());
        }
        if let Some(study) = &self.study {
            query.push(" AND study = ").push_bind(study.as_str());
        }
        if let Some(now) = self.overdue_at {
            query.push(" AND deadline_at < ").push_bind(micros(now));
        }
        // The indexes of what is open, and of a study, have another order.
        let id = if group == Some(OPEN) || self.study.is_some() { "+id" } else { "id" };
        let (sign, after, order) = match (self.is_newest_first, page.after) {
            (false, after) => (">", after, ""),
            (true, "") => ("<", LAST, " DESC"),
            (true, before) => ("<", before, " DESC"),
        };
        query.push(format_args!(" AND {id} {sign} ")).push_bind(after);
        query.push(format_args!(" ORDER BY {id}{order} LIMIT ")).push_bind(i64::from(page.limit));
        query
    }

    /// The index that knows all that are looked for.
    fn group(&self) -> Option<&'static str> {
        let are_all = |is_one: fn(&JobState) -> bool| !self.states.is_empty() && self.states.iter().all(is_one);
        if self.study.is_some() {
            None
        } else if self.overdue_at.is_some() || are_all(|state| state.is_open()) {
            Some(OPEN)
        } else if are_all(|state| !state.is_open() && *state != JobState::Done) {
            Some(WITHOUT_RESULT)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    /// What SQLite does for a search among many jobs that are done.
    async fn plan(store: &Store, filter: JobFilter) -> String {
        let hospital = "kiku".parse().unwrap();
        let page = Page { after: "", limit: 50 };
        let text = format!("EXPLAIN QUERY PLAN {}", filter.query(&hospital, page).sql().as_str());
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(store.readers()).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn a_search_for_what_is_not_done_looks_at_nothing_that_is() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("medvan.db")).await.unwrap();
        let of = |states: &[JobState]| JobFilter { states: states.to_vec(), ..JobFilter::default() };
        let overdue = JobFilter { overdue_at: Some(OffsetDateTime::UNIX_EPOCH), ..JobFilter::default() };
        let study = JobFilter { study: Some("1.2.3".parse().unwrap()), ..of(&[JobState::Dead]) };
        for (filter, index) in [
            (JobFilter::default(), "jobs_in_order"),
            (of(&[JobState::Done]), "jobs_in_order"),
            (of(&[JobState::Dead]), "jobs_without_result"),
            (JobFilter { is_newest_first: true, ..of(&[JobState::Dead, JobState::Canceled]) }, "jobs_without_result"),
            // Of those of open jobs alone.
            (of(&[JobState::Waiting, JobState::Taken]), "jobs_turns"),
            (overdue, "jobs_turns"),
            (study, "jobs_of_study"),
        ] {
            let told = format!("{:?}", filter.states);
            let plan = plan(&store, filter).await;
            assert!(plan.contains(index), "{told}: {plan}");
        }
    }
}
