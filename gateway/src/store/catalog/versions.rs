//! Versions of services, and the moves between their states.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Page, document};
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
    /// Another of the vendor's services has this one of the hook ids, counted from 0.
    HookIdTaken(usize),
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

    /// The newest approved version of a service, if it has one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn newest_approved(&self, name: &ServiceName) -> Result<Option<VersionNumber>, StoreError> {
        let rows = sqlx::query("SELECT number FROM versions WHERE vendor = $1 AND service = $2 AND state = $3")
            .bind(name.vendor.as_str())
            .bind(name.service.as_str())
            .bind(State::Approved.word())
            .fetch_all(self.readers())
            .await?;
        let numbers: Vec<VersionNumber> =
            rows.iter().map(|row| parsed(row, "number", "version")).collect::<Result<_, _>>()?;
        Ok(numbers.into_iter().max())
    }

    /// Registers a version as a draft. It never changes afterwards. `hook_ids` are the ids of its hooks: `vendor.hook-id`
    /// tells the members of a call apart, and hooks of one base URL share one discovery, so none may mean two services.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn register(
        &self,
        name: &ServiceName,
        number: &VersionNumber,
        descriptor: &Value,
        hook_ids: &[&str],
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
        let taken = hook_ids_of_others(&mut db, name).await?;
        if let Some(index) = hook_ids.iter().position(|id| taken.contains(*id)) {
            return Ok(Registered::HookIdTaken(index));
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
        settle_deliveries(&mut db, &wish, to).await?;
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

/// The hook ids of the vendor's other services, except of versions that are over for ever.
async fn hook_ids_of_others(db: &mut SqliteConnection, name: &ServiceName) -> Result<HashSet<String>, StoreError> {
    let rows = sqlx::query("SELECT descriptor FROM versions WHERE vendor = $1 AND service <> $2 AND state <> $3")
        .bind(name.vendor.as_str())
        .bind(name.service.as_str())
        .bind(State::Withdrawn.word())
        .fetch_all(db)
        .await?;
    let mut ids = HashSet::new();
    for row in &rows {
        let registered: Hooks = document(row)?;
        ids.extend(registered.hooks.into_iter().map(|hook| hook.id));
    }
    Ok(ids)
}

/// Of a descriptor, its hooks' ids.
#[derive(Deserialize)]
struct Hooks {
    #[serde(default)]
    hooks: Vec<HookId>,
}

#[derive(Deserialize)]
struct HookId {
    id: String,
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

/// What waits for a suspended version is held until it is reinstated; to one that is over for ever nothing is sent any
/// more. The outcomes themselves stay.
async fn settle_deliveries(db: &mut SqliteConnection, wish: &Wish<'_>, to: State) -> Result<(), sqlx::Error> {
    let statement = match to {
        State::Draft | State::Submitted => return Ok(()),
        State::Approved => {
            "UPDATE outbox SET state = 'waiting' \
             WHERE vendor = $1 AND service = $2 AND number = $3 AND state = 'held'"
        }
        State::Suspended => {
            "UPDATE outbox SET state = 'held', lease_until = 0 \
             WHERE vendor = $1 AND service = $2 AND number = $3 AND state = 'waiting'"
        }
        State::Withdrawn => {
            "UPDATE outbox SET state = 'dead', last_fault = 'the version was withdrawn' \
             WHERE vendor = $1 AND service = $2 AND number = $3 AND state IN ('waiting', 'held')"
        }
    };
    sqlx::query(statement)
        .bind(wish.name.vendor.as_str())
        .bind(wish.name.service.as_str())
        .bind(wish.number.to_string())
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
