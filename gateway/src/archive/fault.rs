//! [`Fault`]: why an instance is not stored: whose fault it is, and what the sender may read.

use std::io;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag,
    dataset::ReadError,
    stow::{Failure, FailureReason},
};

use crate::store::StoreError;

/// Why an instance is not stored. The text is for its sender: it names tags and places, never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The sender's: it is no data set.
    #[error("the instance cannot be read: {0}")]
    Unreadable(#[source] ReadError),
    /// The sender's: a part of the request is something else.
    #[error("the part is no instance; its Content-Type must be application/dicom")]
    Foreign,
    /// The sender's: an object that came as JSON cannot be written.
    #[error("the object cannot be written as an instance: {0}")]
    Unwritable(String),
    /// The sender's: a UID that every instance must have is missing or is none.
    #[error("{0} is missing or is not a UID")]
    Uid(Tag),
    /// The sender's: it said one study, class or instance and sent another.
    #[error("{0} is not the one that was announced")]
    Other(Tag),
    /// The sender's: another content is stored under this SOP Instance UID.
    #[error("another content is stored under this SOP Instance UID; it was not replaced")]
    Conflict,
    /// The sender's: a study of this UID is stored, and it is another patient's.
    #[error("the study with this Study Instance UID has another Patient ID here; nothing was changed")]
    OtherPatient,
    /// The sender's: more than one instance may have.
    #[error("an instance may have at most {0} bytes")]
    TooLarge(u64),
    /// Ours: no room on the disk. Worth a retry when there is.
    #[error("there is no room left on the disk")]
    NoSpace,
    /// Ours: too many senders at once. Worth a retry a moment later.
    #[error("too many senders are storing at once; try again in a moment")]
    Busy,
    /// Ours: the disk or the database failed. Worth a retry.
    #[error("the instance could not be made safe; try again")]
    NotSafe,
}

impl Fault {
    /// Whether the same instance sent again later may be stored.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::NoSpace | Self::Busy | Self::NotSafe)
    }

    /// What its sender is told, by STOW-RS and by C-STORE.
    pub(crate) fn failure(&self) -> Failure {
        let reason = match self {
            Self::Unreadable(_) => FailureReason::CannotUnderstand,
            Self::Foreign | Self::Unwritable(_) => FailureReason::NotAnInstance,
            Self::Uid(_) => FailureReason::DataSetDoesNotMatchSopClass,
            Self::Other(tags::STUDY_INSTANCE_UID) | Self::OtherPatient => FailureReason::StudyDoesNotMatch,
            Self::Other(_) => FailureReason::InstanceDoesNotMatch,
            Self::Conflict => FailureReason::DuplicateSopInstance,
            Self::TooLarge(_) => FailureReason::TooLarge,
            Self::NoSpace | Self::Busy => FailureReason::OutOfResources,
            Self::NotSafe => FailureReason::ProcessingFailure,
        };
        Failure { reason, detail: Some(self.to_string()) }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            io::ErrorKind::ResourceBusy => Self::Busy,
            _ => {
                tracing::error!(%error, "an instance cannot be written");
                Self::NotSafe
            }
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error.into(),
            error => Self::Unreadable(error),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSpace => return Self::NoSpace,
            StoreError::Busy => return Self::Busy,
            _ => {}
        }
        tracing::error!(error = &error as &dyn std::error::Error, "instances were not indexed");
        Self::NotSafe
    }
}
