//! What doctors' EHRs are told of analyses, until a doctor answered it.

use medvan_imaging::Uid;
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError,
    column::{parsed, service_name},
    instant::micros,
};
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

/// A card's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardText {
    /// One sentence of fewer than 140 characters.
    pub summary: String,
    /// The findings, in Markdown.
    pub detail: String,
    /// Tracking UID of the first finding: where the viewer begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Uid>,
}

/// What was found in a study and no doctor has answered yet.
#[derive(Debug, Clone)]
pub struct UnseenAnalysis {
    /// The job.
    pub job: Uuid,
    /// StudyInstanceUID.
    pub study: Uid,
    /// PatientBirthDate (0010,0030) of the study, where it says so.
    pub birth_date: Option<String>,
    /// Who found it.
    pub service: ServiceName,
    /// Which version.
    pub version: VersionNumber,
    /// Which of the descriptor's `images`.
    pub entry: String,
    /// `live` or `trial`.
    pub mode: String,
    /// What is told.
    pub card: CardText,
}

impl Store {
    /// What holds now of the studies of a patient, was found since a time, and was not answered by a doctor; the newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn unseen_analyses(
        &self,
        hospital: &HospitalId,
        patient_id: &str,
        since: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<UnseenAnalysis>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.job, a.study, a.card, j.vendor, j.service, j.number, j.entry, j.mode, \
             json_extract(st.attributes, '$.\"00100030\".Value[0]') AS birth_date \
             FROM studies st CROSS JOIN analyses a ON a.hospital = st.hospital AND a.study = st.uid \
             CROSS JOIN jobs j ON j.id = a.job WHERE st.hospital = $1 AND st.patient_id = $2 AND a.at >= $3 \
             AND a.card IS NOT NULL AND a.superseded_by IS NULL AND a.seen_at IS NULL AND j.mode <> 'shadow' \
             ORDER BY a.job DESC LIMIT $4",
        )
        .bind(hospital.as_str())
        .bind(patient_id)
        .bind(micros(since))
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(unseen).collect()
    }
}

/// A doctor answered the card.
pub(super) async fn seen(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    job: Uuid,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE analyses SET seen_at = $3 WHERE job = $1 AND hospital = $2 AND seen_at IS NULL")
        .bind(job.to_string())
        .bind(hospital.as_str())
        .bind(micros(at))
        .execute(db)
        .await?;
    Ok(())
}

fn unseen(row: &SqliteRow) -> Result<UnseenAnalysis, StoreError> {
    let card: &str = row.try_get("card")?;
    Ok(UnseenAnalysis {
        job: parsed(row, "job", "job id")?,
        study: parsed(row, "study", "study uid")?,
        birth_date: row.try_get("birth_date")?,
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        entry: row.try_get("entry")?,
        mode: row.try_get("mode")?,
        card: serde_json::from_str(card).map_err(|_| StoreError::Unreadable("card"))?,
    })
}
