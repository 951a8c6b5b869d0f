use futures_util::future::join_all;
use time::Duration;

use super::*;
use crate::tasks::Tasks;

#[tokio::test]
async fn a_recorded_exchange_is_read_again_after_the_store_was_opened_anew() {
    let (dir, store) = store().await;
    let record = exchange();
    store.record(record.clone()).await.unwrap();
    store.close().await;

    let found = open(&dir).await.exchange(&record.hospital, record.id).await.unwrap().unwrap();
    assert_eq!((found.id, found.status, found.duration_us), (record.id, 200, 1_234));
    assert_eq!((found.received_at, found.explanation.to_string()), (NOON, record.explanation));
}

#[tokio::test]
async fn another_hospital_finds_neither_the_exchange_nor_its_cards() {
    let (_dir, store) = store().await;
    let card = card();
    let record = ExchangeRecord { cards: vec![card.clone()], ..exchange() };
    store.record(record.clone()).await.unwrap();

    let other = hospital("ran");
    assert!(store.exchange(&other, record.id).await.unwrap().is_none());
    assert!(store.exchanges(&other, None, 10).await.unwrap().is_empty());
    assert!(store.issued_cards(&other, &[card.id]).await.unwrap().is_empty());
    let found = store.issued_cards(&record.hospital, &[Uuid::new_v4(), card.id]).await.unwrap();
    assert_eq!(found, [CardOrigin { exchange: record.id, offer: record.offer, card }]);
}

#[tokio::test]
async fn a_page_of_exchanges_goes_on_where_the_last_one_ended() {
    let (_dir, store) = store().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let record = exchange();
        ids.insert(0, record.id);
        store.record(record).await.unwrap();
    }
    let kiku = hospital("kiku");
    let first: Vec<_> = store.exchanges(&kiku, None, 3).await.unwrap().iter().map(|found| found.id).collect();
    let rest: Vec<_> = store.exchanges(&kiku, Some(first[2]), 3).await.unwrap().iter().map(|found| found.id).collect();
    assert_eq!([first, rest].concat(), ids);
}

#[tokio::test]
async fn tokens_are_remembered_over_a_restart_as_long_as_they_are_accepted() {
    let (dir, store) = store().await;
    let token = |jti: &str, expires_at| Replay {
        hospital: hospital("kiku"),
        issuer: "https://ehr.example".to_owned(),
        jti: jti.to_owned(),
        expires_at,
    };
    let live = token("live", NOON + Duration::minutes(5));
    let skewed = token("skewed", NOON - Duration::seconds(59));
    for replay in [live.clone(), skewed.clone(), token("over", NOON - Duration::seconds(60))] {
        store.record(ExchangeRecord { replay: Some(replay), ..exchange() }).await.unwrap();
    }
    store.close().await;
    let store = open(&dir).await;
    let mut found = store.replays(NOON).await.unwrap();
    found.sort_by_key(|token| token.expires_at);
    assert_eq!(found, [skewed, live]);
    store.purge(NOON, Retention::default()).await.unwrap();
    assert_eq!(count(&store, "replay").await, 2, "what may still be refused is not forgotten");
}

#[tokio::test]
async fn a_retried_call_is_counted_once_and_a_later_one_again() {
    let (_dir, store) = store().await;
    let at = |received_at| ExchangeRecord { received_at, usage: vec![use_of(1, "live")], ..exchange() };
    for (minutes, expected) in [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2)] {
        store.record(at(NOON + Duration::minutes(minutes))).await.unwrap();
        assert_eq!(count(&store, "usage").await, expected, "after {minutes} minutes");
    }
    assert_eq!(count(&store, "exchanges").await, 5);
}

#[tokio::test]
async fn retries_that_share_a_batch_are_counted_once() {
    let (_dir, store) = store().await;
    let calls =
        (0..40).map(|call| store.record(ExchangeRecord { usage: vec![use_of(call % 4, "live")], ..exchange() }));
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!((count(&store, "usage").await, count(&store, "exchanges").await), (4, 40));
}

#[tokio::test]
async fn a_record_that_cannot_be_written_fails_alone() {
    let (_dir, store) = store().await;
    let twice = exchange();
    store.record(twice.clone()).await.unwrap();
    let mut batch: Vec<_> = (0..20).map(|_| exchange()).collect();
    batch.insert(7, twice);
    let outcomes = join_all(batch.into_iter().map(|record| store.record(record))).await;
    let failed: Vec<_> = (0..21).filter(|index| outcomes[*index].is_err()).collect();
    assert_eq!(failed, [7]);
    assert_eq!(count(&store, "exchanges").await, 21);
}

#[tokio::test]
async fn what_was_handed_in_before_closing_is_written_and_what_comes_later_is_refused() {
    let (dir, store) = store().await;
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let store = store.clone();
            let tasks = Tasks::default();
            tasks.spawn("caller", async move { store.record(exchange()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut written = 0;
    for caller in waiting {
        written += i64::from(caller.await.unwrap().is_ok());
    }
    assert!(matches!(store.record(exchange()).await, Err(StoreError::Closed)));
    assert_eq!(count(&open(&dir).await, "exchanges").await, written);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let (dir, store) = store().await;
    sqlx::query("INSERT INTO schema_steps (step) VALUES (99)").execute(&store.0.writer).await.unwrap();
    store.close().await;
    let refused = Store::open(&dir.path().join("medvan.db")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Schema(_)));
}

/// The files as they are at this moment, opened by another process: what a `kill -9` leaves.
async fn after_a_crash(dir: &TempDir) -> (TempDir, Store) {
    let copy = tempfile::tempdir().unwrap();
    for file in ["medvan.db", "medvan.db-wal"] {
        std::fs::copy(dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let store = open(&copy).await;
    (copy, store)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let (dir, store) = store().await;
    let records: Vec<_> = (0..30).map(|_| exchange()).collect();
    let written = join_all(records.iter().map(|record| store.record(record.clone()))).await;
    assert!(written.iter().all(Result::is_ok));
    let (_copy, found) = after_a_crash(&dir).await;
    for record in records {
        assert!(found.exchange(&record.hospital, record.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_token_spent_outside_of_an_exchange_is_remembered_too() {
    let (dir, store) = store().await;
    let token = Replay {
        hospital: hospital("kiku"),
        issuer: "https://ehr.example".to_owned(),
        jti: "feedback-1".to_owned(),
        expires_at: NOON + Duration::minutes(5),
    };
    let twice = join_all([store.spend(token.clone()), store.spend(token.clone())]).await;
    assert!(twice.iter().all(Result::is_ok));
    let (_copy, found) = after_a_crash(&dir).await;
    assert_eq!(found.replays(NOON).await.unwrap(), [token]);
}

#[tokio::test]
async fn what_became_known_later_belongs_to_its_exchange_and_hospital() {
    let (_dir, store) = store().await;
    let record = exchange();
    store.record(record.clone()).await.unwrap();
    let note = json!({"service": "asagao.news2"});
    for kind in ["late", "shadow"] {
        let addendum =
            Addendum { exchange: record.id, at: NOON, kind, note: note.clone(), usage: None, marks: Vec::new() };
        store.append(&record.hospital, addendum).await.unwrap();
    }
    let found = store.addenda(&record.hospital, record.id).await.unwrap();
    assert_eq!(found.iter().map(|addendum| addendum.kind.as_str()).collect::<Vec<_>>(), ["late", "shadow"]);
    assert!(store.addenda(&hospital("ran"), record.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_nobody_needs_any_more_is_forgotten_and_records_are_not() {
    let (_dir, store) = store().await;
    let token = |jti: &str, expires_at| Replay {
        hospital: hospital("kiku"),
        issuer: "https://ehr.example".to_owned(),
        jti: jti.to_owned(),
        expires_at,
    };
    let old = ExchangeRecord {
        received_at: NOON - Duration::days(91),
        replay: Some(token("old", NOON - Duration::seconds(60))),
        cards: vec![card()],
        ..exchange()
    };
    let new =
        ExchangeRecord { replay: Some(token("new", NOON + Duration::minutes(1))), cards: vec![card()], ..exchange() };
    for record in [old, new] {
        store.record(record).await.unwrap();
    }
    store.purge(NOON, Retention::default()).await.unwrap();
    let counts = [count(&store, "replay").await, count(&store, "issued_cards").await, count(&store, "exchanges").await];
    assert_eq!(counts, [1, 1, 2]);
}

/// An id of version 7 that was made at this time.
fn id_of(at: OffsetDateTime) -> Uuid {
    Uuid::from_u128((u128::try_from(at.unix_timestamp() * 1000).unwrap() << 80) | (0x7 << 76))
}

/// An exchange with everything that it leaves behind, made so many days before noon.
async fn leaves(store: &Store, key: u8, days: i64, mode: &'static str) {
    let at = NOON - Duration::days(days);
    let mark = Mark { service: news2(), version: one(), kind: "asked", rule: "answered".to_owned(), times: 1 };
    let (usage, marks) = (vec![use_of(key, mode)], vec![mark]);
    let record = ExchangeRecord { id: id_of(at), received_at: at, usage, marks, ..exchange() };
    store.record(record).await.unwrap();
    let note = json!({"service": "asagao.news2"});
    let addendum = Addendum { exchange: id_of(at), at, kind: "late", note, usage: None, marks: Vec::new() };
    store.append(&hospital("kiku"), addendum).await.unwrap();
    let mut db = store.write().await.unwrap();
    for table in ["feedback", "outbox"] {
        let statement = match table {
            "feedback" => {
                "INSERT INTO feedback (id, hospital, exchange, card, vendor, service, number, cds_id, outcome, document, \
                 digest, received_at) VALUES ($1, 'kiku', $1, $1, 'asagao', 'news2', '1.0.0', 'x', 'accepted', '{}', '', 0)"
            }
            _ => {
                "INSERT INTO outbox (id, hospital, vendor, service, number, cds_id, url, audience, body, state, \
                 attempts, next_at, lease_until) \
                 VALUES ($1, 'kiku', 'asagao', 'news2', '1.0.0', 'x', '', '', '', 'dead', 0, 0, 0)"
            }
        };
        sqlx::query(statement).bind(id_of(at).to_string()).execute(&mut *db).await.unwrap();
    }
    db.commit().await.unwrap();
}

#[tokio::test]
async fn records_beyond_their_time_are_deleted_kind_by_kind() {
    let (_dir, store) = store().await;
    leaves(&store, 1, 10, "live").await;
    leaves(&store, 2, 1, "live").await;
    let (week, for_ever) = (Some(Duration::days(7)), Some(Duration::days(i64::from(u32::MAX))));
    for (kept, left) in [
        (Retention::default(), [2, 2, 2, 2, 2, 2]),
        (
            Retention { exchanges: for_ever, usage: for_ever, feedback: for_ever, workitems: for_ever },
            [2, 2, 2, 2, 2, 2],
        ),
        (Retention { exchanges: week, ..Retention::default() }, [1, 1, 2, 2, 2, 2]),
        (Retention { usage: week, ..Retention::default() }, [1, 1, 1, 1, 2, 2]),
        (Retention { feedback: week, ..Retention::default() }, [1, 1, 1, 1, 1, 1]),
    ] {
        store.purge(NOON, kept).await.unwrap();
        let mut counts = Vec::new();
        for table in ["exchanges", "addenda", "usage", "marks", "feedback", "outbox"] {
            counts.push(count(&store, table).await);
        }
        assert_eq!(counts, left, "{kept:?}");
    }
}

#[tokio::test]
async fn what_is_left_of_a_trial_is_not_forgotten_before_the_trial_is() {
    let (_dir, store) = store().await;
    leaves(&store, 1, 10, "trial").await;
    let week = Retention { usage: Some(Duration::days(7)), ..Retention::default() };
    let mut db = store.write().await.unwrap();
    for statement in [
        "INSERT INTO hospitals (id, document) VALUES ('kiku', '{}')",
        "INSERT INTO enrollments (hospital, vendor, service, document) VALUES ('kiku', 'asagao', 'news2', '{}')",
    ] {
        sqlx::query(statement).execute(&mut *db).await.unwrap();
    }
    db.commit().await.unwrap();
    store.purge(NOON, week).await.unwrap();
    assert_eq!(count(&store, "usage").await, 1, "its quota would be whole again");
    let mut db = store.write().await.unwrap();
    sqlx::query("DELETE FROM enrollments").execute(&mut *db).await.unwrap();
    db.commit().await.unwrap();
    store.purge(NOON, week).await.unwrap();
    assert_eq!(count(&store, "usage").await, 0);
}

#[tokio::test]
async fn more_than_one_sweep_takes_is_deleted_too() {
    let (_dir, store) = store().await;
    let mut db = store.write().await.unwrap();
    sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4500) \
         INSERT INTO replay (hospital, issuer, jti, expires_at) SELECT 'kiku', 'ehr', n, 0 FROM numbers",
    )
    .execute(&mut *db)
    .await
    .unwrap();
    db.commit().await.unwrap();
    store.purge(NOON, Retention::default()).await.unwrap();
    assert_eq!(count(&store, "replay").await, 0);
}

#[tokio::test]
async fn sums_over_a_period_read_only_its_rows() {
    use sqlx::Row as _;
    let (_dir, store) = store().await;
    for (query, expected) in [
        (sums::USAGE_OF_VENDOR, "usage_of_vendor (vendor=? AND at>? AND at<?)"),
        (sums::OUTCOMES_OF_VENDOR, "feedback_by_time (vendor=? AND received_at>? AND received_at<?)"),
    ] {
        let explain = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
        let plan = explain.bind("asagao").bind(0).bind(1).fetch_all(store.readers()).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert!(plan[0].ends_with(expected), "{plan:?}");
    }
}
