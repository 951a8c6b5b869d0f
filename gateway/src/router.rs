//! Every route of the gateway, in one list.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header};

use crate::{App, api, call, config::ProfileName, dicomweb, feedback, middleware, results, telemetry, viewer};

/// All routes with all layers.
pub fn router(app: &App) -> Router {
    let routes = Router::new()
        // For EHRs: CDS Hooks.
        .route("/hospitals/{hospital}/cds-services", get(call::discovery))
        .route("/hospitals/{hospital}/cds-services/{id}", post(call::call))
        .route("/hospitals/{hospital}/cds-services/{id}/feedback", post(feedback::receive))
        // For PACS: DICOMweb.
        .merge(dicomweb::routes())
        // For whoever reads AI results as FHIR.
        .merge(results::routes())
        // For people at a browser: images.
        .merge(viewer::routes())
        // For vendors and everybody: keys and the descriptor's schema.
        .route("/.well-known/jwks.json", get(jwks))
        .route("/schemas/service-descriptor.json", get(descriptor_schema))
        // For whoever runs the machine.
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app.clone())
        // For people and scripts that manage: /api/v1.
        .merge(api::router(app.api()).layer(from_fn_with_state(app.clone(), to_the_end)));
    middleware::wrap(routes, app)
}

/// Runs a management request in a task of its own: a caller who hangs up between a change and the catalog's renewal must
/// not leave a suspension without effect.
async fn to_the_end(State(app): State<App>, request: Request, next: Next) -> Response {
    let work = app.tasks.spawn("management", next.run(request));
    work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Own public keys (RFC 7517); vendors check the gateway's tokens with them.
async fn jwks(State(app): State<App>) -> Response {
    let kept = (header::CACHE_CONTROL, "public, max-age=300");
    ([(header::CONTENT_TYPE, "application/jwk-set+json"), kept], app.keys.jwks_json()).into_response()
}

/// The JSON Schema that registration uses.
async fn descriptor_schema() -> Response {
    let kept = (header::CACHE_CONTROL, "public, max-age=3600");
    ([(header::CONTENT_TYPE, "application/schema+json"), kept], medvan_profiles::descriptor::schema_text())
        .into_response()
}

/// The process answers: that is all that a restart could mend.
async fn alive() -> &'static str {
    "alive\n"
}

/// Calls can be answered: the store takes writes and no shutdown is under way.
async fn ready(State(app): State<App>) -> Response {
    if app.tasks.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if app.readiness.look(&app.store).await {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store takes no writes\n").into_response()
    }
}

/// Prometheus metrics. They count by hospital and service, which is nobody else's business: in production they are
/// for the operator and the governor.
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    if app.config.profile == ProfileName::Production && !api::is_office(&app.api(), &headers).await {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    app.gauge().await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics().render()).into_response()
}
