//! Results that services bring by themselves, by STOW-RS or C-STORE: for which job they are, and that they are kept.
//!
//! What is brought is shown to nobody: whether it holds is decided when all of it is there (`medvan_analysis::gate`), and its
//! vendor reads why not at `/api/v1/vendors/{vendor}/jobs`.

use std::{io::Cursor, sync::Arc};

use dicom_dictionary_std::tags;
use medvan_analysis::gate;
use medvan_imaging::{
    AeTitle, Tag, Uid,
    attributes::{self, AttributePath, Attributes},
    dataset::{Limits, ReadError, Seekable},
    file::read_file,
    stow::{Failure, FailureReason, Outcome, Stored},
};
use medvan_profiles::descriptor::images::{DicomwebWay, DimseWay, ImageWay, Returned};
use time::OffsetDateTime;
use uuid::Uuid;

use super::priors::is_of_same_patient;
use crate::{
    App,
    catalog::{HospitalId, ImageMember, VendorId},
    store::{
        EvidenceObject, Job, JobSeries, JobState, Receipt, ReceivedBounds, ReceivedObject, RefusedResult, StoreError,
    },
};

/// Proof: a job of a vendor's that it may work on now, in the way in which its service is talked to.
pub(crate) struct OpenJob {
    pub(crate) job: Job,
    pub(crate) member: Arc<ImageMember>,
}

/// What an object says it is.
struct Named {
    study: Uid,
    reference: EvidenceObject,
}

impl OpenJob {
    /// A job is open for those who fetch its images or bring its results by themselves; of the others nothing is there.
    pub(crate) fn of(app: &App, job: Job) -> Option<Self> {
        let member = Self::member(app, &job)?;
        let is_open = match &member.entry.way {
            ImageWay::Worklist(_) => matches!(job.state, JobState::Offered | JobState::Taken),
            ImageWay::Dicomweb(DicomwebWay { results: Returned::Store, .. }) | ImageWay::Dimse(_) => {
                job.state == JobState::Running
            }
            ImageWay::Dicomweb(_) | ImageWay::ImageJson { .. } | ImageWay::Inference(_) => false,
        };
        is_open.then_some(Self { job, member })
    }

    /// Its service, as long as the hospital is enrolled in the same version for the same purpose.
    pub(crate) fn member(app: &App, job: &Job) -> Option<Arc<ImageMember>> {
        super::perform::enrolled(app, job).ok()
    }

    /// Whether it stands on a worklist, or was taken from it.
    pub(crate) fn is_on_worklist(&self) -> bool {
        matches!(self.job.state, JobState::Offered | JobState::Taken)
    }

    /// Whether its images may be read and its results written: what nobody has taken from the worklist is nobody's yet.
    pub(crate) fn is_at_work(&self, study: &Uid) -> bool {
        self.job.study == *study && self.is_taken()
    }

    /// The series of a study that may be read for it: of its own study, or of its prior, as long as that is the same patient's.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn series_of(&self, app: &App, study: &Uid) -> Result<&[JobSeries], StoreError> {
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

    /// Whether it is a job of this hospital that is with this application entity.
    pub(super) fn is_with(&self, hospital: &HospitalId, ae_title: &str) -> bool {
        let is_sent_to = |way: &DimseWay| way.ae_title.trim() == ae_title.trim();
        self.job.hospital == *hospital && matches!(&self.member.entry.way, ImageWay::Dimse(way) if is_sent_to(way))
    }

    /// As [`turn_of`].
    pub(super) const fn turn(&self) -> (OffsetDateTime, Uuid) {
        turn_of(&self.job)
    }

    fn is_taken(&self) -> bool {
        matches!(self.job.state, JobState::Taken | JobState::Running)
    }
}

/// Who brings a result.
pub(crate) enum Bringer<'a> {
    /// The token of a job was shown: for this job.
    Job(&'a OpenJob),
    /// The credential of a vendor was shown: for what it took from its worklists. What was stored at a service comes back with the
    /// token that went along, so that a late result is not taken for that of a later job.
    Vendor(&'a VendorId),
    /// An application entity that calls this hospital: for what was sent to it.
    Entity(&'a HospitalId, &'a VendorId, &'a AeTitle),
}

/// Keeps an object for the job that it is of. `study` is the one that it was announced to be of.
///
/// # Errors
/// The database does not take it.
pub(crate) async fn receive(
    app: &App,
    bringer: &Bringer<'_>,
    study: Option<&Uid>,
    bytes: Vec<u8>,
) -> Result<Outcome, StoreError> {
    let read = move || (named(&bytes), bytes);
    let Ok((named, bytes)) = tokio::task::spawn_blocking(read).await else {
        return Ok(Outcome { class: None, instance: None, result: Err(FailureReason::ProcessingFailure.into()) });
    };
    let (Named { study: own, reference }, result) = match named {
        Err(failure) => {
            tell_vendor(app, bringer, study, &failure).await?;
            return Ok(Outcome { class: None, instance: None, result: Err(failure) });
        }
        Ok(named) if study.is_some_and(|study| *study != named.study) => {
            (named, Err(FailureReason::StudyDoesNotMatch.into()))
        }
        Ok(named) => {
            let object = ReceivedObject { reference: named.reference.clone(), bytes };
            let kept = keep(app, bringer, &named.study, &object).await?;
            (named, kept)
        }
    };
    if let Err(failure) = &result {
        tell_vendor(app, bringer, Some(study.unwrap_or(&own)), failure).await?;
    }
    let EvidenceObject { series, instance, class } = reference;
    let stored = |()| Stored { study: own, series, warning: None, originals: Vec::new() };
    Ok(Outcome { class: Some(class), instance: Some(instance), result: result.map(stored) })
}

/// Keeps with the job why a result of it was not taken: whoever mends the service reads there, and not what it was answered.
async fn tell_vendor(
    app: &App,
    bringer: &Bringer<'_>,
    study: Option<&Uid>,
    failure: &Failure,
) -> Result<(), StoreError> {
    let job = match (bringer, study) {
        (Bringer::Job(open), _) => Some(open.job.id),
        (_, Some(study)) => bringer.job_of(app, study).await?.ok().map(|open| open.job.id),
        (_, None) => None,
    };
    let Some(job) = job else { return Ok(()) };
    let refused = RefusedResult { at: app.clock.now(), code: failure.reason.code(), words: failure.text().to_owned() };
    app.store.refuse_result(job, &refused).await
}

async fn keep(
    app: &App,
    bringer: &Bringer<'_>,
    study: &Uid,
    object: &ReceivedObject,
) -> Result<Result<(), Failure>, StoreError> {
    let found;
    let open = match bringer {
        Bringer::Job(open) => open,
        Bringer::Vendor(_) | Bringer::Entity(..) => match bringer.job_of(app, study).await? {
            Ok(job) => {
                found = job;
                &found
            }
            Err(failure) => return Ok(Err(failure)),
        },
    };
    if !open.is_at_work(study) {
        return Ok(Err(no_job()));
    }
    let bytes = u64::from(open.member.entry.limits.answer_bytes);
    let most = ReceivedBounds { objects: gate::OBJECTS, bytes };
    Ok(match app.store.receive(&open.job, object, most, app.clock.now()).await? {
        Receipt::Kept => Ok(()),
        Receipt::TooLate => Err(no_job()),
        Receipt::TooLarge => Err(FailureReason::TooLarge.into()),
        Receipt::TooMany => Err(Failure {
            reason: FailureReason::TooLarge,
            detail: Some(format!("a job has at most {} results", gate::OBJECTS)),
        }),
    })
}

impl Bringer<'_> {
    /// The job of theirs that is at work on a study. Two hospitals may have a study of one UID, and two services of one vendor work on
    /// the same study: then the token of a job says which is meant.
    async fn job_of(&self, app: &App, study: &Uid) -> Result<Result<OpenJob, Failure>, StoreError> {
        let vendor = match self {
            Self::Job(_) => return Ok(Err(no_job())),
            Self::Vendor(vendor) | Self::Entity(_, vendor, _) => vendor,
        };
        let jobs = app.store.jobs_at_vendor(vendor, study).await?;
        let open = jobs.into_iter().filter_map(|job| OpenJob::of(app, job)).filter(|open| open.is_at_work(study));
        let mut own = open.filter(|open| match self {
            Self::Entity(hospital, _, title) => open.is_with(hospital, title.as_str()),
            Self::Job(_) | Self::Vendor(_) => open.is_on_worklist(),
        });
        if let Self::Entity(..) = self {
            // Each is sent its images when those before it are answered ([`super::dimse`]).
            return Ok(own.min_by_key(OpenJob::turn).ok_or_else(no_job));
        }
        Ok(match (own.next(), own.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(no_job()),
            (Some(_), Some(_)) => Err(Failure {
                reason: FailureReason::NotAuthorized,
                detail: Some(
                    "several jobs are about this study; use the token of the job (MedVAN-Job-Token)".to_owned(),
                ),
            }),
        })
    }
}

/// The place of a job among those that are with one application entity: when it was begun.
pub(super) const fn turn_of(job: &Job) -> (OffsetDateTime, Uuid) {
    (job.changed_at, job.id)
}

fn no_job() -> Failure {
    Failure {
        reason: FailureReason::NotAuthorized,
        detail: Some("no job of this vendor waits for results of this study".to_owned()),
    }
}

/// What an object says it is; else what keeps it from being read, and where.
fn named(bytes: &[u8]) -> Result<Named, Failure> {
    let source = Seekable::new(Cursor::new(bytes)).map_err(ReadError::from);
    let file = source.and_then(|source| read_file(source, &Limits::default())).map_err(|error| refused(&error))?;
    let said = attributes::read(&file.data_set, &|_: &AttributePath| None);
    let uid = |tag, name: &str| uid(&said, tag).ok_or_else(|| not_understood(format!("it has no valid {name} {tag}")));
    let reference = EvidenceObject {
        series: uid(tags::SERIES_INSTANCE_UID, "Series Instance UID")?,
        instance: uid(tags::SOP_INSTANCE_UID, "SOP Instance UID")?,
        class: uid(tags::SOP_CLASS_UID, "SOP Class UID")?,
    };
    Ok(Named { study: uid(tags::STUDY_INSTANCE_UID, "Study Instance UID")?, reference })
}

/// The text of an error names places and never what stands there.
fn refused(error: &ReadError) -> Failure {
    match error {
        ReadError::Io(_) => FailureReason::ProcessingFailure.into(),
        error => not_understood(error.to_string()),
    }
}

fn not_understood(words: String) -> Failure {
    Failure { reason: FailureReason::CannotUnderstand, detail: Some(words) }
}

fn uid(said: &Attributes, tag: Tag) -> Option<Uid> {
    Uid::parse(&said.text(tag)?).ok()
}
