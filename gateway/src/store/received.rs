//! Results that are DICOM objects, on their way from a service to the archive.

use medvan_imaging::Uid;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    EvidenceObject, Job, Store, StoreError,
    column::{count, instant, parsed},
    instant::micros,
    jobs::{HELD, SAME, same},
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
    /// The job has as many results as it may have.
    TooMany,
}

/// How much may come for a job.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedBounds {
    /// Objects.
    pub objects: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Store {
    /// Keeps an object that a service stored for a job, as long as the job stands where it stood when it was looked up: what comes for
    /// an earlier try, or after the answer was taken, is too late.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn receive(
        &self,
        job: &Job,
        object: &ReceivedObject,
        most: ReceivedBounds,
        now: OffsetDateTime,
    ) -> Result<Receipt, StoreError> {
        let mut db = self.write().await?;
        let query = format!(
            "SELECT count(r.job) AS objects, coalesce(sum(length(r.bytes)), 0) AS bytes FROM \
             (SELECT id FROM jobs WHERE {SAME} AND state = $5 AND state IN ('running', 'taken')) AS j \
             LEFT JOIN received r ON r.job = j.id AND r.instance <> $4 GROUP BY j.id"
        );
        let open = same(&query, job)
            .bind(object.reference.instance.as_str())
            .bind(job.state.word())
            .fetch_optional(&mut *db)
            .await?;
        let Some(open) = open else { return Ok(Receipt::TooLate) };
        if count(&open, "objects")? >= most.objects as u64 {
            return Ok(Receipt::TooMany);
        }
        if count(&open, "bytes")?.saturating_add(object.bytes.len() as u64) > most.bytes {
            return Ok(Receipt::TooLarge);
        }
        insert(&mut db, job.id, object, now).await?;
        db.commit().await?;
        Ok(Receipt::Kept)
    }

    /// Takes what came for a job as its service's answer: from here on nothing more is taken for it. None where the job is not this
    /// process's any more.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn close_received(
        &self,
        job: &Job,
        now: OffsetDateTime,
    ) -> Result<Option<Vec<ReceivedObject>>, StoreError> {
        let mut db = self.write().await?;
        let query = format!("UPDATE jobs SET state = 'answered', changed_at = $4 WHERE {SAME} AND {HELD}");
        let closed = same(&query, job).bind(micros(now)).execute(&mut *db).await?;
        if closed.rows_affected() == 0 {
            return Ok(None);
        }
        let objects = all(&mut db, job.id).await?;
        db.commit().await?;
        Ok(Some(objects))
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
        let mut db = self.readers().acquire().await?;
        all(&mut db, job).await
    }

    /// Forgets what came for a job: its service is asked again, and the results of two tries must not be mixed.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn forget_received(&self, job: &Job) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        // Whoever lost the job must not forget what came for the one who has it.
        let query =
            format!("DELETE FROM received WHERE job = $1 AND EXISTS (SELECT 1 FROM jobs WHERE {SAME} AND {HELD})");
        same(&query, job).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }
}

async fn all(db: &mut SqliteConnection, job: Uuid) -> Result<Vec<ReceivedObject>, StoreError> {
    let rows = sqlx::query("SELECT series, instance, class, bytes FROM received WHERE job = $1 ORDER BY rowid")
        .bind(job.to_string())
        .fetch_all(db)
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
