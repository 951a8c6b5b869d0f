//! The DICOMweb origin server of each hospital (PS3.18), below `/hospitals/{hospital}/dicom-web`.
//!
//! One file for each transaction; what they share stands beside them: what every request begins with ([`ask`], [`caller`]), why not ([`refusal`]),
//! what is acceptable ([`negotiation`]), and how bytes leave ([`outgoing`], [`instance`]).

mod ask;
mod bulkdata;
mod caller;
mod capabilities;
mod decoded;
mod description;
mod frames;
mod incoming;
mod instance;
mod metadata;
mod negotiation;
mod outgoing;
mod range;
mod refusal;
mod rendered;
mod resource;
mod retrieve;
mod search;
mod store;
mod uri;

pub(crate) use capabilities::on_options;

use axum::{Router, routing::get};
use http::{HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;

/// The routes of a hospital's DICOMweb root.
pub(crate) fn routes() -> Router<App> {
    let below = |rest: &str| format!("/hospitals/{{hospital}}/dicom-web{rest}");
    Router::new()
        .route(&below("/studies"), get(search::studies).post(store::store))
        .route(&below("/studies/{study}"), get(retrieve::retrieve).post(store::store))
        .route(&below("/series"), get(search::series))
        .route(&below("/instances"), get(search::instances))
        .route(&below("/studies/{study}/series"), get(search::series))
        .route(&below("/studies/{study}/instances"), get(search::instances))
        .route(&below("/studies/{study}/series/{series}/instances"), get(search::instances))
        .route(&below("/studies/{study}/series/{series}"), get(retrieve::retrieve))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}"), get(retrieve::retrieve))
        .route(&below("/studies/{study}/metadata"), get(metadata::metadata))
        .route(&below("/studies/{study}/series/{series}/metadata"), get(metadata::metadata))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/metadata"), get(metadata::metadata))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}"), get(bulkdata::one))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}"), get(frames::some))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/pixeldata"), get(frames::pixel_data))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/rendered"), get(rendered::rendered))
        .route(
            &below("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered"),
            get(rendered::rendered),
        )
        .route(&below("/studies/{study}/thumbnail"), get(rendered::thumbnail))
        .route(&below("/studies/{study}/series/{series}/thumbnail"), get(rendered::thumbnail))
        .route(&below("/studies/{study}/series/{series}/instances/{instance}/thumbnail"), get(rendered::thumbnail))
        .route(
            &below("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail"),
            get(rendered::thumbnail),
        )
        .route("/hospitals/{hospital}/wado", get(uri::wado))
        // Whoever keeps an answer must know that another Accept has another one (RFC 9110 §12.5.5).
        .layer(SetResponseHeaderLayer::appending(header::VARY, HeaderValue::from_static("accept")))
}
