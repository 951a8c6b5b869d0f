//! The workitems of hospitals: Unified Procedure Steps, by which work on images is offered, taken and done (PS3.4 annex CC).

use medvan_imaging::{
    Uid, json,
    ups::{Fault, State, Workitem},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{Store, StoreError, column::parsed, instant::micros};
use crate::catalog::HospitalId;

/// A workitem among others.
#[derive(Debug, Clone)]
pub struct FoundWorkitem {
    /// Where it stands in their order.
    pub row: i64,
    /// The workitem.
    pub workitem: Workitem,
}

impl Store {
    /// Puts a new workitem in; false if its UID is taken in this hospital.
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
        db.commit().await?;
        Ok(made.rows_affected() == 1)
    }

    /// A workitem of a hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem(&self, hospital: &HospitalId, uid: &Uid) -> Result<Option<Workitem>, StoreError> {
        let mut db = self.readers().acquire().await?;
        select(&mut db, hospital, uid).await
    }

    /// Changes a workitem: what `change` makes of it is stored, unless it fails. Nobody else changes it meanwhile. None where there is
    /// no such workitem.
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
        db.commit().await?;
        Ok(Some(Ok(changed)))
    }

    /// Workitems of a hospital behind a row, in the order in which they were created; of one state where one is named.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_workitems(
        &self,
        hospital: &HospitalId,
        state: Option<State>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FoundWorkitem>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push("hospital = ").push_bind(hospital.as_str()).push(" AND id > ").push_bind(after);
        if let Some(state) = state {
            query.push(" AND state = ").push_bind(state.word());
        }
        query.push(" ORDER BY id LIMIT ").push_bind(limit);
        query.build().fetch_all(self.readers()).await?.iter().map(found).collect()
    }
}

const COLUMNS: &str = "SELECT id, uid, state, transaction_uid, attributes FROM workitems WHERE ";

async fn select(db: &mut SqliteConnection, hospital: &HospitalId, uid: &Uid) -> Result<Option<Workitem>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
    query.push("hospital = ").push_bind(hospital.as_str()).push(" AND uid = ").push_bind(uid.as_str());
    let row = query.build().fetch_optional(db).await?;
    row.as_ref().map(found).transpose().map(|found| found.map(|found| found.workitem))
}

fn found(row: &SqliteRow) -> Result<FoundWorkitem, StoreError> {
    let transaction: Option<&str> = row.try_get("transaction_uid")?;
    let transaction = transaction.map(Uid::parse).transpose();
    let transaction = transaction.map_err(|_| StoreError::Unreadable("Transaction UID"))?;
    let attributes: &str = row.try_get("attributes")?;
    let attributes = json::parse(attributes.as_bytes()).map_err(|_| StoreError::Unreadable("workitem"))?;
    let uid = Uid::parse(row.try_get("uid")?).map_err(|_| StoreError::Unreadable("UID of a workitem"))?;
    let state = parsed(row, "state", "state of a workitem")?;
    Ok(FoundWorkitem { row: row.try_get("id")?, workitem: Workitem::restore(uid, state, transaction, attributes) })
}

fn text(workitem: &Workitem) -> Result<String, StoreError> {
    serde_json::to_string(workitem.attributes()).map_err(|_| StoreError::Unreadable("workitem"))
}
