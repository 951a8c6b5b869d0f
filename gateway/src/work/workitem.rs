//! The Unified Procedure Step of a job (PS3.3 section C.30, PS3.4 annex CC): what watchers see of it. The gateway performs it for
//! services that do not know workitems themselves.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    AeTitle, Uid,
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
    let title = title(app, job);
    let scheduled = scheduled(job, member, (&classes, title.as_ref()), now);
    let created = Workitem::create(job.workitem(), scheduled, "AI", now)?;
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
    let changes = performed(job, made, title(app, job).as_ref(), now);
    change(app, job, |workitem| end(workitem, &lock, changes, now)).await
}

/// Brings a workitem to its end undone. One that somebody at the vendor took is canceled under their lock: they did not end it in
/// time, or may not do it any more.
pub(super) fn canceled(workitem: &mut Workitem, lock: &Uid, reason: &str, now: OffsetDateTime) -> Result<(), Fault> {
    match workitem.state() {
        State::Completed | State::Canceled => Ok(()),
        State::Scheduled => workitem.request_cancel("MEDVAN", &discontinued(reason), lock.clone(), now).map(|_| ()),
        State::InProgress => workitem.grant_cancel(&discontinued(reason), now).map(|_| ()),
    }
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

/// Completes it, unless it is at its end.
fn end(workitem: &mut Workitem, lock: &Uid, changes: Attributes, now: OffsetDateTime) -> Result<(), Fault> {
    if matches!(workitem.state(), State::Completed | State::Canceled) {
        return Ok(());
    }
    if workitem.state() == State::Scheduled {
        workitem.change_state(State::InProgress, Some(lock), now)?;
    }
    workitem.update(Some(lock), changes, now)?;
    workitem.change_state(State::Completed, Some(lock), now).map(|_| ())
}

/// The reason as a request for cancellation says it (PS3.4 table CC.2.2-1).
fn discontinued(reason: &str) -> Attributes {
    let mut request = Attributes::new();
    let code = code("110513", "DCM", "Discontinued for unspecified reason");
    request.put_items(tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE, vec![code]);
    request.put_text(tags::REASON_FOR_CANCELLATION, reason);
    request
}

/// The Transaction UID by which this gateway holds the workitem: nobody else can guess it, and another process of it knows it.
pub(super) fn lock(app: &App, job: &Job) -> Uid {
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
fn scheduled(
    job: &Job,
    member: &ImageMember,
    (classes, title): (&HashMap<Uid, Uid>, Option<&AeTitle>),
    now: OffsetDateTime,
) -> Attributes {
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
    given.put_items(tags::INPUT_INFORMATION_SEQUENCE, inputs(job, classes, title));
    given
}

/// The series of the study at hand, then those of a prior.
fn inputs(job: &Job, classes: &HashMap<Uid, Uid>, title: Option<&AeTitle>) -> Vec<Attributes> {
    let prior = job.prior.iter().flat_map(|prior| prior.series.iter().map(|series| (&prior.study, series)));
    let all = job.inputs.iter().map(|series| (&job.study, series)).chain(prior);
    all.map(|(study, series)| {
        // What is not there any more is left out: nobody could say of what class it is.
        let instances = series.instances.iter().filter_map(|uid| Some(reference(classes.get(uid)?, uid)));
        references(study, &series.uid, instances.collect(), title)
    })
    .collect()
}

/// What was performed (PS3.3 section C.30.3).
fn performed(job: &Job, made: &[EvidenceObject], title: Option<&AeTitle>, now: OffsetDateTime) -> Attributes {
    let mut item = Attributes::new();
    item.put_items(tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, vec![station(job)]);
    item.put_items(tags::PERFORMED_WORKITEM_CODE_SEQUENCE, vec![work(job, &job.entry)]);
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_START_DATE_TIME, moment(job.created_at));
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_END_DATE_TIME, moment(now));
    let output = made.iter().map(|object| {
        let instances = vec![reference(&object.class, &object.instance)];
        references(&job.study, &object.series, instances, title)
    });
    item.put_items(tags::OUTPUT_INFORMATION_SEQUENCE, output.collect());
    let mut changes = Attributes::new();
    changes.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![item]);
    changes
}

/// Instances, and where they are (PS3.3 table 10-3b).
fn references(study: &Uid, series: &Uid, instances: Vec<Attributes>, title: Option<&AeTitle>) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::TYPE_OF_INSTANCES, "DICOM");
    item.put_text(tags::STUDY_INSTANCE_UID, study.as_str());
    item.put_text(tags::SERIES_INSTANCE_UID, series.as_str());
    item.put_items(tags::REFERENCED_SOP_SEQUENCE, instances);
    if let Some(title) = title {
        item.put_items(tags::DICOM_RETRIEVAL_SEQUENCE, vec![retrieved_from(title)]);
    }
    item
}

/// An item of the DICOM Retrieval Sequence: the application entity that has the instances.
pub(crate) fn retrieved_from(title: &AeTitle) -> Attributes {
    let mut place = Attributes::new();
    place.put_text(tags::RETRIEVE_AE_TITLE, title.as_str());
    place
}

/// The hospital's AE title, by which its systems retrieve.
fn title(app: &App, job: &Job) -> Option<AeTitle> {
    let snapshot = app.catalog.current();
    snapshot.hospital(&job.hospital)?.hospital.imaging.as_ref().map(|imaging| imaging.ae_title.clone())
}

fn reference(class: &Uid, instance: &Uid) -> Attributes {
    let mut item = Attributes::new();
    item.put_text(tags::REFERENCED_SOP_CLASS_UID, class.as_str());
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
