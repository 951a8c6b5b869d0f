//! The workitems of hospitals: Unified Procedure Steps, by which work on images is offered, taken and done (PS3.4 annex CC).

mod events;
mod subscriptions;

use futures_util::TryStreamExt as _;
use medvan_imaging::{
    Uid, json,
    ups::{Fault, State, Workitem},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{Store, StoreError, column::parsed, instant::micros, jobs};
use crate::catalog::HospitalId;

pub use events::Notice;
pub use subscriptions::{Subscribed, Worklist};

/// What the index can narrow a search by.
#[derive(Debug, Clone, Default)]
pub struct WorkitemNarrow {
    /// The UID of the only one.
    pub uid: Option<Uid>,
    /// The state of all.
    pub state: Option<State>,
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
    /// Puts a new workitem in, with the events of its creation; false if its UID is taken in this hospital.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn create_workitem(
        &self,
        hospital: &HospitalId,
        workitem: &Workitem,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let made = sqlx::query(
            "INSERT INTO workitems (hospital, uid, state, transaction_uid, created_at, changed_at, attributes) \
             VALUES ($1, $2, $3, $4, $5, $5, $6) ON CONFLICT (hospital, uid) DO NOTHING",
        )
        .bind(hospital.as_str())
        .bind(workitem.uid().as_str())
        .bind(workitem.state().word())
        .bind(workitem.transaction().map(Uid::as_str))
        .bind(micros(now))
        .bind(text(workitem)?)
        .execute(&mut *db)
        .await?;
        let is_made = made.rows_affected() == 1;
        if is_made {
            subscriptions::to_new(&mut db, hospital, workitem).await?;
            events::record(&mut db, hospital, workitem, now).await?;
        }
        db.commit().await?;
        Ok(is_made)
    }

    /// A workitem of a hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem(&self, hospital: &HospitalId, uid: &Uid) -> Result<Option<Workitem>, StoreError> {
        let mut db = self.readers().acquire().await?;
        select(&mut db, hospital, uid).await
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
        let Some(mut workitem) = select(&mut db, hospital, uid).await? else { return Ok(None) };
        let before = workitem.clone();
        let changed = match change(&mut workitem) {
            Ok(changed) => changed,
            Err(fault) => return Ok(Some(Err(fault))),
        };
        sqlx::query(
            "UPDATE workitems SET state = $3, transaction_uid = $4, changed_at = $5, attributes = $6 \
             WHERE hospital = $1 AND uid = $2",
        )
        .bind(hospital.as_str())
        .bind(uid.as_str())
        .bind(workitem.state().word())
        .bind(workitem.transaction().map(Uid::as_str))
        .bind(micros(now))
        .bind(text(&workitem)?)
        .execute(&mut *db)
        .await?;
        jobs::follow(&mut db, hospital, &workitem, now).await?;
        events::record(&mut db, hospital, &workitem, now).await?;
        subscriptions::to_changed(&mut db, hospital, &before, &workitem, now).await?;
        db.commit().await?;
        Ok(Some(Ok(changed)))
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
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push("hospital = ").push_bind(hospital.as_str());
        if let Some(uid) = &narrow.uid {
            query.push(" AND uid = ").push_bind(uid.as_str());
        }
        if let Some(state) = narrow.state {
            query.push(" AND state = ").push_bind(state.word());
        }
        query.push(" ORDER BY id");
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
