//! Tokens that were used for something that is no exchange: discovery, feedback.

use sqlx::SqliteConnection;

use super::{Replay, Store, StoreError, commit::Work, instant::micros};

impl Store {
    /// Remembers a token that must not come again.
    ///
    /// # Errors
    /// The database does not take it; then the token must not be honoured.
    pub async fn spend(&self, token: Replay) -> Result<(), StoreError> {
        self.0.commits.commit(Work::Spend(token)).await.map(|_| ())
    }
}

pub(super) async fn insert(db: &mut SqliteConnection, token: &Replay) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO replay (hospital, issuer, jti, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(token.hospital.as_str())
        .bind(&token.issuer)
        .bind(&token.jti)
        .bind(micros(token.expires_at))
        .execute(db)
        .await?;
    Ok(())
}
