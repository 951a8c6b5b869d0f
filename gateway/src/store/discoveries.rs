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
    /// The document's `Last-Modified`, for the same.
    pub last_modified: Option<String>,
    /// What it said about the version's hooks, as far as it could be read.
    pub document: Value,
    /// How it departs from what was registered.
    pub changes: Value,
    /// How it departs from CDS Hooks.
    pub defects: Value,
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
            "INSERT INTO discoveries \
             (vendor, service, number, etag, last_modified, document, changes, defects, fault, read_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (vendor, service, number) DO UPDATE SET etag = excluded.etag, \
             last_modified = excluded.last_modified, document = excluded.document, changes = excluded.changes, \
             defects = excluded.defects, fault = excluded.fault, read_at = excluded.read_at",
        )
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(number.to_string())
        .bind(reading.etag.as_deref())
        .bind(reading.last_modified.as_deref())
        .bind(reading.document.to_string())
        .bind(reading.changes.to_string())
        .bind(reading.defects.to_string())
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
            "SELECT etag, last_modified, document, changes, defects, fault, read_at FROM discoveries \
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

impl Default for Reading {
    /// Of a document that was never read.
    fn default() -> Self {
        let none = || Value::Array(Vec::new());
        Self {
            etag: None,
            last_modified: None,
            document: none(),
            changes: none(),
            defects: none(),
            fault: None,
            read_at: OffsetDateTime::UNIX_EPOCH,
        }
    }
}

fn stored(row: &SqliteRow) -> Result<Reading, StoreError> {
    Ok(Reading {
        etag: row.try_get("etag")?,
        last_modified: row.try_get("last_modified")?,
        document: json(row, "document")?,
        changes: json(row, "changes")?,
        defects: json(row, "defects")?,
        fault: row.try_get("fault")?,
        read_at: instant(row, "read_at")?,
    })
}

fn json(row: &SqliteRow, column: &str) -> Result<Value, StoreError> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("discovery"))
}
