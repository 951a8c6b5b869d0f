//! The rows of a batch, table by table.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    catalog::{HospitalId, ServiceName, VersionNumber},
    store::{
        Addendum, ExchangeRecord, IssuedCard, Mark, Replay, TrialAsk, UsageRow, hex,
        instant::{day, micros},
        rows,
    },
};

/// A call that comes again within ten minutes under the same key is the same use.
const RETRY_WINDOW: i64 = 10 * 60 * 1_000_000;
/// A promised place that no record settled (the process died) is free again after this time.
const HOLD: i64 = RETRY_WINDOW;

/// One use, and where it belongs.
#[derive(Debug, Clone, Copy)]
struct Use<'a> {
    exchange: Uuid,
    hospital: &'a HospitalId,
    at: OffsetDateTime,
    row: &'a UsageRow,
}

type MarkKey<'a> = (i64, &'a ServiceName, &'a VersionNumber, &'a str, &'a str);

/// What a batch writes, gathered by table.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    records: Vec<&'a ExchangeRecord>,
    tokens: Vec<&'a Replay>,
    addenda: Vec<(&'a HospitalId, &'a Addendum)>,
}

impl<'a> Rows<'a> {
    pub(super) fn record(&mut self, record: &'a ExchangeRecord) -> bool {
        self.records.push(record);
        self.tokens.extend(&record.replay);
        true
    }

    pub(super) fn token(&mut self, token: &'a Replay) -> bool {
        self.tokens.push(token);
        true
    }

    pub(super) fn addendum(&mut self, hospital: &'a HospitalId, addendum: &'a Addendum) -> bool {
        self.addenda.push((hospital, addendum));
        true
    }

    pub(super) async fn write(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        exchanges(db, &self.records).await?;
        tokens(db, &self.tokens).await?;
        cards(db, &self.records).await?;
        usage(db, self.uses()).await?;
        marks(db, self.marks()).await?;
        addenda(db, &self.addenda).await?;
        settle_trials(db, &self.records).await
    }

    fn uses(&self) -> impl Iterator<Item = Use<'a>> {
        let of_record = |record: &'a ExchangeRecord| {
            let (exchange, hospital, at) = (record.id, &record.hospital, record.received_at);
            record.usage.iter().map(move |row| Use { exchange, hospital, at, row })
        };
        let of_addendum = |(hospital, addendum): &(&'a HospitalId, &'a Addendum)| {
            let (exchange, hospital, at) = (addendum.exchange, *hospital, addendum.at);
            addendum.usage.as_ref().map(|row| Use { exchange, hospital, at, row })
        };
        self.records.iter().copied().flat_map(of_record).chain(self.addenda.iter().filter_map(of_addendum))
    }

    fn marks(&self) -> impl Iterator<Item = (OffsetDateTime, &'a Mark)> {
        let of_record = |record: &'a ExchangeRecord| record.marks.iter().map(|mark| (record.received_at, mark));
        let of_addendum = |(_, addendum): &(&'a HospitalId, &'a Addendum)| {
            let addendum = *addendum;
            addendum.marks.iter().map(|mark| (addendum.at, mark))
        };
        self.records.iter().copied().flat_map(of_record).chain(self.addenda.iter().flat_map(of_addendum))
    }
}

/// Whether there is a place in the trial, and if so, promises it. Asked again for the same exchange it is the same place.
pub(super) async fn admission(db: &mut SqliteConnection, ask: &TrialAsk) -> Result<bool, sqlx::Error> {
    if is_retry(db, ask).await? {
        return Ok(true);
    }
    let now = micros(ask.now);
    let promised = sqlx::query(
        "INSERT INTO trial_holds (exchange, hospital, vendor, service, held_at) \
         SELECT $1, $2, $3, $4, $5 WHERE \
         (SELECT count(*) FROM usage WHERE hospital = $2 AND vendor = $3 AND service = $4 AND mode = 'trial') + \
         (SELECT count(*) FROM trial_holds WHERE hospital = $2 AND vendor = $3 AND service = $4 AND held_at > $6 \
         AND exchange <> $1) < $7 ON CONFLICT (exchange, vendor, service) DO UPDATE SET held_at = excluded.held_at",
    )
    .bind(ask.exchange.to_string())
    .bind(ask.hospital.as_str())
    .bind(ask.service.vendor.as_str())
    .bind(ask.service.service.as_str())
    .bind(micros(ask.held_from))
    .bind(now - HOLD)
    .bind(i64::from(ask.quota))
    .execute(db)
    .await?;
    Ok(promised.rows_affected() == 1)
}

async fn is_retry(db: &mut SqliteConnection, ask: &TrialAsk) -> Result<bool, sqlx::Error> {
    let counted = sqlx::query(
        "SELECT 1 FROM usage WHERE dedup_key = $1 AND hospital = $2 AND vendor = $3 AND service = $4 AND at > $5",
    )
    .bind(hex(&ask.key))
    .bind(ask.hospital.as_str())
    .bind(ask.service.vendor.as_str())
    .bind(ask.service.service.as_str())
    .bind(micros(ask.now) - RETRY_WINDOW)
    .fetch_optional(db)
    .await?;
    Ok(counted.is_some())
}

async fn exchanges(db: &mut SqliteConnection, records: &[&ExchangeRecord]) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO exchanges \
        (id, hospital, client, hook, offer, received_at, status, duration_us, explanation) ";
    rows::insert(db, head, "", records, |mut row, record| {
        row.push_bind(record.id.to_string())
            .push_bind(record.hospital.as_str())
            .push_bind(record.client.as_str())
            .push_bind(&record.hook)
            .push_bind(&record.offer)
            .push_bind(micros(record.received_at))
            .push_bind(i64::from(record.status))
            .push_bind(i64::try_from(record.duration_us).unwrap_or(i64::MAX))
            .push_bind(&record.explanation);
    })
    .await
}

async fn tokens(db: &mut SqliteConnection, tokens: &[&Replay]) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO replay (hospital, issuer, jti, expires_at) ";
    // The same jti may come again once its first token is over.
    let tail = " ON CONFLICT (hospital, issuer, jti) DO UPDATE SET expires_at = excluded.expires_at";
    rows::insert(db, head, tail, tokens, |mut row, token| {
        row.push_bind(token.hospital.as_str())
            .push_bind(&token.issuer)
            .push_bind(&token.jti)
            .push_bind(micros(token.expires_at));
    })
    .await
}

async fn addenda(db: &mut SqliteConnection, addenda: &[(&HospitalId, &Addendum)]) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO addenda (id, hospital, exchange, at, kind, note) ";
    rows::insert(db, head, "", addenda, |mut row, (hospital, addendum)| {
        row.push_bind(Uuid::now_v7().to_string())
            .push_bind(hospital.as_str())
            .push_bind(addendum.exchange.to_string())
            .push_bind(micros(addendum.at))
            .push_bind(addendum.kind)
            .push_bind(addendum.note.to_string());
    })
    .await
}

async fn cards(db: &mut SqliteConnection, records: &[&ExchangeRecord]) -> Result<(), sqlx::Error> {
    let cards: Vec<(&ExchangeRecord, &IssuedCard)> =
        records.iter().flat_map(|record| record.cards.iter().map(|card| (*record, card))).collect();
    let head = "INSERT INTO issued_cards \
        (card, hospital, exchange, offer, vendor, service, number, cds_id, vendor_card, suggestions, issued_at) ";
    rows::insert(db, head, "", &cards, |mut row, (record, card)| {
        row.push_bind(card.id.to_string())
            .push_bind(record.hospital.as_str())
            .push_bind(record.id.to_string())
            .push_bind(&record.offer)
            .push_bind(card.service.vendor.as_str())
            .push_bind(card.service.service.as_str())
            .push_bind(card.version.to_string())
            .push_bind(&card.cds_id)
            .push_bind(card.vendor_id.as_deref())
            .push_bind(serde_json::to_string(&card.suggestions).unwrap_or_else(|_| "[]".to_owned()))
            .push_bind(micros(record.received_at));
    })
    .await
}

/// One row for each use that was not counted within the window before it. The writer is alone, so that a second
/// look cannot come between the look and the write.
async fn usage(db: &mut SqliteConnection, uses: impl Iterator<Item = Use<'_>>) -> Result<(), sqlx::Error> {
    let mut seen = HashSet::new();
    let uses: Vec<Use<'_>> =
        uses.filter(|Use { row, .. }| seen.insert((row.key, &row.service, &row.version))).collect();
    for group in rows::groups(&uses) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "WITH new (exchange, hospital, vendor, service, number, mode, dedup_key, at) AS (",
        );
        query.push_values(group, |mut row, Use { exchange, hospital, at, row: usage }| {
            row.push_bind(exchange.to_string())
                .push_bind(hospital.as_str())
                .push_bind(usage.service.vendor.as_str())
                .push_bind(usage.service.service.as_str())
                .push_bind(usage.version.to_string())
                .push_bind(usage.mode)
                .push_bind(hex(&usage.key))
                .push_bind(micros(*at));
        });
        query.push(
            ") INSERT INTO usage (exchange, hospital, vendor, service, number, mode, dedup_key, at) \
             SELECT exchange, hospital, vendor, service, number, mode, dedup_key, at FROM new \
             WHERE NOT EXISTS (SELECT 1 FROM usage AS old WHERE old.dedup_key = new.dedup_key \
             AND old.vendor = new.vendor AND old.service = new.service AND old.number = new.number AND old.at > new.at - ",
        );
        query.push_bind(RETRY_WINDOW).push(")");
        query.build().execute(&mut *db).await?;
    }
    Ok(())
}

/// Marks are counters: a batch adds up its own first, so that a busy rule costs one row.
async fn marks(
    db: &mut SqliteConnection,
    marks: impl Iterator<Item = (OffsetDateTime, &Mark)>,
) -> Result<(), sqlx::Error> {
    let mut sums: HashMap<MarkKey<'_>, i64> = HashMap::new();
    for (at, mark) in marks {
        let key = (day(at), &mark.service, &mark.version, mark.kind, mark.rule.as_str());
        *sums.entry(key).or_default() += i64::from(mark.times);
    }
    let sums: Vec<_> = sums.into_iter().collect();
    let head = "INSERT INTO marks (day, vendor, service, number, kind, rule, times) ";
    let tail = " ON CONFLICT (vendor, service, number, day, kind, rule) \
        DO UPDATE SET times = marks.times + excluded.times";
    rows::insert(db, head, tail, &sums, |mut row, ((day, service, version, kind, rule), times)| {
        row.push_bind(*day)
            .push_bind(service.vendor.as_str())
            .push_bind(service.service.as_str())
            .push_bind(version.to_string())
            .push_bind(*kind)
            .push_bind(*rule)
            .push_bind(*times);
    })
    .await
}

/// A promised place is either counted now (its usage row is in this transaction) or free again.
async fn settle_trials(db: &mut SqliteConnection, records: &[&ExchangeRecord]) -> Result<(), sqlx::Error> {
    let on_trial: Vec<&ExchangeRecord> = records.iter().copied().filter(|record| record.on_trial).collect();
    for group in rows::groups(&on_trial) {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM trial_holds WHERE exchange IN (");
        let mut list = query.separated(", ");
        for record in group {
            list.push_bind(record.id.to_string());
        }
        query.push(")");
        query.build().execute(&mut *db).await?;
    }
    Ok(())
}
