//! The Unified Procedure Step of a job (PS3.3 section C.30, PS3.4 annex CC): what watchers see of it. The gateway performs it for
//! services that do not know workitems themselves.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::Attributes,
    ups::{Fault, State, Workitem},
};
use time::{OffsetDateTime, UtcOffset, macros::format_description};
use uuid::Uuid;

use super::{WorkFault, images};
use crate::{
    App,
    catalog::{ImageMember, Priority},
    store::{EvidenceObject, Job},
};

/// Makes the workitem of a job; one that is there already stays.
pub(super) async fn create(app: &App, job: &Job, member: &ImageMember) -> Result<(), WorkFault> {
    if app.store.workitem(&job.hospital, &job.workitem()).await?.is_some() {
        return Ok(());
    }
    let (now, classes) = (app.clock.now(), images::classes(&app.store, job).await?);
    let created = Workitem::create(job.workitem(), scheduled(job, member, &classes, now), "AI", now)?;
    app.store.create_workitem(&job.hospital, &created.workitem, None, now).await?;
    Ok(())
}

/// Takes the workitem of a job. One that this gateway took or completed before stays as it is: it is the same run once more.
pub(super) async fn begin(app: &App, job: &Job) -> Result<(), WorkFault> {
    let (now, lock) = (app.clock.now(), lock(app, job));
    change(app, job, |workitem| take(workitem, &lock, now)).await
}

/// Completes the workitem of a job and says in it what was made.
pub(super) async fn complete(app: &App, job: &Job, made: &[EvidenceObject]) -> Result<(), WorkFault> {
    let (now, lock) = (app.clock.now(), lock(app, job));
    let changes = performed(job, made, now);
    change(app, job, |workitem| end(workitem, State::Completed, &lock, changes, now)).await
}

/// Cancels the workitem of a job that is given up, with the reason.
pub(super) async fn cancel(app: &App, job: &Job, reason: &str) -> Result<(), WorkFault> {
    let (now, lock) = (app.clock.now(), lock(app, job));
    let changes = discontinued(reason);
    change(app, job, |workitem| end(workitem, State::Canceled, &lock, changes, now)).await
}

/// One that somebody removed is passed over: the job is done all the same.
async fn change(
    app: &App,
    job: &Job,
    change: impl FnOnce(&mut Workitem) -> Result<(), Fault> + Send,
) -> Result<(), WorkFault> {
    let changed = app.store.change_workitem(&job.hospital, &job.workitem(), app.clock.now(), change).await?;
    Ok(changed.unwrap_or(Ok(()))?)
}

fn take(workitem: &mut Workitem, lock: &Uid, now: OffsetDateTime) -> Result<(), Fault> {
    match workitem.change_state(State::InProgress, Some(lock), now) {
        Ok(_) | Err(Fault::AlreadyInProgress) => Ok(()),
        Err(_) if workitem.state() == State::Completed => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Brings it to its end, unless it is at one.
fn end(
    workitem: &mut Workitem,
    state: State,
    lock: &Uid,
    changes: Attributes,
    now: OffsetDateTime,
) -> Result<(), Fault> {
    if matches!(workitem.state(), State::Completed | State::Canceled) {
        return Ok(());
    }
    if workitem.state() == State::Scheduled {
        workitem.change_state(State::InProgress, Some(lock), now)?;
    }
    workitem.update(Some(lock), changes, now)?;
    workitem.change_state(state, Some(lock), now).map(|_| ())
}

fn discontinued(reason: &str) -> Attributes {
    let mut progress = Attributes::new();
    let code = code("110513", "DCM", "Discontinued for unspecified reason");
    progress.put_items(tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE, vec![code]);
    progress.put_text(tags::REASON_FOR_CANCELLATION, reason);
    let mut changes = Attributes::new();
    changes.put_items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE, vec![progress]);
    changes
}

/// The Transaction UID by which this gateway holds the workitem: nobody else can guess it, and another process of it knows it.
fn lock(app: &App, job: &Job) -> Uid {
    lock_of(app, job.run)
}

/// The Transaction UID by which this gateway would hold this workitem, if it is of a run of a job.
pub(crate) fn own_lock(app: &App, workitem: &Uid) -> Option<Uid> {
    workitem.to_uuid().map(|run| lock_of(app, Uuid::from_u128(run)))
}

fn lock_of(app: &App, run: Uuid) -> Uid {
    let tag = app.secret.tag(&["workitem", &run.to_string()]);
    let mut half = [0; 16];
    half.copy_from_slice(&tag.as_ref()[..16]);
    Uid::from_uuid(uuid::Builder::from_random_bytes(half).into_uuid().as_u128())
}

/// What the workitem of a new job says.
fn scheduled(job: &Job, member: &ImageMember, classes: &HashMap<Uid, Uid>, now: OffsetDateTime) -> Attributes {
    let mut given = Attributes::new();
    given.put_text(tags::PROCEDURE_STEP_STATE, "SCHEDULED");
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, Priority::of_rank(job.priority));
    let label: String = member.entry.title.as_deref().unwrap_or(&member.descriptor.name.en).chars().take(64).collect();
    given.put_text(tags::PROCEDURE_STEP_LABEL, label.clone());
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, moment(now));
    given.put_text(tags::EXPECTED_COMPLETION_DATE_TIME, moment(job.deadline_at));
    given.put_text(tags::INPUT_READINESS_STATE, "READY");
    given.put_text(tags::PATIENT_ID, job.patient_id.clone());
    given.put_text(tags::STUDY_INSTANCE_UID, job.study.as_str());
    given.put_items(tags::SCHEDULED_WORKITEM_CODE_SEQUENCE, vec![work(job, &label)]);
    given.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![station(job)]);
    given.put_items(tags::INPUT_INFORMATION_SEQUENCE, inputs(job, classes));
    given
}

/// The series of the study at hand, then those of a prior.
fn inputs(job: &Job, classes: &HashMap<Uid, Uid>) -> Vec<Attributes> {
    let prior = job.prior.iter().flat_map(|prior| prior.series.iter().map(|series| (&prior.study, series)));
    let all = job.inputs.iter().map(|series| (&job.study, series)).chain(prior);
    all.map(|(study, series)| {
        let instances = series.instances.iter().map(|uid| reference(classes.get(uid), uid));
        references(study, &series.uid, instances.collect())
    })
    .collect()
}

/// What was performed (PS3.3 section C.30.3).
fn performed(job: &Job, made: &[EvidenceObject], now: OffsetDateTime) -> Attributes {
    let mut item = Attributes::new();
    item.put_items(tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, vec![station(job)]);
    item.put_items(tags::PERFORMED_WORKITEM_CODE_SEQUENCE, vec![work(job, &job.entry)]);
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_START_DATE_TIME, moment(job.created_at));
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_END_DATE_TIME, moment(now));
    let output = made
        .iter()
        .map(|object| references(&job.study, &object.series, vec![reference(Some(&object.class), &object.instance)]));
    item.put_items(tags::OUTPUT_INFORMATION_SEQUENCE, output.collect());
    let mut changes = Attributes::new();
    changes.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![item]);
    changes
}

fn references(study: &Uid, series: &Uid, instances: Vec<Attributes>) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::TYPE_OF_INSTANCES, "DICOM");
    item.put_text(tags::STUDY_INSTANCE_UID, study.as_str());
    item.put_text(tags::SERIES_INSTANCE_UID, series.as_str());
    item.put_items(tags::REFERENCED_SOP_SEQUENCE, instances);
    item
}

fn reference(class: Option<&Uid>, instance: &Uid) -> Attributes {
    let mut item = Attributes::new();
    if let Some(class) = class {
        item.put_text(tags::REFERENCED_SOP_CLASS_UID, class.as_str());
    }
    item.put_text(tags::REFERENCED_SOP_INSTANCE_UID, instance.as_str());
    item
}

/// The service as a station, and its kind of work: codes of this network's own.
fn station(job: &Job) -> Attributes {
    code(&short(&job.service.to_string()), "99MEDVAN", &job.service.to_string())
}

fn work(job: &Job, meaning: &str) -> Attributes {
    code(&short(&job.entry), "99MEDVAN", meaning)
}

/// A Code Value has at most 16 characters: what is longer is told apart by a digest at its end.
fn short(name: &str) -> String {
    if name.len() <= 16 {
        return name.to_owned();
    }
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).simple().to_string();
    format!("{}-{}", &name[..7], &digest[..8])
}

fn code(value: &str, scheme: &str, meaning: &str) -> Attributes {
    let mut code = Attributes::new();
    code.put_text(tags::CODE_VALUE, value);
    code.put_text(tags::CODING_SCHEME_DESIGNATOR, scheme);
    code.put_text(tags::CODE_MEANING, meaning.chars().take(64).collect::<String>());
    code
}

fn moment(at: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day][hour][minute][second]+0000");
    at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests;
