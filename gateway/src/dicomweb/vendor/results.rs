//! The results of a job, stored by the service that does it (STOW-RS, PS3.18 §10.5).
//!
//! What is stored is kept for its job and shown to nobody: whether it holds is decided when all of it is there
//! (`medvan_analysis::gate`), and its vendor reads why not at `/api/v1/vendors/{vendor}/jobs`.

use std::{io::Cursor, time::Duration};

use axum::{body::Body, extract::State, response::Response};
use dicom_dictionary_std::tags;
use http::header;
use medvan_imaging::{
    Tag, Uid,
    attributes::{self, AttributePath, Attributes},
    dataset::{Limits, ReadError, Seekable},
    file::read_file,
    multipart::instances,
    stow::{Failure, FailureReason, Outcome, Stored},
};

use super::{
    super::{incoming::Incoming, refusal::Refusal, store::Answer},
    caller::{OpenJob, VendorAsk},
};
use crate::{
    App,
    store::{EvidenceObject, Receipt, ReceivedObject},
};

/// Bytes of one request: more than the results of any job may have.
const LARGEST: usize = 40 << 20;
/// Objects of one request.
const OBJECTS: usize = 200;

/// What an object says it is.
struct Named {
    study: Uid,
    reference: EvidenceObject,
}

/// `POST …/studies[/{study}]`
pub(super) async fn store(State(app): State<App>, ask: VendorAsk, body: Body) -> Result<Response, Refusal> {
    let study = ask.resource.study()?;
    let answer = Answer::choose(&ask.acceptable, ask.root.clone(), study.clone())?;
    let jobs = ask.jobs(&app).await?;
    if jobs.is_empty() {
        return Err(Refusal::NotFound);
    }
    let _place = app.results.place(&ask.vendor).ok_or(Refusal::Busy)?;
    let content_type = ask.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = whole(Incoming::new(body, Duration::from_millis(app.config.limits.body_read_ms))).await?;
    let files =
        instances(content_type, body.into(), OBJECTS).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let mut outcomes = Vec::with_capacity(files.len());
    for file in files {
        outcomes.push(keep(&app, &jobs, study.as_ref(), file.to_vec()).await?);
    }
    Ok(answer.of(outcomes))
}

async fn whole(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(Refusal::TooLarge(format!("the results of one request have more than {LARGEST} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Keeps one object for the job that it is of.
async fn keep(app: &App, jobs: &[OpenJob], study: Option<&Uid>, bytes: Vec<u8>) -> Result<Outcome, Refusal> {
    let read = move || (named(&bytes), bytes);
    let (named, bytes) = tokio::task::spawn_blocking(read).await.map_err(|_| Refusal::Internal)?;
    let Some(Named { study: own, reference }) = named else {
        return Ok(Outcome { class: None, instance: None, result: Err(FailureReason::CannotUnderstand.into()) });
    };
    let (class, instance, series) =
        (Some(reference.class.clone()), Some(reference.instance.clone()), reference.series.clone());
    let result = match of_study(jobs, study, &own) {
        Err(failure) => Err(failure),
        Ok(open) => {
            let most = u64::from(open.member.entry.limits.answer_bytes);
            match app.store.receive(&open.job, &ReceivedObject { reference, bytes }, most, app.clock.now()).await? {
                Receipt::Kept => Ok(Stored { study: own, series, warning: None, originals: Vec::new() }),
                Receipt::TooLate => Err(no_job()),
                Receipt::TooLarge => Err(FailureReason::TooLarge.into()),
            }
        }
    };
    Ok(Outcome { class, instance, result })
}

/// The job that is at work on the study of an object. Two hospitals may have a study of one UID, and two services of one vendor work on
/// the same study: then the token of a job says which is meant.
fn of_study<'a>(jobs: &'a [OpenJob], asked: Option<&Uid>, own: &Uid) -> Result<&'a OpenJob, Failure> {
    if asked.is_some_and(|asked| asked != own) {
        return Err(FailureReason::StudyDoesNotMatch.into());
    }
    let mut found = jobs.iter().filter(|open| open.is_at_work(own));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(no_job()),
        (Some(_), Some(_)) => Err(Failure {
            reason: FailureReason::NotAuthorized,
            detail: Some("several jobs are about this study; use the token of the job (MedVAN-Job-Token)".to_owned()),
        }),
    }
}

fn no_job() -> Failure {
    Failure {
        reason: FailureReason::NotAuthorized,
        detail: Some("no job of this vendor waits for results of this study".to_owned()),
    }
}

fn named(bytes: &[u8]) -> Option<Named> {
    let source = Seekable::new(Cursor::new(bytes)).map_err(ReadError::from);
    let file = source.and_then(|source| read_file(source, &Limits::default())).ok()?;
    let said = attributes::read(&file.data_set, &|_: &AttributePath| None);
    let reference = EvidenceObject {
        series: uid(&said, tags::SERIES_INSTANCE_UID)?,
        instance: uid(&said, tags::SOP_INSTANCE_UID)?,
        class: uid(&said, tags::SOP_CLASS_UID)?,
    };
    Some(Named { study: uid(&said, tags::STUDY_INSTANCE_UID)?, reference })
}

fn uid(said: &Attributes, tag: Tag) -> Option<Uid> {
    Uid::parse(&said.text(tag)?).ok()
}
