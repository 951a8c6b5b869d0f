//! [`Store`]: what must survive, in SQLite.
//!
//! One writer, many readers. SQLite has one writer at a time anyway; with one connection for it and `BEGIN IMMEDIATE`
//! nobody ever meets `SQLITE_BUSY` in the middle of a transaction. The journal is a WAL with `synchronous=FULL`: what was
//! acknowledged survives a power cut. Calls do not write for themselves: [`Store::record`] hands their rows to the
//! [group commit](commit), which pays one flush for many of them.
//!
//! Every function that touches a hospital's data has the hospital in its signature (design, invariant 6). Rows are
//! private to this module; what goes in and out are the types of [`crate::catalog`] and the records below.

mod analyses;
mod catalog;
mod column;
mod commit;
mod connect;
mod credentials;
mod discoveries;
mod exchange;
mod feedback;
mod image_cards;
mod images;
mod instant;
mod intakes;
mod jobs;
mod leases;
mod node_outbox;
mod prior_searches;
mod published;
mod purge;
mod received;
mod refused_results;
mod rows;
mod spent;
mod sums;
mod workitems;

#[cfg(test)]
mod tests;

use std::{fmt::Write as _, path::Path, sync::Arc};

use sqlx::{Sqlite, SqlitePool, Transaction};

pub use analyses::{Answer, EvidenceObject, StoredAnalysis};
pub use catalog::{
    DeleteVendor, Moved, Page, PutClient, PutEnrollment, PutHospital, Registered, StoredVersion, Transition, Wish,
    Written,
};
pub use credentials::StoredCredential;
pub use discoveries::Reading;

pub use exchange::{
    Addendum, CardOrigin, ExchangeRecord, IssuedCard, IssuedSuggestion, Mark, Replay, StoredAddendum, StoredExchange,
    TrialAsk, UsageRow,
};
pub use feedback::{Claimed, Delivery, FeedbackRow, StoredFeedback};
pub use image_cards::{CardText, UnseenAnalysis};
pub use images::{
    Emptied, FoundInstance, FoundSeries, FoundStudy, Kind, NewInstance, NewSeries, NewStudy, Origin, Place, Placed,
    Protocol, Selection,
};
pub use intakes::{Intake, Judged};
pub use jobs::{Job, JobFilter, JobPrior, JobSeries, JobState, JobsDepth, JobsIn, NewJob, Places};
pub use node_outbox::{ForNode, GivenUp, NodeBatch, ToNode};
pub use prior_searches::{PriorSearch, SearchState};
pub use published::{PublishedAnalysis, PublishedNarrow};
pub use purge::Retention;
pub use received::{Receipt, ReceivedBounds, ReceivedNote, ReceivedObject};
pub use refused_results::RefusedResult;
pub use sums::{MarkSum, OutcomeSum, Period, UsageSum};
pub use workitems::{
    CancelAsk, Cancellation, DueSubscriber, FoundWorkitems, Notice, Party, PutWorkitem, Subscribed, WorkitemBounds,
    WorkitemNarrow, WorkitemRoom, Worklist,
};

/// A handle to the database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    readers: SqlitePool,
    writer: SqlitePool,
    commits: commit::Queue<commit::CallWork>,
    images: commit::Queue<images::Placement>,
}

/// Why the store did not do it. The text names no data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More is waiting to be written than the queue holds. Worth a retry a moment later.
    #[error("the store has more to write than it can take now")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The database refused or cannot be reached.
    #[error("the database does not answer as it should")]
    Database(#[source] sqlx::Error),
    /// The database did not take it; the reason was logged.
    #[error("the database did not take the record")]
    NotRecorded,
    /// There is no room on the disk. Worth a retry when there is.
    #[error("there is no room left on the disk")]
    NoSpace,
    /// Something stored is not readable any more.
    #[error("stored {0} is not readable")]
    Unreadable(&'static str),
    /// The data directory was written by a newer version, or a migration failed.
    #[error("the database's schema cannot be brought up to date")]
    Schema(#[source] sqlx::Error),
}

impl Store {
    /// Opens the database file, makes it where there is none, and brings its schema up to date.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let writer = connect::writer(file).await?;
        connect::migrate(&writer).await?;
        let readers = connect::readers(file).await?;
        let commits = commit::Queue::start(writer.clone());
        let images = commit::Queue::start(writer.clone());
        Ok(Self(Arc::new(Inner { readers, writer, commits, images })))
    }

    /// Whether a write would be taken now: for the readiness check.
    ///
    /// # Errors
    /// It would not.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE schema_steps SET step = step").execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// Writes what waits, then closes. Records that come later are refused.
    pub async fn close(&self) {
        self.0.images.close().await;
        self.0.commits.close().await;
        self.0.writer.close().await;
        self.0.readers.close().await;
    }

    fn readers(&self) -> &SqlitePool {
        &self.0.readers
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.0.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

impl StoreError {
    /// What whoever waits for a record is told when the database did not take it.
    fn not_recorded(error: &sqlx::Error) -> Self {
        if is_full(error) { Self::NoSpace } else { Self::NotRecorded }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_full(&error) { Self::NoSpace } else { Self::Database(error) }
    }
}

fn is_full(error: &sqlx::Error) -> bool {
    /// `SQLITE_FULL`
    const FULL: &str = "13";
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == FULL)
}

/// Digests are kept as hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
