//! Prefetch over all services of the call: what the EHR sent first, then each distinct query once, in parallel,
//! within its slice of the deadline.

use futures_util::{StreamExt as _, stream};
use medvan_adapters::http::Bearer;
use medvan_hooks::{
    plan::Plan,
    prefetch::{Omission, PrefetchState},
    template::Query,
};
use time::{Date, OffsetDateTime, UtcOffset};
use tokio::time::Instant;

use super::{Call, exchange::Exchange, explanation::QueryNote, refusal::Refusal};
use crate::{App, fhir::FhirAccess};

/// Queries to one FHIR server at once, for one call.
const PARALLEL: usize = 8;

/// Makes the plan and completes it: afterwards every query it knows has a state.
pub(super) async fn complete<'c>(call: &'c Call<'_>, exchange: &mut Exchange) -> Result<Plan<'c>, Refusal> {
    let access = fhir_access(call, exchange)?;
    let mut plan = Plan::new(&call.request, &call.offer.parts(), &call.offer.union, today(call.at));
    let patient = call.request.patient_id().unwrap_or_default();
    let until = call.deadline.prefetch_until;
    loop {
        // One round for each level of `%key` dependencies; mostly there is one, and none when the EHR sent all.
        let queries = plan.queries();
        if queries.is_empty() {
            exchange.explanation.elapsed.prefetched_ms = exchange.elapsed_ms();
            return Ok(plan);
        }
        let fetched = stream::iter(queries)
            .map(|query| fetch_one(call.app, access.as_ref(), query, patient, until))
            .buffered(PARALLEL)
            .collect::<Vec<_>>();
        for (query, state, note) in fetched.await {
            exchange.explanation.queries.extend(note);
            plan.supply(query, state);
        }
    }
}

/// The day at the hospital. All hospitals of the network are in Japan, which knows no summer time; by UTC, `today()`
/// would be yesterday until nine in the morning.
fn today(at: OffsetDateTime) -> Date {
    const JAPAN: UtcOffset = time::macros::offset!(+9);
    at.to_offset(JAPAN).date()
}

async fn fetch_one(
    app: &App,
    access: Option<&FhirAccess>,
    query: Query,
    patient: &str,
    until: Instant,
) -> (Query, PrefetchState, Option<QueryNote>) {
    let Some(access) = access else { return (query, PrefetchState::Omitted(Omission::NoAccess), None) };
    let start = Instant::now();
    let fetched = access.fetch(&app.http, &query, patient, until).await;
    let elapsed = start.elapsed();
    metrics::histogram!("medvan_prefetch_seconds", "state" => fetched.state.word()).record(elapsed.as_secs_f64());
    let note = QueryNote {
        resource_type: query.resource_type().to_owned(),
        state: fetched.state.word(),
        pages: fetched.pages,
        elapsed_ms: elapsed.as_secs_f64() * 1e3,
    };
    (query, fetched.state, Some(note))
}

/// Access to the FHIR server that is registered for this client; the one in the request is only compared.
fn fhir_access(call: &Call<'_>, exchange: &mut Exchange) -> Result<Option<FhirAccess>, Refusal> {
    let Some(named) = &call.request.fhir_server else { return Ok(None) };
    let Some(registered) = &call.caller.client().fhir_server else {
        exchange.warn("fhirServer: none is registered for this client, so none is asked");
        return Ok(None);
    };
    if named.trim_end_matches('/') != registered.as_str().trim_end_matches('/') {
        return Err(Refusal::malformed(
            "fhirServer",
            "it is not the one registered for this client; have it registered",
        ));
    }
    let Ok(base) = call.app.http.guard().check(registered.as_str()) else {
        exchange.warn("fhirServer: the registered address is not one that the gateway calls");
        return Ok(None);
    };
    let token = call.request.fhir_authorization.as_ref().map(|authorization| Bearer::new(&authorization.access_token));
    let token = token.transpose().map_err(|_| {
        Refusal::malformed("fhirAuthorization.access_token", "it holds characters that no header can carry")
    })?;
    Ok(Some(FhirAccess::new(base, token)))
}
