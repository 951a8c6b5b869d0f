//! The management API under `/api/v1`: the catalog, the governor's decisions, records, usage, credentials.
//!
//! A request meets, in this order: [`access`] (who, may they, is it theirs), [`input`] (path, query, body), one short
//! handler, the [store](crate::store). A change is in the catalog that calls see before the API says that it was made.
//! Who may do what stands in [`rights::RIGHTS`] and nowhere else. The document at `/api/v1/openapi.json` is made from the
//! handlers and that table.

mod access;
mod clients;
pub mod credential;
mod credentials;
mod discovery;
mod document;
mod enrollments;
mod exchanges;
mod feedback;
mod hospitals;
mod input;
mod jobs;
mod matching;
mod nodes;
pub mod problem;
pub mod rights;
mod services;
pub mod shape;
mod sums;
mod vendors;
mod versions;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{StatusCode, header},
    middleware,
    routing::get,
};
use medvan_adapters::http::Guard;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    archive::Archive,
    catalog::Catalog,
    clock::Clock,
    dicomweb::Origins,
    dimse::Network,
    poll::Reader,
    store::{Store, Written},
};
pub(crate) use access::{is_office, vendor};
pub use credential::{CredentialError, first_credentials};
pub(crate) use input::{Asked, At, Listed};
pub(crate) use jobs::{JobSearch, JobView, JobsInView, list as jobs, summary as jobs_in_states};
pub(crate) use matching::{MatchingView, explain as matching};
use problem::{Kind, Problem};

/// Where the API begins.
pub(crate) const BASE: &str = "/api/v1";

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct Api {
    /// What is stored.
    pub store: Store,
    /// Images.
    pub archive: Archive,
    /// What calls see of it.
    pub catalog: Catalog,
    /// The time.
    pub clock: Clock,
    /// Which URLs of hospitals' systems may be registered; vendors' are judged by `discovery`.
    pub guard: Guard,
    /// Reads vendors' discovery documents.
    pub discovery: Reader,
    /// The way to hospitals' DICOM nodes.
    pub nodes: Network,
    /// The way to those of their systems that are called by DICOMweb.
    pub origins: Origins,
}

/// The API's routes, complete with access control.
pub fn router(api: Api) -> Router {
    let (routes, document) = operations().split_for_parts();
    let document: Arc<str> = document::finished(document).to_json().unwrap_or_default().into();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], document.to_string()) };
    let guarded = routes
        .layer(DefaultBodyLimit::max(1 << 20))
        .route_layer(middleware::from_fn_with_state(api.clone(), access::admit))
        .method_not_allowed_fallback(|| async { Problem::bare(Kind::MethodNotAllowed) })
        .with_state(api);
    Router::new()
        .nest(BASE, guarded.route("/openapi.json", get(document)).fallback(|| async { Problem::bare(Kind::NotFound) }))
}

/// The API's document (OpenAPI 3.1).
pub fn document() -> OpenApi {
    document::finished(operations().into_openapi())
}

fn operations() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(hospitals::list))
        .routes(routes!(hospitals::read, hospitals::write, hospitals::delete))
        .routes(routes!(nodes::echo))
        .routes(routes!(nodes::send))
        .routes(routes!(nodes::given_up))
        .routes(routes!(nodes::retry))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::summary))
        .routes(routes!(jobs::read))
        .routes(routes!(jobs::retry))
        .routes(routes!(matching::explain, matching::again))
        .routes(routes!(matching::try_out))
        .routes(routes!(clients::list))
        .routes(routes!(clients::read, clients::write, clients::delete))
        .routes(routes!(enrollments::list))
        .routes(routes!(enrollments::read, enrollments::write, enrollments::delete))
        .routes(routes!(exchanges::list))
        .routes(routes!(exchanges::read))
        .routes(routes!(services::list))
        .routes(routes!(vendors::list))
        .routes(routes!(vendors::read, vendors::write, vendors::delete))
        .routes(routes!(versions::list))
        .routes(routes!(versions::read, versions::write))
        .routes(routes!(versions::submit))
        .routes(routes!(versions::decide))
        .routes(routes!(versions::history))
        .routes(routes!(discovery::read, discovery::refresh))
        .routes(routes!(sums::hospital_usage))
        .routes(routes!(sums::vendor_usage))
        .routes(routes!(sums::scorecard))
        .routes(routes!(jobs::of_vendor))
        .routes(routes!(feedback::list))
        .routes(routes!(credentials::list, credentials::issue))
        .routes(routes!(credentials::revoke))
}

/// A body whose `Content-Encoding` nobody here can unpack.
pub(crate) fn unknown_encoding() -> Problem {
    Problem::new(
        Kind::MediaType,
        "the body's Content-Encoding is not known here; send it plain, with gzip or with deflate",
    )
}

/// 201 for a new object, 200 for a changed or unchanged one.
const fn status_of(written: Written) -> StatusCode {
    match written {
        Written::Created => StatusCode::CREATED,
        Written::Changed | Written::Unchanged => StatusCode::OK,
    }
}

fn deleted(there_was_one: bool, thing: &str) -> Result<StatusCode, Problem> {
    if there_was_one { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::no_such(thing)) }
}

fn faultless(faults: Vec<medvan_profiles::descriptor::Fault>) -> Result<(), Problem> {
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}
