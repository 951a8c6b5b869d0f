//! Why work on images does not go on: whose fault it is, and whether another try can help.

use medvan_adapters::{AdviseError, Fault};
use medvan_imaging::ups;

use crate::{archive::ReadFault, store::StoreError};

/// Why a job does not go on. The text names no patient and repeats nothing that a vendor said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkFault {
    /// The service is not enrolled any more, or not for this.
    #[error("the hospital is not enrolled in this service any more")]
    NotEnrolled,
    /// The trial is used up or over.
    #[error("the trial is used up or over")]
    TrialEnded,
    /// Images of the job are not stored any more.
    #[error("images of the job are not stored any more")]
    ImagesGone,
    /// There are more images than the service takes.
    #[error("the series have more images than the service takes")]
    TooManyImages,
    /// It was begun as often as it may be, and never came to an end.
    #[error("the job was begun as often as it may be and never came to an end")]
    TooOften,
    /// The study is too large to be looked at.
    #[error("the study has more than {0} instances and is not looked at")]
    StudyTooLarge(usize),
    /// An image of ours could not be read or drawn.
    #[error("an image of the job cannot be read or drawn")]
    Unreadable,
    /// What the service is to be asked cannot be written as its descriptor declares.
    #[error("the service cannot be asked as its descriptor says: {0}")]
    Request(String),
    /// The service gave no usable answer.
    #[error("the service gave no usable answer: {0}")]
    Service(#[from] AdviseError),
    /// Not all results came that its descriptor says it brings.
    #[error("the service gave no complete answer in time: {0}")]
    Incomplete(String),
    /// The service's answer does not hold.
    #[error("the service's answer is refused: {0}")]
    Findings(String),
    /// The results of a workitem that is completed do not hold.
    #[error("the service's results are refused: {0}")]
    Results(String),
    /// It stood on the worklist of its service until its time was over.
    #[error("nobody took the workitem before its time was over")]
    NotTaken,
    /// Somebody took it from the worklist and did not end it in time.
    #[error("the workitem was taken and not completed before its time was over")]
    NotDone,
    /// Its workitem was canceled.
    #[error("the workitem was canceled before it was done")]
    Declined,
    /// Another process has the job by now, or nobody wants it any more: whoever has it says what becomes of it.
    #[error("the job is not this process's any more")]
    Lost,
    /// A result has the UID of something else.
    #[error("a result has the UID of another object that the hospital has; give each object its own")]
    TakenUid,
    /// What was found cannot be written.
    #[error("evidence cannot be made: {0}")]
    Evidence(String),
    /// There is more found than one report can hold.
    #[error(
        "the findings, or a result, are more than one report can hold (500,000 data elements); give fewer or shorter ones"
    )]
    TooMuch,
    /// Results cannot be stored.
    #[error("the results cannot be stored: {0}")]
    Storing(String),
    /// The workitem is somebody else's now, or was canceled.
    #[error("the workitem was canceled or taken by somebody else")]
    Workitem(#[from] ups::Fault),
    /// Stored images cannot be read.
    #[error("stored images cannot be read")]
    Read(#[from] ReadFault),
    /// The store does not answer.
    #[error("the store does not answer")]
    Store(#[from] StoreError),
}

impl WorkFault {
    /// Whether another try can help.
    pub(super) fn may_retry(&self) -> bool {
        match self {
            // A vendor may be away for hours, and may answer nonsense while it is being updated.
            Self::Service(error) => error.fault() == Fault::Vendor,
            Self::Findings(_) | Self::Incomplete(_) => true,
            Self::Storing(_) | Self::Store(_) | Self::Unreadable => true,
            Self::Read(fault) => matches!(fault, ReadFault::Io(_)),
            Self::NotEnrolled
            | Self::TrialEnded
            | Self::ImagesGone
            | Self::TooManyImages
            | Self::Request(_)
            | Self::TooOften
            | Self::StudyTooLarge(_)
            | Self::Results(_)
            | Self::NotTaken
            | Self::NotDone
            | Self::Declined
            | Self::Lost
            | Self::TakenUid
            | Self::TooMuch
            | Self::Evidence(_)
            | Self::Workitem(_) => false,
        }
    }

    /// The status of a record of it: 403 nobody may have it done, 502 the service, 500 what is ours.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Service(_)
            | Self::Incomplete(_)
            | Self::Findings(_)
            | Self::Results(_)
            | Self::NotTaken
            | Self::NotDone
            | Self::TooMuch
            | Self::TakenUid => 502,
            _ if self.is_end() => 403,
            _ => 500,
        }
    }

    /// Whether nobody wants the job any more: then it is canceled and is nobody's failure.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::NotEnrolled | Self::TrialEnded | Self::Declined | Self::Workitem(_))
    }
}
