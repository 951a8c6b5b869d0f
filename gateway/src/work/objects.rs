//! Results that are DICOM objects: waited for, held against the job ([`gate`]); what holds is kept as the answer, and nothing else is
//! delivered.
//!
//! No protocol says when a service is done. An answer is complete when there is one result of each modality that the descriptor
//! expects, and nothing new came for a while.

use std::{collections::HashSet, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use medvan_analysis::{
    evidence::Reference,
    gate::{self, AcceptedObject, Gated, Quarantined},
    inputs::Inputs,
};
use medvan_profiles::descriptor::images::ResultModality;

use super::{
    WorkFault,
    perform::{enrolled, told},
    results::JAPAN,
};
use crate::{
    App,
    store::{Answer, EvidenceObject, Job, ReceivedObject, StoreError},
};

/// The first pause between two looks; it grows, because what takes long may take longer.
pub(super) const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest one.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// Between the last result and the answer: a service may bring each by itself.
const QUIET: time::Duration = time::Duration::seconds(1);

/// Holds what came for a job against it; from here on nothing more comes. The service's answer is complete where it has one of each
/// that is expected.
pub(super) async fn answer(
    app: &App,
    job: &Job,
    inputs: &Inputs,
    expects: &[ResultModality],
) -> Result<Answer, WorkFault> {
    let _place = app.authors.acquire().await.map_err(|_| WorkFault::Lost)?;
    let objects = app.store.close_received(job, app.clock.now()).await?.ok_or(WorkFault::Lost)?;
    let files = objects.into_iter().map(|object| object.bytes).collect();
    let earlier: Vec<Reference> = app.store.delivered_before(job).await?.into_iter().map(reference).collect();
    let (inputs, id, at) = (inputs.clone(), job.id, app.clock.now());
    let gated = tokio::task::spawn_blocking(move || {
        gate::read(files, &gate::Job { inputs: &inputs, job: id, at: at.to_offset(JAPAN), earlier: &earlier })
    });
    let gated = gated.await.map_err(|_| WorkFault::Findings("it cannot be read".to_owned()))?;
    count(job, &gated);
    let answer = match taken(app, job, &gated).await? {
        Some(taken) => Err(WorkFault::Findings(taken)),
        None => kept(gated, expects),
    };
    if answer.is_err() {
        // What was refused must not be taken for the answer to the next try.
        app.store.forget_received(job).await?;
    }
    answer
}

/// Waits until the service of a job has brought all its results.
pub(super) async fn all_received(app: &App, job: &Job, expects: &[ResultModality]) -> Result<(), WorkFault> {
    let mut pause = FIRST_LOOK;
    while !is_all_received(app, job, expects).await? {
        pause = wait(app, job, pause).await?;
    }
    Ok(())
}

/// Whether it has: then, after a process died meanwhile, nothing is sent again.
pub(super) async fn is_all_received(app: &App, job: &Job, expects: &[ResultModality]) -> Result<bool, WorkFault> {
    let notes = app.store.received_notes(job.id).await?;
    let is_quiet = notes.iter().all(|note| app.clock.now() - note.at >= QUIET);
    Ok(is_quiet && is_complete(expects, notes.iter().map(|note| note.class.as_str())))
}

/// Why a job whose time is over has no answer: what came of what is expected, and what did not.
///
/// # Errors
/// The database does not answer.
pub(super) async fn incomplete(app: &App, job: &Job, expects: &[ResultModality]) -> Result<WorkFault, StoreError> {
    let notes = app.store.received_notes(job.id).await?;
    let came: HashSet<ResultModality> =
        notes.iter().filter_map(|note| ResultModality::of_class(note.class.as_str())).collect();
    let words = |is_there: bool| {
        let these = expects.iter().filter(|expected| came.contains(expected) == is_there);
        these.map(|modality| modality.word()).collect::<Vec<_>>().join(", ")
    };
    Ok(WorkFault::Incomplete(match (words(true), words(false)) {
        (_, missing) if missing.is_empty() => "all results were there, and more were still coming".to_owned(),
        (there, missing) if there.is_empty() => format!("no result came ({missing} is expected)"),
        (there, missing) => format!("{there} came, and no {missing}"),
    }))
}

/// Waits for the next look: how long to wait after that.
pub(super) async fn wait(app: &App, job: &Job, pause: Duration) -> Result<Duration, WorkFault> {
    tokio::time::sleep(pause).await;
    // A contract that ended while the service worked: its results are nobody's.
    enrolled(app, job)?;
    Ok((pause * 3 / 2).min(LAST_LOOK))
}

/// Whether objects of these classes are all that is waited for.
pub(super) fn is_complete<'a>(expects: &[ResultModality], classes: impl Iterator<Item = &'a str>) -> bool {
    let came: HashSet<ResultModality> = classes.filter_map(ResultModality::of_class).collect();
    expects.iter().all(|expected| came.contains(expected))
}

/// Why none of these results can be stored: one has the UID of another object of the hospital.
async fn taken(app: &App, job: &Job, gated: &Gated) -> Result<Option<String>, WorkFault> {
    for AcceptedObject { reference, bytes, .. } in &gated.accepted {
        let known = app.store.known_digest(&job.hospital, &reference.instance).await?;
        if known.is_some_and(|known| known != digest(&SHA256, bytes).as_ref()) {
            return Ok(Some(format!("{} is kept back: {}", reference.instance, WorkFault::TakenUid)));
        }
    }
    Ok(None)
}

fn kept(gated: Gated, expects: &[ResultModality]) -> Result<Answer, WorkFault> {
    let kept_back = (!gated.quarantined.is_empty()).then(|| reasons(&gated.quarantined));
    let classes = gated.accepted.iter().map(|object| object.reference.class.as_str());
    if !is_complete(expects, classes) {
        let missing = "the answer has not one result of each modality that the descriptor expects".to_owned();
        return Err(WorkFault::Findings(kept_back.unwrap_or(missing)));
    }
    let findings = serde_json::to_string(&*gated.findings).map_err(|error| WorkFault::Findings(error.to_string()))?;
    let objects = gated.accepted.into_iter().map(|object| {
        let Reference { series, instance, class } = object.reference;
        ReceivedObject { reference: EvidenceObject { series, instance, class }, bytes: object.bytes }
    });
    Ok(Answer { findings, objects: objects.collect(), kept_back })
}

/// As the vendor may read them.
fn reasons(quarantined: &[Quarantined]) -> String {
    const OBJECTS: usize = 5;
    let of = |kept: &Quarantined| {
        let name = kept.instance.as_ref().map_or_else(|| format!("result {}", kept.at + 1), ToString::to_string);
        format!("{name} is kept back: {}", told(&kept.reasons))
    };
    let mut reasons: Vec<String> = quarantined.iter().take(OBJECTS).map(of).collect();
    if quarantined.len() > OBJECTS {
        reasons.push(format!("and {} more results are kept back", quarantined.len() - OBJECTS));
    }
    reasons.join(" | ")
}

fn reference(object: EvidenceObject) -> Reference {
    let EvidenceObject { series, instance, class } = object;
    Reference { series, instance, class }
}

fn count(job: &Job, gated: &Gated) {
    let repaired = gated.accepted.iter().filter(|object| !object.repairs.is_empty()).count();
    for (outcome, objects) in
        [("accepted", gated.accepted.len() - repaired), ("repaired", repaired), ("kept-back", gated.quarantined.len())]
    {
        metrics::counter!("medvan_results_gated_total", "service" => job.service.to_string(), "outcome" => outcome)
            .increment(objects as u64);
    }
}
