//! Who hears of which workitems (PS3.4 §CC.2.3, table CC.2.3-2).

use medvan_imaging::{
    AeTitle, Uid,
    attributes::Attributes,
    query::{Level, Query},
    ups::Workitem,
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{COLUMNS, Party, events, found, select};
use crate::{
    catalog::HospitalId,
    store::{Store, StoreError},
};

/// Application entities of a hospital that may be subscribed at once.
const SUBSCRIBERS: i64 = 64;
/// Workitems in one transaction while somebody is subscribed to all that are there: other changes go in between.
const AT_ONCE: usize = 32;

/// What somebody is subscribed to besides single workitems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worklist {
    /// Every workitem.
    All,
    /// Those that match a search with these parameters when they come or are changed.
    Filtered(Vec<(String, String)>),
}

/// What became of a wish to subscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// It is so now.
    Done,
    /// There is no such workitem.
    NoWorkitem,
    /// The hospital has as many subscribers as it may have.
    TooMany,
}

impl Worklist {
    /// The well-known UID of every workitem (PS3.6 table A-1).
    pub const ALL: &str = "1.2.840.10008.5.1.4.34.5";
    /// The well-known UID of those that match.
    pub const FILTERED: &str = "1.2.840.10008.5.1.4.34.5.1";

    pub(super) const fn uid(&self) -> &'static str {
        match self {
            Self::All => Self::ALL,
            Self::Filtered(_) => Self::FILTERED,
        }
    }

    pub(super) fn query(&self) -> Result<Option<Query>, StoreError> {
        let Self::Filtered(pairs) = self else { return Ok(None) };
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (query, _) =
            Query::from_parameters(Level::Workitem, pairs).map_err(|_| StoreError::Unreadable("filter"))?;
        Ok(Some(query))
    }
}

impl Store {
    /// Subscribes somebody to one workitem, with a deletion lock or without one; the first event says how it is now.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn subscribe_to_workitem(
        &self,
        hospital: &HospitalId,
        uid: &Uid,
        ae_title: &AeTitle,
        has_lock: bool,
        now: OffsetDateTime,
    ) -> Result<Subscribed, StoreError> {
        let mut db = self.write().await?;
        let Some(workitem) = select(&mut db, hospital, uid).await? else { return Ok(Subscribed::NoWorkitem) };
        if !admit(&mut db, hospital.as_str(), ae_title).await? {
            return Ok(Subscribed::TooMany);
        }
        subscribe(&mut db, hospital.as_str(), uid, (ae_title, has_lock)).await?;
        events::report(&mut db, hospital, &workitem, (hospital.as_str(), ae_title), now).await?;
        db.commit().await?;
        Ok(Subscribed::Done)
    }

    /// Subscribes somebody to all workitems or to those that match: first to those to come, then to those that are there. What they
    /// are subscribed to already stays as it is; with a lock, an event says of each other one how it is now.
    ///
    /// # Errors
    /// The database does not take it; perhaps some of those that are there are left out then, and it may be asked for again.
    pub async fn subscribe_to_worklist(
        &self,
        hospital: &HospitalId,
        worklist: &Worklist,
        ae_title: &AeTitle,
        has_lock: bool,
        now: OffsetDateTime,
    ) -> Result<Subscribed, StoreError> {
        let watcher = Watcher { has_lock, ..Watcher::of(worklist, ae_title)? };
        let mut db = self.write().await?;
        if !admit(&mut db, hospital.as_str(), ae_title).await? {
            return Ok(Subscribed::TooMany);
        }
        watch(&mut db, hospital.as_str(), worklist, (ae_title, has_lock)).await?;
        db.commit().await?;
        let mut last = Some(0);
        while let Some(id) = last {
            last = self.subscribe_page(hospital, worklist, &watcher, id, now).await?;
        }
        Ok(Subscribed::Done)
    }

    /// Subscribes to some of the workitems behind one; the last of them, if there may be more. They are looked at without keeping
    /// others from writing; what is changed meanwhile is subscribed to by its change.
    async fn subscribe_page(
        &self,
        hospital: &HospitalId,
        worklist: &Worklist,
        watcher: &Watcher,
        behind: i64,
        now: OffsetDateTime,
    ) -> Result<Option<i64>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(COLUMNS);
        query.push("hospital = ").push_bind(hospital.as_str()).push(" AND id > ").push_bind(behind);
        query.push(
            " AND NOT EXISTS (SELECT 1 FROM workitem_subscriptions AS known WHERE known.hospital = workitems.hospital",
        );
        query.push(" AND known.workitem = workitems.uid AND known.ae_title = ").push_bind(watcher.ae_title.as_str());
        query.push(") ORDER BY id LIMIT ").push_bind(i64::try_from(AT_ONCE).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(self.readers()).await?;
        let mut wanted = Vec::new();
        for row in &rows {
            match found(row) {
                Ok(workitem) if watcher.matches(&workitem) => wanted.push(workitem.uid().clone()),
                Ok(_) => {}
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a workitem cannot be read"),
            }
        }
        let last = rows.last().map(|row| row.try_get("id")).transpose()?;
        let goes_on = self.subscribe_to_each(hospital, worklist, watcher, &wanted, now).await?;
        Ok(last.filter(|_| goes_on && rows.len() == AT_ONCE))
    }

    /// False if whoever wanted them was unsubscribed meanwhile, and stays so.
    async fn subscribe_to_each(
        &self,
        hospital: &HospitalId,
        worklist: &Worklist,
        watcher: &Watcher,
        wanted: &[Uid],
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let is_subscribed =
            sqlx::query("SELECT 1 FROM workitem_worklists WHERE hospital = $1 AND ae_title = $2 AND worklist = $3")
                .bind(hospital.as_str())
                .bind(watcher.ae_title.as_str())
                .bind(worklist.uid())
                .fetch_optional(&mut *db)
                .await?;
        if is_subscribed.is_none() {
            return Ok(false);
        }
        for uid in wanted {
            let is_new = watcher.subscribe(&mut db, hospital.as_str(), uid).await?;
            if is_new
                && watcher.has_lock
                && let Some(workitem) = select(&mut db, hospital, uid).await?
            {
                events::report(&mut db, hospital, &workitem, (hospital.as_str(), &watcher.ae_title), now).await?;
            }
        }
        db.commit().await?;
        Ok(true)
    }

    /// Ends a subscription to one workitem; false if there is none.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn unsubscribe_from_workitem(
        &self,
        party: impl Into<Party<'_>>,
        uid: &Uid,
        ae_title: &AeTitle,
    ) -> Result<bool, StoreError> {
        let key = party.into().key();
        let mut db = self.write().await?;
        let ended =
            sqlx::query("DELETE FROM workitem_subscriptions WHERE hospital = $1 AND ae_title = $2 AND workitem = $3")
                .bind(&key)
                .bind(ae_title.as_str())
                .bind(uid.as_str())
                .execute(&mut *db)
                .await?;
        leave(&mut db, &key, ae_title).await?;
        db.commit().await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Ends a subscription to all workitems or to those that match, also to each that is there, with its lock; false if there is none.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn unsubscribe_from_worklist(
        &self,
        party: impl Into<Party<'_>>,
        worklist: &Worklist,
        ae_title: &AeTitle,
    ) -> Result<bool, StoreError> {
        let key = party.into().key();
        let mut db = self.write().await?;
        let is_ended = suspend(&mut db, &key, worklist, ae_title).await?;
        // Also of whoever suspended it before: there is no other way to give all locks back at once.
        let ended = sqlx::query("DELETE FROM workitem_subscriptions WHERE hospital = $1 AND ae_title = $2")
            .bind(&key)
            .bind(ae_title.as_str())
            .execute(&mut *db)
            .await?;
        leave(&mut db, &key, ae_title).await?;
        db.commit().await?;
        Ok(is_ended || ended.rows_affected() > 0)
    }

    /// Subscribes somebody to nothing that comes from now on; what they are subscribed to stays. False if there is no such
    /// subscription.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn suspend_worklist(
        &self,
        party: impl Into<Party<'_>>,
        worklist: &Worklist,
        ae_title: &AeTitle,
    ) -> Result<bool, StoreError> {
        let key = party.into().key();
        let mut db = self.write().await?;
        let is_ended = suspend(&mut db, &key, worklist, ae_title).await?;
        leave(&mut db, &key, ae_title).await?;
        db.commit().await?;
        Ok(is_ended)
    }
}

/// Somebody who wants to hear of more than single workitems.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) ae_title: AeTitle,
    query: Option<Query>,
    has_lock: bool,
}

impl Watcher {
    /// Without a lock.
    pub(super) fn of(worklist: &Worklist, ae_title: &AeTitle) -> Result<Self, StoreError> {
        Ok(Self { ae_title: ae_title.clone(), query: worklist.query()?, has_lock: false })
    }

    fn matches(&self, workitem: &Workitem) -> bool {
        self.is_to_hear_of(|| workitem.view())
    }

    /// Whether it is to hear of what is seen so.
    pub(super) fn is_to_hear_of(&self, view: impl FnOnce() -> Attributes) -> bool {
        self.query.as_ref().is_none_or(|query| query.matches(&view()))
    }

    /// Whether a change makes it match that did not before.
    fn comes_to_match(&self, before: &Workitem, after: &Workitem) -> bool {
        self.query.is_some() && !self.matches(before) && self.matches(after)
    }

    /// Whether it was not subscribed to it before.
    pub(super) async fn subscribe(
        &self,
        db: &mut SqliteConnection,
        party: &str,
        uid: &Uid,
    ) -> Result<bool, sqlx::Error> {
        let made = sqlx::query(
            "INSERT INTO workitem_subscriptions (hospital, workitem, ae_title, has_lock) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (hospital, workitem, ae_title) DO NOTHING",
        )
        .bind(party)
        .bind(uid.as_str())
        .bind(self.ae_title.as_str())
        .bind(self.has_lock)
        .execute(db)
        .await?;
        Ok(made.rows_affected() == 1)
    }
}

/// Subscribes to a new workitem whoever wants to hear of it.
pub(super) async fn to_new(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
) -> Result<(), StoreError> {
    for watcher in watchers(db, hospital.as_str()).await? {
        if watcher.matches(workitem) {
            watcher.subscribe(db, hospital.as_str(), workitem.uid()).await?;
        }
    }
    Ok(())
}

/// Subscribes to a changed workitem whoever wants to hear of such and did not before.
pub(super) async fn to_changed(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    before: &Workitem,
    after: &Workitem,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    for watcher in watchers(db, hospital.as_str()).await? {
        if watcher.comes_to_match(before, after) && watcher.subscribe(db, hospital.as_str(), after.uid()).await? {
            events::report(db, hospital, after, (hospital.as_str(), &watcher.ae_title), now).await?;
        }
    }
    Ok(())
}

/// Those with a lock come first: whoever wants all of them and locks some has the lock.
pub(super) async fn watchers(db: &mut SqliteConnection, party: &str) -> Result<Vec<Watcher>, StoreError> {
    let rows = sqlx::query(
        "SELECT ae_title, filter, has_lock FROM workitem_worklists WHERE hospital = $1 ORDER BY has_lock DESC, ae_title",
    )
    .bind(party)
    .fetch_all(db)
    .await?;
    let mut watchers = Vec::new();
    for row in &rows {
        match watcher(row) {
            Ok(watcher) => watchers.push(watcher),
            // One that cannot be read any more must not keep workitems from being stored.
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a subscription cannot be read"),
        }
    }
    Ok(watchers)
}

fn watcher(row: &SqliteRow) -> Result<Watcher, StoreError> {
    let filter: Option<&str> = row.try_get("filter")?;
    let pairs = filter.map(serde_json::from_str).transpose().map_err(|_| StoreError::Unreadable("filter"))?;
    Ok(Watcher {
        ae_title: AeTitle::parse(row.try_get("ae_title")?).map_err(|_| StoreError::Unreadable("AE title"))?,
        query: pairs.map_or(Worklist::All, Worklist::Filtered).query()?,
        has_lock: row.try_get("has_lock")?,
    })
}

/// Subscribes somebody of a party to one workitem, with a deletion lock or without one.
pub(super) async fn subscribe(
    db: &mut SqliteConnection,
    party: &str,
    uid: &Uid,
    (ae_title, has_lock): (&AeTitle, bool),
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO workitem_subscriptions (hospital, workitem, ae_title, has_lock) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (hospital, workitem, ae_title) DO UPDATE SET has_lock = excluded.has_lock",
    )
    .bind(party)
    .bind(uid.as_str())
    .bind(ae_title.as_str())
    .bind(has_lock)
    .execute(db)
    .await?;
    Ok(())
}

/// Subscribes somebody of a party to what is to come.
pub(super) async fn watch(
    db: &mut SqliteConnection,
    party: &str,
    worklist: &Worklist,
    (ae_title, has_lock): (&AeTitle, bool),
) -> Result<(), StoreError> {
    let filter = match worklist {
        Worklist::All => None,
        Worklist::Filtered(pairs) => Some(serde_json::to_string(pairs).map_err(|_| StoreError::Unreadable("filter"))?),
    };
    sqlx::query(
        "INSERT INTO workitem_worklists (hospital, ae_title, worklist, filter, has_lock) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (hospital, ae_title, worklist) DO UPDATE SET filter = excluded.filter, has_lock = excluded.has_lock",
    )
    .bind(party)
    .bind(ae_title.as_str())
    .bind(worklist.uid())
    .bind(&filter)
    .bind(has_lock)
    .execute(db)
    .await?;
    Ok(())
}

/// Lets somebody in who is subscribed to nothing yet, if there is room.
pub(super) async fn admit(db: &mut SqliteConnection, party: &str, ae_title: &AeTitle) -> Result<bool, sqlx::Error> {
    forget_idle(db, party).await?;
    sqlx::query(
        "INSERT INTO workitem_subscribers (hospital, ae_title) SELECT $1, $2 \
         WHERE (SELECT count(*) FROM workitem_subscribers WHERE hospital = $1) < $3 ON CONFLICT DO NOTHING",
    )
    .bind(party)
    .bind(ae_title.as_str())
    .bind(SUBSCRIBERS)
    .execute(&mut *db)
    .await?;
    let found = sqlx::query("SELECT 1 FROM workitem_subscribers WHERE hospital = $1 AND ae_title = $2");
    Ok(found.bind(party).bind(ae_title.as_str()).fetch_optional(db).await?.is_some())
}

/// Forgets who is subscribed to nothing any more and was sent everything.
pub(super) async fn forget_idle(db: &mut SqliteConnection, party: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM workitem_subscribers WHERE hospital = $1 \
         AND NOT EXISTS (SELECT 1 FROM workitem_worklists AS other WHERE other.hospital = $1 AND other.ae_title = workitem_subscribers.ae_title) \
         AND NOT EXISTS (SELECT 1 FROM workitem_subscriptions AS other WHERE other.hospital = $1 AND other.ae_title = workitem_subscribers.ae_title) \
         AND NOT EXISTS (SELECT 1 FROM workitem_notices AS other WHERE other.hospital = $1 AND other.ae_title = workitem_subscribers.ae_title)",
    )
    .bind(party)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets somebody who is subscribed to nothing any more, with what they were not sent.
async fn leave(db: &mut SqliteConnection, party: &str, ae_title: &AeTitle) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM workitem_subscribers WHERE hospital = $1 AND ae_title = $2 \
         AND NOT EXISTS (SELECT 1 FROM workitem_worklists WHERE hospital = $1 AND ae_title = $2) \
         AND NOT EXISTS (SELECT 1 FROM workitem_subscriptions WHERE hospital = $1 AND ae_title = $2)",
    )
    .bind(party)
    .bind(ae_title.as_str())
    .execute(db)
    .await?;
    Ok(())
}

async fn suspend(
    db: &mut SqliteConnection,
    party: &str,
    worklist: &Worklist,
    ae_title: &AeTitle,
) -> Result<bool, sqlx::Error> {
    let ended = sqlx::query("DELETE FROM workitem_worklists WHERE hospital = $1 AND ae_title = $2 AND worklist = $3")
        .bind(party)
        .bind(ae_title.as_str())
        .bind(worklist.uid())
        .execute(db)
        .await?;
    Ok(ended.rows_affected() > 0)
}
