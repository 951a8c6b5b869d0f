//! Results that are DICOM objects, on their way from a service to the archive.

use medvan_imaging::Uid;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    EvidenceObject, Job, Store, StoreError,
    column::{count, instant, parsed},
    instant::micros,
};

/// An object, and what it is.
#[derive(Clone)]
pub struct ReceivedObject {
    /// How others refer to it.
    pub reference: EvidenceObject,
    /// The Part 10 file.
    pub bytes: Vec<u8>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedNote {
    /// SOPClassUID.
    pub class: Uid,
    /// When it came.
    pub at: OffsetDateTime,
}

/// What became of an object that a service stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is kept; one with its UID that came before is replaced.
    Kept,
    /// The job takes no results any more.
    TooLate,
    /// Together the results of the job have more bytes than its service may answer with.
    TooLarge,
}

impl Store {
    /// Keeps an object that a service stored for a job.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn receive(
        &self,
        job: &Job,
        object: &ReceivedObject,
        most: u64,
        now: OffsetDateTime,
    ) -> Result<Receipt, StoreError> {
        let mut db = self.write().await?;
        let open = sqlx::query(
            "SELECT coalesce(sum(length(r.bytes)), 0) AS bytes FROM jobs j \
             LEFT JOIN received r ON r.job = j.id AND r.instance <> $3 WHERE j.id = $1 AND j.run = $2 \
             AND j.state IN ('running', 'offered', 'taken') AND NOT EXISTS (SELECT 1 FROM analyses a WHERE a.job = j.id) GROUP BY j.id",
        )
        .bind(job.id.to_string())
        .bind(job.run.to_string())
        .bind(object.reference.instance.as_str())
        .fetch_optional(&mut *db)
        .await?;
        let Some(open) = open else { return Ok(Receipt::TooLate) };
        let known = count(&open, "bytes")?;
        if known.saturating_add(object.bytes.len() as u64) > most {
            return Ok(Receipt::TooLarge);
        }
        insert(&mut db, job.id, object, now).await?;
        db.commit().await?;
        Ok(Receipt::Kept)
    }

    /// What came for a job, in the order of arrival.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn received_notes(&self, job: Uuid) -> Result<Vec<ReceivedNote>, StoreError> {
        let rows = sqlx::query("SELECT class, at FROM received WHERE job = $1 ORDER BY rowid")
            .bind(job.to_string())
            .fetch_all(self.readers())
            .await?;
        let note =
            |row: &SqliteRow| Ok(ReceivedNote { class: parsed(row, "class", "SOP class")?, at: instant(row, "at")? });
        rows.iter().map(note).collect()
    }

    /// The objects of a job, in the order of arrival.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn received(&self, job: Uuid) -> Result<Vec<ReceivedObject>, StoreError> {
        let rows = sqlx::query("SELECT series, instance, class, bytes FROM received WHERE job = $1 ORDER BY rowid")
            .bind(job.to_string())
            .fetch_all(self.readers())
            .await?;
        let object = |row: &SqliteRow| {
            let reference = EvidenceObject {
                series: parsed(row, "series", "series of a result")?,
                instance: parsed(row, "instance", "UID of a result")?,
                class: parsed(row, "class", "SOP class")?,
            };
            Ok(ReceivedObject { reference, bytes: row.try_get("bytes")? })
        };
        rows.iter().map(object).collect()
    }

    /// Forgets what came for a job: it was refused, and the service is asked again.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn forget_received(&self, job: Uuid) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        forget(&mut db, job).await?;
        db.commit().await?;
        Ok(())
    }
}

/// Puts what holds in the place of what came.
pub(super) async fn replace(
    db: &mut SqliteConnection,
    job: Uuid,
    objects: &[ReceivedObject],
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    forget(db, job).await?;
    for object in objects {
        insert(db, job, object, at).await?;
    }
    Ok(())
}

pub(super) async fn forget(db: &mut SqliteConnection, job: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM received WHERE job = $1").bind(job.to_string()).execute(db).await?;
    Ok(())
}

async fn insert(
    db: &mut SqliteConnection,
    job: Uuid,
    object: &ReceivedObject,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO received (job, instance, series, class, at, bytes) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (job, instance) DO UPDATE SET series = excluded.series, class = excluded.class, at = excluded.at, \
         bytes = excluded.bytes",
    )
    .bind(job.to_string())
    .bind(object.reference.instance.as_str())
    .bind(object.reference.series.as_str())
    .bind(object.reference.class.as_str())
    .bind(micros(at))
    .bind(object.bytes.as_slice())
    .execute(db)
    .await?;
    Ok(())
}

impl std::fmt::Debug for ReceivedObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReceivedObject({}, {} bytes)", self.reference.class, self.bytes.len())
    }
}
