mod feedback;
mod intakes;
mod jobs;
mod leases;
mod node_outbox;
mod prior_searches;
mod rate;
mod records;
mod trials;
mod workitem_calls;
mod workitems;
mod worklists;

use serde_json::json;
use tempfile::TempDir;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::*;
use crate::catalog::{HospitalId, ServiceName, VersionNumber};

const NOON: OffsetDateTime = datetime!(2026-11-22 12:00 UTC);

fn hospital(id: &str) -> HospitalId {
    id.parse().unwrap()
}

fn news2() -> ServiceName {
    "asagao.news2".parse().unwrap()
}

fn one() -> VersionNumber {
    "1.0.0".parse().unwrap()
}

async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir).await;
    (dir, store)
}

async fn open(dir: &TempDir) -> Store {
    Store::open(&dir.path().join("medvan.db")).await.unwrap()
}

/// An exchange of hospital `kiku` with nothing in it.
fn exchange() -> ExchangeRecord {
    ExchangeRecord {
        id: Uuid::now_v7(),
        hospital: hospital("kiku"),
        client: "ehr".parse().unwrap(),
        hook: "patient-view".to_owned(),
        offer: "van-patient-view".to_owned(),
        received_at: NOON,
        status: 200,
        duration_us: 1_234,
        explanation: json!({"services": []}).to_string(),
        on_trial: true,
        replay: None,
        cards: Vec::new(),
        usage: Vec::new(),
        marks: Vec::new(),
    }
}

fn use_of(key: u8, mode: &'static str) -> UsageRow {
    UsageRow { key: [key; 32], service: news2(), version: one(), mode }
}

fn card() -> IssuedCard {
    IssuedCard {
        id: Uuid::new_v4(),
        service: news2(),
        version: one(),
        cds_id: "news2-patient-view".to_owned(),
        vendor_id: Some("card-1".to_owned()),
        suggestions: vec![IssuedSuggestion { id: Uuid::new_v4(), vendor_id: None }],
    }
}

async fn count(store: &Store, table: &'static str) -> i64 {
    use sqlx::Row as _;
    let query = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
    query.fetch_one(store.readers()).await.unwrap().get(0)
}
