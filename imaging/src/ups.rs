//! Unified Procedure Steps (PS3.4 annex CC): what a workitem must say, how its state changes, and what is reported of it.
//!
//! Pure: a change is a value with its events, or the reason why there is none. Whoever stores it decides when, and how it is told
//! by UPS-RS (PS3.18 §11) or DIMSE ([`SopClass`]).

mod event;
mod items;
mod requirement;
mod sop_class;
#[cfg(test)]
mod tests;
mod workitem;

use std::{fmt, str::FromStr};

use crate::Tag;

pub use event::Event;
pub use sop_class::{Action, SopClass};
pub use workitem::{Created, Transition, Workitem};

/// The SOP class of every workitem (§CC.3.1).
pub const UPS_PUSH: &str = "1.2.840.10008.5.1.4.34.6.1";

/// The states of a workitem (table CC.1.1-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for a performer.
    Scheduled,
    /// Somebody performs it and has locked it with a Transaction UID.
    InProgress,
    /// It was stopped for good.
    Canceled,
    /// It was done.
    Completed,
}

impl State {
    /// The value of Procedure Step State (0074,1000).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::InProgress => "IN PROGRESS",
            Self::Canceled => "CANCELED",
            Self::Completed => "COMPLETED",
        }
    }

    /// Whether nothing changes any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Canceled | Self::Completed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The text is no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no Procedure Step State")]
pub struct NoState;

impl FromStr for State {
    type Err = NoState;

    fn from_str(text: &str) -> Result<Self, NoState> {
        [Self::Scheduled, Self::InProgress, Self::Canceled, Self::Completed]
            .into_iter()
            .find(|state| state.word() == text)
            .ok_or(NoState)
    }
}

/// What is wrong with an attribute. It names the attribute, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It must be there.
    #[error("{0} must have a value")]
    Missing(Tag),
    /// It is there and must have a value.
    #[error("{0} must have a value")]
    Empty(Tag),
    /// It may not be given.
    #[error("{0} may not be given here")]
    Forbidden(Tag),
    /// Its value is none of those that are defined.
    #[error("{0} has a value that is not defined for it")]
    Undefined(Tag),
}

/// Why a workitem stays as it is, with the status of DIMSE (tables CC.2.1-2, CC.2.2-2, CC.2.5-4, CC.2.6-1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Attributes are missing, or may not be given.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Flaws(Vec<Flaw>),
    /// A new workitem is scheduled and nothing else.
    #[error("a new workitem must have the Procedure Step State SCHEDULED")]
    NotScheduled,
    /// It is completed or canceled.
    #[error("The submitted request is inconsistent with the state of the UPS Instance.")]
    Final,
    /// The performer's Transaction UID was not given.
    #[error("The Transaction UID is missing.")]
    TransactionMissing,
    /// Another one was given.
    #[error("The Transaction UID is incorrect.")]
    TransactionIncorrect,
    /// Somebody performs it already.
    #[error("The submitted request is inconsistent with the state of the UPS Instance.")]
    AlreadyInProgress,
    /// Only its creation makes it scheduled.
    #[error("The submitted request is inconsistent with the state of the UPS Instance.")]
    OnlyCreated,
    /// What its final state asks for is missing.
    #[error("final state requirements are not met: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Unfinished(Vec<Tag>),
    /// Nobody performs it yet.
    #[error("The submitted request is inconsistent with the state of the UPS Instance.")]
    NotInProgress,
    /// It would say more than a workitem may: bytes, or sequences in sequences.
    #[error("a workitem says at most 16 megabytes, in at most 16 sequences within each other")]
    TooMuch,
    /// Nobody can tell its performer.
    #[error("The performer cannot be contacted.")]
    Unreachable,
    /// Its performer goes on.
    #[error("Performer chooses not to cancel.")]
    Unwilling,
    /// What is completed cannot be canceled.
    #[error("The UPS is already COMPLETED.")]
    AlreadyCompleted,
}

impl Fault {
    /// The status by which DIMSE tells it (also PS3.7 §10.1.3.1.9, §10.1.5.1.6).
    pub fn status(&self) -> u16 {
        match self {
            Self::Flaws(flaws) if flaws.iter().all(|flaw| matches!(flaw, Flaw::Empty(_))) => 0x0121,
            Self::Flaws(flaws) if flaws.iter().all(|flaw| matches!(flaw, Flaw::Missing(_) | Flaw::Empty(_))) => 0x0120,
            Self::Flaws(_) => 0x0106,
            Self::NotScheduled => 0xC309,
            Self::Final => 0xC300,
            Self::TransactionMissing | Self::TransactionIncorrect => 0xC301,
            Self::AlreadyInProgress => 0xC302,
            Self::OnlyCreated => 0xC303,
            Self::Unfinished(_) => 0xC304,
            Self::NotInProgress => 0xC310,
            Self::AlreadyCompleted => 0xC311,
            Self::Unreachable => 0xC312,
            Self::Unwilling => 0xC313,
            Self::TooMuch => 0x0213,
        }
    }
}
