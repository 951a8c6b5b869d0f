//! The DICOMweb origin server of each hospital (PS3.18), below `/hospitals/{hospital}/dicom-web`.
//!
//! What a vendor may read and write inside its own jobs stands below `/vendors/{vendor}/dicom-web` ([`vendor`]).
//!
//! One file for each transaction; what they share stands beside them: what every request begins with ([`ask`], [`caller`]), why not ([`refusal`]),
//! what is acceptable ([`negotiation`]), and how bytes leave ([`outgoing`], [`instance`]).

mod ask;
mod bulkdata;
mod caller;
mod capabilities;
mod decoded;
mod description;
mod documents;
mod drawing;
mod each;
mod frames;
mod incoming;
mod instance;
mod metadata;
mod negotiation;
mod notifications;
mod origin;
mod outgoing;
mod range;
mod refusal;
mod rendered;
mod resource;
mod retrieve;
mod search;
mod store;
mod subscriptions;
mod uri;
mod vendor;
mod walk;
mod workitems;
mod zip;

pub(crate) use capabilities::on_options;
pub(crate) use drawing::{picture, values};
pub use origin::Origins;
pub(crate) use resource::{gateway_base, root};

use axum::{
    Router,
    routing::{get, post, put},
};
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use tower_http::{
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
    set_header::SetResponseHeaderLayer,
};

use crate::App;

/// The routes of each hospital's DICOMweb root, and of each vendor's.
pub(crate) fn routes() -> Router<App> {
    let below = |rest: &str| format!("/hospitals/{{hospital}}/dicom-web{rest}");
    let (study, series) = ("/studies/{study}", "/studies/{study}/series/{series}");
    let instance = "/studies/{study}/series/{series}/instances/{instance}";
    let frames = "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}";
    let mut router = Router::new()
        .route(&below("/studies"), get(search::studies).post(store::store))
        .route(&below("/studies/{study}"), get(retrieve::retrieve).post(store::store))
        .route(&below("/series"), get(search::series))
        .route(&below("/instances"), get(search::instances))
        .route(&below("/studies/{study}/series"), get(search::series))
        .route(&below("/studies/{study}/instances"), get(search::instances))
        .route(&below("/studies/{study}/series/{series}/instances"), get(search::instances))
        .route(&below(series), get(retrieve::retrieve))
        .route(&below(instance), get(retrieve::retrieve))
        .route(&below(frames), get(frames::some))
        .route(&below(&format!("{frames}/rendered")), get(rendered::rendered))
        .route(&below(&format!("{frames}/thumbnail")), get(rendered::thumbnail))
        .route(&below(&format!("{instance}/bulkdata/{{path}}")), get(bulkdata::one))
        .route(&below("/workitems"), get(workitems::search).post(workitems::create))
        .route(&below("/workitems/{workitem}"), get(workitems::retrieve).post(workitems::update))
        .route(&below("/workitems/{workitem}/state"), put(workitems::change_state))
        .route(&below("/workitems/{workitem}/cancelrequest"), post(workitems::request_cancel))
        .route(
            &below("/workitems/{workitem}/subscribers/{aetitle}"),
            post(subscriptions::subscribe).delete(subscriptions::unsubscribe),
        )
        .route(&below("/workitems/{workitem}/subscribers/{aetitle}/suspend"), post(subscriptions::suspend))
        .route(&below("/subscribers/{aetitle}"), get(notifications::open));
    for level in [study, series, instance] {
        router = router
            .route(&below(&format!("{level}/metadata")), get(metadata::metadata))
            .route(&below(&format!("{level}/bulkdata")), get(bulkdata::all))
            .route(&below(&format!("{level}/pixeldata")), get(frames::pixel_data))
            .route(&below(&format!("{level}/rendered")), get(rendered::rendered))
            .route(&below(&format!("{level}/thumbnail")), get(rendered::thumbnail));
    }
    router
        .route("/hospitals/{hospital}/wado", get(uri::wado))
        .merge(vendor::routes())
        // Whoever keeps an answer must know that another Accept has another one (RFC 9110 §12.5.5).
        .layer(gzip())
        .layer(SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("accept")))
}

/// Text leaves compressed for whoever accepts that; pixels would cost much and shrink little.
fn gzip() -> CompressionLayer<impl Predicate> {
    let is_text = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ["application/dicom+json", "application/json", "application/dicom+xml", "text/"]
            .iter()
            .any(|text| media.starts_with(text) || media.contains("type=\"application/dicom+xml"))
    };
    CompressionLayer::new().gzip(true).compress_when(SizeAbove::new(1_024).and(is_text))
}
