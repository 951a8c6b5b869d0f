//! Results that were refused when a service brought them.

use sqlx::{Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError,
    column::{count, instant},
    instant::micros,
};

/// So many are kept of one job, the last ones.
const KEPT: i64 = 10;

/// A result that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedResult {
    /// When it was brought.
    pub at: OffsetDateTime,
    /// Why, as Failure Reason (0008,1197; PS3.18 table I.2-2).
    pub code: u16,
    /// Why, in words for the vendor: places and mends, never values.
    pub words: String,
}

impl Store {
    /// Keeps with a job why a result of it was refused.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn refuse_result(&self, job: Uuid, refused: &RefusedResult) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("INSERT INTO refused_results (job, at, code, words) SELECT id, $2, $3, $4 FROM jobs WHERE id = $1")
            .bind(job.to_string())
            .bind(micros(refused.at))
            .bind(i64::from(refused.code))
            .bind(&refused.words)
            .execute(&mut *db)
            .await?;
        sqlx::query(
            "DELETE FROM refused_results WHERE job = $1 AND rowid NOT IN \
             (SELECT rowid FROM refused_results WHERE job = $1 ORDER BY rowid DESC LIMIT $2)",
        )
        .bind(job.to_string())
        .bind(KEPT)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// The results of a job that were refused last, in the order in which they came.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn refused_results(&self, job: Uuid) -> Result<Vec<RefusedResult>, StoreError> {
        let rows = sqlx::query("SELECT at, code, words FROM refused_results WHERE job = $1 ORDER BY rowid")
            .bind(job.to_string())
            .fetch_all(self.readers())
            .await?;
        let refused = |row: &SqliteRow| {
            let code = u16::try_from(count(row, "code")?).map_err(|_| StoreError::Unreadable("failure reason"))?;
            Ok(RefusedResult { at: instant(row, "at")?, code, words: row.try_get("words")? })
        };
        rows.iter().map(refused).collect()
    }
}
