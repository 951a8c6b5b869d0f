//! `/hospitals/{hospital}/jobs` and `/vendors/{vendor}/jobs`: the work of AI services on images: what waits, what runs, what
//! failed and why.

use axum::{Json, extract::State, http::StatusCode};
use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, ups::Workitem};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Api,
    input::{Asked, At, Listed, Paging},
    problem::{Kind, Problem},
};
use crate::{
    catalog::{HospitalId, ServiceName, VendorId, VersionNumber},
    store::{Job, JobFilter, JobState, JobsIn, RefusedResult},
};

/// What a search may name as states.
const STATES: &str = "one or more of waiting, running, answered, offered, taken, done, dead, superseded, canceled";

/// Which jobs, and which part of their list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobSearch {
    /// Only those in one of these states, with commas between: `waiting`, `running`, `answered`, `offered`, `taken`, `done`, `dead`,
    /// `superseded`, `canceled`.
    #[param(example = "dead,canceled")]
    state: Option<String>,
    /// Only those of this service.
    #[param(example = "asagao.spots")]
    service: Option<String>,
    /// Only those about the study with this StudyInstanceUID.
    study: Option<String>,
    /// Only those that are open and whose deadline is over, where it is `true`.
    overdue: Option<bool>,
    /// `oldest` first, which is usual, or `newest`.
    #[param(inline)]
    order: Option<Order>,
    /// How many at most.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 256)]
    cursor: Option<String>,
}

/// Which jobs come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Those that were put in first.
    Oldest,
    /// Those that were put in last.
    Newest,
}

/// The work of one service on one study.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
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
    /// How far its performer said that it is, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressView>,
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
    /// The last results that were refused when the service brought them, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedView>,
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
    /// The last results that were refused when the service brought them, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedView>,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    changed_at: OffsetDateTime,
}

/// A result that the service brought for a job and that was refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusedView {
    /// When it was brought.
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// Failure Reason (0008,1197).
    code: u16,
    /// Why, and how to mend it.
    reason: String,
}

/// How far a performer is with a workitem (PS3.4 table CC.2.5-3).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProgressView {
    /// Procedure Step Progress (0074,1004), in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<f64>,
    /// Procedure Step Progress Description (0074,1006), in the performer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// How many jobs are in a state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobsInView {
    /// The state.
    state: JobState,
    /// How many.
    jobs: u64,
    /// Of these, open ones whose deadline is over.
    overdue: u64,
}

/// A hospital's jobs, oldest first unless asked otherwise.
#[utoipa::path(get, path = "/hospitals/{hospital}/jobs", tag = "imaging", params(("hospital" = HospitalId, Path), JobSearch),
    responses((status = OK, description = "A page of them", body = Listed<JobView>)))]
pub(crate) async fn list(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Asked(search): Asked<JobSearch>,
) -> Result<Json<Listed<JobView>>, Problem> {
    let (paging, now) = (search.paging(), api.clock.now());
    let page = paging.page()?;
    let found = api.store.jobs(&hospital, &search.filter(now)?, page).await?;
    let mut jobs = Vec::with_capacity(found.len());
    for job in found {
        jobs.push(view(&api, job, now).await?);
    }
    Ok(Json(Listed::new(jobs, page.limit, |view: &JobView| view.id.to_string())))
}

/// How many of a hospital's jobs wait, run, or came to no result; those that are done are not counted.
#[utoipa::path(get, path = "/hospitals/{hospital}/jobs/summary", tag = "imaging", params(("hospital" = HospitalId, Path)),
    responses((status = OK, description = "How many are in each state", body = Vec<JobsInView>)))]
pub(crate) async fn summary(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
) -> Result<Json<Vec<JobsInView>>, Problem> {
    let found = api.store.jobs_in_states(&hospital, api.clock.now()).await?;
    Ok(Json(found.into_iter().map(JobsInView::from).collect()))
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
    Ok(Json(view(&api, job, api.clock.now()).await?))
}

async fn view(api: &Api, job: Job, now: OffsetDateTime) -> Result<JobView, Problem> {
    let workitem = match job.state {
        // Nobody else tells how far it is.
        JobState::Taken => api.store.workitem(&job.hospital, &job.workitem()).await?,
        _ => None,
    };
    let refused = refused(api, &job).await?;
    Ok(JobView::of(job, workitem.as_ref().and_then(ProgressView::of), refused, now))
}

async fn refused(api: &Api, job: &Job) -> Result<Vec<RefusedView>, Problem> {
    Ok(api.store.refused_results(job.id).await?.into_iter().map(RefusedView::from).collect())
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
    let found = api.store.jobs_of_vendor(&vendor, page).await?;
    let mut jobs = Vec::with_capacity(found.len());
    for job in found {
        let refused = refused(&api, &job).await?;
        jobs.push(VendorJobView::of(job, refused));
    }
    Ok(Json(Listed::new(jobs, page.limit, |view: &VendorJobView| view.id.to_string())))
}

impl JobSearch {
    fn paging(&self) -> Paging {
        Paging::new(self.limit, self.cursor.clone())
    }

    fn filter(&self, now: OffsetDateTime) -> Result<JobFilter, Problem> {
        let words = self.state.iter().flat_map(|words| words.split(','));
        let states = words.map(|word| word.trim().parse().map_err(|()| Self::refused("state is", STATES)));
        let service = self.service.as_deref().map(str::parse).transpose();
        let study = self.study.as_deref().map(Uid::parse).transpose();
        Ok(JobFilter {
            states: states.collect::<Result<_, _>>()?,
            service: service.map_err(|_| Self::refused("service is", "vendor.service"))?,
            study: study.map_err(|_| Self::refused("study is", "a StudyInstanceUID"))?,
            overdue_at: (self.overdue == Some(true)).then_some(now),
            is_newest_first: self.order == Some(Order::Newest),
        })
    }

    fn refused(what: &str, form: &str) -> Problem {
        Problem::new(Kind::Parameter, format!("{what} {form}"))
    }
}

impl ProgressView {
    fn of(workitem: &Workitem) -> Option<Self> {
        let told = workitem.attributes().items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE).first()?;
        let percent = told.text(tags::PROCEDURE_STEP_PROGRESS).and_then(|percent| percent.trim().parse().ok());
        let description = told.text(tags::PROCEDURE_STEP_PROGRESS_DESCRIPTION);
        (percent.is_some() || description.is_some()).then_some(Self { percent, description })
    }
}

impl From<JobsIn> for JobsInView {
    fn from(JobsIn { state, jobs, overdue }: JobsIn) -> Self {
        Self { state, jobs, overdue }
    }
}

impl JobView {
    fn of(job: Job, progress: Option<ProgressView>, refused: Vec<RefusedView>, now: OffsetDateTime) -> Self {
        Self {
            workitem: job.workitem().to_string(),
            is_overdue: job.state.is_open() && now > job.deadline_at,
            progress,
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
            refused,
            created_at: job.created_at,
            changed_at: job.changed_at,
        }
    }
}

impl From<RefusedResult> for RefusedView {
    fn from(RefusedResult { at, code, words }: RefusedResult) -> Self {
        Self { at, code, reason: words }
    }
}

impl VendorJobView {
    fn of(job: Job, refused: Vec<RefusedView>) -> Self {
        let Job { id, service, version, entry, state, attempts, fault, changed_at, .. } = job;
        Self { id, service, version, entry, state, attempts, fault, refused, changed_at }
    }
}
