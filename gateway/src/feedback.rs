//! `POST /hospitals/{hospital}/cds-services/{id}/feedback`: what doctors did with cards comes home.
//!
//! One batch may hold outcomes of cards of several vendors (an aggregated answer) and of several calls. It is split by
//! the makers, the gateway's ids become the vendors' own again, and outcomes and deliveries are written in one
//! transaction before the EHR is told that they were taken. Outcomes are kept also for vendors without an endpoint.

mod maker;

use std::{collections::HashMap, net::SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use medvan_hooks::{
    feedback::{self, Part, Received},
    merge::{Minted, MintedSuggestion},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    App,
    call::{Audience, CdsClient, Refusal, read_json},
    store::{CardOrigin, FeedbackRow},
};

use maker::{Maker, Makers};

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
    if !received.warnings.is_empty() {
        metrics::counter!("medvan_feedback_warnings_total").increment(received.warnings.len() as u64);
    }
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
    let mut makers = Makers::of(app, caller);
    let mut rows = Vec::with_capacity(split.parts.len());
    for part in &split.parts {
        let Some(origin) = origin(&origins, part) else { continue };
        let maker = makers.maker(&origin.card).await.map_err(|_| Refusal::NotRecorded)?;
        rows.push(row(origin, maker, part, now));
    }
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

/// Names the maker as [`crate::catalog::Member::key`] does.
fn key(origin: &CardOrigin) -> String {
    format!("{}.{}", origin.card.service.vendor, origin.card.cds_id)
}

fn origin<'o>(origins: &'o Origins, part: &Part) -> Option<&'o CardOrigin> {
    origins.get(&part.card)?.iter().find(|origin| key(origin) == part.service)
}

fn row(origin: &CardOrigin, maker: Option<&Maker>, part: &Part, now: OffsetDateTime) -> FeedbackRow {
    let mut kept = part.forward.clone().unwrap_or_else(|| part.received.clone());
    // An EHR may put a user's id into an extension: only what hospital and service agreed on is kept and passed on.
    kept.extension.retain(|name, _| maker.is_some_and(|maker| maker.extensions.contains(name)));
    let delivery = maker.filter(|_| part.forward.is_some()).and_then(|maker| maker.delivery(&kept));
    FeedbackRow {
        analysis: origin.card.analysis(),
        exchange: origin.exchange,
        card: part.card,
        service: origin.card.service.clone(),
        version: origin.card.version.clone(),
        cds_id: origin.card.cds_id.clone(),
        outcome: kept.outcome.code().to_owned(),
        document: serde_json::to_string(&kept).unwrap_or_default(),
        received_at: now,
        delivery,
    }
}
