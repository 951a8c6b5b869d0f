//! How many workitems a hospital may have, and how much they may take. Those of the gateway's own jobs do not count: they go with
//! their time, and the jobs have bounds of their own.

use sqlx::{Row as _, SqliteConnection};

use crate::{
    catalog::HospitalId,
    store::{Store, StoreError},
};

/// What an entry of the index takes, roughly.
const KEY: usize = 64;
/// Those that are there may grow into so many times the room in which new ones are created: who has taken one must be able to say
/// what came of it.
const TO_GROW: u64 = 2;

/// How much room a hospital has for workitems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkitemRoom {
    /// Workitems.
    pub workitems: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Whether the workitems of a hospital may grow.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitems_may_grow(&self, hospital: &HospitalId, room: WorkitemRoom) -> Result<bool, StoreError> {
        let mut db = self.readers().acquire().await?;
        let bytes = room.bytes.saturating_mul(TO_GROW);
        is_within(&mut db, hospital, WorkitemRoom { workitems: u64::MAX, bytes }).await
    }
}

/// Whether what a hospital has fits.
pub(super) async fn is_within(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    room: WorkitemRoom,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT workitems, bytes FROM workitem_sums WHERE hospital = $1")
        .bind(hospital.as_str())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(true) };
    let is_within = |taken: i64, most: u64| u64::try_from(taken).is_ok_and(|taken| taken <= most);
    Ok(is_within(row.try_get("workitems")?, room.workitems) && is_within(row.try_get("bytes")?, room.bytes))
}

/// What a workitem takes, in bytes.
pub(super) fn taken(text: &str, keys: &[(&'static str, String)]) -> i64 {
    i64::try_from(text.len() + keys.len() * KEY).unwrap_or(i64::MAX)
}
