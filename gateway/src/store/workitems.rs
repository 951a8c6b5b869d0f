//! The workitems of hospitals: Unified Procedure Steps, by which work on images is offered, taken and done (PS3.4 annex CC).

mod calls;
mod cancel;
mod events;
mod keys;
mod party;
mod performers;
mod retention;
mod room;
mod subscriptions;

use futures_util::TryStreamExt as _;
use medvan_imaging::{
    Uid, json,
    ups::{Fault, State, Workitem},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{Job, Store, StoreError, column::parsed, instant::micros, jobs};
use crate::catalog::HospitalId;

pub use calls::DueSubscriber;
pub use cancel::{CancelAsk, Cancellation};
pub use events::Notice;
pub use keys::WorkitemNarrow;
pub use party::Party;
pub use room::WorkitemRoom;
pub use subscriptions::{Subscribed, Worklist};

/// What became of a new workitem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutWorkitem {
    /// It is there.
    Created,
    /// The hospital has another one with its UID.
    Taken,
    /// The hospital had another one with its UID, which was deleted: a UID is never used again (PS3.5 §9).
    Deleted,
    /// The hospital has as many as it may have.
    NoRoom,
}

/// How much a search may take.
#[derive(Debug, Clone, Copy)]
pub struct WorkitemBounds {
    /// Workitems that are wanted.
    pub most: usize,
    /// Bytes of those that are found; the first that goes beyond it is the last.
    pub kept: usize,
    /// Bytes of all that are looked at.
    pub looked_at: usize,
}

/// What a search found.
#[derive(Debug)]
pub struct FoundWorkitems {
    /// In the order in which they were created.
    pub workitems: Vec<Workitem>,
    /// Whether nothing was left to look at.
    pub is_all: bool,
    /// Whether no more would have had to be looked at than may be.
    pub is_looked_through: bool,
}

impl Store {
    /// Puts a new workitem in, with the events of its creation, if there is room; a job's has no bounds.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn create_workitem(
        &self,
        hospital: &HospitalId,
        workitem: &Workitem,
        room: Option<WorkitemRoom>,
        now: OffsetDateTime,
    ) -> Result<PutWorkitem, StoreError> {
        let (text, keys) = (text(workitem)?, keys::of(workitem));
        let mut db = self.write().await?;
        if retention::had(&mut db, hospital, workitem.uid()).await? {
            return Ok(PutWorkitem::Deleted);
        }
        let made = sqlx::query(
            "INSERT INTO workitems (hospital, uid, state, transaction_uid, created_at, changed_at, attributes, bytes, is_job) \
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8) ON CONFLICT (hospital, uid) DO NOTHING",
        )
        .bind(hospital.as_str())
        .bind(workitem.uid().as_str())
        .bind(workitem.state().word())
        .bind(workitem.transaction().map(Uid::as_str))
        .bind(micros(now))
        .bind(&text)
        .bind(room::taken(&text, &keys))
        .bind(room.is_none())
        .execute(&mut *db)
        .await?;
        if made.rows_affected() == 0 {
            return Ok(PutWorkitem::Taken);
        }
        if let Some(room) = room
            && !room::is_within(&mut db, hospital, room).await?
        {
            return Ok(PutWorkitem::NoRoom);
        }
        keys::write(&mut db, hospital, workitem, &keys).await?;
        subscriptions::to_new(&mut db, hospital, workitem).await?;
        events::record(&mut db, hospital, workitem, now).await?;
        db.commit().await?;
        Ok(PutWorkitem::Created)
    }

    /// A workitem of a hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem(&self, hospital: &HospitalId, uid: &Uid) -> Result<Option<Workitem>, StoreError> {
        let mut db = self.readers().acquire().await?;
        select(&mut db, hospital, uid).await
    }

    /// The same, if a search can match it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem_within(
        &self,
        hospital: &HospitalId,
        uid: &Uid,
        narrow: &WorkitemNarrow,
    ) -> Result<Option<Workitem>, StoreError> {
        let row = narrow.select_one(hospital, uid).build().fetch_optional(self.readers()).await?;
        row.as_ref().map(found).transpose()
    }

    /// Changes a workitem: what `change` makes of it is stored with its events, unless it fails. Nobody else changes it meanwhile.
    /// None where there is no such workitem.
    ///
    /// # Errors
    /// The database does not take it; the workitem is as it was.
    pub async fn change_workitem<T>(
        &self,
        hospital: &HospitalId,
        uid: &Uid,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Workitem) -> Result<T, Fault>,
    ) -> Result<Option<Result<T, Fault>>, StoreError> {
        let mut db = self.write().await?;
        let changed = self::change(&mut db, hospital, uid, now, change).await?;
        if matches!(changed, Some(Ok(_))) {
            db.commit().await?;
        }
        Ok(changed)
    }

    /// The same for who works on a job of this vendor's: the workitem changes only while the job is on the worklist or taken from it,
    /// whatever is told of a workitem that stays as it is.
    ///
    /// # Errors
    /// The database does not take it; the workitem is as it was.
    pub async fn change_workitem_at_vendor<T>(
        &self,
        job: &Job,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Workitem) -> Result<T, Fault>,
    ) -> Result<Option<Result<T, Fault>>, StoreError> {
        let mut db = self.write().await?;
        let is_theirs = jobs::is_at_vendor(&mut db, job).await?;
        let change = |workitem: &mut Workitem| {
            let before = workitem.clone();
            let changed = change(workitem)?;
            if is_theirs || *workitem == before { Ok(changed) } else { Err(Fault::Final) }
        };
        let changed = self::change(&mut db, &job.hospital, &job.workitem(), now, change).await?;
        if matches!(changed, Some(Ok(_))) {
            db.commit().await?;
        }
        Ok(changed)
    }

    /// The first workitems of a hospital that `matches` takes, in the order in which they were created. One is read at a time, because
    /// each may be a megabyte.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_workitems(
        &self,
        hospital: &HospitalId,
        narrow: &WorkitemNarrow,
        mut bounds: WorkitemBounds,
        mut matches: impl FnMut(&Workitem) -> bool + Send,
    ) -> Result<FoundWorkitems, StoreError> {
        let mut query = narrow.select(hospital);
        let mut rows = query.build().fetch(self.readers());
        let mut workitems = Vec::new();
        while let Some(row) = rows.try_next().await? {
            if workitems.len() >= bounds.most || bounds.kept == 0 || bounds.looked_at == 0 {
                return Ok(FoundWorkitems { workitems, is_all: false, is_looked_through: bounds.looked_at > 0 });
            }
            let bytes = row.try_get::<&str, _>("attributes")?.len();
            bounds.looked_at = bounds.looked_at.saturating_sub(bytes);
            match found(&row) {
                Ok(workitem) if matches(&workitem) => {
                    bounds.kept = bounds.kept.saturating_sub(bytes);
                    workitems.push(workitem);
                }
                Ok(_) => {}
                // One that cannot be read must not hide the others.
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a workitem cannot be read"),
            }
        }
        Ok(FoundWorkitems { workitems, is_all: true, is_looked_through: true })
    }
}

const COLUMNS: &str = "SELECT id, uid, state, transaction_uid, attributes FROM workitems WHERE ";

async fn select(db: &mut SqliteConnection, hospital: &HospitalId, uid: &Uid) -> Result<Option<Workitem>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
    query.push("hospital = ").push_bind(hospital.as_str()).push(" AND uid = ").push_bind(uid.as_str());
    let row = query.build().fetch_optional(db).await?;
    row.as_ref().map(found).transpose()
}

/// The state of a workitem, if there is one.
pub(super) async fn state(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    uid: &Uid,
) -> Result<Option<State>, StoreError> {
    let row = sqlx::query("SELECT state FROM workitems WHERE hospital = $1 AND uid = $2")
        .bind(hospital.as_str())
        .bind(uid.as_str())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(|row| parsed(row, "state", "state of a workitem")).transpose()
}

/// Changes a workitem within a transaction of the caller's; nothing is written where `change` fails.
pub(super) async fn change<T>(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    uid: &Uid,
    now: OffsetDateTime,
    change: impl FnOnce(&mut Workitem) -> Result<T, Fault>,
) -> Result<Option<Result<T, Fault>>, StoreError> {
    let Some(mut workitem) = select(db, hospital, uid).await? else { return Ok(None) };
    let before = workitem.clone();
    let changed = match change(&mut workitem) {
        Ok(changed) => changed,
        Err(fault) => return Ok(Some(Err(fault))),
    };
    write(db, hospital, &before, &workitem, now).await?;
    Ok(Some(Ok(changed)))
}

/// Writes what a workitem became, with its events, if it became anything.
async fn write(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    before: &Workitem,
    workitem: &Workitem,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if workitem == before {
        // The job may not have heard of it yet.
        return jobs::follow(db, hospital, workitem, now).await;
    }
    let (text, keys) = (text(workitem)?, keys::of(workitem));
    sqlx::query(
        "UPDATE workitems SET state = $3, transaction_uid = $4, changed_at = $5, attributes = $6, bytes = $7 \
         WHERE hospital = $1 AND uid = $2",
    )
    .bind(hospital.as_str())
    .bind(workitem.uid().as_str())
    .bind(workitem.state().word())
    .bind(workitem.transaction().map(Uid::as_str))
    .bind(micros(now))
    .bind(&text)
    .bind(room::taken(&text, &keys))
    .execute(&mut *db)
    .await?;
    if keys != keys::of(before) {
        keys::write(db, hospital, workitem, &keys).await?;
    }
    jobs::follow(db, hospital, workitem, now).await?;
    events::record(db, hospital, workitem, now).await?;
    subscriptions::to_changed(db, hospital, before, workitem, now).await?;
    performers::to_changed(db, hospital, before, workitem, now).await
}

fn found(row: &SqliteRow) -> Result<Workitem, StoreError> {
    let transaction: Option<&str> = row.try_get("transaction_uid")?;
    let transaction = transaction.map(Uid::parse).transpose();
    let transaction = transaction.map_err(|_| StoreError::Unreadable("Transaction UID"))?;
    let attributes: &str = row.try_get("attributes")?;
    let attributes = json::parse(attributes.as_bytes()).map_err(|_| StoreError::Unreadable("workitem"))?;
    let uid = Uid::parse(row.try_get("uid")?).map_err(|_| StoreError::Unreadable("UID of a workitem"))?;
    let state = parsed(row, "state", "state of a workitem")?;
    Ok(Workitem::restore(uid, state, transaction, attributes))
}

fn text(workitem: &Workitem) -> Result<String, StoreError> {
    serde_json::to_string(workitem.attributes()).map_err(|_| StoreError::Unreadable("workitem"))
}

#[cfg(test)]
impl Store {
    /// How SQLite goes about a search, a step a line.
    pub(super) async fn workitem_plan(&self, hospital: &HospitalId, narrow: &WorkitemNarrow) -> String {
        let search = narrow.select(hospital);
        let query = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", search.sql().as_str()));
        let rows = sqlx::query(query).fetch_all(self.readers()).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
    }
}
