//! The DICOMweb origin server, by HTTP, as systems of a hospital see it (PS3.18; the rows of `imaging/requirements.md`).

mod access;
pub(crate) mod instances;
mod many;
mod negotiation;
mod notifications;
pub(crate) mod pacs;
mod retrieving;
mod searching;
mod storing;
mod subscriptions;
mod uri;
mod workitems;
