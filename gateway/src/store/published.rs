//! What services found, as others may see it: not what only shadows found, and not before all evidence of it is stored.

use medvan_imaging::Uid;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    JobSeries, Store, StoreError, StoredAnalysis,
    analyses::analysis,
    column::{parsed, service_name},
    instant::micros,
};
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

/// Versions that are listed of one hospital.
const MOST_VERSIONS: i64 = 1_000;

/// An analysis, and what its job and its study say of it.
#[derive(Debug, Clone)]
pub struct PublishedAnalysis {
    /// What was found.
    pub analysis: StoredAnalysis,
    /// What the service was given.
    pub inputs: Vec<JobSeries>,
    /// StudyDate as `YYYYMMDD`, or nothing.
    pub study_date: String,
}

/// Which analyses are meant. What is not said does not narrow.
#[derive(Debug, Clone, Default)]
pub struct PublishedNarrow {
    /// Those of these jobs.
    pub jobs: Option<Vec<Uuid>>,
    /// PatientID.
    pub patient_id: Option<String>,
    /// StudyInstanceUID.
    pub study: Option<Uid>,
    /// Who found it.
    pub service: Option<ServiceName>,
    /// In which version.
    pub version: Option<VersionNumber>,
    /// First and last StudyDate, `YYYYMMDD`.
    pub study_dates: (Option<String>, Option<String>),
    /// From when, and before when, the answer came.
    pub at: (Option<OffsetDateTime>, Option<OffsetDateTime>),
}

const COLUMNS: &str = "SELECT a.job, a.study, st.patient_id, j.vendor, j.service, j.number, j.mode, a.at, a.findings, a.kept_back, a.evidence, \
     a.superseded_by, j.inputs, st.date AS study_date";
/// Walked from the studies of a patient, from the analyses of a study, or from the jobs of the hospital, newest first; `CROSS JOIN`
/// keeps that order.
const FROM_STUDIES: &str = " FROM studies st CROSS JOIN analyses a ON a.hospital = st.hospital AND a.study = st.uid \
     CROSS JOIN jobs j ON j.id = a.job";
const FROM_ANALYSES: &str = " FROM analyses a CROSS JOIN jobs j ON j.id = a.job \
     JOIN studies st ON st.hospital = a.hospital AND st.uid = a.study";
const FROM_JOBS: &str = " FROM jobs j CROSS JOIN analyses a ON a.job = j.id \
     JOIN studies st ON st.hospital = j.hospital AND st.uid = j.study";
const PUBLISHED: &str = " AND a.evidence IS NOT NULL AND j.mode <> 'shadow'";

impl Store {
    /// What holds now and is meant, the newest first; `from` is the first that is wanted.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn published_analyses(
        &self,
        hospital: &HospitalId,
        narrow: &PublishedNarrow,
        from: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<PublishedAnalysis>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        let key = narrow.tables(&mut query, hospital);
        query.push(" AND a.superseded_by IS NULL");
        if let Some(from) = from {
            query.push(format_args!(" AND {key} <= ")).push_bind(from.to_string());
        }
        query.push(format_args!(" ORDER BY {key} DESC LIMIT ")).push_bind(i64::from(limit));
        query.build().fetch_all(self.readers()).await?.iter().map(published).collect()
    }

    /// One of them, also where a later one took its place.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn published_analysis(
        &self,
        hospital: &HospitalId,
        job: Uuid,
    ) -> Result<Option<PublishedAnalysis>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{COLUMNS}{FROM_ANALYSES} WHERE a.hospital = $1 AND a.job = $2{PUBLISHED}"
        )))
        .bind(hospital.as_str())
        .bind(job.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(published).transpose()
    }

    /// The jobs whose place an analysis took.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn superseded(&self, hospital: &HospitalId, study: &Uid, by: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT a.job{FROM_ANALYSES} WHERE a.hospital = $1 AND a.study = $2 AND a.superseded_by = $3{PUBLISHED} \
             ORDER BY a.job LIMIT 1000"
        )))
        .bind(hospital.as_str())
        .bind(study.as_str())
        .bind(by.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| parsed(row, "job", "job id")).collect()
    }

    /// The services, in their versions, that found something that is meant.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn published_services(
        &self,
        hospital: &HospitalId,
        narrow: &PublishedNarrow,
    ) -> Result<Vec<(ServiceName, VersionNumber)>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT DISTINCT j.vendor, j.service, j.number");
        narrow.tables(&mut query, hospital);
        query.push(" ORDER BY j.vendor, j.service, j.number LIMIT ").push_bind(MOST_VERSIONS);
        let rows = query.build().fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((service_name(row)?, parsed(row, "number", "version")?))).collect()
    }
}

impl PublishedNarrow {
    /// Where it is looked up, and under which conditions; the column of the job's id by which it is walked.
    fn tables(&self, query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId) -> &'static str {
        let is_of_few = self.study.is_some() || self.jobs.is_some();
        let (tables, lead, key) = match &self.patient_id {
            _ if is_of_few => (FROM_ANALYSES, "a", "a.job"),
            Some(_) => (FROM_STUDIES, "st", "a.job"),
            None => (FROM_JOBS, "j", "j.id"),
        };
        query.push(tables).push(format_args!(" WHERE {lead}.hospital = "));
        query.push_bind(hospital.as_str()).push(PUBLISHED);
        self.conditions(query);
        key
    }

    fn conditions(&self, query: &mut QueryBuilder<Sqlite>) {
        if let Some(jobs) = &self.jobs {
            query.push(" AND a.job IN (");
            let mut list = query.separated(", ");
            for job in jobs {
                list.push_bind(job.to_string());
            }
            query.push(")");
        }
        let (first, last) = &self.study_dates;
        let (since, before) = &self.at;
        let service = self.service.as_ref();
        let texts = [
            (" AND st.patient_id = ", self.patient_id.clone()),
            (" AND a.study = ", self.study.as_ref().map(ToString::to_string)),
            (" AND j.vendor = ", service.map(|name| name.vendor.to_string())),
            (" AND j.service = ", service.map(|name| name.service.to_string())),
            (" AND j.number = ", self.version.as_ref().map(ToString::to_string)),
            (" AND st.date >= ", first.clone()),
            // A study without a date lies within no time.
            (" AND st.date <> '' AND st.date <= ", last.clone()),
        ];
        for (condition, value) in texts {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }
        for (condition, at) in [(" AND a.at >= ", since), (" AND a.at < ", before)] {
            if let Some(at) = at {
                query.push(condition).push_bind(micros(*at));
            }
        }
    }
}

fn published(row: &SqliteRow) -> Result<PublishedAnalysis, StoreError> {
    let inputs: &str = row.try_get("inputs")?;
    Ok(PublishedAnalysis {
        analysis: analysis(row)?,
        inputs: serde_json::from_str(inputs).map_err(|_| StoreError::Unreadable("inputs of a job"))?,
        study_date: row.try_get("study_date")?,
    })
}
