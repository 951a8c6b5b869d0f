//! One CDS Hooks call, from the EHR's request to its one answer (design, section 7).
//!
//! The way of one call, each step a file of its own:
//!
//! 1. [`caller`]: who calls? A token checked, or this machine in the loopback profile. Else a bare 401.
//! 2. [`body`]: the body, bounded in size and time; then the hook's own rules (`medvan_hooks::request`). Else 400.
//! 3. [`gather`]: the plan over all services, what the EHR sent, what is fetched from its FHIR server.
//! 4. [`dispatch`]: every service at once, each with exactly its own data, each with its own deadline.
//!    Beside them [`images`]: what was found in the patient's images already.
//! 5. [`compose`]: checked answers become one: merged, in the EHR's dialect, with the source of every card.
//! 6. [`exchange`]: the record is durable, then the answer leaves.

mod body;
mod caller;
mod compose;
mod deadline;
mod discovery;
mod dispatch;
mod exchange;
mod explanation;
mod gather;
mod identity;
mod images;
mod line;
mod recent;
mod refusal;
mod scorecard;
mod shares;
mod usage;

use std::net::SocketAddr;

use axum::{
    body::Body,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use medvan_hooks::request::Request;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{App, catalog::Offer, dicomweb::gateway_base};

pub(crate) use body::read_json;
pub(crate) use caller::{Audience, CdsClient, is_this_machine};
pub(crate) use discovery::discovery;
pub(crate) use identity::tenant;
pub(crate) use line::Lines;
pub(crate) use recent::RecentCards;
pub(crate) use refusal::Refusal;
pub(crate) use shares::Shares;

use deadline::Deadline;
use exchange::Exchange;

/// A request as it arrived, before anything about it is believed.
struct Arrival {
    hospital: String,
    service: String,
    peer: SocketAddr,
    headers: HeaderMap,
    body: Body,
    at: OffsetDateTime,
    start: Instant,
}

/// `POST /hospitals/{hospital}/cds-services/{id}`.
///
/// The work runs in a task of its own: an EHR that hangs up does not cancel the record of what was asked.
pub(crate) async fn call(
    State(app): State<App>,
    Path((hospital, service)): Path<(String, String)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(slot) = app.slot() else { return Refusal::Overloaded.into_response() };
    let arrival = Arrival { hospital, service, peer, headers, body, at: app.clock.now(), start: Instant::now() };
    let tasks = app.tasks.clone();
    let work = async move {
        let response = run(&app, arrival).await;
        drop(slot);
        response
    };
    tasks.spawn("call", work).await.unwrap_or_else(|_| Refusal::NotRecorded.into_response())
}

async fn run(app: &App, arrival: Arrival) -> Response {
    let audience = Audience::Service(&arrival.service);
    // Boxed, here and below: what a call needs for a moment is no part of it while it waits for the services.
    let authenticate = CdsClient::authenticate(app, &arrival.hospital, audience, &arrival.headers, arrival.peer);
    let caller = match Box::pin(authenticate).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(_share) = app.shares.place(caller.hospital_id()) else {
        metrics::counter!("medvan_calls_beyond_share_total", "hospital" => caller.hospital_id().to_string())
            .increment(1);
        return Refusal::Overloaded.into_response();
    };
    let mut exchange = Exchange::begin(&caller, &arrival.service, arrival.at, arrival.start);
    let answer = answer(app, &caller, arrival, &mut exchange).await;
    exchange.finish(app, answer).await
}

/// Reads the body and lets go of it: a waiting call holds its data once.
async fn read_request(headers: HeaderMap, body: Body, app: &App) -> Result<Request, Refusal> {
    let body = read_json(&headers, body, &app.config.limits).await?;
    Ok(Request::parse(&body)?)
}

/// One call whose caller, offer and request have passed every check.
pub(crate) struct Call<'a> {
    app: &'a App,
    caller: &'a CdsClient,
    offer: &'a Offer,
    request: Request,
    deadline: Deadline,
    at: OffsetDateTime,
    /// What a retried call shares with this one.
    key: [u8; 32],
    /// The gateway's address, as this caller reaches it.
    base: String,
}

/// Everything between a believed caller and the bytes of its answer.
async fn answer(app: &App, caller: &CdsClient, arrival: Arrival, exchange: &mut Exchange) -> Result<Vec<u8>, Refusal> {
    let offers = caller.entitled(&arrival.service)?;
    let base = gateway_base(app, &arrival.headers);
    let mut request = read_request(arrival.headers, arrival.body, app).await?;
    let offer = exchange.read(&mut request, offers)?;
    // From here: a sender that took its time for the body must not cost the services theirs.
    let deadline = Deadline::of(&caller.hospital().hospital, Instant::now());
    let key = usage::key(&app.secret, caller, &request);
    let mut call = Call { app, caller, offer: &offer, request, deadline, at: arrival.at, key, base };
    let plan = Box::pin(gather::complete(&call, exchange)).await?;
    let asked = dispatch::ask_all(&call, &plan, exchange).await;
    // The services have their data now. While they think, nobody holds it a second time.
    let patient = images::patient(&call, &plan);
    drop(plan);
    call.request.prefetch.clear();
    let (heard, images) = tokio::join!(asked.heard(), images::cards(&call, patient));
    compose::answer(&call, heard, &images, exchange)
}
