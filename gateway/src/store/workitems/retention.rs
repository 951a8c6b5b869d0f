//! When a workitem goes (PS3.4 §CC.2.1.3): after its time in a final state, and never while a subscriber holds a deletion lock on it.
//! For a while it is still known that there was one.

use medvan_imaging::Uid;
use sqlx::{Row as _, SqliteConnection};
use time::OffsetDateTime;

use super::subscriptions;
use crate::{
    catalog::HospitalId,
    store::{Store, StoreError, column::parsed, instant::micros, jobs},
};

/// Workitems in one transaction, each perhaps a megabyte: other changes go in between.
const AT_ONCE: i64 = 100;
/// UIDs of deleted workitems that are remembered of a hospital; the oldest go first.
const REMEMBERED: i64 = 100_000;

/// A workitem behind which it is looked on: when it ended, and its number.
#[derive(Debug, Clone, Copy)]
struct Place(i64, i64);

impl Store {
    /// Deletes workitems that came to their end before a time, unless somebody locked them or a job still asks for them: how many.
    ///
    /// # Errors
    /// The database does not take it; perhaps some are deleted.
    pub(in crate::store) async fn purge_workitems(
        &self,
        before: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let (mut place, mut deleted) = (Some(Place(i64::MIN, 0)), 0);
        while let Some(behind) = place {
            let mut db = self.write().await?;
            (place, deleted) = purge_some(&mut db, before, behind, deleted, now).await?;
            db.commit().await?;
        }
        Ok(deleted)
    }

    /// Whether a hospital had a workitem that was deleted, as far as it is remembered.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn had_workitem(&self, hospital: &HospitalId, uid: &Uid) -> Result<bool, StoreError> {
        let mut db = self.readers().acquire().await?;
        had(&mut db, hospital, uid).await
    }
}

pub(super) async fn had(db: &mut SqliteConnection, hospital: &HospitalId, uid: &Uid) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT 1 FROM workitem_tombs WHERE hospital = $1 AND uid = $2");
    Ok(found.bind(hospital.as_str()).bind(uid.as_str()).fetch_optional(db).await?.is_some())
}

/// Looks at some of those that ended, and where to go on; nowhere at the end.
async fn purge_some(
    db: &mut SqliteConnection,
    before: OffsetDateTime,
    behind: Place,
    mut deleted: u64,
    now: OffsetDateTime,
) -> Result<(Option<Place>, u64), StoreError> {
    let rows = sqlx::query(
        "SELECT id, changed_at, hospital, uid, EXISTS (SELECT 1 FROM workitem_subscriptions AS held \
         WHERE held.hospital = workitems.hospital AND held.workitem = workitems.uid AND held.has_lock) AS is_locked \
         FROM workitems WHERE state IN ('COMPLETED', 'CANCELED') AND changed_at <= $1 AND (changed_at, id) > ($2, $3) \
         ORDER BY changed_at, id LIMIT $4",
    )
    .bind(micros(before))
    .bind(behind.0)
    .bind(behind.1)
    .bind(AT_ONCE)
    .fetch_all(&mut *db)
    .await?;
    let mut last = None;
    for row in &rows {
        let (id, hospital) = (row.try_get("id")?, parsed(row, "hospital", "hospital id")?);
        last = Some(Place(row.try_get("changed_at")?, id));
        let uid = Uid::parse(row.try_get("uid")?).map_err(|_| StoreError::Unreadable("UID of a workitem"))?;
        if row.try_get::<bool, _>("is_locked")? || jobs::is_open(db, &hospital, &uid).await? {
            continue;
        }
        delete(db, &hospital, &uid, id, now).await?;
        deleted += 1;
    }
    let is_last = i64::try_from(rows.len()).unwrap_or(AT_ONCE) < AT_ONCE;
    Ok((last.filter(|_| !is_last), deleted))
}

async fn delete(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    uid: &Uid,
    id: i64,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM workitems WHERE id = $1").bind(id).execute(&mut *db).await?;
    sqlx::query("INSERT INTO workitem_tombs (hospital, uid, deleted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(hospital.as_str())
        .bind(uid.as_str())
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM workitem_subscriptions WHERE hospital = $1 AND workitem = $2")
        .bind(hospital.as_str())
        .bind(uid.as_str())
        .execute(&mut *db)
        .await?;
    // Whoever was subscribed to nothing else stays until they heard of its end.
    subscriptions::forget_idle(db, hospital.as_str()).await?;
    sqlx::query(
        "DELETE FROM workitem_tombs WHERE hospital = $1 AND id <= \
         (SELECT id FROM workitem_tombs WHERE hospital = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
    )
    .bind(hospital.as_str())
    .bind(REMEMBERED)
    .execute(db)
    .await?;
    Ok(())
}
