//! The catalog's tables: what the management API writes and [`crate::catalog::Snapshot`] is built from.

mod clients;
mod enrollments;
mod hospitals;
mod vendors;
mod versions;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    column::{parsed, service_name},
};
use crate::catalog::{Acceptance, Contents, State, Version};

pub use clients::PutClient;
pub use enrollments::PutEnrollment;
pub use hospitals::PutHospital;
pub use vendors::DeleteVendor;
pub use versions::{Moved, Registered, StoredVersion, Transition, Wish};

/// So many outcomes of cards are needed before a share of acceptance says anything.
const ENOUGH_FEEDBACK: i64 = 20;

/// What writing an object did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// There was none.
    Created,
    /// There was another.
    Changed,
    /// It was there already.
    Unchanged,
}

/// Where a list goes on: after which id, and how many at most.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The last id of the page before; empty for the first page.
    pub after: &'a str,
    /// How many at most.
    pub limit: u32,
}

impl Store {
    /// Everything that calls depend on, read in one transaction: a snapshot is never half a change.
    ///
    /// # Errors
    /// The database does not answer, or something stored is not readable.
    pub async fn contents(&self) -> Result<Contents, StoreError> {
        let mut reading = self.readers().begin().await?;
        let contents = Contents {
            hospitals: all(&mut reading, "SELECT document FROM hospitals ORDER BY id").await?,
            clients: all(&mut reading, "SELECT document FROM clients ORDER BY hospital, id").await?,
            enrollments: all(&mut reading, "SELECT document FROM enrollments ORDER BY hospital, vendor, service")
                .await?,
            approved: approved(&mut reading).await?,
        };
        reading.commit().await?;
        Ok(contents)
    }

    /// What doctors accept, summed over all feedback that is kept.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn acceptance(&self) -> Result<Acceptance, StoreError> {
        let rows = sqlx::query(
            "SELECT hospital, vendor, service, count(*) AS outcomes, \
             sum(CASE WHEN outcome = 'accepted' THEN 1 ELSE 0 END) AS accepted \
             FROM feedback GROUP BY hospital, vendor, service HAVING count(*) >= $1",
        )
        .bind(ENOUGH_FEEDBACK)
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                let (accepted, outcomes): (i64, i64) = (row.try_get("accepted")?, row.try_get("outcomes")?);
                Ok(((parsed(row, "hospital", "hospital id")?, service_name(row)?), share(accepted, outcomes)))
            })
            .collect()
    }
}

async fn all<T: DeserializeOwned>(db: &mut SqliteConnection, query: &'static str) -> Result<Vec<T>, StoreError> {
    let rows = sqlx::query(query).fetch_all(db).await?;
    rows.iter().map(document).collect()
}

async fn approved(db: &mut SqliteConnection) -> Result<Vec<Version>, StoreError> {
    let rows = sqlx::query("SELECT vendor, service, number, descriptor FROM versions WHERE state = $1")
        .bind(State::Approved.word())
        .fetch_all(db)
        .await?;
    let mut versions = Vec::with_capacity(rows.len());
    for row in &rows {
        let (name, number) = (service_name(row)?, parsed(row, "number", "version")?);
        match serde_json::from_str(row.try_get("descriptor")?) {
            Ok(descriptor) => {
                versions.push(Version { name, number, state: State::Approved, descriptor: Arc::new(descriptor) });
            }
            // One that a former release took and this one cannot read costs nobody else's service.
            Err(error) => tracing::error!(service = %name, version = %number, %error, "a descriptor cannot be read"),
        }
    }
    Ok(versions)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a share needs no more than an f32 has"
)]
fn share(part: i64, whole: i64) -> f32 {
    (part as f64 / whole as f64) as f32
}

/// The row's first column as the object that it is the JSON of.
fn document<T: DeserializeOwned>(row: &SqliteRow) -> Result<T, StoreError> {
    let text: &str = row.try_get(0)?;
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable("document"))
}

/// The object as JSON.
fn text_of<T: Serialize>(object: &T) -> Result<String, StoreError> {
    serde_json::to_string(object).map_err(|_| StoreError::Unreadable("document"))
}

/// What it means to write `new` over `old`.
fn written(old: Option<&SqliteRow>, new: &str) -> Result<Written, StoreError> {
    let Some(row) = old else {
        return Ok(Written::Created);
    };
    let old: &str = row.try_get(0)?;
    Ok(if old == new { Written::Unchanged } else { Written::Changed })
}
