//! Waiting for what must come.

use std::time::Duration;

/// Nothing waited for here takes long; whoever waits so long waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks again and again until there is something to see.
///
/// # Panics
/// When it never comes.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let seen = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("it never came: {what}"))
}
