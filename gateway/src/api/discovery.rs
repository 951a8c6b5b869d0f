//! `…/versions/{version}/discovery`: how a vendor's discovery departs from what it registered.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{Api, input::At, problem::Problem, versions::Named};
use crate::{
    catalog::{ServiceId, ServiceName, VendorId, VersionNumber},
    store::Reading,
};

/// The last reading of a vendor's discovery document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DriftReport {
    /// When it was read.
    #[serde(with = "time::serde::rfc3339")]
    read_at: OffsetDateTime,
    /// Why it could not be read this time; the rest is then of an earlier reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// How it departs from the registered descriptor. None of it takes effect by being published.
    changes: Value,
    /// Where the document departs from CDS Hooks.
    defects: Value,
    /// The services that it names.
    services: Value,
}

/// The last reading of a version's discovery.
#[utoipa::path(get, path = "/vendors/{vendor}/services/{service}/versions/{version}/discovery", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    responses((status = OK, description = "The last reading", body = DriftReport)))]
pub(super) async fn read(
    State(api): State<Api>,
    At((vendor, service, number)): At<Named>,
) -> Result<Json<DriftReport>, Problem> {
    let reading = api.store.reading(&ServiceName::new(vendor, service), &number).await?;
    reading.map(|reading| Json(reading.into())).ok_or_else(|| Problem::no_such("reading"))
}

/// Read a version's discovery now.
#[utoipa::path(post, path = "/vendors/{vendor}/services/{service}/versions/{version}/discovery", tag = "versions",
    params(("vendor" = VendorId, Path), ("service" = ServiceId, Path), ("version" = VersionNumber, Path)),
    responses((status = OK, description = "What it said, or why it could not be read", body = DriftReport)))]
pub(super) async fn refresh(
    State(api): State<Api>,
    At((vendor, service, number)): At<Named>,
) -> Result<Json<DriftReport>, Problem> {
    let version = api.store.version(&ServiceName::new(vendor, service), &number).await?;
    let version = version.ok_or_else(|| Problem::no_such("version"))?;
    Ok(Json(api.discovery.read(&version).await?.into()))
}

impl From<Reading> for DriftReport {
    fn from(reading: Reading) -> Self {
        let Reading { changes, defects, fault, read_at, document: services, .. } = reading;
        Self { read_at, fault, changes, defects, services }
    }
}
