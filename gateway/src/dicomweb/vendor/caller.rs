//! Who calls, and which jobs there are for them.

use std::{ops::Deref, sync::Arc};

use axum::{body::Body, extract::FromRequestParts, http::request::Parts, response::Response};
use http_body_util::BodyExt as _;
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::ImageWay;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::super::{
    ask::{self, Asked},
    refusal::Refusal,
    resource::{Resource, gateway_base},
};
use crate::{
    App, api,
    bearer::bearer,
    catalog::{ImageMember, VendorId},
    store::{Job, JobState, StoreError, WorkitemNarrow},
    trust::JobToken,
    work::OpenJob,
};

/// Jobs of a worklist that are looked at in one step.
const PAGE: u32 = 200;

/// A request of a vendor.
pub(in crate::dicomweb) struct VendorAsk {
    pub(super) vendor: VendorId,
    /// Of the only job that there is for this caller, who showed it.
    token: Option<JobToken>,
    /// Reads and stores of one vendor at once are few: others have need of the index, too.
    place: OwnedSemaphorePermit,
    pub(super) asked: Asked,
}

impl Deref for VendorAsk {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.asked
    }
}

impl FromRequestParts<App> for VendorAsk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let resource = Resource::from_request_parts(parts, app).await?;
        let peer = ask::peer(parts, app).await?;
        let shown = bearer(&parts.headers).ok_or(Refusal::NotAuthenticated)?;
        let token = JobToken::read(&app.secret, shown);
        let vendor = resource.vendor.parse::<VendorId>().map_err(|_| Refusal::NotFound)?;
        // Whoever is nobody here takes no place of those who are.
        let is_theirs = match token {
            Some(token) => app.store.job_of_run(&vendor, token.run()).await?.is_some(),
            None => api::vendor(app, &parts.headers).await?.ok_or(Refusal::NotAuthenticated)? == vendor,
        };
        if !is_theirs {
            return Err(Refusal::NotFound);
        }
        let root = format!("{}/vendors/{vendor}/dicom-web", gateway_base(app, &parts.headers));
        let place = app.at_vendors.place(&vendor).ok_or(Refusal::Busy)?;
        Ok(Self { vendor, token, place, asked: Asked::read(parts, resource, peer, root)? })
    }
}

impl VendorAsk {
    /// An answer that takes the place of its request until its last byte is sent, or nobody wants it any more.
    pub(super) fn until_sent(self, answer: Response) -> Response {
        answer.map(|body| held(body, self.place))
    }

    /// The vendor, whose own credential was shown: a token is for the work on one job, and not for hearing of it.
    pub(super) const fn the_vendor(&self) -> Result<&VendorId, Refusal> {
        match self.token {
            None => Ok(&self.vendor),
            Some(_) => {
                Err(Refusal::NotTheirs("the token of a job subscribes to nothing; the vendor's credential does"))
            }
        }
    }

    /// The job whose token the caller showed, as long as it is open; nothing for who showed the vendor's credential.
    pub(super) async fn own_job(&self, app: &App) -> Result<Option<OpenJob>, Refusal> {
        let Some(token) = self.token else { return Ok(None) };
        let job = app.store.job_of_run(&self.vendor, token.run()).await?;
        let open = job.filter(|job| JobToken::of(job) == token).and_then(|job| OpenJob::of(app, job));
        open.map(Some).ok_or(Refusal::NotFound)
    }

    /// The jobs about this study that this caller may work on now.
    pub(super) async fn jobs(&self, app: &App, study: &Uid) -> Result<Vec<OpenJob>, Refusal> {
        if let Some(own) = self.own_job(app).await? {
            return Ok(vec![own]);
        }
        let mut jobs = app.store.jobs_at_vendor(&self.vendor, study).await?;
        jobs.extend(app.store.jobs_with_prior(&self.vendor, study).await?);
        Ok(jobs.into_iter().filter_map(|job| OpenJob::of(app, job)).collect())
    }

    /// The jobs on the worklist after this place in its order that a search may match, a few; only its own for who showed a token.
    pub(super) async fn worklist(
        &self,
        app: &App,
        narrow: &WorkitemNarrow,
        after: (u8, Uuid),
    ) -> Result<Vec<Job>, Refusal> {
        match self.own_job(app).await? {
            None => Ok(app.store.narrowed_worklist(&self.vendor, narrow, after, PAGE).await?),
            Some(own) if after == (0, Uuid::nil()) => Ok(vec![own.job]),
            Some(_) => Ok(Vec::new()),
        }
    }

    /// The job whose workitem the path names, once it was put on the worklist: a performer that did not hear an answer asks again.
    pub(super) async fn job_of_workitem(&self, app: &App) -> Result<OpenJob, Refusal> {
        let workitem = self.resource.workitem()?;
        if self.token.is_some_and(|only| Some(only.run().as_u128()) != workitem.to_uuid()) {
            return Err(Refusal::NotFound);
        }
        pulled(app, &self.vendor, &workitem).await?.ok_or(Refusal::NotFound)
    }
}

/// The job of a workitem that was put on this vendor's worklist, as long as the hospital is enrolled in the service.
pub(in crate::dicomweb) async fn pulled(
    app: &App,
    vendor: &VendorId,
    workitem: &Uid,
) -> Result<Option<OpenJob>, StoreError> {
    let Some(run) = workitem.to_uuid().map(Uuid::from_u128) else { return Ok(None) };
    let Some(job) = app.store.job_of_run(vendor, run).await? else { return Ok(None) };
    let member = puller(app, &job).filter(|_| job.offered_until.is_some());
    Ok(member.map(|member| OpenJob { job, member }))
}

/// The service of a job, if it pulls its work and the hospital is enrolled in it.
pub(super) fn puller(app: &App, job: &Job) -> Option<Arc<ImageMember>> {
    OpenJob::member(app, job).filter(|member| matches!(member.entry.way, ImageWay::Worklist(_)))
}

/// Whether the job of a workitem is on its way to this vendor's worklist.
pub(in crate::dicomweb) async fn is_to_be_pulled(
    app: &App,
    vendor: &VendorId,
    workitem: &Uid,
) -> Result<bool, StoreError> {
    let Some(run) = workitem.to_uuid().map(Uuid::from_u128) else { return Ok(false) };
    let job = app.store.job_of_run(vendor, run).await?;
    Ok(job.is_some_and(|job| {
        let is_open = matches!(job.state, JobState::Waiting | JobState::Running | JobState::Answered);
        is_open && job.offered_until.is_none()
    }))
}

/// A body that holds a place as long as it is there.
fn held(body: Body, place: OwnedSemaphorePermit) -> Body {
    // Of all adapters this one leaves its length as it is told.
    Body::new(body.map_err(move |error| {
        let _place = &place;
        error
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn a_place_is_held_until_the_body_ends_or_is_dropped() {
        let places = Arc::new(Semaphore::new(1));
        let answer = || held(Body::from("images"), places.clone().try_acquire_owned().unwrap());
        let dropped = answer();
        assert_eq!((places.available_permits(), dropped.size_hint().exact()), (0, Some(6)));
        drop(dropped);
        let read = answer();
        assert_eq!(places.available_permits(), 0);
        assert_eq!(read.collect().await.unwrap().to_bytes(), "images");
        assert_eq!(places.available_permits(), 1);
    }
}
