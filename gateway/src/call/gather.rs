//! Prefetch over all services of the call: what the EHR sent first, then each distinct query once, in parallel,
//! within its slice of the deadline.

use futures_util::{StreamExt as _, stream};
use medvan_adapters::http::Bearer;
use medvan_hooks::{
    plan::Plan,
    prefetch::{Omission, PrefetchState},
    request::Request,
    template::Query,
};
use tokio::time::Instant;

use super::{caller::CdsClient, deadline::Deadline, exchange::Exchange, explanation::QueryNote, refusal::Refusal};
use crate::{App, fhir::FhirAccess};

/// Queries to one FHIR server at once, for one call.
const PARALLEL: usize = 8;

/// Completes the plan: afterwards every query it knows has a state.
pub(super) async fn complete(
    app: &App,
    caller: &CdsClient,
    request: &Request,
    plan: &mut Plan,
    deadline: &Deadline,
    exchange: &mut Exchange,
) -> Result<(), Refusal> {
    let access = fhir_access(app, caller, request, exchange)?;
    let patient = request.patient_id().unwrap_or_default();
    loop {
        // One round for each level of `%key` dependencies; mostly there is one, and none when the EHR sent all.
        let queries = plan.next();
        if queries.is_empty() {
            return Ok(());
        }
        let fetched = stream::iter(queries)
            .map(|query| fetch_one(app, access.as_ref(), query, patient, deadline.prefetch_until))
            .buffered(PARALLEL)
            .collect::<Vec<_>>();
        for (query, state, note) in fetched.await {
            exchange.explanation.queries.extend(note);
            plan.supply(query, state);
        }
    }
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
fn fhir_access(
    app: &App,
    caller: &CdsClient,
    request: &Request,
    exchange: &mut Exchange,
) -> Result<Option<FhirAccess>, Refusal> {
    let Some(named) = &request.fhir_server else { return Ok(None) };
    let Some(registered) = &caller.client().fhir_server else {
        exchange.warn("fhirServer: none is registered for this client, so none is asked");
        return Ok(None);
    };
    if named.trim_end_matches('/') != registered.as_str().trim_end_matches('/') {
        return Err(Refusal::Malformed {
            diagnostics: "fhirServer is not the one registered for this client; have the operator register it".to_owned(),
            expression: Some("fhirServer".to_owned()),
        });
    }
    let Ok(base) = app.http.guard().check(registered.as_str()) else {
        exchange.warn("fhirServer: the registered address is not one that the gateway calls");
        return Ok(None);
    };
    let token = match &request.fhir_authorization {
        Some(authorization) => Some(Bearer::new(&authorization.access_token).map_err(|_| Refusal::Malformed {
            diagnostics: "fhirAuthorization.access_token holds characters that no header can carry".to_owned(),
            expression: Some("fhirAuthorization.access_token".to_owned()),
        })?),
        None => None,
    };
    Ok(Some(FhirAccess::new(base, token)))
}
