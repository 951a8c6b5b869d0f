//! What a vendor may read and write, only inside its own jobs: the DICOMweb root of each, `/vendors/{vendor}/dicom-web`.
//!
//! ```text
//! GET  …/workitems                                   the worklist of the vendor's services (UPS-RS, PS3.18 §11.9)
//! GET  …/workitems/{workitem}                        what is to be done, and where the images are
//! PUT  …/workitems/{workitem}/state                  taking and ending it; whoever takes it gets a token for this job alone
//! POST …/workitems/{workitem}                        progress, and what was performed
//! POST …/workitems/{workitem}/subscribers/{aetitle}  hearing of it, or of all of them; likewise DELETE, and POST …/suspend
//! GET  …/subscribers/{aetitle}                       the WebSocket by which it is heard
//! GET  …/studies/{study}[/series/{series}[/instances/{instance}]]      the images of a job (WADO-RS)
//! POST …/studies[/{study}]                           its results (STOW-RS)
//! ```
//!
//! Who calls shows the vendor's credential, or the token of one job: then there is no other job. Whatever is not of a job that the
//! vendor does now is not there (404).

mod caller;
mod images;
mod results;
mod subscriptions;
mod worklist;

use axum::{
    Router,
    routing::{get, post, put},
};

use crate::App;
pub(super) use caller::{is_to_be_pulled, pulled};

/// The routes of a vendor's DICOMweb root.
pub(super) fn routes() -> Router<App> {
    let below = |rest: &str| format!("/vendors/{{vendor}}/dicom-web{rest}");
    Router::new()
        .route(&below("/workitems"), get(worklist::search))
        .route(&below("/workitems/{workitem}"), get(worklist::retrieve).post(worklist::update))
        .route(&below("/workitems/{workitem}/state"), put(worklist::change_state))
        .route(
            &below("/workitems/{workitem}/subscribers/{aetitle}"),
            post(subscriptions::subscribe).delete(subscriptions::unsubscribe),
        )
        .route(&below("/workitems/{workitem}/subscribers/{aetitle}/suspend"), post(subscriptions::suspend))
        .route(&below("/subscribers/{aetitle}"), get(subscriptions::open))
        .route(&below("/studies"), post(results::store))
        .route(&below("/studies/{study}"), get(images::retrieve).post(results::store))
        .route(&below("/studies/{study}/series/{series}"), get(images::retrieve))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}"), get(images::retrieve))
}
