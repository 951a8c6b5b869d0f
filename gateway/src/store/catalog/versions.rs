//! Versions of services, and the moves between their states.

use serde_json::Value;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Page;
use crate::{
    catalog::{Move, ServiceName, State, VendorId, VersionNumber, lifecycle::NoSuchMove},
    store::{
        Store, StoreError,
        column::{instant, parsed, service_name},
        instant::micros,
    },
};

/// A version as it is stored.
#[derive(Debug, Clone)]
pub struct StoredVersion {
    /// The service.
    pub name: ServiceName,
    /// The version of it.
    pub number: VersionNumber,
    /// Where it stands.
    pub state: State,
    /// What the vendor registered, as it came.
    pub descriptor: Value,
    /// When it was registered.
    pub created_at: OffsetDateTime,
}

/// What came of registering a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It is new, a draft.
    Created,
    /// The same was there.
    Unchanged,
    /// Another descriptor has this number: a version never changes.
    Other,
    /// There is no such vendor.
    NoSuchVendor,
}

/// What came of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// From one state to another.
    To(State),
    /// It was there already: a repeated wish is granted.
    Already(State),
    /// The table does not hold this move.
    Refused(NoSuchMove),
    /// There is no such version.
    NoSuchVersion,
}

/// One move that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// What was done.
    pub moved: String,
    /// From which state.
    pub from: String,
    /// To which state.
    pub to: String,
    /// By whom: role and credential.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: OffsetDateTime,
}

/// A wish to move a version.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The service.
    pub name: &'a ServiceName,
    /// The version of it.
    pub number: &'a VersionNumber,
    /// What to do.
    pub wanted: Move,
    /// Who wants it.
    pub actor: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub now: OffsetDateTime,
}

impl Store {
    /// One version.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn version(
        &self,
        name: &ServiceName,
        number: &VersionNumber,
    ) -> Result<Option<StoredVersion>, StoreError> {
        let mut db = self.readers().acquire().await?;
        find(&mut db, name, number).await
    }

    /// Versions of a vendor in the order of service and number (as text); a page goes on after `service@number`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn versions(&self, vendor: &VendorId, page: Page<'_>) -> Result<Vec<StoredVersion>, StoreError> {
        let rows = sqlx::query(
            "SELECT vendor, service, number, state, descriptor, created_at FROM versions \
             WHERE vendor = $1 AND service || '@' || number > $2 ORDER BY service || '@' || number LIMIT $3",
        )
        .bind(vendor.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored_version).collect()
    }

    /// Versions of all vendors in one state; a page goes on after `vendor.service@number`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn versions_in(&self, state: State, page: Page<'_>) -> Result<Vec<StoredVersion>, StoreError> {
        let rows = sqlx::query(
            "SELECT vendor, service, number, state, descriptor, created_at FROM versions \
             WHERE state = $1 AND vendor || '.' || service || '@' || number > $2 \
             ORDER BY vendor || '.' || service || '@' || number LIMIT $3",
        )
        .bind(state.word())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored_version).collect()
    }

    /// Registers a version as a draft. It never changes afterwards.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn register(
        &self,
        name: &ServiceName,
        number: &VersionNumber,
        descriptor: &Value,
        now: OffsetDateTime,
    ) -> Result<Registered, StoreError> {
        let mut db = self.write().await?;
        let vendor = sqlx::query("SELECT 1 FROM vendors WHERE id = $1").bind(name.vendor.as_str());
        if vendor.fetch_optional(&mut *db).await?.is_none() {
            return Ok(Registered::NoSuchVendor);
        }
        if let Some(there) = find(&mut db, name, number).await? {
            return Ok(if there.descriptor == *descriptor { Registered::Unchanged } else { Registered::Other });
        }
        sqlx::query(
            "INSERT INTO versions (vendor, service, number, descriptor, state, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(number.to_string())
        .bind(descriptor.to_string())
        .bind(State::Draft.word())
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(Registered::Created)
    }

    /// Moves a version and writes down who did it and why, in one transaction.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn move_version(&self, wish: Wish<'_>) -> Result<Moved, StoreError> {
        let mut db = self.write().await?;
        let Some(version) = find(&mut db, wish.name, wish.number).await? else {
            return Ok(Moved::NoSuchVersion);
        };
        let to = match version.state.after(wish.wanted) {
            Ok(to) => to,
            Err(_) if version.state == wish.wanted.target() => {
                return Ok(Moved::Already(version.state));
            }
            Err(refused) => return Ok(Moved::Refused(refused)),
        };
        sqlx::query("UPDATE versions SET state = $1 WHERE vendor = $2 AND service = $3 AND number = $4")
            .bind(to.word())
            .bind(wish.name.vendor.as_str())
            .bind(wish.name.service.as_str())
            .bind(wish.number.to_string())
            .execute(&mut *db)
            .await?;
        write_down(&mut db, &wish, version.state, to).await?;
        db.commit().await?;
        Ok(Moved::To(to))
    }

    /// What was done with a version, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn transitions(&self, name: &ServiceName, number: &VersionNumber) -> Result<Vec<Transition>, StoreError> {
        let rows = sqlx::query(
            "SELECT moved, from_state, to_state, actor, reason, at FROM transitions \
             WHERE vendor = $1 AND service = $2 AND number = $3 ORDER BY at, id LIMIT 1000",
        )
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(number.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(transition).collect()
    }
}

async fn find(
    db: &mut SqliteConnection,
    name: &ServiceName,
    number: &VersionNumber,
) -> Result<Option<StoredVersion>, StoreError> {
    let row = sqlx::query(
        "SELECT vendor, service, number, state, descriptor, created_at FROM versions \
         WHERE vendor = $1 AND service = $2 AND number = $3",
    )
    .bind(name.vendor.as_str())
    .bind(name.service.as_str())
    .bind(number.to_string())
    .fetch_optional(db)
    .await?;
    row.as_ref().map(stored_version).transpose()
}

async fn write_down(db: &mut SqliteConnection, wish: &Wish<'_>, from: State, to: State) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO transitions (id, vendor, service, number, moved, from_state, to_state, actor, reason, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(wish.name.vendor.as_str())
    .bind(wish.name.service.as_str())
    .bind(wish.number.to_string())
    .bind(wish.wanted.word())
    .bind(from.word())
    .bind(to.word())
    .bind(wish.actor)
    .bind(wish.reason)
    .bind(micros(wish.now))
    .execute(db)
    .await?;
    Ok(())
}

fn stored_version(row: &SqliteRow) -> Result<StoredVersion, StoreError> {
    let (state, descriptor): (&str, &str) = (row.try_get("state")?, row.try_get("descriptor")?);
    Ok(StoredVersion {
        name: service_name(row)?,
        number: parsed(row, "number", "version")?,
        state: State::from_word(state).ok_or(StoreError::Unreadable("state"))?,
        descriptor: serde_json::from_str(descriptor).map_err(|_| StoreError::Unreadable("descriptor"))?,
        created_at: instant(row, "created_at")?,
    })
}

fn transition(row: &SqliteRow) -> Result<Transition, StoreError> {
    Ok(Transition {
        moved: row.try_get("moved")?,
        from: row.try_get("from_state")?,
        to: row.try_get("to_state")?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
        at: instant(row, "at")?,
    })
}
