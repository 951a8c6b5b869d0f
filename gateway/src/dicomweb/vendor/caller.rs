//! Who calls, and which jobs there are for them.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::request::Parts};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::ImageWay;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::super::{
    ask::{self, Asked},
    refusal::Refusal,
    resource::{Resource, gateway_base},
};
use crate::{App, api, bearer::bearer, catalog::VendorId, store::Job, trust::JobToken, work::OpenJob};

/// Jobs of a worklist that are looked at in one step.
const PAGE: u32 = 200;

/// A request of a vendor.
pub(in crate::dicomweb) struct VendorAsk {
    pub(super) vendor: VendorId,
    /// Of the only job that there is for this caller, who showed it.
    token: Option<JobToken>,
    /// Reads and stores of one vendor at once are few: others have need of the index, too.
    _place: OwnedSemaphorePermit,
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
        if token.is_none() {
            let caller = api::vendor(app, &parts.headers).await?.ok_or(Refusal::NotAuthenticated)?;
            if caller != vendor {
                return Err(Refusal::NotFound);
            }
        }
        let root = format!("{}/vendors/{vendor}/dicom-web", gateway_base(app, &parts.headers));
        let _place = app.at_vendors.place(&vendor).ok_or(Refusal::Busy)?;
        Ok(Self { vendor, token, _place, asked: Asked::read(parts, resource, peer, root)? })
    }
}

impl VendorAsk {
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

    /// The jobs on the worklist after this place in its order, a few; only its own for who showed a token.
    pub(super) async fn worklist(&self, app: &App, after: (u8, Uuid)) -> Result<Vec<Job>, Refusal> {
        match self.own_job(app).await? {
            None => Ok(app.store.worklist(&self.vendor, after, PAGE).await?),
            Some(own) if after == (0, Uuid::nil()) => Ok(vec![own.job]),
            Some(_) => Ok(Vec::new()),
        }
    }

    /// The job whose workitem the path names, once it was put on the worklist: a performer that did not hear an answer asks again.
    pub(super) async fn job_of_workitem(&self, app: &App) -> Result<OpenJob, Refusal> {
        let run = self.resource.workitem()?.to_uuid().map(Uuid::from_u128).ok_or(Refusal::NotFound)?;
        if self.token.is_some_and(|only| only.run() != run) {
            return Err(Refusal::NotFound);
        }
        let job = app.store.job_of_run(&self.vendor, run).await?.ok_or(Refusal::NotFound)?;
        let member = OpenJob::member(app, &job).ok_or(Refusal::NotFound)?;
        let is_pulled = matches!(member.entry.way, ImageWay::Worklist(_)) && job.offered_until.is_some();
        if is_pulled { Ok(OpenJob { job, member }) } else { Err(Refusal::NotFound) }
    }
}
