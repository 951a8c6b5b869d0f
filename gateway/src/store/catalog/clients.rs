//! Clients of a hospital.

use sqlx::SqliteConnection;

use super::{Page, Written, document, text_of, written};
use crate::{
    catalog::{Authentication, Client, ClientId, HospitalId},
    store::{Store, StoreError},
};

/// What came of writing a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutClient {
    /// It was written.
    Written(Written),
    /// There is no such hospital.
    NoSuchHospital,
    /// Another client of the hospital has this issuer: their tokens could not be told apart.
    IssuerTaken,
}

impl Store {
    /// Clients of this hospital in the order of their ids.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn clients(&self, hospital: &HospitalId, page: Page<'_>) -> Result<Vec<Client>, StoreError> {
        let rows = sqlx::query("SELECT document FROM clients WHERE hospital = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(hospital.as_str())
            .bind(page.after)
            .bind(i64::from(page.limit))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(document).collect()
    }

    /// One client of this hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn client(&self, hospital: &HospitalId, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row = sqlx::query("SELECT document FROM clients WHERE hospital = $1 AND id = $2")
            .bind(hospital.as_str())
            .bind(id.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(document).transpose()
    }

    /// Makes or changes a client of the hospital that it names.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn put_client(&self, client: &Client) -> Result<PutClient, StoreError> {
        let text = text_of(client)?;
        let mut db = self.write().await?;
        let hospital = sqlx::query("SELECT 1 FROM hospitals WHERE id = $1").bind(client.hospital.as_str());
        if hospital.fetch_optional(&mut *db).await?.is_none() {
            return Ok(PutClient::NoSuchHospital);
        }
        if issuer_taken(&mut db, client).await? {
            return Ok(PutClient::IssuerTaken);
        }
        let old = sqlx::query("SELECT document FROM clients WHERE hospital = $1 AND id = $2")
            .bind(client.hospital.as_str())
            .bind(client.id.as_str())
            .fetch_optional(&mut *db)
            .await?;
        let written = written(old.as_ref(), &text)?;
        sqlx::query(
            "INSERT INTO clients (hospital, id, document) VALUES ($1, $2, $3) \
             ON CONFLICT (hospital, id) DO UPDATE SET document = excluded.document",
        )
        .bind(client.hospital.as_str())
        .bind(client.id.as_str())
        .bind(&text)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(PutClient::Written(written))
    }

    /// Ends a client: its next call is refused.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn delete_client(&self, hospital: &HospitalId, id: &ClientId) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let deleted = sqlx::query("DELETE FROM clients WHERE hospital = $1 AND id = $2")
            .bind(hospital.as_str())
            .bind(id.as_str())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

async fn issuer_taken(db: &mut SqliteConnection, client: &Client) -> Result<bool, StoreError> {
    let Authentication::Jwt(jwt) = &client.authentication else {
        return Ok(false);
    };
    let rows = sqlx::query("SELECT document FROM clients WHERE hospital = $1 AND id <> $2")
        .bind(client.hospital.as_str())
        .bind(client.id.as_str())
        .fetch_all(db)
        .await?;
    let others = rows.iter().map(document).collect::<Result<Vec<Client>, _>>()?;
    Ok(others
        .iter()
        .any(|other| matches!(&other.authentication, Authentication::Jwt(theirs) if theirs.issuer == jwt.issuer)))
}
