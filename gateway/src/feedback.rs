//! `POST /hospitals/{hospital}/cds-services/{id}/feedback`: what doctors did with cards comes home.
//!
//! One batch may hold outcomes of cards of several vendors (an aggregated answer) and of several calls. It is split by
//! the makers, the gateway's ids become the vendors' own again, and outcomes and deliveries are written in one
//! transaction before the EHR is told that they were taken. Outcomes are kept also for vendors without an endpoint.

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use medvan_hooks::feedback::{self, Feedback, Outcome};
use uuid::Uuid;

use crate::{
    App,
    call::{Audience, CdsClient, Refusal, read_json},
    catalog::{HospitalId, Member},
    store::{CardOrigin, Delivery, FeedbackRow},
};

/// Most outcomes in one batch.
const BATCH: usize = 500;

/// Takes a batch; the standard asks for no body in the answer (CDS Hooks item 49).
pub(crate) async fn receive(
    State(app): State<App>,
    Path((hospital, service)): Path<(String, String)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let audience = Audience::Feedback(&service);
    let caller = match CdsClient::authenticate(&app, &hospital, audience, &headers, peer).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    match take(&app, &caller, &service, &headers, body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
