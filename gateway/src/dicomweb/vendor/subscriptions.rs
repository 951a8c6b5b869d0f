//! A vendor's performers hear of the workitems on its worklist (PS3.18 §11.10 to §11.13, §8.10.5), as systems of a hospital hear of
//! its own ([`super::super::subscriptions`], [`super::super::notifications`]): of what their search shows them, until its end.

use axum::{extract::State, response::Response};

use super::{
    super::{
        notifications::{Listener, Upgrade, opened},
        refusal::Refusal,
        subscriptions::{Target, ended, full, is_lock_wanted, subscribed_at, target},
    },
    caller::{VendorAsk, pulled, puller},
};
use crate::{
    App,
    store::{Job, Subscribed},
    work::OpenJob,
};

/// `POST …/workitems/{workitem}/subscribers/{aetitle}[?filter]` (§11.10)
///
/// A vendor locks no workitem of a hospital.
pub(super) async fn subscribe(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let (vendor, ae_title, target) = (ask.the_vendor()?, ask.ae_title()?, target(&ask)?);
    if is_lock_wanted(&ask)? {
        return Err(Refusal::NotTheirs(
            "deletionlock must be false: a hospital keeps its workitems as long as it wants to",
        ));
    }
    let subscribed = match target {
        Target::Workitem(_) => {
            let OpenJob { job, .. } = ask.job_of_workitem(&app).await?;
            app.store.subscribe_performer(&job, &ae_title, app.clock.now()).await?
        }
        Target::Worklist(worklist) => {
            let is_theirs = |job: &Job| puller(&app, job).is_some();
            app.store.subscribe_performer_to_worklist(vendor, &worklist, &ae_title, is_theirs).await?
        }
    };
    match subscribed {
        Subscribed::Done => Ok(subscribed_at(&ask.root, &ae_title)),
        Subscribed::NoWorkitem => Err(Refusal::NotFound),
        Subscribed::TooMany => Ok(full("vendor")),
    }
}

/// `DELETE …/workitems/{workitem}/subscribers/{aetitle}` (§11.11). The end of a workitem ends the subscription to it, too: who asks
/// for that then has it.
pub(super) async fn unsubscribe(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let (vendor, ae_title) = (ask.the_vendor()?, ask.ae_title()?);
    let is_ended = match target(&ask)? {
        Target::Workitem(uid) => {
            app.store.unsubscribe_from_workitem(vendor, &uid, &ae_title).await?
                || pulled(&app, vendor, &uid).await?.is_some_and(|open| !open.is_on_worklist())
        }
        Target::Worklist(worklist) => app.store.unsubscribe_from_worklist(vendor, &worklist, &ae_title).await?,
    };
    ended(is_ended)
}

/// `POST …/workitems/{worklist}/subscribers/{aetitle}/suspend` (§11.12)
pub(super) async fn suspend(State(app): State<App>, ask: VendorAsk) -> Result<Response, Refusal> {
    let (vendor, ae_title, worklist) = (ask.the_vendor()?, ask.ae_title()?, target(&ask)?.worklist()?);
    ended(app.store.suspend_worklist(vendor, &worklist, &ae_title).await?)
}

/// `GET …/subscribers/{aetitle}`, upgraded to a WebSocket (§8.10.4)
pub(super) async fn open(State(app): State<App>, ask: VendorAsk, upgrade: Upgrade) -> Result<Response, Refusal> {
    let (listener, ae_title) = (Listener::Vendor(ask.the_vendor()?.clone()), ask.ae_title()?);
    Ok(opened(app, listener, ae_title, &ask.headers, upgrade))
}
