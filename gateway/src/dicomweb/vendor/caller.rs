//! Who calls, and which jobs there are for them.

use std::{ops::Deref, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::{DicomwebWay, ImageWay, Returned};
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
    store::{Job, JobSeries, JobState, StoreError},
    trust::run_of_token,
    work::is_of_same_patient,
};

/// Jobs of one vendor that are looked at.
const JOBS: u32 = 1_000;

/// A request of a vendor.
pub(in crate::dicomweb) struct VendorAsk {
    pub(super) vendor: VendorId,
    /// The only run for this caller, who showed its token.
    run: Option<Uuid>,
    pub(super) asked: Asked,
}

/// Proof: a job of this vendor's that it may work on now, in the way in which its service is talked to.
pub(super) struct OpenJob {
    pub(super) job: Job,
    pub(super) member: Arc<ImageMember>,
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

impl OpenJob {
    /// A job is open for those who fetch its images or bring its results by themselves; of the others nothing is here.
    fn of(app: &App, job: Job) -> Option<Self> {
        let member = Self::member(app, &job)?;
        let is_open = match &member.entry.way {
            ImageWay::Worklist(_) => matches!(job.state, JobState::Offered | JobState::Taken),
            ImageWay::Dicomweb(DicomwebWay { results: Returned::Store, .. }) => job.state == JobState::Running,
            ImageWay::Dicomweb(_) | ImageWay::ImageJson { .. } | ImageWay::Inference(_) => false,
        };
        is_open.then_some(Self { job, member })
    }

    /// Its service, as long as the hospital is enrolled in the same version for the same purpose.
    fn member(app: &App, job: &Job) -> Option<Arc<ImageMember>> {
        let snapshot = app.catalog.current();
        let member = snapshot.hospital(&job.hospital)?.analyzer(&job.service, &job.entry)?;
        (member.version == job.version && member.mode.word() == job.mode).then(|| Arc::clone(member))
    }

    pub(super) fn is_on_worklist(&self) -> bool {
        matches!(self.job.state, JobState::Offered | JobState::Taken)
    }

    /// Whether its images may be read and its results written: what nobody has taken from the worklist is nobody's yet.
    pub(super) fn is_at_work(&self, study: &Uid) -> bool {
        self.job.study == *study && self.is_taken()
    }

    /// The series of a study that may be read for it: of its own study, or of its prior, as long as that is the same patient's.
    pub(super) async fn series_of(&self, app: &App, study: &Uid) -> Result<&[JobSeries], StoreError> {
        if !self.is_taken() {
            return Ok(&[]);
        }
        if self.job.study == *study {
            return Ok(&self.job.inputs);
        }
        match self.job.prior.as_ref().filter(|prior| prior.study == *study) {
            Some(prior) if is_of_same_patient(&app.store, &self.job, study).await? => Ok(&prior.series),
            _ => Ok(&[]),
        }
    }

    fn is_taken(&self) -> bool {
        matches!(self.job.state, JobState::Taken | JobState::Running)
    }
}
