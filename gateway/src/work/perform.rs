//! One job: its images go to the service, the answer is checked and kept, evidence is made of it and stored.
//!
//! Each step may be done twice with one effect: the answer is kept once, what is made of it is the same each time, and its
//! record has the job's id.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use medvan_adapters::{Analyzer as _, Work, analyzer::Image, image_json};
use medvan_analysis::{finding::Findings, inputs::Inputs};
use medvan_profiles::descriptor::images::{ImageWay, PictureWindow, Sent};
use serde_json::json;

use super::{WorkFault, images, results, workitem};
use crate::{
    App,
    archive::Open,
    call::tenant,
    catalog::{ClientId, HospitalId, ImageMember, Mode},
    dicomweb,
    store::{ExchangeRecord, FoundInstance, Job, JobState, StoredAnalysis, TrialAsk, UsageRow},
};

/// Bytes of a stored instance that are read at once.
const CHUNK: u64 = 1 << 20;

/// Does a job.
pub(super) async fn perform(app: &App, job: &Job) -> Result<(), WorkFault> {
    let member = enrolled(app, job)?;
    workitem::create(app, job, &member).await?;
    workitem::begin(app, job).await?;
    let (inputs, images) = images::of_job(&app.store, &app.archive, &job.hospital, &job.study, &job.inputs).await?;
    let analysis = match app.store.analysis(&job.hospital, job.id).await? {
        Some(known) => known,
        None => ask(app, job, &member, &inputs, images).await?,
    };
    // What a service in shadow finds is kept to be compared, and nobody is shown it.
    let made = match member.mode {
        Mode::Shadow => Vec::new(),
        Mode::Live | Mode::Trial { .. } => results::store(app, job, &member, inputs, &analysis).await?,
    };
    results::deliver(app, job, &member, &made).await?;
    app.store.publish_analysis(job, &made).await?;
    record(app, job, &member).await?;
    workitem::complete(app, job, &made).await
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

/// Ends the workitem of a job that is given up.
pub(super) async fn abandon(app: &App, job: &Job, fault: &WorkFault) {
    if let Err(error) = workitem::cancel(app, job, &fault.to_string()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, job = %job.id, "the workitem of a job was not canceled");
    }
    if matches!(fault, WorkFault::NotEnrolled)
        && let Err(error) = app.store.look_again(&job.hospital, &job.study, app.clock.now()).await
    {
        // Another version may be enrolled, for which it is other work.
        tracing::warn!(error = &error as &dyn std::error::Error, job = %job.id, "a study is not looked at again");
    }
}

/// The service as it is enrolled now: a contract that ended, ends its jobs.
fn enrolled(app: &App, job: &Job) -> Result<Arc<ImageMember>, WorkFault> {
    let snapshot = app.catalog.current();
    let member = snapshot.hospital(&job.hospital).and_then(|view| view.analyzer(&job.service, &job.entry));
    member.filter(|member| member.version == job.version).cloned().ok_or(WorkFault::NotEnrolled)
}

/// Gives the images to the service, and keeps what it answers if that holds.
async fn ask(
    app: &App,
    job: &Job,
    member: &ImageMember,
    inputs: &Inputs,
    images: Vec<FoundInstance>,
) -> Result<StoredAnalysis, WorkFault> {
    admit(app, job, member).await?;
    let ImageWay::ImageJson { send, window, .. } = &member.entry.way;
    let images = outgoing(app, &job.hospital, inputs, images, *send, *window);
    if images.len() > member.entry.limits.images as usize {
        return Err(WorkFault::TooManyImages);
    }
    let now = app.clock.now();
    let tenant = tenant(&app.secret, &job.hospital, &member.name.vendor);
    let bearer = member.token.as_ref().and_then(|to| app.keys.bearer(to, Some(&tenant), now).ok());
    let timeout = Duration::from_secs(member.entry.limits.deadline_seconds.into());
    let service =
        image_json::Service::new(app.vendors.clone(), member.url.as_str(), member.entry.limits.answer_bytes as usize);
    let work = Work { job: job.id, study: job.study.clone(), images, bearer, timeout };
    let answer = service.analyze(work).await?;
    // A contract that ended while the service worked: its result is nobody's.
    enrolled(app, job)?;
    let (inputs, id) = (inputs.clone(), job.id);
    let checked = tokio::task::spawn_blocking(move || Findings::read(&answer.body, &inputs, id)).await;
    let checked = checked.map_err(|_| WorkFault::Findings("it cannot be read".to_owned()))?;
    let findings = checked.map_err(|refused| WorkFault::Findings(told(&refused)))?;
    let findings = serde_json::to_string(&*findings).map_err(|error| WorkFault::Findings(error.to_string()))?;
    app.store.answer_job(job, &findings, app.clock.now()).await?;
    app.store.analysis(&job.hospital, job.id).await?.ok_or(WorkFault::NotEnrolled)
}

/// The first faults of an answer, as its vendor may read them.
fn told<T: std::fmt::Display>(refused: &[T]) -> String {
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
        exchange: job.id,
        hospital: job.hospital.clone(),
        service: job.service.clone(),
        key: key(app, job),
        quota,
        now,
    };
    if now < until && app.store.admit_trial(ask).await? { Ok(()) } else { Err(WorkFault::TrialEnded) }
}

/// The images as the service wants them. Each is opened when it is its turn.
fn outgoing(
    app: &App,
    hospital: &HospitalId,
    inputs: &Inputs,
    images: Vec<FoundInstance>,
    send: Sent,
    window: Option<PictureWindow>,
) -> Vec<Image> {
    let known = inputs.images();
    let mut outgoing = Vec::new();
    for found in images {
        let Some((series, image)) = known.get(&found.uid) else { continue };
        let frames: Vec<Option<u32>> = match (send, image.frames) {
            (Sent::Dicom, _) | (_, 1) => vec![None],
            (_, frames) => (1..=frames).map(Some).collect(),
        };
        outgoing.extend(frames.into_iter().map(|frame| Image {
            series: series.uid.clone(),
            instance: found.uid.clone(),
            frame,
            modality: series.modality.clone(),
            rows: image.rows,
            columns: image.columns,
            media: media(send),
            bytes: match send {
                Sent::Dicom => stored(app.clone(), hospital.clone(), found.clone()),
                Sent::Png | Sent::Jpeg => {
                    drawn(app.clone(), hospital.clone(), found.clone(), frame.unwrap_or(1), media(send), window)
                }
            },
        }));
    }
    outgoing
}

fn media(send: Sent) -> &'static str {
    match send {
        Sent::Dicom => "application/dicom",
        Sent::Png => "image/png",
        Sent::Jpeg => "image/jpeg",
    }
}

/// The stored bytes of an instance, piece after piece.
fn stored(app: App, hospital: HospitalId, found: FoundInstance) -> stream::BoxStream<'static, io::Result<Bytes>> {
    let open = async move { app.archive.open_place(&hospital, found.place).await.map_err(io::Error::other) };
    stream::once(open)
        .flat_map(|open| match open {
            Ok(open) => pieces(open).boxed(),
            Err(error) => stream::once(async move { Err(error) }).boxed(),
        })
        .boxed()
}

fn pieces(open: Open) -> impl stream::Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((open, 0), |(open, at)| async move {
        let length = open.length().saturating_sub(at).min(CHUNK);
        if length == 0 {
            return None;
        }
        let piece = open.bytes(at, length).await;
        // An error is the end: the request is cut off.
        let next = if piece.is_ok() { at + length } else { open.length() };
        Some((piece, (open, next)))
    })
}

fn drawn(
    app: App,
    hospital: HospitalId,
    found: FoundInstance,
    frame: u32,
    media: &'static str,
    window: Option<PictureWindow>,
) -> stream::BoxStream<'static, io::Result<Bytes>> {
    let draw = async move {
        let window = window.map(|window| (window.center, window.width));
        let picture = dicomweb::picture(&app, &hospital, found, frame, media, window).await;
        picture.map_err(|refusal| io::Error::other(refusal.to_string()))
    };
    stream::once(draw).boxed()
}

/// Leaves the one record of the job, and counts its use: of a study once, however often more images come.
async fn record(app: &App, job: &Job, member: &ImageMember) -> Result<(), WorkFault> {
    if app.store.exchange(&job.hospital, job.id).await?.is_some() {
        return Ok(());
    }
    let used = UsageRow {
        key: key(app, job),
        service: job.service.clone(),
        version: job.version.clone(),
        mode: member.mode.word(),
    };
    let usage = if app.store.was_counted(job).await? { Vec::new() } else { vec![used] };
    let instances: usize = job.inputs.iter().map(|series| series.instances.len()).sum();
    let record = ExchangeRecord {
        id: job.id,
        hospital: job.hospital.clone(),
        client: "gateway".parse::<ClientId>().map_err(|_| WorkFault::NotEnrolled)?,
        hook: "imaging-study".to_owned(),
        offer: job.service.to_string(),
        received_at: job.created_at,
        status: 200,
        duration_us: micros(app.clock.now() - job.created_at),
        explanation: json!({ "job": job.id, "entry": job.entry, "images": instances, "attempts": job.attempts })
            .to_string(),
        on_trial: matches!(member.mode, Mode::Trial { .. }),
        replay: None,
        cards: Vec::new(),
        usage,
        marks: Vec::new(),
    };
    Ok(app.store.record(record).await?)
}

fn micros(duration: time::Duration) -> u64 {
    u64::try_from(duration.whole_microseconds()).unwrap_or_default()
}

/// The key under which the work on a study is counted once.
fn key(app: &App, job: &Job) -> [u8; 32] {
    let service = job.service.to_string();
    let parts = ["work", job.hospital.as_str(), job.study.as_str(), &service, &job.entry];
    let mut key = [0; 32];
    key.copy_from_slice(app.secret.tag(&parts).as_ref());
    key
}
