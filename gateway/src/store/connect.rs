//! Opening the database file and its schema.

use std::{path::Path, time::Duration};

use sqlx::{
    Connection as _, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

/// Every step from an empty file to today's schema. A step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_by_time.sql"),
    include_str!("migrations/0003_signing.sql"),
    include_str!("migrations/0004_images.sql"),
    include_str!("migrations/0005_dimse.sql"),
    include_str!("migrations/0006_workitems.sql"),
    include_str!("migrations/0008_jobs.sql"),
    // Behind the step that was there first: a database that has taken that one already takes this one too.
    include_str!("migrations/0007_workitem_events.sql"),
    include_str!("migrations/0009_received.sql"),
    include_str!("migrations/0010_workitem_keys.sql"),
    include_str!("migrations/0011_priors.sql"),
    include_str!("migrations/0012_jobs_held.sql"),
    include_str!("migrations/0014_workitem_calls.sql"),
    include_str!("migrations/0015_intakes_cut.sql"),
    include_str!("migrations/0013_pacs_priors.sql"),
    include_str!("migrations/0016_claims.sql"),
    include_str!("migrations/0017_refused_results.sql"),
];

/// The one connection that writes.
pub(super) async fn writer(file: &Path) -> Result<SqlitePool, StoreError> {
    let options = options(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What a statement of many rows would take back goes into a file of its own otherwise, once a transaction.
        .pragma("temp_store", "MEMORY")
        .foreign_keys(true);
    // No connection is tested before it is used: there is no network between that could break.
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.test_before_acquire(false);
    // Without room on the disk SQLite takes a transaction back by itself. The connection believes to be in it still then, and
    // would begin no other one ever again.
    let pool = pool.after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // One that was dropped is taken back on its way.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    });
    Ok(pool.connect_with(options).await?)
}

/// The connections that read. They see the last committed state and never wait for the writer.
pub(super) async fn readers(file: &Path) -> Result<SqlitePool, StoreError> {
    let options = options(file).pragma("query_only", "ON");
    Ok(SqlitePoolOptions::new().max_connections(8).test_before_acquire(false).connect_with(options).await?)
}

/// Brings the schema up to date, each step whole or not at all.
pub(super) async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    step_all(writer).await.map_err(StoreError::Schema)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(10)).statement_cache_capacity(256)
}

async fn step_all(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut connection = writer.acquire().await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *connection)
        .await?;
    let done: i64 =
        sqlx::query("SELECT coalesce(max(step), 0) FROM schema_steps").fetch_one(&mut *connection).await?.try_get(0)?;
    let done = usize::try_from(done).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(sqlx::Error::Protocol("the database was written by a newer version".to_owned()));
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(*sql).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_steps (step) VALUES ($1)")
            .bind(i64::try_from(step + 1).unwrap_or(i64::MAX))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::Store, *};

    /// What a database without keys of workitems has says the same as what is written now.
    #[tokio::test]
    async fn workitems_of_earlier_versions_are_found_by_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("medvan.db");
        let pool = writer(&file).await.unwrap();
        sqlx::query("CREATE TABLE schema_steps (step BIGINT NOT NULL PRIMARY KEY)").execute(&pool).await.unwrap();
        for sql in &MIGRATIONS[..9] {
            sqlx::raw_sql(*sql).execute(&pool).await.unwrap();
        }
        sqlx::query("INSERT INTO schema_steps (step) VALUES (9)").execute(&pool).await.unwrap();
        let attributes = r#"{"00100020": {"vr": "LO", "Value": ["P1 "]}, "00404005": {"vr": "DT", "Value": ["202611"]},
            "00404021": {"vr": "SQ", "Value": [{"0020000D": {"vr": "UI", "Value": ["1.9"]}}, {}]},
            "00404025": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["AI-1"]}}]}}"#;
        sqlx::query(
            "INSERT INTO workitems (hospital, uid, state, created_at, changed_at, attributes) \
             VALUES ('kiku', '1.1', 'SCHEDULED', 0, 0, $1), ('kiku', '1.2', 'SCHEDULED', 0, 0, '{\"00100020\": {\"vr\": \"LO\"}}')",
        )
        .bind(attributes)
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
        let store = Store::open(&file).await.unwrap();
        let rows = sqlx::query("SELECT key || ' ' || value FROM workitem_keys ORDER BY 1").fetch_all(store.readers());
        let keys: Vec<String> = rows.await.unwrap().iter().map(|row| row.get(0)).collect();
        assert_eq!(keys, ["patient P1", "start 20261101", "station AI-1", "study 1.9"]);
        let sums = sqlx::query("SELECT workitems, bytes FROM workitem_sums").fetch_one(store.readers()).await.unwrap();
        assert_eq!(sums.get::<i64, _>(0), 2);
        assert_eq!(sums.get::<i64, _>(1), i64::try_from(attributes.len() + 26).unwrap());
    }
}
