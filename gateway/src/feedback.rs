//! `POST /hospitals/{hospital}/cds-services/{id}/feedback`: what doctors did with cards comes home.
//!
//! One batch may hold outcomes of cards of several vendors (an aggregated answer) and of several calls. It is split by
//! the makers, the gateway's ids become the vendors' own again, and outcomes and deliveries are written in one
//! transaction before the EHR is told that they were taken. Outcomes are kept also for vendors without an endpoint.

use std::{collections::HashMap, net::SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use medvan_hooks::{
    feedback::{self, Feedback, Part, Received},
    merge::{Minted, MintedSuggestion},
};
use medvan_profiles::descriptor::transport::{Authentication, ExtensionPolicy};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    App,
    call::{Audience, CdsClient, Refusal, read_json},
    catalog::{HospitalView, Member},
    store::{CardOrigin, Delivery, FeedbackRow},
};

/// Takes a batch; the standard asks for no body in the answer (CDS Hooks item 49).
pub(crate) async fn receive(
    State(app): State<App>,
    Path((hospital, service)): Path<(String, String)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let audience = Audience::Feedback(&service);
    match CdsClient::authenticate(&app, &hospital, audience, &headers, peer).await {
        Err(refusal) => refusal.into_response(),
        Ok(caller) => match take(&app, &caller, &service, &headers, body).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(refusal) => refusal.into_response(),
        },
    }
}

/// Reads the batch, finds the makers of its cards and makes outcomes and deliveries durable.
///
/// Outcomes of cards that this hospital never got are left out and counted: their sender cannot mend them, and the
/// rest of the batch must not be lost with them.
async fn take(app: &App, caller: &CdsClient, service: &str, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
    caller.spend_token(app).await?;
    let body = read_json(headers, body, &app.config.limits).await?;
    let received = Received::parse(&body)?;
    let origins = origins(app, caller, &received).await?;
    // A service that this hospital left since may still get feedback on the cards it made.
    if !origins.values().flatten().any(|origin| origin.offer == service) {
        caller.entitled(service)?;
    }
    let split = feedback::split(received.feedback, &|card| origins.get(card).map_or_else(Vec::new, |of| minted(of)));
    if !split.unknown.is_empty() {
        metrics::counter!("medvan_feedback_unknown_total").increment(split.unknown.len() as u64);
        tracing::info!(count = split.unknown.len(), "feedback on cards that this hospital never got");
    }
    let now = app.clock.now();
    let rows: Vec<FeedbackRow> =
        split.parts.iter().filter_map(|part| row(caller.hospital(), &origins, part, now)).collect();
    app.store.feedback(caller.hospital_id(), &rows).await.map_err(|error| {
        tracing::error!(%error, "feedback was not kept");
        Refusal::NotRecorded
    })?;
    app.bell.ring();
    Ok(())
}

type Origins = HashMap<Uuid, Vec<CardOrigin>>;

async fn origins(app: &App, caller: &CdsClient, received: &Received) -> Result<Origins, Refusal> {
    let ids: Vec<Uuid> = received.feedback.iter().filter_map(|item| Uuid::try_parse(&item.card).ok()).collect();
    let cards = app.store.issued_cards(caller.hospital_id(), &ids).await.map_err(|_| Refusal::NotRecorded)?;
    let mut origins = Origins::new();
    for origin in cards {
        origins.entry(origin.card.id).or_default().push(origin);
    }
    Ok(origins)
}

fn minted(origins: &[CardOrigin]) -> Vec<Minted> {
    let suggestion = |issued: &crate::store::IssuedSuggestion| MintedSuggestion {
        gateway_id: issued.id,
        vendor_id: issued.vendor_id.clone(),
    };
    origins
        .iter()
        .map(|origin| Minted {
            gateway_id: origin.card.id,
            service: key(origin),
            vendor_id: origin.card.vendor_id.clone(),
            suggestions: origin.card.suggestions.iter().map(suggestion).collect(),
        })
        .collect()
}

/// Names the maker as [`Member::key`] does.
fn key(origin: &CardOrigin) -> String {
    format!("{}.{}", origin.card.service.vendor, origin.card.cds_id)
}

fn row(view: &HospitalView, origins: &Origins, part: &Part, now: OffsetDateTime) -> Option<FeedbackRow> {
    let origin = origins.get(&part.card)?.iter().find(|origin| key(origin) == part.service)?;
    let mut kept = part.forward.clone().unwrap_or_else(|| part.received.clone());
    keep_allowed_extensions(view, &part.service, &mut kept);
    let delivery = part.forward.is_some().then(|| delivery(view, &part.service, &kept)).flatten();
    Some(FeedbackRow {
        exchange: origin.exchange,
        card: part.card,
        service: origin.card.service.clone(),
        version: origin.card.version.clone(),
        cds_id: origin.card.cds_id.clone(),
        outcome: kept.outcome.code().to_owned(),
        document: serde_json::to_string(&kept).unwrap_or_default(),
        received_at: now,
        delivery,
    })
}

/// An EHR may put a user's id into an extension: only what hospital and service agreed on is kept and passed on.
fn keep_allowed_extensions(view: &HospitalView, key: &str, feedback: &mut Feedback) {
    let policy = member(view, key).map(|member| member.descriptor.transport.overrides.extension_policy);
    let forwards = policy == Some(ExtensionPolicy::Forward);
    feedback.extension.retain(|name, _| forwards && view.hospital.allow_extensions.contains(name));
}

/// Where the outcome goes: nowhere if the maker has no endpoint, or serves this hospital no more.
fn delivery(view: &HospitalView, key: &str, feedback: &Feedback) -> Option<Delivery> {
    let member = member(view, key)?;
    let url = member.feedback_url.as_ref()?;
    let transport = &member.descriptor.transport;
    let audience = (transport.authentication == Authentication::Jwt)
        .then(|| transport.audience.clone().unwrap_or_else(|| url.to_string()));
    let body = String::from_utf8(feedback::to_bytes(std::slice::from_ref(feedback))).ok()?;
    Some(Delivery { url: url.to_string(), audience, body })
}

fn member<'a>(view: &'a HospitalView, key: &str) -> Option<&'a Member> {
    let members = view.offers.values().flat_map(|offer| &offer.members);
    members.map(AsRef::as_ref).find(|member| member.key == key)
}
