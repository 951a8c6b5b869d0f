//! What a process held that is not there any more.

use sqlx::AssertSqlSafe;
use time::OffsetDateTime;

use super::{Store, StoreError, instant::micros};

/// Jobs that are worked on and studies that are judged are due at the end of their lease; what is sent has a lease beside the time at
/// which it is due.
const RELEASE: [&str; 4] = [
    "UPDATE jobs SET due_at = $1 WHERE state IN ('running', 'answered') AND due_at > $1",
    "UPDATE intakes SET due_at = $1 WHERE due_at > $1",
    "UPDATE outbox SET lease_until = 0 WHERE state = 'waiting' AND lease_until > $1",
    "UPDATE node_outbox SET lease_until = 0 WHERE state = 'waiting' AND lease_until > $1",
];

impl Store {
    /// Ends all leases: for a process that knows that it is the only one. What one that was killed held is gone on with at once,
    /// and not when its leases end by themselves. A job with which a process dies each time is given up in the end: it is
    /// counted when it is taken again ([`Job::deaths`](super::Job::deaths)).
    ///
    /// # Errors
    /// The database does not take it; the leases end by themselves.
    pub async fn end_leases(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        for statement in RELEASE {
            sqlx::query(AssertSqlSafe(statement)).bind(micros(now)).execute(&mut *db).await?;
        }
        db.commit().await?;
        Ok(())
    }
}
