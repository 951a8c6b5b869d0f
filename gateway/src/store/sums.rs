//! Sums over exchanges: uses for the meter, marks for the scorecard.

use sqlx::{Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{
    Store, StoreError,
    column::{count, parsed, service_name},
    instant::{day, micros},
};
use crate::catalog::{HospitalId, ServiceName, VendorId, VersionNumber};

pub(super) const USAGE_OF_VENDOR: &str = "SELECT vendor, service, number, mode, count(*) AS uses FROM usage \
     WHERE vendor = $1 AND at >= $2 AND at < $3 \
     GROUP BY vendor, service, number, mode ORDER BY vendor, service, number, mode";
pub(super) const OUTCOMES_OF_VENDOR: &str = "SELECT vendor, service, number, outcome, count(*) AS cards FROM feedback \
     WHERE vendor = $1 AND received_at >= $2 AND received_at < $3 \
     GROUP BY vendor, service, number, outcome ORDER BY vendor, service, number, outcome";

/// From when (inclusive) to when (exclusive).
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// The first instant.
    pub from: OffsetDateTime,
    /// The first instant after it.
    pub until: OffsetDateTime,
}

/// Uses of one version in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSum {
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// `live`, `shadow` or `trial`.
    pub mode: String,
    /// How many.
    pub uses: u64,
}

/// Marks of one sort at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkSum {
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// What sort of thing.
    pub kind: String,
    /// Which of that sort.
    pub rule: String,
    /// How many.
    pub times: u64,
}

/// What doctors did with the cards of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeSum {
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// `accepted` or `overridden`.
    pub outcome: String,
    /// How many cards.
    pub cards: u64,
}

impl Store {
    /// What this hospital used.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn usage_of_hospital(&self, hospital: &HospitalId, period: Period) -> Result<Vec<UsageSum>, StoreError> {
        let rows = sqlx::query(
            "SELECT vendor, service, number, mode, count(*) AS uses FROM usage \
             WHERE hospital = $1 AND at >= $2 AND at < $3 \
             GROUP BY vendor, service, number, mode ORDER BY vendor, service, number, mode",
        )
        .bind(hospital.as_str())
        .bind(micros(period.from))
        .bind(micros(period.until))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(usage_sum).collect()
    }

    /// How much this vendor's services were used, by all hospitals together.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn usage_of_vendor(&self, vendor: &VendorId, period: Period) -> Result<Vec<UsageSum>, StoreError> {
        let rows = sqlx::query(USAGE_OF_VENDOR)
            .bind(vendor.as_str())
            .bind(micros(period.from))
            .bind(micros(period.until))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(usage_sum).collect()
    }

    /// What was noted about this vendor's answers, in whole days (UTC) that the period touches.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn marks_of_vendor(&self, vendor: &VendorId, period: Period) -> Result<Vec<MarkSum>, StoreError> {
        let rows = sqlx::query(
            "SELECT vendor, service, number, kind, rule, sum(times) AS times FROM marks \
             WHERE vendor = $1 AND day >= $2 AND day <= $3 \
             GROUP BY vendor, service, number, kind, rule ORDER BY vendor, service, number, kind, rule",
        )
        .bind(vendor.as_str())
        .bind(day(period.from))
        .bind(day(period.until))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(mark_sum).collect()
    }

    /// What doctors did with this vendor's cards, at all hospitals together.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn outcomes_of_vendor(&self, vendor: &VendorId, period: Period) -> Result<Vec<OutcomeSum>, StoreError> {
        let rows = sqlx::query(OUTCOMES_OF_VENDOR)
            .bind(vendor.as_str())
            .bind(micros(period.from))
            .bind(micros(period.until))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(outcome_sum).collect()
    }
}

fn outcome_sum(row: &SqliteRow) -> Result<OutcomeSum, StoreError> {
    Ok(OutcomeSum {
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        outcome: row.try_get("outcome")?,
        cards: count(row, "cards")?,
    })
}

fn usage_sum(row: &SqliteRow) -> Result<UsageSum, StoreError> {
    Ok(UsageSum {
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        mode: row.try_get("mode")?,
        uses: count(row, "uses")?,
    })
}

fn mark_sum(row: &SqliteRow) -> Result<MarkSum, StoreError> {
    Ok(MarkSum {
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        kind: row.try_get("kind")?,
        rule: row.try_get("rule")?,
        times: count(row, "times")?,
    })
}
