//! Usage and scorecards.

use axum::{Json, extract::State};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    Api,
    input::{Asked, At, Between},
    problem::Problem,
};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId, VersionNumber},
    store::{MarkSum, OutcomeSum, Period, UsageSum},
};

/// What was used in a period. A retried call is one use.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Usage {
    #[serde(flatten)]
    period: PeriodView,
    /// One line for each version and mode.
    lines: Vec<UsageLine>,
}

/// Uses of one version in one mode.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UsageLine {
    /// `vendor.service`.
    service: ServiceName,
    /// The version of it.
    version: VersionNumber,
    /// `live`, `shadow` or `trial`.
    mode: String,
    /// How many.
    uses: u64,
}

/// How a vendor's versions did in a period.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Scorecard {
    #[serde(flatten)]
    period: PeriodView,
    /// What the gateway noted, in whole days: calls by outcome, repairs and quarantined cards by rule.
    marks: Vec<MarkLine>,
    /// What doctors did with the cards.
    outcomes: Vec<OutcomeLine>,
}

/// How often one thing was noted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarkLine {
    /// `vendor.service`.
    service: ServiceName,
    /// The version of it.
    version: VersionNumber,
    /// What sort of thing.
    kind: String,
    /// Which of that sort; empty where there is only one.
    rule: String,
    /// How many times.
    times: u64,
}

/// How often doctors did one thing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutcomeLine {
    /// `vendor.service`.
    service: ServiceName,
    /// The version of it.
    version: VersionNumber,
    /// `accepted` or `overridden`.
    outcome: String,
    /// How many cards.
    cards: u64,
}

/// From when to when.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeriodView {
    /// The first instant.
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    /// The first instant that does not count any more.
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
}

/// What a hospital used.
#[utoipa::path(get, path = "/hospitals/{hospital}/usage", tag = "usage",
    params(("hospital" = HospitalId, Path), Between),
    responses((status = OK, description = "Uses by version and mode", body = Usage)))]
pub(super) async fn hospital_usage(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(between): Asked<Between>,
) -> Result<Json<Usage>, Problem> {
    let period = between.period(api.clock.now())?;
    let sums = api.store.usage_of_hospital(&hospital, period).await?;
    Ok(Json(usage(period, sums)))
}

/// How much a vendor's services were used.
#[utoipa::path(get, path = "/vendors/{vendor}/usage", tag = "usage", params(("vendor" = VendorId, Path), Between),
    responses((status = OK, description = "Uses by version and mode", body = Usage)))]
pub(super) async fn vendor_usage(
    State(api): State<Api>,
    At(vendor): At<VendorId>,
    Asked(between): Asked<Between>,
) -> Result<Json<Usage>, Problem> {
    let period = between.period(api.clock.now())?;
    let sums = api.store.usage_of_vendor(&vendor, period).await?;
    Ok(Json(usage(period, sums)))
}

/// How a vendor's versions did.
#[utoipa::path(get, path = "/vendors/{vendor}/scorecard", tag = "usage", params(("vendor" = VendorId, Path), Between),
    responses((status = OK, description = "Marks and outcomes by version", body = Scorecard)))]
pub(super) async fn scorecard(
    State(api): State<Api>,
    At(vendor): At<VendorId>,
    Asked(between): Asked<Between>,
) -> Result<Json<Scorecard>, Problem> {
    let period = between.period(api.clock.now())?;
    let marks = api.store.marks_of_vendor(&vendor, period).await?.into_iter().map(MarkLine::from).collect();
    let outcomes = api.store.outcomes_of_vendor(&vendor, period).await?.into_iter().map(OutcomeLine::from).collect();
    Ok(Json(Scorecard { period: period.into(), marks, outcomes }))
}

fn usage(period: Period, sums: Vec<UsageSum>) -> Usage {
    Usage { period: period.into(), lines: sums.into_iter().map(UsageLine::from).collect() }
}

impl From<Period> for PeriodView {
    fn from(Period { from, until }: Period) -> Self {
        Self { from, until }
    }
}

impl From<UsageSum> for UsageLine {
    fn from(UsageSum { service, version, mode, uses }: UsageSum) -> Self {
        Self { service, version, mode, uses }
    }
}

impl From<MarkSum> for MarkLine {
    fn from(MarkSum { service, version, kind, rule, times }: MarkSum) -> Self {
        Self { service, version, kind, rule, times }
    }
}

impl From<OutcomeSum> for OutcomeLine {
    fn from(OutcomeSum { service, version, outcome, cards }: OutcomeSum) -> Self {
        Self { service, version, outcome, cards }
    }
}
