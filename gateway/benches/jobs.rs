//! How long it takes to claim a job where a million others are done. Prints p50 and p99; an aim of the project is 5 ms at p99.
//!
//! `cargo bench --bench jobs`; otherwise than by `cargo bench` it runs for a moment, among a thousand.

use std::time::Instant;

use medvan::store::{Job, JobSeries, JobState, NewJob, Store};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

const NOON: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
/// Jobs that wait for each of the services, and services.
const WAITING: u32 = 400;
const SERVICES: u32 = 5;

fn main() {
    let is_short = !std::env::args().any(|word| word == "--bench");
    let done = if is_short { 1_000 } else { 1_000_000 };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut claims = runtime.block_on(measure(done));
    claims.sort_by(f64::total_cmp);
    let at = |share: f64| claims[((claims.len() - 1) as f64 * share) as usize];
    println!("{} claims among {done} finished jobs: p50 {:.2} ms, p99 {:.2} ms", claims.len(), at(0.5), at(0.99));
}

/// Milliseconds of each claim of one job.
async fn measure(done: u32) -> Vec<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("medvan.db");
    let store = Store::open(&file).await.expect("a new database");
    fill(&file, done).await;
    for number in 0..WAITING * SERVICES {
        store.put_job(&waiting(number), NOON, |_, _| Ok(())).await.expect("it is put in");
    }
    let mut claims = Vec::new();
    loop {
        let start = Instant::now();
        let claimed = store
            .claim_jobs(
                NOON,
                NOON + Duration::hours(1),
                medvan::store::Places {
                    most: 1,
                    of_vendor: u32::MAX,
                    of_service: |_: &medvan::catalog::ServiceName| u32::MAX,
                },
            )
            .await
            .expect("it is claimed");
        if claimed.is_empty() {
            return claims;
        }
        claims.push(start.elapsed().as_secs_f64() * 1e3);
        let job = &claimed[0];
        store.settle_job(job, JobState::Done, NOON, None, NOON).await.expect("it is settled");
    }
}

/// Jobs of the same services that were done long ago.
async fn fill(file: &std::path::Path, done: u32) {
    let mut db = SqliteConnectOptions::new().filename(file).connect().await.expect("the same database");
    sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         INSERT INTO jobs (id, run, hospital, study, patient_id, vendor, service, number, entry, mode, state, priority, due_at, \
         deadline_at, attempts, inputs, digest, created_at, changed_at) \
         SELECT printf('01800000-0000-7000-8000-%012x', i), '', 'h' || (i % 50), '1.2.' || i, '', 'vendor', 's' || (i % $2), \
         '1.0.0', 'e', 'live', 'done', 3, i, i, 1, '[]', randomblob(32), i, i FROM n",
    )
    .bind(done)
    .bind(SERVICES)
    .execute(&mut db)
    .await
    .expect("they are put in");
    db.close().await.expect("it is closed");
}

fn waiting(number: u32) -> NewJob {
    let id = Uuid::now_v7();
    let job = Job {
        id,
        run: id,
        hospital: format!("h{}", number % 50).parse().expect("a hospital id"),
        study: format!("1.3.{number}").parse().expect("a uid"),
        patient_id: String::new(),
        service: format!("vendor.s{}", number % SERVICES).parse().expect("a service name"),
        version: "1.0.0".parse().expect("a version"),
        entry: "e".to_owned(),
        mode: "live".to_owned(),
        state: JobState::Waiting,
        priority: 3,
        due_at: NOON,
        deadline_at: NOON,
        attempts: 0,
        deaths: 0,
        claim: 0,
        inputs: vec![JobSeries { uid: "1.2.3".parse().expect("a uid"), instances: Vec::new() }],
        fault: None,
        offered_until: None,
        prior: None,
        created_at: NOON,
        changed_at: NOON,
    };
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(id.as_bytes());
    NewJob { job, digest }
}
