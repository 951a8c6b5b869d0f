//! Hospitals.

use sqlx::SqliteConnection;
use time::OffsetDateTime;

use super::{Page, Written, document, text_of, written};
use crate::{
    catalog::{Hospital, HospitalId},
    store::{Store, StoreError, instant::micros},
};

/// What came of making or changing a hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutHospital {
    /// It is there now.
    Written(Written),
    /// A hospital of this id was ended, and its records are still kept.
    InRecords,
    /// Another hospital is called by this AE title.
    AeTitleTaken,
}

impl Store {
    /// Hospitals in the order of their ids.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hospitals(&self, page: Page<'_>) -> Result<Vec<Hospital>, StoreError> {
        let rows = sqlx::query("SELECT document FROM hospitals WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(page.after)
            .bind(i64::from(page.limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(document).collect()
    }

    /// One hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn hospital(&self, id: &HospitalId) -> Result<Option<Hospital>, StoreError> {
        let row = sqlx::query("SELECT document FROM hospitals WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(document).transpose()
    }

    /// Makes or changes a hospital. Records of a hospital that was ended would be the new one's: unless it is said to be
    /// the same one again, an id in records is not given away.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_hospital(&self, hospital: &Hospital, again: bool) -> Result<PutHospital, StoreError> {
        let text = text_of(hospital)?;
        let mut db = self.write().await?;
        let old = sqlx::query("SELECT document FROM hospitals WHERE id = $1")
            .bind(hospital.id.as_str())
            .fetch_optional(&mut *db)
            .await?;
        let written = written(old.as_ref(), &text)?;
        if written == Written::Created && !again && is_in_records(&mut db, &hospital.id).await? {
            return Ok(PutHospital::InRecords);
        }
        if is_ae_title_taken(&mut db, hospital).await? {
            return Ok(PutHospital::AeTitleTaken);
        }
        sqlx::query(
            "INSERT INTO hospitals (id, document) VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET document = excluded.document",
        )
        .bind(hospital.id.as_str())
        .bind(&text)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(PutHospital::Written(written))
    }

    /// Ends a hospital: its clients and enrolments go, its credentials are revoked, its records stay.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn delete_hospital(&self, id: &HospitalId, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let deleted = sqlx::query("DELETE FROM hospitals WHERE id = $1").bind(id.as_str()).execute(&mut *db).await?;
        sqlx::query("DELETE FROM workitem_subscribers WHERE hospital = $1").bind(id.as_str()).execute(&mut *db).await?;
        sqlx::query(
            "UPDATE credentials SET revoked_at = $1 WHERE role = 'hospital' AND subject = $2 AND revoked_at IS NULL",
        )
        .bind(micros(now))
        .bind(id.as_str())
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// The called AE title decides which hospital an association is for.
async fn is_ae_title_taken(db: &mut SqliteConnection, hospital: &Hospital) -> Result<bool, StoreError> {
    let Some(imaging) = &hospital.imaging else {
        return Ok(false);
    };
    let others =
        sqlx::query("SELECT document FROM hospitals WHERE id <> $1").bind(hospital.id.as_str()).fetch_all(db).await?;
    for row in &others {
        let other: Hospital = document(row)?;
        if other.imaging.is_some_and(|other| other.ae_title == imaging.ae_title) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn is_in_records(db: &mut SqliteConnection, id: &HospitalId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM exchanges WHERE hospital = $1) \
         OR EXISTS (SELECT 1 FROM usage WHERE hospital = $1) OR EXISTS (SELECT 1 FROM feedback WHERE hospital = $1) \
         OR EXISTS (SELECT 1 FROM studies WHERE hospital = $1) OR EXISTS (SELECT 1 FROM workitems WHERE hospital = $1)",
    );
    Ok(found.bind(id.as_str()).fetch_optional(db).await?.is_some())
}
