//! The gateway from outside, part by part. Whole calls between real processes are tested in the crate `tests`.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod api;
mod apply;
mod decoder;
mod dicomweb;
mod dimse;
mod priors;
mod results;
mod viewer;
