//! Performers at a vendor that hear of the workitems on its worklist (PS3.4 §CC.2.3, §CC.2.4), by the rows by which systems of a
//! hospital hear of its own ([`Party`]).
//!
//! A workitem is theirs from the moment on in which its job is offered, and what happens to it is told until its end. They lock
//! none: how long a hospital keeps its workitems is no vendor's to say.

use dicom_dictionary_std::tags;
use medvan_imaging::{AeTitle, Uid, attributes::Attributes, ups::Workitem};
use sqlx::SqliteConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Party, Subscribed, Worklist, events, select, state,
    subscriptions::{Watcher, admit, subscribe, watch, watchers},
};
use crate::{
    catalog::{HospitalId, VendorId},
    store::{Job, Store, StoreError, jobs},
};

/// Jobs that are looked at in one step while somebody subscribes to all that are on the worklist.
const AT_ONCE: u32 = 32;

impl Store {
    /// Subscribes a performer to the workitem of a job that its vendor was offered or has taken; the first event says how it is now.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn subscribe_performer(
        &self,
        job: &Job,
        ae_title: &AeTitle,
        now: OffsetDateTime,
    ) -> Result<Subscribed, StoreError> {
        let party = Party::Vendor(&job.service.vendor).key();
        let mut db = self.write().await?;
        if !jobs::is_at_vendor(&mut db, job).await? {
            return Ok(Subscribed::NoWorkitem);
        }
        let workitem = select(&mut db, &job.hospital, &job.workitem()).await?;
        let Some(workitem) = workitem else { return Ok(Subscribed::NoWorkitem) };
        if !admit(&mut db, &party, ae_title).await? {
            return Ok(Subscribed::TooMany);
        }
        subscribe(&mut db, &party, workitem.uid(), (ae_title, false)).await?;
        events::report(&mut db, &job.hospital, &workitem, (&party, ae_title), now).await?;
        db.commit().await?;
        Ok(Subscribed::Done)
    }

    /// Subscribes a performer to all workitems of its vendor's worklist or to those that match: to those to come, and to those that are
    /// there or are just being put there, as far as `is_theirs` says so.
    ///
    /// # Errors
    /// The database does not take it; perhaps some of those that are there are left out then, and it may be asked for again.
    pub async fn subscribe_performer_to_worklist(
        &self,
        vendor: &VendorId,
        worklist: &Worklist,
        ae_title: &AeTitle,
        is_theirs: impl Fn(&Job) -> bool + Send,
    ) -> Result<Subscribed, StoreError> {
        let (party, watcher) = (Party::Vendor(vendor).key(), Watcher::of(worklist, ae_title)?);
        let mut db = self.write().await?;
        if !admit(&mut db, &party, ae_title).await? {
            return Ok(Subscribed::TooMany);
        }
        watch(&mut db, &party, worklist, (ae_title, false)).await?;
        db.commit().await?;
        let mut after = (0, Uuid::nil());
        loop {
            let page = self.worklist_to_be(vendor, after, AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(Subscribed::Done) };
            after = (last.priority, last.id);
            for job in page.into_iter().filter(|job| is_theirs(job)) {
                let workitem = self.workitem(&job.hospital, &job.workitem()).await?;
                if workitem.is_some_and(|workitem| watcher.would_see(&workitem)) {
                    let mut db = self.write().await?;
                    let state = state(&mut db, &job.hospital, &job.workitem()).await?;
                    if state.is_some_and(|state| !state.is_final()) {
                        watcher.subscribe(&mut db, &party, &job.workitem()).await?;
                        db.commit().await?;
                    }
                }
            }
        }
    }

    /// Subscribes to the workitem of a job whoever wants to hear of such at its vendor, and says how it is: before the job is offered.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn tell_performers(&self, job: &Job, now: OffsetDateTime) -> Result<(), StoreError> {
        let party = Party::Vendor(&job.service.vendor).key();
        let mut db = self.write().await?;
        let watchers = watchers(&mut db, &party).await?;
        if watchers.is_empty() {
            return Ok(());
        }
        let Some(workitem) = select(&mut db, &job.hospital, &job.workitem()).await? else { return Ok(()) };
        for watcher in watchers.iter().filter(|watcher| watcher.would_see(&workitem)) {
            watcher.subscribe(&mut db, &party, workitem.uid()).await?;
            events::report(&mut db, &job.hospital, &workitem, (&party, &watcher.ae_title), now).await?;
        }
        db.commit().await?;
        Ok(())
    }
}

/// Subscribes to a changed workitem whoever wants to hear of such at its vendor and did not before. Of one that has ended, nothing more
/// is to be heard.
pub(super) async fn to_changed(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    before: &Workitem,
    after: &Workitem,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let Some(vendor) = jobs::vendor_of(db, hospital, after.uid()).await? else { return Ok(()) };
    let party = Party::Vendor(&vendor).key();
    if after.state().is_final() {
        let ended = sqlx::query("DELETE FROM workitem_subscriptions WHERE hospital = $1 AND workitem = $2");
        ended.bind(party).bind(after.uid().as_str()).execute(db).await?;
        return Ok(());
    }
    for watcher in watchers(db, &party).await? {
        let comes = !watcher.would_see(before) && watcher.would_see(after);
        if comes && watcher.subscribe(db, &party, after.uid()).await? {
            events::report(db, hospital, after, (&party, &watcher.ae_title), now).await?;
        }
    }
    Ok(())
}

/// Whether somebody hears of a workitem at the vendor on whose worklist it stands.
pub(super) async fn listen(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let Some(vendor) = jobs::vendor_of(db, hospital, workitem).await? else { return Ok(false) };
    let found = sqlx::query("SELECT 1 FROM workitem_subscriptions WHERE hospital = $1 AND workitem = $2");
    let found = found.bind(Party::Vendor(&vendor).key()).bind(workitem.as_str()).fetch_optional(db).await?;
    Ok(found.is_some())
}

impl Watcher {
    /// Whether a vendor's filter matches what the vendor is shown: from where the hospital's own systems retrieve is not its to ask.
    fn would_see(&self, workitem: &Workitem) -> bool {
        self.is_to_hear_of(|| {
            let mut view = workitem.view();
            let mut inputs = view.items(tags::INPUT_INFORMATION_SEQUENCE).to_vec();
            inputs.iter_mut().for_each(|input: &mut Attributes| drop(input.remove(tags::DICOM_RETRIEVAL_SEQUENCE)));
            view.put_items(tags::INPUT_INFORMATION_SEQUENCE, inputs);
            view
        })
    }
}
