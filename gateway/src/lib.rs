//! MedVAN (医療VAN): the gateway between hospitals and the makers of medical AI.
//!
//! ARCHITECTURE.md shows the floors, what always holds and the way of one call; [`router`](router::router) lists
//! every route. This crate is the only one that listens and stores.

pub mod api;
mod app;
pub mod apply;
pub mod archive;
mod bearer;
mod call;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decoder;
pub mod dicomweb;
pub mod dimse;
mod feedback;
mod fhir;
mod middleware;
mod outbox;
pub mod poll;
mod readiness;
mod results;
pub mod router;
pub mod server;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod trust;
mod upkeep;
mod viewer;
mod work;
mod worklist;

pub use app::{App, StartError};
