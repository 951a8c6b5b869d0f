//! Jobs that are looked for, and what is open.

use sqlx::AssertSqlSafe;
use time::OffsetDateTime;
use uuid::Uuid;

use medvan_imaging::Uid;

use super::{AT_VENDOR, COLUMNS, HELD, Job, JobsDepth, OPEN, SERVICES, job};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId},
    store::{
        Page, Store, StoreError,
        column::{count, service_name},
        instant::micros,
    },
};

/// Jobs of one vendor about one study that are looked at.
const OF_STUDY: u32 = 50;

impl Store {
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

    /// Jobs about a study that somebody at a vendor may do now: on its worklist, taken from it, or under way with images stored at
    /// the service. A prior's study counts for the job that it is compared in. The first come first; not more than a few services of one
    /// vendor look at one study.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_at_vendor(&self, vendor: &VendorId, study: &Uid) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE {AT_VENDOR} AND vendor = $1 AND study = $2 ORDER BY id LIMIT {OF_STUDY}"
        )))
        .bind(vendor.as_str())
        .bind(study.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// The same for the jobs that compare with a study.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn jobs_with_prior(&self, vendor: &VendorId, prior: &Uid) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM jobs WHERE {AT_VENDOR} AND vendor = $1 AND prior IS NOT NULL \
             AND prior ->> 'study' = $2 ORDER BY id LIMIT {OF_STUDY}"
        )))
        .bind(vendor.as_str())
        .bind(prior.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(job).collect()
    }

    /// Jobs on the worklist of a vendor, or taken from it, after this place in its order: the most urgent first. What they are given is left
    /// out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn worklist(&self, vendor: &VendorId, after: (u8, Uuid), most: u32) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {} FROM jobs WHERE {AT_VENDOR} AND state IN ('offered', 'taken') AND vendor = $1 \
             AND (priority, id) > ($2, $3) ORDER BY priority, id LIMIT $4",
            COLUMNS.replace("inputs, prior", "'[]' AS inputs, NULL AS prior")
        )))
        .bind(vendor.as_str())
        .bind(i64::from(after.0))
        .bind(after.1.to_string())
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
