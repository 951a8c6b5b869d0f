//! What one call leaves behind, and how it is read again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Store, StoreError,
    column::{instant, parsed, service_name},
    commit::CallWork,
    instant::micros,
};
use crate::{
    catalog::{ClientId, HospitalId, ImageMember, ServiceName, VersionNumber},
    trust::jwt::SKEW_SECONDS,
};

/// The one record of an exchange. It holds no clinical content.
#[derive(Debug, Clone)]
pub struct ExchangeRecord {
    /// Its id, a UUID of version 7: ids sort by time.
    pub id: Uuid,
    /// Whose call it was.
    pub hospital: HospitalId,
    /// Which system called.
    pub client: ClientId,
    /// The hook.
    pub hook: String,
    /// The CDS service id that was called.
    pub offer: String,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How long the answer took, in microseconds.
    pub duration_us: u64,
    /// Who was asked, what each was sent (keys and states), what was repaired, suppressed and why.
    pub explanation: String,
    /// Whether it asked for a place in a trial, which its record settles.
    pub on_trial: bool,
    /// The token that must not come again.
    pub replay: Option<Replay>,
    /// The cards that went out.
    pub cards: Vec<IssuedCard>,
    /// The uses to count.
    pub usage: Vec<UsageRow>,
    /// What was noted about each version.
    pub marks: Vec<Mark>,
}

/// One token that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replay {
    /// At which hospital.
    pub hospital: HospitalId,
    /// Its `iss`.
    pub issuer: String,
    /// Its `jti`.
    pub jti: String,
    /// Its `exp`: [`SKEW_SECONDS`] later it is refused anyway.
    pub expires_at: OffsetDateTime,
}

/// One card that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCard {
    /// The id that the EHR saw.
    pub id: Uuid,
    /// The service that made it.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// Its CDS service id at the vendor.
    pub cds_id: String,
    /// The vendor's own id, if it gave one.
    pub vendor_id: Option<String>,
    /// Its suggestions.
    pub suggestions: Vec<IssuedSuggestion>,
}

impl IssuedCard {
    /// The job of the analysis that it tells of, where it is such a card.
    pub fn analysis(&self) -> Option<Uuid> {
        let id = self.vendor_id.as_deref().filter(|_| self.cds_id.starts_with(ImageMember::CDS_ID))?;
        Uuid::try_parse(id).ok()
    }
}

/// One suggestion of a card that went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedSuggestion {
    /// The id that the EHR saw.
    pub id: Uuid,
    /// The vendor's own id, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<String>,
}

/// An issued card with the exchange that it went out with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardOrigin {
    /// The exchange.
    pub exchange: Uuid,
    /// The CDS service id that was called.
    pub offer: String,
    /// The card.
    pub card: IssuedCard,
}

/// One use to count, unless the same key was counted within the retry window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UsageRow {
    /// A digest of what makes two calls the same call.
    pub key: [u8; 32],
    /// The service used.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// `live`, `shadow` or `trial`.
    pub mode: &'static str,
}

/// Something noted about a version's answer: `("repaired", rule)`, `("asked", "timed-out")`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The service.
    pub service: ServiceName,
    /// The version of it.
    pub version: VersionNumber,
    /// What sort of thing.
    pub kind: &'static str,
    /// Which of that sort.
    pub rule: String,
    /// How many times.
    pub times: u32,
}

/// A wish to use a service on trial.
#[derive(Debug, Clone)]
pub struct TrialAsk {
    /// The exchange that wants to. Its record settles the promise.
    pub exchange: Uuid,
    /// The hospital on trial.
    pub hospital: HospitalId,
    /// The service.
    pub service: ServiceName,
    /// The key under which the use will be counted: a retry needs no second place.
    pub key: [u8; 32],
    /// How many uses the trial has.
    pub quota: u32,
    /// The time.
    pub now: OffsetDateTime,
    /// From when on the place is held for a while, if no record comes: now, or when long work shall be over.
    pub held_from: OffsetDateTime,
}

/// What became known of an exchange after its record was written: a late answer, a comparison with a shadow.
#[derive(Debug, Clone)]
pub struct Addendum {
    /// The exchange.
    pub exchange: Uuid,
    /// When it became known.
    pub at: OffsetDateTime,
    /// What sort of thing.
    pub kind: &'static str,
    /// The thing. It holds no clinical content.
    pub note: Value,
    /// The use to count, if only now it is known to be one.
    pub usage: Option<UsageRow>,
    /// What it adds to the version's scorecard.
    pub marks: Vec<Mark>,
}

/// An addendum as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAddendum {
    /// When it became known.
    pub at: OffsetDateTime,
    /// What sort of thing.
    pub kind: String,
    /// The thing.
    pub note: Value,
}

/// An exchange as it was recorded.
#[derive(Debug, Clone)]
pub struct StoredExchange {
    /// Its id.
    pub id: Uuid,
    /// Which system called.
    pub client: String,
    /// The hook.
    pub hook: String,
    /// The CDS service id that was called.
    pub offer: String,
    /// When it came.
    pub received_at: OffsetDateTime,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How long the answer took, in microseconds.
    pub duration_us: u64,
    /// The explanation.
    pub explanation: Value,
}

impl Store {
    /// Writes the record of an exchange. When this returns `Ok`, it survives the process and the power.
    pub async fn record(&self, record: ExchangeRecord) -> Result<(), StoreError> {
        self.0.commits.commit(CallWork::record(record)).await.map(|_| ())
    }

    /// Adds to an exchange of this hospital what became known later.
    ///
    /// # Errors
    /// It was not written.
    pub async fn append(&self, hospital: &HospitalId, addendum: Addendum) -> Result<(), StoreError> {
        self.0.commits.commit(CallWork::Append(hospital.clone(), addendum)).await.map(|_| ())
    }

    /// What was added to an exchange of this hospital, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn addenda(&self, hospital: &HospitalId, exchange: Uuid) -> Result<Vec<StoredAddendum>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, kind, note FROM addenda WHERE hospital = $1 AND exchange = $2 ORDER BY id LIMIT 1000",
        )
        .bind(hospital.as_str())
        .bind(exchange.to_string())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored_addendum).collect()
    }

    /// Promises a use on trial. `false`: the quota is used up. Parallel calls never get more places than there are.
    pub async fn admit_trial(&self, ask: TrialAsk) -> Result<bool, StoreError> {
        self.0.commits.commit(CallWork::Admit(ask)).await
    }

    /// Where these cards came from; cards of other hospitals are unknown.
    pub async fn issued_cards(&self, hospital: &HospitalId, ids: &[Uuid]) -> Result<Vec<CardOrigin>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT card, exchange, offer, vendor, service, number, cds_id, vendor_card, suggestions \
             FROM issued_cards WHERE hospital = ",
        );
        query.push_bind(hospital.as_str()).push(" AND card IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.to_string());
        }
        query.push(") ORDER BY card, vendor, service, cds_id");
        let rows = query.build().fetch_all(self.readers()).await?;
        rows.iter().map(card_origin).collect()
    }

    /// The tokens that must still be refused: loaded once when the gateway starts.
    pub async fn replays(&self, now: OffsetDateTime) -> Result<Vec<Replay>, StoreError> {
        let rows = sqlx::query("SELECT hospital, issuer, jti, expires_at FROM replay WHERE expires_at > $1")
            .bind(micros(now - Duration::seconds(SKEW_SECONDS)))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(replay).collect()
    }

    /// Whose exchange this is.
    pub async fn exchange_hospital(&self, id: Uuid) -> Result<Option<HospitalId>, StoreError> {
        let row = sqlx::query("SELECT hospital FROM exchanges WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| parsed(&row, 0, "exchange")).transpose()
    }

    /// One exchange of this hospital.
    pub async fn exchange(&self, hospital: &HospitalId, id: Uuid) -> Result<Option<StoredExchange>, StoreError> {
        let row = sqlx::query(
            "SELECT id, client, hook, offer, received_at, status, duration_us, explanation \
             FROM exchanges WHERE hospital = $1 AND id = $2",
        )
        .bind(hospital.as_str())
        .bind(id.to_string())
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(stored_exchange).transpose()
    }

    /// Exchanges of this hospital, newest first, older than `before`.
    pub async fn exchanges(
        &self,
        hospital: &HospitalId,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<StoredExchange>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, client, hook, offer, received_at, status, duration_us, explanation \
             FROM exchanges WHERE hospital = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(hospital.as_str())
        .bind(before.unwrap_or(Uuid::max()).to_string())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(stored_exchange).collect()
    }
}

fn card_origin(row: &SqliteRow) -> Result<CardOrigin, StoreError> {
    let suggestions: String = row.try_get("suggestions")?;
    Ok(CardOrigin {
        exchange: parsed(row, "exchange", "exchange id")?,
        offer: row.try_get("offer")?,
        card: IssuedCard {
            id: parsed(row, "card", "card id")?,
            service: service_name(row)?,
            version: parsed(row, "number", "version")?,
            cds_id: row.try_get("cds_id")?,
            vendor_id: row.try_get("vendor_card")?,
            suggestions: serde_json::from_str(&suggestions).map_err(|_| StoreError::Unreadable("suggestions"))?,
        },
    })
}

fn replay(row: &SqliteRow) -> Result<Replay, StoreError> {
    Ok(Replay {
        hospital: parsed(row, "hospital", "hospital id")?,
        issuer: row.try_get("issuer")?,
        jti: row.try_get("jti")?,
        expires_at: instant(row, "expires_at")?,
    })
}

fn stored_addendum(row: &SqliteRow) -> Result<StoredAddendum, StoreError> {
    let note: String = row.try_get("note")?;
    Ok(StoredAddendum {
        at: instant(row, "at")?,
        kind: row.try_get("kind")?,
        note: serde_json::from_str(&note).map_err(|_| StoreError::Unreadable("addendum"))?,
    })
}

fn stored_exchange(row: &SqliteRow) -> Result<StoredExchange, StoreError> {
    let explanation: String = row.try_get("explanation")?;
    let status: i64 = row.try_get("status")?;
    let duration: i64 = row.try_get("duration_us")?;
    Ok(StoredExchange {
        id: parsed(row, "id", "exchange id")?,
        client: row.try_get("client")?,
        hook: row.try_get("hook")?,
        offer: row.try_get("offer")?,
        received_at: instant(row, "received_at")?,
        status: u16::try_from(status).map_err(|_| StoreError::Unreadable("status"))?,
        duration_us: u64::try_from(duration).unwrap_or_default(),
        explanation: serde_json::from_str(&explanation).map_err(|_| StoreError::Unreadable("explanation"))?,
    })
}
