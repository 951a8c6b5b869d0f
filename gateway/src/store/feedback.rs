//! What doctors did with cards, and the outbox by which vendors learn of it.
//!
//! The outcome and its delivery are written in one transaction. A delivery is claimed with a lease: a process that
//! dies with it loses it when the lease ends, so it is delivered at least once. The EHR may send the same outcome
//! twice: it is kept, and delivered, once.

use aws_lc_rs::digest::{SHA256, digest};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Store, StoreError,
    catalog::Page,
    column::{count, instant, instant_if_any, parsed, service_name},
    hex, image_cards,
    instant::micros,
};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId, VersionNumber},
    trust::Recipient,
};

const CLAIM: &str = "WITH held AS (SELECT vendor, count(*) AS many FROM outbox \
     WHERE state = 'waiting' AND lease_until > $2 GROUP BY vendor), \
     due AS (SELECT id, vendor, next_at, row_number() OVER (PARTITION BY vendor ORDER BY next_at, id) AS place \
     FROM outbox WHERE state = 'waiting' AND next_at <= $2 AND lease_until <= $2) \
     UPDATE outbox SET lease_until = $1, attempts = attempts + 1 WHERE id IN \
     (SELECT due.id FROM due LEFT JOIN held ON held.vendor = due.vendor \
     WHERE due.place + coalesce(held.many, 0) <= $3 ORDER BY due.next_at, due.id LIMIT $4) \
     RETURNING id, hospital, vendor, service, number, cds_id, url, audience, algorithm, body, attempts";

/// One outcome of one card.
#[derive(Debug, Clone)]
pub struct FeedbackRow {
    /// The exchange that the card went out with.
    pub exchange: Uuid,
    /// The card, by the id that the EHR saw.
    pub card: Uuid,
    /// The service that made the card.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// Its CDS service id at the vendor.
    pub cds_id: String,
    /// `accepted` or `overridden`.
    pub outcome: String,
    /// The outcome as JSON, with the vendor's own ids.
    pub document: String,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// The job of the analysis that the card told of, where it was such a card: somebody has seen it now.
    pub analysis: Option<Uuid>,
    /// Where it goes; none for a vendor without an endpoint for it.
    pub delivery: Option<Delivery>,
}

/// Where an outcome goes.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The vendor's endpoint.
    pub url: String,
    /// Whom the token that goes with it is for; none for a vendor that wants no token.
    pub token: Option<Recipient>,
    /// The request's body.
    pub body: String,
}

/// A delivery that this process holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id, the same as the feedback's.
    pub id: Uuid,
    /// The hospital whose doctor it was.
    pub hospital: HospitalId,
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// Its CDS service id at the vendor.
    pub cds_id: String,
    /// Where it goes.
    pub delivery: Delivery,
    /// Which attempt this is, from 1.
    pub attempt: u64,
}

/// One outcome as it was stored.
#[derive(Debug, Clone)]
pub struct StoredFeedback {
    /// Its id; ids sort by time.
    pub id: Uuid,
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// Its CDS service id at the vendor.
    pub cds_id: String,
    /// `accepted` or `overridden`.
    pub outcome: String,
    /// The outcome as JSON, with the vendor's own ids.
    pub document: String,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// When the vendor took it.
    pub delivered_at: Option<OffsetDateTime>,
}

impl Store {
    /// Keeps outcomes of cards of this hospital, and their deliveries. Says how many were new.
    ///
    /// # Errors
    /// The database does not take it; then nothing was kept.
    pub async fn feedback(&self, hospital: &HospitalId, rows: &[FeedbackRow]) -> Result<usize, StoreError> {
        let mut db = self.write().await?;
        let mut new = 0;
        for row in rows {
            let id = Uuid::now_v7();
            if let Some(job) = row.analysis {
                image_cards::seen(&mut db, hospital, job, row.received_at).await?;
            }
            if keep(&mut db, hospital, id, row).await? {
                new += 1;
                if let Some(delivery) = &row.delivery {
                    enqueue(&mut db, hospital, id, row, delivery).await?;
                }
            }
        }
        db.commit().await?;
        Ok(new)
    }

    /// Takes due deliveries, each for as long as the lease: `limit` in all, and so many that no vendor has more than
    /// `per_vendor` under lease. One vendor that hangs leaves the places of the others free. What is for a
    /// suspended version is held until it is reinstated.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_outbox(
        &self,
        now: OffsetDateTime,
        lease: Duration,
        limit: usize,
        per_vendor: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut db = self.write().await?;
        let rows = sqlx::query(CLAIM)
            .bind(micros(now + lease))
            .bind(micros(now))
            .bind(i64::from(per_vendor))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *db)
            .await?;
        let mut held = Vec::with_capacity(rows.len());
        for row in &rows {
            match claimed(row) {
                Ok(claimed) => held.push(claimed),
                Err(error) => set_aside(&mut db, row, &error).await?,
            }
        }
        db.commit().await?;
        Ok(held)
    }

    /// The vendor took it.
    ///
    /// # Errors
    /// The database does not take it; the delivery is then repeated.
    pub async fn delivered(&self, id: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id.to_string()).execute(&mut *db).await?;
        sqlx::query("UPDATE feedback SET delivered_at = $1 WHERE id = $2")
            .bind(micros(now))
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// The vendor has no endpoint for it: nothing more is tried, and nobody took it.
    ///
    /// # Errors
    /// The database does not take it; the delivery is then repeated.
    pub async fn not_wanted(&self, id: Uuid) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id.to_string()).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// It did not work; again at `next_at`.
    ///
    /// # Errors
    /// The database does not take it; the delivery is then repeated when its lease ends.
    pub async fn deliver_later(&self, id: Uuid, next_at: OffsetDateTime, fault: &str) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE outbox SET next_at = $1, lease_until = 0, last_fault = $2 WHERE id = $3")
            .bind(micros(next_at))
            .bind(fault)
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// It will not work. It is kept to be looked at, and the outcome stays readable for the vendor.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn undeliverable(&self, id: Uuid, fault: &str) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE outbox SET state = 'dead', last_fault = $1 WHERE id = $2")
            .bind(fault)
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// How many deliveries wait (held ones too) and how many are dead.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn outbox_depth(&self) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(sum(CASE WHEN state IN ('waiting', 'held') THEN 1 ELSE 0 END), 0) AS waiting, \
             coalesce(sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS dead FROM outbox",
        )
        .fetch_one(self.readers())
        .await?;
        Ok((count(&row, "waiting")?, count(&row, "dead")?))
    }

    /// Outcomes of a vendor's cards, oldest first. The hospital is not named: it is none of the vendor's business.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn feedback_of(&self, vendor: &VendorId, page: Page<'_>) -> Result<Vec<StoredFeedback>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, vendor, service, number, cds_id, outcome, document, received_at, delivered_at \
             FROM feedback WHERE vendor = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(vendor.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored_feedback).collect()
    }
}

async fn keep(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    id: Uuid,
    row: &FeedbackRow,
) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query(
        "INSERT INTO feedback (id, hospital, exchange, card, vendor, service, number, cds_id, outcome, document, \
         digest, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(id.to_string())
    .bind(hospital.as_str())
    .bind(row.exchange.to_string())
    .bind(row.card.to_string())
    .bind(row.service.vendor.as_str())
    .bind(row.service.service.as_str())
    .bind(row.version.to_string())
    .bind(&row.cds_id)
    .bind(&row.outcome)
    .bind(&row.document)
    .bind(hex(digest(&SHA256, row.document.as_bytes()).as_ref()))
    .bind(micros(row.received_at))
    .execute(db)
    .await?;
    Ok(kept.rows_affected() == 1)
}

async fn enqueue(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    id: Uuid,
    row: &FeedbackRow,
    delivery: &Delivery,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO outbox (id, hospital, vendor, service, number, cds_id, url, audience, algorithm, body, state, \
         attempts, next_at, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
         CASE (SELECT state FROM versions WHERE vendor = $3 AND service = $4 AND number = $5) \
         WHEN 'approved' THEN 'waiting' WHEN 'suspended' THEN 'held' ELSE 'dead' END, 0, $11, 0)",
    )
    .bind(id.to_string())
    .bind(hospital.as_str())
    .bind(row.service.vendor.as_str())
    .bind(row.service.service.as_str())
    .bind(row.version.to_string())
    .bind(&row.cds_id)
    .bind(&delivery.url)
    // The column knows no NULL: empty is none.
    .bind(delivery.token.as_ref().map_or("", |to| &to.audience))
    .bind(delivery.token.as_ref().map_or("", |to| to.algorithm.name()))
    .bind(&delivery.body)
    .bind(micros(row.received_at))
    .execute(db)
    .await?;
    Ok(())
}

/// A row that cannot be read is nobody's to deliver; its neighbours are.
async fn set_aside(db: &mut SqliteConnection, row: &SqliteRow, error: &StoreError) -> Result<(), sqlx::Error> {
    let id: &str = row.try_get("id")?;
    tracing::error!(%error, id, "a delivery cannot be read and was set aside");
    sqlx::query("UPDATE outbox SET state = 'dead', last_fault = $1 WHERE id = $2")
        .bind(error.to_string())
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

fn claimed(row: &SqliteRow) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        id: parsed(row, "id", "delivery id")?,
        hospital: parsed(row, "hospital", "hospital id")?,
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        cds_id: row.try_get("cds_id")?,
        delivery: Delivery { url: row.try_get("url")?, token: recipient(row)?, body: row.try_get("body")? },
        attempt: count(row, "attempts")?,
    })
}

fn recipient(row: &SqliteRow) -> Result<Option<Recipient>, StoreError> {
    let audience: String = row.try_get("audience")?;
    if audience.is_empty() {
        return Ok(None);
    }
    Ok(Some(Recipient { audience, algorithm: parsed(row, "algorithm", "algorithm")? }))
}

fn stored_feedback(row: &SqliteRow) -> Result<StoredFeedback, StoreError> {
    Ok(StoredFeedback {
        id: parsed(row, "id", "feedback id")?,
        service: service_name(row)?,
        version: parsed(row, "number", "version")?,
        cds_id: row.try_get("cds_id")?,
        outcome: row.try_get("outcome")?,
        document: row.try_get("document")?,
        received_at: instant(row, "received_at")?,
        delivered_at: instant_if_any(row, "delivered_at")?,
    })
}
