//! One job: its images go to the service, the answer is checked and kept, evidence is made of it and stored.
//!
//! Each step may be done twice with one effect: the answer is kept once, what is made of it is the same each time, and its
//! record has the id of the run.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use medvan_adapters::{
    Analyzer as _, Work,
    analyzer::{Image, Prior},
    image_json,
};
use medvan_analysis::{
    finding::{CheckedFindings, Findings},
    inputs::Inputs,
};
use medvan_imaging::ups::Workitem;
use medvan_profiles::descriptor::images::ImageWay;
use time::OffsetDateTime;

use super::{
    WorkFault, card, dicomweb, dimse, images, inference, outgoing::Outgoing, priors, record, results, workitem,
    worklist,
};
use crate::{
    App,
    call::tenant,
    catalog::{ImageMember, Mode},
    store::{Answer, CardText, FoundInstance, Job, JobState, StoreError, StoredAnalysis, TrialAsk},
};

/// How a job went on.
pub(super) enum Performed {
    /// All is made and stored; why some of the results were kept back.
    Done(Option<String>),
    /// It is on the worklist of its service until then.
    Offered(OffsetDateTime),
}

/// How often a job may be lost with who worked on it, beside the tries that its service may have.
const DEATHS: u64 = 10;

/// Does a job.
pub(super) async fn perform(app: &App, job: &Job) -> Result<Performed, WorkFault> {
    let member = enrolled(app, job)?;
    // A job with which the process died each time is not taken for ever; others have nothing to do with why it died.
    if job.attempts + job.deaths > u64::from(member.entry.limits.attempts) + DEATHS {
        return Err(WorkFault::TooOften);
    }
    workitem::create(app, job, &member).await?;
    let known = app.store.analysis(&job.hospital, job.id).await?;
    if !matches!(member.entry.way, ImageWay::Worklist(_)) {
        workitem::begin(app, job).await?;
    } else if known.is_none() {
        admit(app, job, &member).await?;
        if let Some(until) = worklist::offered_until(app, job, &member).await? {
            return Ok(Performed::Offered(until));
        }
    }
    let (inputs, images) = images::of_job(&app.store, &app.archive, &job.hospital, &job.study, &job.inputs).await?;
    let analysis = match known {
        Some(known) => known,
        None => keep(app, job, &ask(app, job, &member, &inputs, images.clone()).await?).await?,
    };
    // What a service in shadow finds is kept to be compared, and nobody is shown it.
    let made = match member.mode {
        Mode::Shadow => Vec::new(),
        Mode::Live | Mode::Trial { .. } => results::store(app, job, &member, (inputs, &images), &analysis).await?,
    };
    results::deliver(app, job, &member, &made).await?;
    let card = card(&analysis, &member)?;
    app.store.publish_analysis(job, &made, &card).await?;
    record::done(app, job, &member).await?;
    workitem::complete(app, job, &made).await?;
    Ok(Performed::Done(analysis.kept_back))
}

/// What doctors are told of it.
fn card(analysis: &StoredAnalysis, member: &ImageMember) -> Result<CardText, WorkFault> {
    let findings = CheckedFindings::stored(&analysis.findings);
    let findings = findings.map_err(|error| WorkFault::Evidence(error.to_string()))?;
    Ok(card::text(&findings, member, matches!(member.mode, Mode::Trial { .. })))
}

/// How often a job is tried.
pub(super) fn attempts(app: &App, job: &Job) -> u64 {
    enrolled(app, job).map_or(1, |member| member.entry.limits.attempts.into())
}

/// The state in which a job waits for another try: what was answered is not asked again.
pub(super) async fn state_to_retry(app: &App, job: &Job) -> JobState {
    match app.store.analysis(&job.hospital, job.id).await {
        Ok(Some(_)) => JobState::Answered,
        _ => JobState::Waiting,
    }
}

/// Gives a job up: a record stays, and it ends together with its workitem, which says why. What another process goes on with is not
/// given up here.
pub(super) async fn give_up(app: &App, job: &Job, state: JobState, fault: &WorkFault) -> Result<(), StoreError> {
    if let Err(error) = record::given_up(app, job, fault).await {
        tracing::error!(error = &error as &dyn std::error::Error, job = %job.id, "a job that was given up left no record");
    }
    if matches!(fault, WorkFault::TakenUid)
        && let Err(error) = app.store.forget_answer(job).await
    {
        // When it is run again, its service is asked again: the same objects would be refused again.
        tracing::warn!(error = &error as &dyn std::error::Error, job = %job.id, "an answer that cannot be stored was not forgotten");
    }
    if matches!(fault, WorkFault::NotEnrolled)
        && let Err(error) = app.store.look_again(&job.hospital, &job.study, app.clock.now()).await
    {
        // Another version may be enrolled, for which it is other work.
        tracing::warn!(error = &error as &dyn std::error::Error, job = %job.id, "a study is not looked at again");
    }
    let (now, lock, reason) = (app.clock.now(), workitem::lock(app, job), fault.to_string());
    let cancel = |workitem: &mut Workitem| workitem::canceled(workitem, &lock, &reason, now);
    app.store.end_job(job, state, &reason, now, cancel).await.map(drop)
}

/// The service as it is enrolled now: a contract that ended, ends its jobs.
pub(super) fn enrolled(app: &App, job: &Job) -> Result<Arc<ImageMember>, WorkFault> {
    let snapshot = app.catalog.current();
    let member = snapshot.hospital(&job.hospital).and_then(|view| view.analyzer(&job.service, &job.entry));
    // What was put in for the shadow is shown to nobody when the service goes live later, and the other way round.
    let is_same = |member: &&Arc<ImageMember>| member.version == job.version && member.mode.word() == job.mode;
    member.filter(is_same).cloned().ok_or(WorkFault::NotEnrolled)
}

/// Gives the images to the service, each in the way in which it is talked to; what it answers is checked.
async fn ask(
    app: &App,
    job: &Job,
    member: &ImageMember,
    inputs: &Inputs,
    images: Vec<FoundInstance>,
) -> Result<Answer, WorkFault> {
    admit(app, job, member).await?;
    let prior = priors::of_job(app, job).await?;
    let answer = match &member.entry.way {
        ImageWay::ImageJson { send, window, .. } => {
            let outgoing = Outgoing::new(app, &job.hospital, *send, *window);
            let prior =
                prior.map(|prior| Prior { images: outgoing.all(&prior.inputs, prior.images), study: prior.study });
            let findings = send_images(app, job, member, &outgoing, (outgoing.all(inputs, images), prior)).await?;
            checked(findings, inputs, job).await?
        }
        ImageWay::Inference(way) => {
            let findings = inference::ask(app, job, member, way, inputs, images).await?;
            checked(findings.into(), inputs, job).await?
        }
        ImageWay::Dicomweb(way) => dicomweb::ask(app, job, member, way, inputs, (images, prior)).await?,
        ImageWay::Dimse(way) => dimse::ask(app, job, member, way, inputs, (images, prior)).await?,
        ImageWay::Worklist(way) => worklist::answer(app, job, way, inputs).await?,
    };
    // A contract that ended while the service worked: its result is nobody's.
    enrolled(app, job)?;
    Ok(answer)
}

/// Findings as JSON, if they hold.
async fn checked(answer: Bytes, inputs: &Inputs, job: &Job) -> Result<Answer, WorkFault> {
    let (inputs, id) = (inputs.clone(), job.id);
    let checked = tokio::task::spawn_blocking(move || Findings::read(&answer, &inputs, id)).await;
    let checked = checked.map_err(|_| WorkFault::Findings("it cannot be read".to_owned()))?;
    let findings = checked.map_err(|refused| WorkFault::Findings(told(&refused)))?;
    let findings = serde_json::to_string(&*findings).map_err(|error| WorkFault::Findings(error.to_string()))?;
    Ok(Answer { findings, objects: Vec::new(), kept_back: None })
}

/// Keeps an answer: the first one, whatever becomes of this process. There is none of a job that was canceled meanwhile.
async fn keep(app: &App, job: &Job, answer: &Answer) -> Result<StoredAnalysis, WorkFault> {
    app.store.answer_job(job, answer, app.clock.now()).await?;
    app.store.analysis(&job.hospital, job.id).await?.ok_or(WorkFault::Lost)
}

/// Gives all images by one request, with those of a prior; the findings as they came.
async fn send_images(
    app: &App,
    job: &Job,
    member: &ImageMember,
    outgoing: &Outgoing,
    (images, prior): (Vec<Image>, Option<Prior>),
) -> Result<Bytes, WorkFault> {
    let of_prior = prior.as_ref().map_or(0, |prior| prior.images.len());
    if images.len() + of_prior > member.entry.limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let now = app.clock.now();
    let tenant = tenant(&app.secret, &job.hospital, &member.name.vendor);
    let bearer = member.token.as_ref().and_then(|to| app.keys.bearer(to, Some(&tenant), now).ok());
    let timeout = Duration::from_secs(member.entry.limits.deadline_seconds.into());
    let service =
        image_json::Service::new(app.vendors.clone(), member.url.as_str(), member.entry.limits.answer_bytes as usize);
    let work = Work { job: job.id, study: job.study.clone(), images, prior, bearer, timeout };
    match service.analyze(work).await {
        Err(_) if outgoing.is_spoiled() => Err(WorkFault::Unreadable),
        answer => Ok(answer?.body),
    }
}

/// The first faults of an answer, as its vendor may read them.
pub(super) fn told<T: std::fmt::Display>(refused: &[T]) -> String {
    const MOST: usize = 10;
    let mut told: Vec<String> = refused.iter().take(MOST).map(ToString::to_string).collect();
    if refused.len() > MOST {
        told.push(format!("and {} more", refused.len() - MOST));
    }
    told.join("; ")
}

/// A place in the trial, where it is one.
async fn admit(app: &App, job: &Job, member: &ImageMember) -> Result<(), WorkFault> {
    let Mode::Trial { quota, until } = member.mode else { return Ok(()) };
    let now = app.clock.now();
    let ask = TrialAsk {
        exchange: job.run,
        hospital: job.hospital.clone(),
        service: job.service.clone(),
        key: record::key(app, job),
        quota,
        now,
        // Until its record is written or all its tries are over, however long the service takes.
        held_from: job.deadline_at.max(now),
    };
    if now < until && app.store.admit_trial(ask).await? { Ok(()) } else { Err(WorkFault::TrialEnded) }
}
