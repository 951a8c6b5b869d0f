//! What vendors' discovery documents said when they were last read.

use serde_json::Value;
use sqlx::{Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{Store, StoreError, column::instant, instant::micros};
use crate::catalog::{ServiceName, VersionNumber};

/// The last reading of a version's discovery.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The document's `ETag`, to ask only for news next time.
    pub etag: Option<String>,
    /// What it said about the version's hooks, as far as it could be read.
    pub document: Value,
    /// How it departs from what was registered.
    pub changes: Value,
    /// Why it could not be read.
    pub fault: Option<String>,
    /// When.
    pub read_at: OffsetDateTime,
}

impl Store {
    /// Keeps the last reading.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn keep_reading(
        &self,
        name: &ServiceName,
        number: &VersionNumber,
        reading: &Reading,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "INSERT INTO discoveries (vendor, service, number, etag, document, changes, fault, read_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (vendor, service, number) DO UPDATE SET etag = excluded.etag, document = excluded.document, \
             changes = excluded.changes, fault = excluded.fault, read_at = excluded.read_at",
        )
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(number.to_string())
        .bind(reading.etag.as_deref())
        .bind(reading.document.to_string())
        .bind(reading.changes.to_string())
        .bind(reading.fault.as_deref())
        .bind(micros(reading.read_at))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// The last reading.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn reading(&self, name: &ServiceName, number: &VersionNumber) -> Result<Option<Reading>, StoreError> {
        let row = sqlx::query(
            "SELECT etag, document, changes, fault, read_at FROM discoveries \
             WHERE vendor = $1 AND service = $2 AND number = $3",
        )
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(number.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(stored).transpose()
    }
}

fn stored(row: &SqliteRow) -> Result<Reading, StoreError> {
    let (document, changes): (&str, &str) = (row.try_get("document")?, row.try_get("changes")?);
    Ok(Reading {
        etag: row.try_get("etag")?,
        document: serde_json::from_str(document).map_err(|_| StoreError::Unreadable("discovery"))?,
        changes: serde_json::from_str(changes).map_err(|_| StoreError::Unreadable("discovery"))?,
        fault: row.try_get("fault")?,
        read_at: instant(row, "read_at")?,
    })
}
