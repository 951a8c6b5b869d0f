//! `/hospitals/{hospital}/jobs` and `/vendors/{vendor}/jobs`: the work of AI services on images: what waits, what runs, what
//! failed and why.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Api,
    input::{Asked, At, Listed, Paging},
    problem::Problem,
};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId, VersionNumber},
    store::{Job, JobState},
};

/// The work of one service on one study.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobView {
    /// Its id; ids sort by time.
    id: Uuid,
    /// The UID of its workitem.
    workitem: String,
    /// StudyInstanceUID.
    study: String,
    /// Who does it.
    service: ServiceName,
    /// Which version.
    version: VersionNumber,
    /// Which of the descriptor's `images`.
    entry: String,
    /// `live`, `shadow` or `trial`.
    mode: String,
    /// Where it stands.
    state: JobState,
    /// 1 emergency, 2 urgent, 3 routine.
    priority: u8,
    /// How often it was tried.
    attempts: u64,
    /// Images that the service gets, of a prior too.
    images: usize,
    /// When it is tried next, or when the process that does it must say so again.
    #[serde(with = "time::serde::rfc3339")]
    due_at: OffsetDateTime,
    /// When it should be done; later it is overdue.
    #[serde(with = "time::serde::rfc3339")]
    deadline_at: OffsetDateTime,
    /// Whether it is not done and its deadline is over.
    is_overdue: bool,
    /// Why it does not go on, or did not at the last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// When it was put in.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    changed_at: OffsetDateTime,
}

/// What a vendor sees of a job: nothing of the hospital, the study or the patient.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VendorJobView {
    /// Its id, as the service was told.
    id: Uuid,
    /// Which service.
    service: ServiceName,
    /// Which version.
    version: VersionNumber,
    /// Which of the descriptor's `images`.
    entry: String,
    /// Where it stands.
    state: JobState,
    /// How often it was tried.
    attempts: u64,
    /// Why it does not go on: what is wrong with the service's answer, and how to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    changed_at: OffsetDateTime,
}

/// A hospital's jobs, oldest first.
#[utoipa::path(get, path = "/hospitals/{hospital}/jobs", tag = "imaging", params(("hospital" = HospitalId, Path), Paging),
    responses((status = OK, description = "A page of them", body = Listed<JobView>)))]
pub(super) async fn list(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<JobView>>, Problem> {
    let (page, now) = (paging.page()?, api.clock.now());
    let jobs = api.store.jobs(&hospital, page).await?.into_iter().map(|job| JobView::of(job, now)).collect();
    Ok(Json(Listed::new(jobs, page.limit, |view: &JobView| view.id.to_string())))
}

/// One job of a hospital.
#[utoipa::path(get, path = "/hospitals/{hospital}/jobs/{job}", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("job" = Uuid, Path)),
    responses((status = OK, description = "The job", body = JobView)))]
pub(super) async fn read(
    State(api): State<Api>,
    At((hospital, job)): At<(HospitalId, Uuid)>,
) -> Result<Json<JobView>, Problem> {
    let job = api.store.job(&hospital, job).await?.ok_or(Problem::no_such("job"))?;
    Ok(Json(JobView::of(job, api.clock.now())))
}

/// Do a job once more that was given up or canceled, when its reason was mended: a new run with a workitem of its own.
#[utoipa::path(post, path = "/hospitals/{hospital}/jobs/{job}/retry", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("job" = Uuid, Path)),
    responses((status = ACCEPTED, description = "It waits again")))]
pub(super) async fn retry(
    State(api): State<Api>,
    At((hospital, job)): At<(HospitalId, Uuid)>,
) -> Result<StatusCode, Problem> {
    if !api.store.run_job_again(&hospital, job, Uuid::now_v7(), api.clock.now()).await? {
        return Err(Problem::no_such("job that was given up"));
    }
    Ok(StatusCode::ACCEPTED)
}

/// The jobs of a vendor's services, oldest first: what is wrong with answers, without a word about whose images they are.
#[utoipa::path(get, path = "/vendors/{vendor}/jobs", tag = "vendors", params(("vendor" = VendorId, Path), Paging),
    responses((status = OK, description = "A page of them", body = Listed<VendorJobView>)))]
pub(super) async fn of_vendor(
    State(api): State<Api>,
    At(vendor): At<VendorId>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<VendorJobView>>, Problem> {
    let page = paging.page()?;
    let jobs = api.store.jobs_of_vendor(&vendor, page).await?.into_iter().map(VendorJobView::from).collect();
    Ok(Json(Listed::new(jobs, page.limit, |view: &VendorJobView| view.id.to_string())))
}

impl JobView {
    fn of(job: Job, now: OffsetDateTime) -> Self {
        let is_open = matches!(job.state, JobState::Waiting | JobState::Running | JobState::Answered);
        Self {
            workitem: job.workitem().to_string(),
            is_overdue: is_open && now > job.deadline_at,
            images: job.images(),
            id: job.id,
            study: job.study.to_string(),
            service: job.service,
            version: job.version,
            entry: job.entry,
            mode: job.mode,
            state: job.state,
            priority: job.priority,
            attempts: job.attempts,
            due_at: job.due_at,
            deadline_at: job.deadline_at,
            fault: job.fault,
            created_at: job.created_at,
            changed_at: job.changed_at,
        }
    }
}

impl From<Job> for VendorJobView {
    fn from(job: Job) -> Self {
        let Job { id, service, version, entry, state, attempts, fault, changed_at, .. } = job;
        Self { id, service, version, entry, state, attempts, fault, changed_at }
    }
}
