//! `/hospitals/{hospital}/studies/{study}/matching`: which services get which series of a study, and why the others not.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::SeriesRules;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    Api, faultless,
    input::{At, Posted},
    problem::{Kind, Problem},
};
use crate::{
    catalog::{HospitalId, HospitalView, ServiceName},
    store::{Job, JobState, SearchState},
    work::{Explained, Priors, StudyImages, WorkFault},
};

/// Studies over which rules are tried out at most.
const MOST: u32 = 200;
/// So long it may take.
const PATIENCE: Duration = Duration::from_secs(25);

/// What was decided about a study, and what would be decided now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchingView {
    /// StudyInstanceUID.
    study: String,
    /// When it was judged, if it was.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    judged_at: Option<OffsetDateTime>,
    /// When it is looked at next, if something is waited for.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    looked_at_next: Option<OffsetDateTime>,
    /// By which evidence it was taken as complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Value>,
    /// For each service: whether it fits, and for each series that it needs, which one is taken and why the others are not.
    #[schema(value_type = Vec<Object>)]
    services: Vec<Explained>,
    /// What was found when the hospital's own archive was asked for earlier studies to compare with: where each is, what of it was
    /// fetched, and why not. While it is under way only until when it is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    prior_search: Option<PriorSearchView>,
    /// The work that was put in for it.
    jobs: Vec<JobOfStudy>,
}

/// A search for priors in the hospital's own archive.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PriorSearchView {
    /// The study is judged without it after that.
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
    /// When it ended, if it did.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    ended_at: Option<OffsetDateTime>,
    /// What came of it.
    #[schema(value_type = Object)]
    #[serde(flatten)]
    report: Value,
}

/// A job, in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobOfStudy {
    /// Its id.
    id: uuid::Uuid,
    /// Who does it.
    service: ServiceName,
    /// Where it stands.
    state: JobState,
    /// StudyInstanceUID of the earlier study that the service gets to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    prior: Option<String>,
}

/// Rules to try out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Trial {
    /// The service that is enrolled.
    service: ServiceName,
    /// Rules that would hold besides its own, instead of those of the enrolment.
    #[schema(value_type = Object)]
    rules: SeriesRules,
    /// Over how many of the newest studies.
    #[serde(default = "usual")]
    studies: u32,
}

/// What rules would have done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TrialView {
    /// Studies that were looked at.
    studies: usize,
    /// Of these, how many fit now.
    fit_now: usize,
    /// Of these, how many would fit.
    would_fit: usize,
    /// Each study for which it makes a difference.
    differences: Vec<Difference>,
}

/// A study for which rules make a difference.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    /// StudyInstanceUID.
    study: String,
    /// Whether it fits now.
    fits_now: bool,
    /// What it would be under the rules that are tried out.
    #[schema(value_type = Object)]
    then: Explained,
}

/// Which services get which series of a study, and why the others not.
#[utoipa::path(get, path = "/hospitals/{hospital}/studies/{study}/matching", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("study" = String, Path, description = "StudyInstanceUID")),
    responses((status = OK, description = "What was decided, by which evidence, and what would be now", body = MatchingView)))]
pub(crate) async fn explain(
    State(api): State<Api>,
    At((hospital, study)): At<(HospitalId, String)>,
) -> Result<Json<MatchingView>, Problem> {
    let study = uid(&study)?;
    let images = read(&api, &hospital, &study).await?.ok_or(Problem::no_such("study"))?;
    let judged = api.store.judged_intake(&hospital, &study).await?;
    let jobs = api.store.jobs_of_study(&hospital, &study).await?;
    let snapshot = api.catalog.current();
    let members = snapshot.hospital(&hospital).map(|view| view.analyzers.as_slice()).unwrap_or_default();
    let mut priors = Priors::new(&api.store, &api.archive, &hospital, &images);
    let mut services = Vec::with_capacity(members.len());
    for member in members {
        let mut explained = images.explain(member, None);
        explained.prior = priors.find(member, &explained.found).await.map_err(problem)?;
        services.push(explained);
    }
    Ok(Json(MatchingView {
        study: study.to_string(),
        judged_at: judged.as_ref().and_then(|judged| judged.at),
        looked_at_next: judged.as_ref().and_then(|judged| judged.due_at),
        evidence: judged.and_then(|judged| serde_json::from_str(&judged.evidence?).ok()),
        services,
        prior_search: api.store.prior_search(&hospital, &study).await?.map(PriorSearchView::of),
        jobs: jobs.into_iter().map(JobOfStudy::of).collect(),
    }))
}

/// Have a study judged once more: for a service that was enrolled after it had come. Work that was done is not done again.
#[utoipa::path(post, path = "/hospitals/{hospital}/studies/{study}/matching", tag = "imaging",
    params(("hospital" = HospitalId, Path), ("study" = String, Path, description = "StudyInstanceUID")),
    responses((status = ACCEPTED, description = "It will be judged")))]
pub(super) async fn again(
    State(api): State<Api>,
    At((hospital, study)): At<(HospitalId, String)>,
) -> Result<StatusCode, Problem> {
    if !api.store.look_again(&hospital, &uid(&study)?, api.clock.now()).await? {
        return Err(Problem::no_such("study"));
    }
    Ok(StatusCode::ACCEPTED)
}

/// Try out rules over studies that are stored, before they are switched on. Nothing is sent anywhere.
#[utoipa::path(post, path = "/hospitals/{hospital}/matching/trial", tag = "imaging",
    params(("hospital" = HospitalId, Path)), request_body = Trial,
    responses((status = OK, description = "For which studies they make a difference", body = TrialView)))]
pub(super) async fn try_out(
    State(api): State<Api>,
    At(hospital): At<HospitalId>,
    Posted(trial): Posted<Trial>,
) -> Result<Json<TrialView>, Problem> {
    faultless(trial.rules.faults("/rules"))?;
    let snapshot = api.catalog.current();
    let view = snapshot.hospital(&hospital).ok_or(Problem::no_such("hospital"))?;
    let studies = api.store.newest_studies(&hospital, trial.studies.min(MOST)).await?;
    let tried = tokio::time::timeout(PATIENCE, compare(&api, view, &trial, studies)).await;
    tried.map_err(|_| Problem::new(Kind::Parameter, "it takes too long; try out fewer studies"))?.map(Json)
}

async fn compare(api: &Api, view: &HospitalView, trial: &Trial, studies: Vec<Uid>) -> Result<TrialView, Problem> {
    let members: Vec<_> = view.analyzers.iter().filter(|member| member.name == trial.service).collect();
    if members.is_empty() {
        return Err(Problem::no_such("enrolled service that works on images"));
    }
    let mut told = TrialView { studies: studies.len(), fit_now: 0, would_fit: 0, differences: Vec::new() };
    for study in studies {
        let Some(images) = read(api, &view.hospital.id, &study).await? else { continue };
        for member in &members {
            let now = images.explain(member, None);
            let then = images.explain(member, Some(&trial.rules));
            told.fit_now += usize::from(now.found.fits);
            told.would_fit += usize::from(then.found.fits);
            if now.found.fits != then.found.fits || chosen(&now) != chosen(&then) {
                told.differences.push(Difference { study: study.to_string(), fits_now: now.found.fits, then });
            }
        }
    }
    Ok(told)
}

fn chosen(explained: &Explained) -> Vec<Option<&Uid>> {
    explained.found.needs.iter().map(|need| need.chosen.as_ref()).collect()
}

async fn read(api: &Api, hospital: &HospitalId, study: &Uid) -> Result<Option<StudyImages>, Problem> {
    StudyImages::read(&api.store, &api.archive, hospital, study).await.map_err(problem)
}

fn problem(fault: WorkFault) -> Problem {
    match fault {
        WorkFault::Store(error) => error.into(),
        WorkFault::StudyTooLarge(_) => Problem::new(Kind::Parameter, fault.to_string()),
        fault => {
            tracing::error!(error = &fault as &dyn std::error::Error, "a study cannot be read");
            Problem::bare(Kind::Unavailable)
        }
    }
}

impl PriorSearchView {
    fn of(state: SearchState) -> Self {
        let report = state.report.and_then(|report| serde_json::from_str(&report).ok());
        Self { until: state.until, ended_at: state.ended_at, report: report.unwrap_or_else(|| json!({})) }
    }
}

impl JobOfStudy {
    fn of(job: Job) -> Self {
        let prior = job.prior.map(|prior| prior.study.to_string());
        Self { id: job.id, service: job.service, state: job.state, prior }
    }
}

fn uid(text: &str) -> Result<Uid, Problem> {
    Uid::parse(text).map_err(|_| Problem::no_such("study"))
}

const fn usual() -> u32 {
    50
}
