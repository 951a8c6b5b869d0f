//! What has to be done now and then: forgetting what may be forgotten, and looking anew at what doctors accept.

use std::time::Duration;

use crate::{App, config, store::Retention};

/// How often. Tokens live for minutes, so the table of those that were used stays small.
const EVERY: Duration = Duration::from_secs(600);

/// Does it until the process stops, first ten minutes after the start.
pub(crate) async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.tasks.stopping() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let purged = tokio::select! {
            () = app.tasks.stopping() => return,
            purged = app.store.purge(app.clock.now(), retention(&app.config.retention)) => purged,
        };
        if let Err(error) = purged {
            tracing::error!(error = &error as &dyn std::error::Error, "what may be forgotten was not");
        }
        forget_images(&app).await;
        if let Err(error) = app.catalog.renew_with_acceptance().await {
            tracing::error!(error = &error as &dyn std::error::Error, "the catalog was not read again");
        }
    }
}

/// Removes the files of what was replaced, and originals that hospitals sent for AI work and do not want kept for longer.
async fn forget_images(app: &App) {
    let snapshot = app.catalog.current();
    for view in snapshot.hospitals() {
        let hospital = &view.hospital.id;
        if let Err(error) = app.archive.forget_replaced(hospital).await {
            tracing::error!(error = &error as &dyn std::error::Error, %hospital, "replaced files were not removed");
        }
        let days = view.hospital.imaging.as_ref().and_then(|imaging| imaging.originals_days);
        let Some(days) = days else { continue };
        match app.archive.forget_originals(hospital, time::Duration::days(days.into())).await {
            Ok(0) => {}
            Ok(instances) => tracing::info!(%hospital, instances, "originals were removed after their time"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, %hospital, "originals were not removed");
            }
        }
    }
}

fn retention(days: &config::Retention) -> Retention {
    let kept = |days: u32| (days > 0).then(|| time::Duration::days(days.into()));
    Retention {
        exchanges: kept(days.exchange_days),
        usage: kept(days.usage_days),
        feedback: kept(days.feedback_days),
        workitems: kept(days.workitem_days),
    }
}
