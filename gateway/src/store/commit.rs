//! The group commit: whoever has something to write hands it in and waits; one task writes all that waits in one
//! transaction.
//!
//! While the disk flushes one batch the next gathers, so under load the cost of a flush is shared by as many as
//! wait, and an idle gateway answers after one flush. A batch that fails is tried again one by one: a bad
//! record fails alone. If the database takes nothing, everyone who waits is told so and no answer leaves.
//!
//! Calls have one queue and images another: what one hospital's modality sends in a minute must not stand before
//! an order that is signed.

mod insert;

use std::{future::Future, time::Duration};

use sqlx::{SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{Addendum, ExchangeRecord, Replay, StoreError, TrialAsk};
use crate::{catalog::HospitalId, tasks::Tasks};

/// How many pieces of work go into one transaction.
const BATCH: usize = 256;
/// How many may wait. Beyond that a call is refused at once instead of late.
const WAITING: usize = 8_192;

/// What is written in groups.
pub(super) trait Work: Send + Sync + Sized + 'static {
    /// What whoever waits is told.
    type Outcome: Send + 'static;

    /// Writes the first of these, as many as belong into one transaction and at least one, and gives the outcome of each
    /// that was written.
    ///
    /// # Errors
    /// The database does not take them; none is written then.
    fn write(
        works: &[&Self],
        db: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, sqlx::Error>> + Send;
}

/// Work of a call.
#[derive(Debug)]
pub(super) enum CallWork {
    /// The rows of an exchange.
    Record(Box<ExchangeRecord>),
    /// A place in a trial.
    Admit(TrialAsk),
    /// Something about an exchange that was recorded before.
    Append(HospitalId, Addendum),
    /// A token used outside of an exchange.
    Spend(Replay),
}

impl CallWork {
    pub(super) fn record(record: ExchangeRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

impl Work for CallWork {
    /// For an admission, whether there was a place.
    type Outcome = bool;

    async fn write(works: &[&Self], db: &mut SqliteConnection) -> Result<Vec<bool>, sqlx::Error> {
        let mut outcomes = Vec::with_capacity(works.len());
        let mut rows = insert::Rows::default();
        for work in works {
            outcomes.push(match work {
                Self::Admit(ask) => insert::admission(db, ask).await?,
                Self::Record(record) => rows.record(record),
                Self::Append(hospital, addendum) => rows.addendum(hospital, addendum),
                Self::Spend(token) => rows.token(token),
            });
        }
        rows.write(db).await?;
        Ok(outcomes)
    }
}

/// The way in. Work that was taken is written even while closing.
#[derive(Debug)]
pub(super) struct Queue<W: Work> {
    waiting: mpsc::Sender<Waiting<W>>,
    /// Own set: the writer ends last, after the tasks that still have something to record.
    writer: Tasks,
}

#[derive(Debug)]
struct Waiting<W: Work> {
    work: W,
    done: oneshot::Sender<Result<W::Outcome, StoreError>>,
}

impl<W: Work> Queue<W> {
    pub(super) fn start(pool: SqlitePool) -> Self {
        let (waiting, taken) = mpsc::channel(WAITING);
        let writer = Tasks::default();
        writer.spawn("group commit", write_all(pool, taken, writer.clone()));
        Self { waiting, writer }
    }

    /// Waits until the work is durable.
    pub(super) async fn commit(&self, work: W) -> Result<W::Outcome, StoreError> {
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

async fn write_all<W: Work>(pool: SqlitePool, mut taken: mpsc::Receiver<Waiting<W>>, tasks: Tasks) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = taken.recv_many(&mut batch, BATCH) => if count == 0 { return },
            // From here nothing new is taken; what waits is still written.
            () = tasks.stopping(), if !taken.is_closed() => taken.close(),
        }
        while !batch.is_empty() {
            write_some(&pool, &mut batch).await;
        }
    }
}

/// Writes the first of the batch, or all of it, and takes out what was written or has failed.
async fn write_some<W: Work>(pool: &SqlitePool, batch: &mut Vec<Waiting<W>>) {
    match commit(pool, batch).await {
        Ok(outcomes) => {
            let written = outcomes.len();
            for (waiting, outcome) in batch.drain(..written).zip(outcomes) {
                // A caller that went away does not need the news; its record is kept all the same.
                let _ = waiting.done.send(Ok(outcome));
            }
        }
        Err(error) if batch.len() == 1 => {
            tracing::error!(error = &error as &dyn std::error::Error, "a record was not written");
            batch.drain(..).for_each(|waiting| drop(waiting.done.send(Err(StoreError::not_recorded(&error)))));
        }
        Err(_) => {
            for waiting in std::mem::take(batch) {
                let mut alone = vec![waiting];
                Box::pin(write_some(pool, &mut alone)).await;
            }
        }
    }
}

async fn commit<W: Work>(pool: &SqlitePool, batch: &[Waiting<W>]) -> Result<Vec<W::Outcome>, sqlx::Error> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let works: Vec<&W> = batch.iter().map(|waiting| &waiting.work).collect();
    let mut transaction: Transaction<'static, sqlx::Sqlite> = pool.begin_with("BEGIN IMMEDIATE").await?;
    let outcomes = W::write(&works, &mut transaction).await?;
    transaction.commit().await?;
    Ok(outcomes)
}
