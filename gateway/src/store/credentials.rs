//! Credentials of the management API. Only a digest of the secret is stored.

use sqlx::{Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError,
    catalog::Page,
    column::{instant, instant_if_any, parsed},
    instant::micros,
};

/// A credential as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// `operator`, `governor`, `vendor` or `hospital`.
    pub role: String,
    /// Which vendor or hospital; empty for the others.
    pub subject: String,
    /// What it is for, in its owner's words.
    pub label: String,
    /// SHA-256 of the secret, in hex.
    pub digest: String,
    /// Who issued it.
    pub created_by: String,
    /// When.
    pub created_at: OffsetDateTime,
    /// When it ends by itself.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
}

impl Store {
    /// Keeps a credential.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn add_credential(&self, credential: &StoredCredential) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "INSERT INTO credentials \
             (id, role, subject, label, digest, created_by, created_at, expires_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(credential.id.to_string())
        .bind(&credential.role)
        .bind(&credential.subject)
        .bind(&credential.label)
        .bind(&credential.digest)
        .bind(&credential.created_by)
        .bind(micros(credential.created_at))
        .bind(credential.expires_at.map(micros))
        .bind(credential.revoked_at.map(micros))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// The credential with this digest, if it is valid now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn valid_credential(
        &self,
        digest: &str,
        now: OffsetDateTime,
    ) -> Result<Option<StoredCredential>, StoreError> {
        let row = sqlx::query(
            "SELECT id, role, subject, label, digest, created_by, created_at, expires_at, revoked_at \
             FROM credentials WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(digest)
        .bind(micros(now))
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(stored).transpose()
    }

    /// One credential.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn credential(&self, id: Uuid) -> Result<Option<StoredCredential>, StoreError> {
        let row = sqlx::query(
            "SELECT id, role, subject, label, digest, created_by, created_at, expires_at, revoked_at \
             FROM credentials WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(stored).transpose()
    }

    /// Credentials in the order of their ids, which is that of their age.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn credentials(&self, page: Page<'_>) -> Result<Vec<StoredCredential>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, role, subject, label, digest, created_by, created_at, expires_at, revoked_at \
             FROM credentials WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored).collect()
    }

    /// Whether any credential of this role was ever issued.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn has_credential_of(&self, role: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM credentials WHERE role = $1 LIMIT 1")
            .bind(role)
            .fetch_optional(self.readers())
            .await?;
        Ok(row.is_some())
    }

    /// Revokes a credential: its next request is refused.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn revoke_credential(&self, id: Uuid, now: OffsetDateTime) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let revoked = sqlx::query("UPDATE credentials SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
            .bind(micros(now))
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(revoked.rows_affected() > 0)
    }
}

fn stored(row: &SqliteRow) -> Result<StoredCredential, StoreError> {
    Ok(StoredCredential {
        id: parsed(row, "id", "credential id")?,
        role: row.try_get("role")?,
        subject: row.try_get("subject")?,
        label: row.try_get("label")?,
        digest: row.try_get("digest")?,
        created_by: row.try_get("created_by")?,
        created_at: instant(row, "created_at")?,
        expires_at: instant_if_any(row, "expires_at")?,
        revoked_at: instant_if_any(row, "revoked_at")?,
    })
}
