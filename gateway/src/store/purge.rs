//! What may be forgotten.

use time::{Duration, OffsetDateTime};

use super::{Store, StoreError, instant::micros};
use crate::trust::jwt::SKEW_SECONDS;

/// So long feedback may come home for a card.
const CARD_LIFE: Duration = Duration::days(90);
/// So long after its hold a promised place in a trial is certainly free.
const HOLD_LIFE: Duration = Duration::hours(1);

impl Store {
    /// Deletes tokens that no skew lets in any more, promises that ended, and cards too old for feedback.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn purge(&self, now: OffsetDateTime) -> Result<(), StoreError> {
        let steps = [
            ("DELETE FROM replay WHERE expires_at <= $1", now - Duration::seconds(SKEW_SECONDS)),
            ("DELETE FROM trial_holds WHERE held_at <= $1", now - HOLD_LIFE),
            ("DELETE FROM issued_cards WHERE issued_at <= $1", now - CARD_LIFE),
        ];
        for (statement, before) in steps {
            // Each in its own transaction: the calls' commits go in between.
            let mut db = self.write().await?;
            sqlx::query(statement).bind(micros(before)).execute(&mut *db).await?;
            db.commit().await?;
        }
        Ok(())
    }
}
