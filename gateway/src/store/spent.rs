//! Tokens that were used for something that is no exchange: discovery, feedback.

use super::{Replay, Store, StoreError, commit::CallWork};

impl Store {
    /// Remembers a token that must not come again.
    ///
    /// # Errors
    /// The database does not take it; then the token must not be honoured.
    pub async fn spend(&self, token: Replay) -> Result<(), StoreError> {
        self.0.commits.commit(CallWork::Spend(token)).await.map(|_| ())
    }
}
