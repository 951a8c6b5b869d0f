//! The group commit: calls hand in their rows and wait; one task writes all that waits in one transaction.
//!
//! While the disk flushes one batch the next gathers, so under load the cost of a flush is shared by as many calls as
//! wait, and an idle gateway answers after one flush. A batch that fails is tried again one by one: a bad
//! record fails alone. If the database takes nothing, every waiting call is told so and no answer leaves.

mod insert;

use std::time::Duration;

use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{Addendum, ExchangeRecord, Replay, StoreError, TrialAsk};
use crate::{catalog::HospitalId, tasks::Tasks};

/// How many pieces of work go into one transaction.
const BATCH: usize = 256;
/// How many may wait. Beyond that a call is refused at once instead of late.
const WAITING: usize = 8_192;

/// Work for the writer.
#[derive(Debug)]
pub(super) enum Work {
    /// The rows of an exchange.
    Record(Box<ExchangeRecord>),
    /// A place in a trial.
    Admit(TrialAsk),
    /// Something about an exchange that was recorded before.
    Append(HospitalId, Addendum),
    /// A token used outside of an exchange.
    Spend(Replay),
}

impl Work {
    pub(super) fn record(record: ExchangeRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

/// The way in. Work that was taken is written even while closing.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: mpsc::Sender<Waiting>,
    /// Own set: the writer ends last, after the tasks that still have something to record.
    writer: Tasks,
}

#[derive(Debug)]
struct Waiting {
    work: Work,
    done: oneshot::Sender<Result<bool, StoreError>>,
}

impl Queue {
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (waiting, taken) = mpsc::channel(WAITING);
        let writer = Tasks::default();
        writer.spawn("group commit", write_all(pool, taken, writer.clone()));
        Self { waiting, writer }
    }

    /// Waits until the work is durable. For an admission, whether there was a place.
    pub(super) async fn commit(&self, work: Work) -> Result<bool, StoreError> {
        let (done, outcome) = oneshot::channel();
        self.waiting.try_send(Waiting { work, done }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        outcome.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) async fn close(&self) {
        self.writer.finish(Duration::from_secs(30)).await;
    }
}

async fn write_all(pool: SqlitePool, mut taken: mpsc::Receiver<Waiting>, tasks: Tasks) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = taken.recv_many(&mut batch, BATCH) => if count == 0 { return },
            // From here nothing new is taken; what waits is still written.
            () = tasks.stopping(), if !taken.is_closed() => taken.close(),
        }
        write_batch(&pool, &mut batch).await;
    }
}

async fn write_batch(pool: &SqlitePool, batch: &mut Vec<Waiting>) {
    match commit(pool, batch).await {
        Ok(outcomes) => {
            for (waiting, outcome) in batch.drain(..).zip(outcomes) {
                // A caller that went away does not need the news; its record is kept all the same.
                let _ = waiting.done.send(Ok(outcome));
            }
        }
        Err(error) if batch.len() == 1 => {
            tracing::error!(error = &error as &dyn std::error::Error, "a record was not written");
            batch.drain(..).for_each(|waiting| drop(waiting.done.send(Err(StoreError::NotRecorded))));
        }
        Err(_) => {
            for waiting in std::mem::take(batch) {
                Box::pin(write_batch(pool, &mut vec![waiting])).await;
            }
        }
    }
}

async fn commit(pool: &SqlitePool, batch: &[Waiting]) -> Result<Vec<bool>, sqlx::Error> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction: Transaction<'static, Sqlite> = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut rows = insert::Rows::default();
    for waiting in batch {
        outcomes.push(match &waiting.work {
            Work::Admit(ask) => insert::admission(&mut transaction, ask).await?,
            Work::Record(record) => rows.record(record),
            Work::Append(hospital, addendum) => rows.addendum(hospital, addendum),
            Work::Spend(token) => rows.token(token),
        });
    }
    rows.write(&mut transaction).await?;
    transaction.commit().await?;
    Ok(outcomes)
}
