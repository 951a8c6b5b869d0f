//! What became known of an exchange after its answer had left, and tokens spent outside of exchanges.

use serde_json::Value;
use sqlx::Row as _;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Replay, Store, StoreError, commit::Work, instant::from_micros};
use crate::catalog::HospitalId;

/// Something to add to an exchange's explanation. It holds no clinical content.
#[derive(Debug, Clone)]
pub struct Addendum {
    /// The exchange.
    pub exchange: Uuid,
    /// `late` or `shadow`.
    pub kind: &'static str,
    /// What became known.
    pub note: Value,
    /// When.
    pub at: OffsetDateTime,
}

/// An addendum as it was stored.
#[derive(Debug, Clone)]
pub struct StoredAddendum {
    /// `late` or `shadow`.
    pub kind: String,
    /// What became known.
    pub note: Value,
    /// When.
    pub at: OffsetDateTime,
}

impl Store {
    /// Adds to an exchange of this hospital.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn append(&self, hospital: &HospitalId, addendum: Addendum) -> Result<(), StoreError> {
        self.0.commits.commit(Work::Append(hospital.clone(), addendum)).await.map(|_| ())
    }

    /// Remembers a token that was used for something that is no exchange: discovery, feedback.
    ///
    /// # Errors
    /// The database does not take it; then the token must not be honoured.
    pub async fn spend(&self, token: Replay) -> Result<(), StoreError> {
        self.0.commits.commit(Work::Spend(token)).await.map(|_| ())
    }

    /// What was added to an exchange of this hospital, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn addenda(&self, hospital: &HospitalId, exchange: Uuid) -> Result<Vec<StoredAddendum>, StoreError> {
        let query = "SELECT kind, note, at FROM addenda WHERE exchange = $1 AND hospital = $2 ORDER BY id LIMIT 200";
        let rows =
            sqlx::query(query).bind(exchange.to_string()).bind(hospital.as_str()).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| {
                let note: String = row.try_get("note")?;
                let note = serde_json::from_str(&note).map_err(|_| StoreError::Unreadable("addendum"))?;
                Ok(StoredAddendum { kind: row.try_get("kind")?, note, at: from_micros(row.try_get("at")?) })
            })
            .collect()
    }
}
