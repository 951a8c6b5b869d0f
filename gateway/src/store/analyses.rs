//! What services found: one row for each job that was answered. Evidence, FHIR and cards are made from it.

use medvan_imaging::Uid;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    CardText, Job, ReceivedObject, Store, StoreError,
    column::{instant, parsed, service_name},
    instant::micros,
    jobs::{HELD, SAME, same},
    received,
};
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

/// What a service found in a study.
#[derive(Debug, Clone)]
pub struct StoredAnalysis {
    /// The job.
    pub job: Uuid,
    /// StudyInstanceUID.
    pub study: Uid,
    /// PatientID that the study has now, or nothing.
    pub patient_id: String,
    /// Who found it.
    pub service: ServiceName,
    /// Which version.
    pub version: VersionNumber,
    /// `live`, `shadow` or `trial`.
    pub mode: String,
    /// When the answer came.
    pub at: OffsetDateTime,
    /// The checked answer, as JSON.
    pub findings: String,
    /// What of it was kept back, and why.
    pub kept_back: Option<String>,
    /// What was made of it; none before that.
    pub evidence: Vec<EvidenceObject>,
    /// The job that looked at more of the same study.
    pub superseded_by: Option<Uuid>,
}

/// A checked answer to a job.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The findings, as JSON.
    pub findings: String,
    /// Results that are delivered as they are; none where the answer was findings alone.
    pub objects: Vec<ReceivedObject>,
    /// What was kept back, and why.
    pub kept_back: Option<String>,
}

/// An object that was made of an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceObject {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
    /// SOPClassUID.
    pub class: Uid,
}

const SELECT: &str = "SELECT a.job, a.study, st.patient_id, j.vendor, j.service, j.number, j.mode, a.at, a.findings, \
     a.kept_back, a.evidence, a.superseded_by FROM analyses a JOIN jobs j ON j.id = a.job JOIN studies st ON st.hospital = a.hospital AND st.uid = a.study ";

impl Store {
    /// Keeps the checked answer to a job. The first answer stays: what is made of it twice is the same. An answer to a job that was
    /// canceled meanwhile, or that is another run's or another try's by now, is nobody's.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn answer_job(&self, job: &Job, answer: &Answer, at: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        let query = format!(
            "INSERT INTO analyses (job, hospital, study, at, findings, kept_back) SELECT $1, $4, $5, $6, $7, $8 \
             WHERE EXISTS (SELECT 1 FROM jobs WHERE {SAME} AND {HELD}) ON CONFLICT (job) DO NOTHING"
        );
        let made = same(&query, job)
            .bind(job.hospital.as_str())
            .bind(job.study.as_str())
            .bind(micros(at))
            .bind(&answer.findings)
            .bind(&answer.kept_back)
            .execute(&mut *db)
            .await?
            .rows_affected();
        if made == 1 {
            received::replace(&mut db, job.id, &answer.objects, at).await?;
        }
        let query = format!(
            "UPDATE jobs SET state = 'answered', fault = NULL, changed_at = $4 WHERE {SAME} AND state = 'running'"
        );
        same(&query, job).bind(micros(at)).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// Forgets an answer of which nothing was published.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn forget_answer(&self, job: &Job) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM analyses WHERE job = $1 AND evidence IS NULL")
            .bind(job.id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// Keeps what was made of an analysis. It takes the place of earlier ones of the same service for the same study; what was found
    /// in the shadow takes the place of nothing that people see.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn publish_analysis(
        &self,
        job: &Job,
        evidence: &[EvidenceObject],
        card: &CardText,
    ) -> Result<(), StoreError> {
        let evidence = serde_json::to_string(evidence).map_err(|_| StoreError::Unreadable("evidence"))?;
        let mut db = self.write().await?;
        let card = serde_json::to_string(card).map_err(|_| StoreError::Unreadable("card"))?;
        sqlx::query("UPDATE analyses SET evidence = $2, card = $3 WHERE job = $1")
            .bind(job.id.to_string())
            .bind(evidence)
            .bind(card)
            .execute(&mut *db)
            .await?;
        // Later ones may have been published before: jobs do not end in the order in which they began.
        let of_same_work = "hospital = $2 AND study = $3 AND evidence IS NOT NULL AND job IN (SELECT id FROM jobs \
             WHERE hospital = $2 AND study = $3 AND vendor = $4 AND service = $5 AND entry = $6 AND (mode = 'shadow') = $7)";
        for statement in [
            format!(
                "UPDATE analyses SET superseded_by = $1 WHERE superseded_by IS NULL AND job < $1 AND {of_same_work}"
            ),
            format!(
                "UPDATE analyses SET superseded_by = (SELECT max(job) FROM analyses WHERE job > $1 AND {of_same_work}) \
                 WHERE job = $1"
            ),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .bind(job.id.to_string())
                .bind(job.hospital.as_str())
                .bind(job.study.as_str())
                .bind(job.service.vendor.as_str())
                .bind(job.service.service.as_str())
                .bind(&job.entry)
                .bind(job.mode == "shadow")
                .execute(&mut *db)
                .await?;
        }
        db.commit().await?;
        Ok(())
    }

    /// The answer to a job of a hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn analysis(&self, hospital: &HospitalId, job: Uuid) -> Result<Option<StoredAnalysis>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("{SELECT} WHERE a.hospital = $1 AND a.job = $2")))
            .bind(hospital.as_str())
            .bind(job.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(analysis).transpose()
    }

    /// The last analysis that this job's replaces: of the same service and work, of the same study, made before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn earlier_analysis(&self, job: &Job) -> Result<Option<StoredAnalysis>, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{SELECT} WHERE a.hospital = $1 AND a.study = $2 AND j.vendor = $3 AND j.service = $4 AND j.entry = $5 \
             AND a.job < $6 AND a.evidence IS NOT NULL AND j.mode <> 'shadow' AND (a.superseded_by IS NULL OR a.superseded_by = $6) \
             ORDER BY a.job DESC LIMIT 1"
        )))
        .bind(job.hospital.as_str())
        .bind(job.study.as_str())
        .bind(job.service.vendor.as_str())
        .bind(job.service.service.as_str())
        .bind(&job.entry)
        .bind(job.id.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(analysis).transpose()
    }

    /// What the same service delivered about the same study for other images or by another of its kinds of work, in the order of the
    /// jobs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn delivered_before(&self, job: &Job) -> Result<Vec<EvidenceObject>, StoreError> {
        let inputs = serde_json::to_string(&job.inputs).map_err(|_| StoreError::Unreadable("inputs of a job"))?;
        let rows = sqlx::query(
            "SELECT a.evidence FROM analyses a JOIN jobs j ON j.id = a.job WHERE a.hospital = $1 AND a.study = $2 \
             AND j.vendor = $3 AND j.service = $4 AND j.id <> $5 AND (j.inputs <> $6 OR j.entry <> $7) AND a.evidence IS NOT NULL ORDER BY j.id",
        )
        .bind(job.hospital.as_str())
        .bind(job.study.as_str())
        .bind(job.service.vendor.as_str())
        .bind(job.service.service.as_str())
        .bind(job.id.to_string())
        .bind(inputs)
        .bind(&job.entry)
        .fetch_all(self.readers())
        .await?;
        let mut delivered = Vec::new();
        for row in &rows {
            let evidence: Vec<EvidenceObject> =
                serde_json::from_str(row.try_get("evidence")?).map_err(|_| StoreError::Unreadable("evidence"))?;
            delivered.extend(evidence);
        }
        Ok(delivered)
    }

    /// Whether a use of this service for this study was counted by a job that is done.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn was_counted(&self, job: &Job) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT 1 FROM jobs WHERE hospital = $1 AND study = $2 AND vendor = $3 AND service = $4 AND entry = $5 \
             AND state = 'done' AND id <> $6 LIMIT 1",
        )
        .bind(job.hospital.as_str())
        .bind(job.study.as_str())
        .bind(job.service.vendor.as_str())
        .bind(job.service.service.as_str())
        .bind(&job.entry)
        .bind(job.id.to_string())
        .fetch_optional(self.readers())
        .await?;
        Ok(row.is_some())
    }
}

pub(super) fn analysis(row: &SqliteRow) -> Result<StoredAnalysis, StoreError> {
    let evidence: Option<&str> = row.try_get("evidence")?;
    let evidence = serde_json::from_str(evidence.unwrap_or("[]")).map_err(|_| StoreError::Unreadable("evidence"))?;
    let superseded: Option<&str> = row.try_get("superseded_by")?;
    let superseded_by = superseded.map(Uuid::try_parse).transpose().map_err(|_| StoreError::Unreadable("job id"))?;
    Ok(StoredAnalysis {
        job: parsed(row, "job", "job id")?,
        study: parsed(row, "study", "study uid")?,
        patient_id: row.try_get("patient_id")?,
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        mode: row.try_get("mode")?,
        at: instant(row, "at")?,
        findings: row.try_get("findings")?,
        kept_back: row.try_get("kept_back")?,
        evidence,
        superseded_by,
    })
}
