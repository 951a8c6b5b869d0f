//! Who calls, and which jobs there are for them.

use std::ops::Deref;

use axum::{extract::FromRequestParts, http::request::Parts};
use medvan_profiles::descriptor::images::ImageWay;
use uuid::Uuid;

use super::super::{
    ask::{self, Asked},
    refusal::Refusal,
    resource::{Resource, gateway_base},
};
use crate::{App, api, bearer::bearer, catalog::VendorId, trust::run_of_token, work::OpenJob};

/// Jobs of one vendor that are looked at.
const JOBS: u32 = 1_000;

/// A request of a vendor.
pub(in crate::dicomweb) struct VendorAsk {
    pub(super) vendor: VendorId,
    /// The only run for this caller, who showed its token.
    run: Option<Uuid>,
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
        let token = bearer(&parts.headers).ok_or(Refusal::NotAuthenticated)?;
        let run = run_of_token(&app.secret, token);
        let vendor = resource.vendor.parse::<VendorId>().map_err(|_| Refusal::NotFound)?;
        if run.is_none() {
            let caller = api::vendor(app, &parts.headers).await?.ok_or(Refusal::NotAuthenticated)?;
            if caller != vendor {
                return Err(Refusal::NotFound);
            }
        }
        let root = format!("{}/vendors/{vendor}/dicom-web", gateway_base(app, &parts.headers));
        Ok(Self { vendor, run, asked: Asked::read(parts, resource, peer, root)? })
    }
}

impl VendorAsk {
    /// The jobs that this caller may work on now, the most urgent first.
    pub(super) async fn jobs(&self, app: &App) -> Result<Vec<OpenJob>, Refusal> {
        let jobs = match self.run {
            Some(run) => app.store.job_of_run(&self.vendor, run).await?.into_iter().collect(),
            None => app.store.jobs_at_vendor(&self.vendor, JOBS).await?,
        };
        Ok(jobs.into_iter().filter_map(|job| OpenJob::of(app, job)).collect())
    }

    /// The job whose workitem the path names, once it was put on the worklist: a performer that did not hear an answer asks again.
    pub(super) async fn job_of_workitem(&self, app: &App) -> Result<OpenJob, Refusal> {
        let run = self.resource.workitem()?.to_uuid().map(Uuid::from_u128).ok_or(Refusal::NotFound)?;
        if self.run.is_some_and(|only| only != run) {
            return Err(Refusal::NotFound);
        }
        let job = app.store.job_of_run(&self.vendor, run).await?.ok_or(Refusal::NotFound)?;
        let member = OpenJob::member(app, &job).ok_or(Refusal::NotFound)?;
        let is_pulled = matches!(member.entry.way, ImageWay::Worklist(_)) && job.offered_until.is_some();
        if is_pulled { Ok(OpenJob { job, member }) } else { Err(Refusal::NotFound) }
    }
}
