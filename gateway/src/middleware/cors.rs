//! CORS for EHRs that live in a browser (CDS Hooks item 60): preflight answers without a token, but only for the
//! origins that the hospital's clients have registered.

use http::{HeaderName, HeaderValue, Method, header, request::Parts};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{App, catalog::HospitalId};

pub(super) fn layer(app: &App) -> CorsLayer {
    let app = app.clone();
    let registered = move |origin: &HeaderValue, parts: &Parts| is_registered(&app, origin, parts);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(registered))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::RANGE,
            header::IF_NONE_MATCH,
        ])
        // What a DICOMweb client in a browser reads of an answer.
        .expose_headers([
            header::CONTENT_LOCATION,
            header::CONTENT_RANGE,
            header::ETAG,
            header::LOCATION,
            header::WARNING,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(std::time::Duration::from_secs(600))
}

fn is_registered(app: &App, origin: &HeaderValue, parts: &Parts) -> bool {
    let Some(hospital) = hospital_in(parts.uri.path()) else { return false };
    let Ok(origin) = origin.to_str() else { return false };
    app.catalog.current().hospital(&hospital).is_some_and(|view| {
        view.clients.values().any(|client| client.origins.iter().any(|registered| registered == origin))
    })
}

fn hospital_in(path: &str) -> Option<HospitalId> {
    path.strip_prefix("/hospitals/")?.split('/').next()?.parse().ok()
}
