//! What has to be done now and then: forgetting what may be forgotten, and looking anew at what doctors accept.

use std::time::Duration;

use crate::App;

/// How often.
const EVERY: Duration = Duration::from_secs(3_600);

/// Does it until the process stops, first an hour after the start.
pub(crate) async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = app.store.purge(app.clock.now()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "what may be forgotten was not");
        }
        // The share of accepted cards is part of the snapshot.
        if let Err(error) = app.catalog.renew().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the catalog was not read again");
        }
    }
}
