//! For a person at a browser: `/viewer`, hospitals, studies and images without any install; and the OHIF viewer at `/ohif/`
//! once `medvan viewer install` has put it into the data folder.
//!
//! Both are files that ask the hospital's DICOMweb root for everything, as any other client would: nothing of a patient
//! is in them. What AI services do with the images is told beside them ([`work`]). Sign-in for people comes with the portal; until then they answer on the loopback profile only
//! ([`this_machine`]).

pub(crate) mod install;
mod language;
mod ohif;
mod pages;
mod this_machine;
mod work;

pub(crate) use language::Language;

use axum::{Router, response::Redirect, routing::get};

use crate::App;

/// The routes of both viewers.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/viewer", get(pages::page))
        .route("/viewer/", get(|| async { Redirect::permanent("/viewer") }))
        .route("/viewer/hospitals.json", get(pages::hospitals))
        .route("/viewer/{asset}", get(pages::asset))
        .route("/viewer/hospitals/{hospital}/jobs", get(work::jobs))
        .route("/viewer/hospitals/{hospital}/jobs/summary", get(work::summary))
        .route("/viewer/hospitals/{hospital}/studies/{study}/matching", get(work::matching))
        .route("/ohif", get(|| async { Redirect::permanent(ohif::BASE) }))
        .route(ohif::BASE, get(ohif::file))
        .route("/ohif/app-config.js", get(ohif::app_config))
        .route("/ohif/{*path}", get(ohif::file))
}
