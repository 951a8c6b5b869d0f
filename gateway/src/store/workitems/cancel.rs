//! Somebody asks that a workitem be canceled (PS3.4 §CC.2.2): what its performer can be told decides.

use medvan_imaging::{
    AeTitle, Uid,
    attributes::Attributes,
    ups::{Fault, State, Transition, Workitem},
};
use sqlx::SqliteConnection;
use time::OffsetDateTime;

use super::{performers, select, write};
use crate::{
    catalog::HospitalId,
    store::{
        Job, Store, StoreError,
        jobs::{self, Stopped},
    },
};

/// Who asks, and why.
#[derive(Debug)]
pub struct CancelAsk<'a> {
    /// The name that subscribers hear.
    pub requester: &'a str,
    /// AE titles of the requester: what they hear is not heard by a performer.
    pub titles: &'a [AeTitle],
    /// The reasons.
    pub request: &'a Attributes,
    /// The Transaction UID by which one that nobody performs is canceled.
    pub lock: Uid,
    /// The Transaction UID by which the gateway would hold this workitem.
    pub own: Option<Uid>,
}

/// What became of it.
#[derive(Debug)]
pub struct Cancellation {
    /// As it is told.
    pub outcome: Result<Transition, Fault>,
    /// The job that was canceled with it.
    pub job: Option<Job>,
}

impl Store {
    /// Asks for the cancellation of a workitem: one that nobody performs is canceled, one that the gateway performs is canceled with
    /// its job, and of any other its performer hears, if somebody listens. None where there is no such workitem.
    ///
    /// # Errors
    /// The database does not take it; the workitem is as it was.
    pub async fn request_cancel(
        &self,
        hospital: &HospitalId,
        uid: &Uid,
        ask: CancelAsk<'_>,
        now: OffsetDateTime,
    ) -> Result<Option<Cancellation>, StoreError> {
        let mut db = self.write().await?;
        let Some(mut workitem) = select(&mut db, hospital, uid).await? else { return Ok(None) };
        let before = workitem.clone();
        let mut job = None;
        let outcome = match performer(&mut db, hospital, &workitem, &ask).await? {
            Performer::Nobody | Performer::Listens => {
                workitem.request_cancel(ask.requester, ask.request, ask.lock, now)
            }
            Performer::Silent => Err(Fault::Unreachable),
            Performer::Gateway => match jobs::stop(&mut db, hospital, uid, now).await? {
                Stopped::TooLate => Err(Fault::Unwilling),
                Stopped::Canceled(stopped) => {
                    job = Some(*stopped);
                    workitem.grant_cancel(ask.request, now)
                }
                Stopped::Ended => workitem.grant_cancel(ask.request, now),
            },
        };
        if outcome.is_err() {
            // The job goes on too.
            return Ok(Some(Cancellation { outcome, job: None }));
        }
        write(&mut db, hospital, &before, &workitem, now).await?;
        db.commit().await?;
        Ok(Some(Cancellation { outcome, job }))
    }
}

/// Who performs a workitem, and whether they can be told.
enum Performer {
    Nobody,
    Gateway,
    Listens,
    Silent,
}

async fn performer(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
    ask: &CancelAsk<'_>,
) -> Result<Performer, StoreError> {
    if workitem.state() != State::InProgress {
        return Ok(Performer::Nobody);
    }
    if ask.own.is_some() && workitem.transaction() == ask.own.as_ref() {
        return Ok(Performer::Gateway);
    }
    // Whoever took it from the worklist of a vendor hears there: those who listen at the hospital are others.
    if jobs::is_of_job(db, hospital, workitem.uid()).await? {
        let listens = performers::listen(db, hospital, workitem.uid()).await?;
        return Ok(if listens { Performer::Listens } else { Performer::Silent });
    }
    let rows = sqlx::query("SELECT ae_title FROM workitem_subscriptions WHERE hospital = $1 AND workitem = $2")
        .bind(hospital.as_str())
        .bind(workitem.uid().as_str())
        .fetch_all(db)
        .await?;
    let is_other = |row| {
        let title: &str = sqlx::Row::try_get(row, "ae_title").unwrap_or_default();
        ask.titles.iter().all(|own| own.as_str() != title)
    };
    Ok(if rows.iter().any(is_other) { Performer::Listens } else { Performer::Silent })
}
