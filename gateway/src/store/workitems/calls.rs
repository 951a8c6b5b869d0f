//! Subscribers that are called with their events (PS3.4 §CC.2.4): who is due, and how the last call went.
//!
//! The events are those of [`super::events`], which a WebSocket replays too: each goes by one of the two ways at least. Whoever could
//! not be reached for a while is left alone until they say something themselves; their events wait as long as any others.

use medvan_imaging::AeTitle;
use sqlx::Row as _;
use time::OffsetDateTime;

use crate::{
    catalog::HospitalId,
    store::{Store, StoreError, column::parsed, instant::micros},
};

/// Subscribers of one hospital among those that are due: those of others are not kept waiting.
const OF_ONE_HOSPITAL: i64 = 4;
/// Subscribers that are looked at once.
const AT_ONCE: i64 = 64;

/// A subscriber that has events to be called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSubscriber {
    /// Whose workitems it hears of.
    pub hospital: HospitalId,
    /// Who it is.
    pub ae_title: AeTitle,
    /// Calls in a row that were for nothing.
    pub tries: u32,
    due_at: i64,
}

impl Store {
    /// From now on a subscriber is called with its events, whatever became of earlier calls.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn call_subscriber(
        &self,
        hospital: &HospitalId,
        ae_title: &AeTitle,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE workitem_subscribers SET due_at = $3, tries = 0 WHERE hospital = $1 AND ae_title = $2")
            .bind(hospital.as_str())
            .bind(ae_title.as_str())
            .bind(micros(now))
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// A node said something: if it is a subscriber that could not be reached, it is worth another call.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn subscriber_lives(
        &self,
        hospital: &HospitalId,
        ae_title: &AeTitle,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let missed = sqlx::query(
            "SELECT 1 FROM workitem_subscribers WHERE hospital = $1 AND ae_title = $2 AND due_at IS NOT NULL AND tries > 0",
        );
        let missed = missed.bind(hospital.as_str()).bind(ae_title.as_str()).fetch_optional(self.readers()).await?;
        if missed.is_some() { self.call_subscriber(hospital, ae_title, now).await } else { Ok(()) }
    }

    /// Subscribers with events that are to be called now, a few of each hospital, those that wait longest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn due_subscribers(
        &self,
        now: OffsetDateTime,
        most_tries: u32,
    ) -> Result<Vec<DueSubscriber>, StoreError> {
        let rows = sqlx::query(
            "SELECT hospital, ae_title, tries, due_at FROM (SELECT hospital, ae_title, tries, due_at, \
             row_number() OVER (PARTITION BY hospital ORDER BY due_at, ae_title) AS place FROM workitem_subscribers AS due \
             WHERE due_at IS NOT NULL AND due_at <= $1 AND tries < $2 AND EXISTS (SELECT 1 FROM workitem_notices AS notices \
             WHERE notices.hospital = due.hospital AND notices.ae_title = due.ae_title)) \
             WHERE place <= $3 ORDER BY due_at LIMIT $4",
        )
        .bind(micros(now))
        .bind(most_tries)
        .bind(OF_ONE_HOSPITAL)
        .bind(AT_ONCE)
        .fetch_all(self.readers())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DueSubscriber {
                    hospital: parsed(row, "hospital", "hospital id")?,
                    ae_title: AeTitle::parse(row.try_get("ae_title")?)
                        .map_err(|_| StoreError::Unreadable("AE title"))?,
                    tries: row.try_get("tries")?,
                    due_at: row.try_get("due_at")?,
                })
            })
            .collect()
    }

    /// Takes a subscriber that is due until a time; false if somebody else calls it, or nobody is to any more.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_subscriber(&self, due: &DueSubscriber, until: OffsetDateTime) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let claimed = sqlx::query(
            "UPDATE workitem_subscribers SET due_at = $4 WHERE hospital = $1 AND ae_title = $2 AND due_at = $3",
        )
        .bind(due.hospital.as_str())
        .bind(due.ae_title.as_str())
        .bind(due.due_at)
        .bind(micros(until))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(claimed.rows_affected() == 1)
    }

    /// A subscriber that was called took an event, and stays ours until a time.
    ///
    /// # Errors
    /// The database does not take it; then it is told once more.
    pub async fn subscriber_took(
        &self,
        due: &DueSubscriber,
        event: i64,
        until: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM workitem_notices WHERE hospital = $1 AND ae_title = $2 AND event = $3")
            .bind(due.hospital.as_str())
            .bind(due.ae_title.as_str())
            .bind(event)
            .execute(&mut *db)
            .await?;
        sqlx::query("UPDATE workitem_subscribers SET due_at = $3, tries = 0 WHERE hospital = $1 AND ae_title = $2")
            .bind(due.hospital.as_str())
            .bind(due.ae_title.as_str())
            .bind(micros(until))
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// A call is over: when the next one is due, and how many in a row were for nothing.
    ///
    /// # Errors
    /// The database does not take it; the next one is due at the end of the lease.
    pub async fn subscriber_called(
        &self,
        due: &DueSubscriber,
        next: OffsetDateTime,
        tries: u32,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE workitem_subscribers SET due_at = $3, tries = $4 WHERE hospital = $1 AND ae_title = $2 AND due_at IS NOT NULL")
            .bind(due.hospital.as_str())
            .bind(due.ae_title.as_str())
            .bind(micros(next))
            .bind(tries)
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }
}
