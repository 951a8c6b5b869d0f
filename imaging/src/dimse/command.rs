//! [`Command`]: the command set of a message (PS3.7 §6.3, chapters 9 and 10, annex E). Always Implicit VR Little Endian.

mod read;
mod write;

use dicom_core::Tag;

use super::status::Status;
use crate::{AeTitle, Uid, dataset::ReadError};

/// A command, and whether a data set follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The command.
    pub command: Command,
    /// Command Data Set Type (0000,0800): whether a data set follows.
    pub has_data_set: bool,
}

/// What a command set says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Somebody asks.
    Request(Request),
    /// Somebody answers.
    Response(Response),
    /// The asker does not want it any more (C-CANCEL).
    Cancel {
        /// Which request.
        to: u16,
    },
    /// A request that can be answered, but not done: a parameter is missing or is not what it must be.
    Mistyped {
        /// Which request.
        message_id: u16,
        /// Of which kind.
        field: CommandField,
        /// The parameter.
        tag: Tag,
    },
}

/// The kind of a command (0000,0100), by the value of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommandField {
    /// C-STORE.
    CStore,
    /// C-GET.
    CGet,
    /// C-FIND.
    CFind,
    /// C-MOVE.
    CMove,
    /// C-ECHO.
    CEcho,
    /// N-EVENT-REPORT.
    NEventReport,
    /// N-GET.
    NGet,
    /// N-SET.
    NSet,
    /// N-ACTION.
    NAction,
    /// N-CREATE.
    NCreate,
    /// N-DELETE.
    NDelete,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it among the requests of this association.
    pub message_id: u16,
    /// Affected or Requested SOP Class UID.
    pub class: Uid,
    /// What is asked.
    pub operation: Operation,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Are you there (§9.1.5)?
    Echo,
    /// Keep this instance (§9.1.1).
    Store {
        /// Its SOP Instance UID.
        instance: Uid,
        /// How urgent it is.
        priority: Priority,
        /// Whose C-MOVE it is part of.
        originator: Option<MoveOriginator>,
    },
    /// What do you have like this (§9.1.2)?
    Find {
        /// How urgent it is.
        priority: Priority,
    },
    /// Send this to me, here (§9.1.3).
    Get {
        /// How urgent it is.
        priority: Priority,
    },
    /// Send this to that one (§9.1.4).
    Move {
        /// How urgent it is.
        priority: Priority,
        /// That one; none where the title is none.
        destination: Option<AeTitle>,
    },
    /// Something happened (§10.1.1).
    EventReport {
        /// Affected SOP Instance UID.
        instance: Uid,
        /// What happened.
        event_type: u16,
    },
    /// Do this (§10.1.4).
    Action {
        /// Requested SOP Instance UID.
        instance: Uid,
        /// What.
        action_type: u16,
    },
    /// What does this instance say (N-GET, §10.1.2)?
    GetAttributes {
        /// Requested SOP Instance UID.
        instance: Uid,
        /// Attribute Identifier List; none means all.
        attributes: Vec<Tag>,
    },
    /// Let it say this (N-SET, §10.1.3).
    SetAttributes {
        /// Requested SOP Instance UID.
        instance: Uid,
    },
    /// Let there be an instance that says this (N-CREATE, §10.1.5).
    Create {
        /// Affected SOP Instance UID, where the asker has one for it.
        instance: Option<Uid>,
    },
    /// N-DELETE, which no service here has.
    Other(CommandField),
}

/// How urgent a request is (0000,0700).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Priority {
    /// Before others.
    High,
    /// As others.
    #[default]
    Medium,
    /// After others.
    Low,
}

/// The C-MOVE that a C-STORE is part of (§9.1.1.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveOriginator {
    /// Who asked for the C-MOVE.
    pub ae_title: AeTitle,
    /// Its message id there.
    pub message_id: u16,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The request's message id.
    pub to: u16,
    /// The request's kind.
    pub field: CommandField,
    /// How it went.
    pub status: Status,
    /// Affected SOP Class UID.
    pub class: Option<Uid>,
    /// Affected SOP Instance UID.
    pub instance: Option<Uid>,
    /// Error Comment: the reason in words, 64 characters.
    pub comment: Option<String>,
    /// Offending Element: which ones were wrong.
    pub offending: Vec<Tag>,
    /// Of C-GET and C-MOVE: how far it got.
    pub sub_operations: Option<SubOperations>,
    /// Of N-EVENT-REPORT and N-ACTION: the request's event or action type.
    pub type_id: Option<u16>,
}

/// How far a C-GET or C-MOVE got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubOperations {
    /// Not begun; only told while it goes on or after a C-CANCEL.
    pub remaining: Option<u16>,
    /// Done.
    pub completed: u16,
    /// Not done.
    pub failed: u16,
    /// Done, but not quite as asked.
    pub warning: u16,
}

/// Why bytes are no command. Whoever sends such has lost the thread: there is no message to answer to.
#[derive(Debug, thiserror::Error)]
pub enum NotACommand {
    /// They are no data set.
    #[error("the command set cannot be read: {0}")]
    Unreadable(#[from] ReadError),
    /// Without this nothing can be answered.
    #[error("the command set has no {0}")]
    Missing(Tag),
    /// A kind of command that DICOM does not have.
    #[error("0x{0:04X} is no command of DICOM")]
    Unknown(u16),
}

impl CommandField {
    /// Its value in a request.
    pub fn code(self) -> u16 {
        match self {
            Self::CStore => 0x0001,
            Self::CGet => 0x0010,
            Self::CFind => 0x0020,
            Self::CMove => 0x0021,
            Self::CEcho => 0x0030,
            Self::NEventReport => 0x0100,
            Self::NGet => 0x0110,
            Self::NSet => 0x0120,
            Self::NAction => 0x0130,
            Self::NCreate => 0x0140,
            Self::NDelete => 0x0150,
        }
    }

    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CStore,
        Self::CGet,
        Self::CFind,
        Self::CMove,
        Self::CEcho,
        Self::NEventReport,
        Self::NGet,
        Self::NSet,
        Self::NAction,
        Self::NCreate,
        Self::NDelete,
    ];

    /// Its name, for logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::CStore => "c-store",
            Self::CGet => "c-get",
            Self::CFind => "c-find",
            Self::CMove => "c-move",
            Self::CEcho => "c-echo",
            Self::NEventReport => "n-event-report",
            Self::NGet => "n-get",
            Self::NSet => "n-set",
            Self::NAction => "n-action",
            Self::NCreate => "n-create",
            Self::NDelete => "n-delete",
        }
    }
}

impl Operation {
    /// Its kind.
    pub fn field(&self) -> CommandField {
        match self {
            Self::Echo => CommandField::CEcho,
            Self::Store { .. } => CommandField::CStore,
            Self::Find { .. } => CommandField::CFind,
            Self::Get { .. } => CommandField::CGet,
            Self::Move { .. } => CommandField::CMove,
            Self::EventReport { .. } => CommandField::NEventReport,
            Self::Action { .. } => CommandField::NAction,
            Self::GetAttributes { .. } => CommandField::NGet,
            Self::SetAttributes { .. } => CommandField::NSet,
            Self::Create { .. } => CommandField::NCreate,
            Self::Other(field) => *field,
        }
    }

    /// The instance that it is about.
    pub fn instance(&self) -> Option<&Uid> {
        match self {
            Self::Store { instance, .. }
            | Self::EventReport { instance, .. }
            | Self::Action { instance, .. }
            | Self::GetAttributes { instance, .. }
            | Self::SetAttributes { instance } => Some(instance),
            Self::Create { instance } => instance.as_ref(),
            _ => None,
        }
    }
}

impl Response {
    /// An answer to a request of this kind.
    pub fn new(to: u16, field: CommandField, status: Status) -> Self {
        Self {
            to,
            field,
            status,
            class: None,
            instance: None,
            comment: None,
            offending: Vec::new(),
            sub_operations: None,
            type_id: None,
        }
    }

    /// An answer to this request.
    pub fn to(request: &Request, status: Status) -> Self {
        let type_id = match request.operation {
            Operation::EventReport { event_type, .. } => Some(event_type),
            Operation::Action { action_type, .. } => Some(action_type),
            _ => None,
        };
        Self {
            class: Some(request.class.clone()),
            instance: request.operation.instance().cloned(),
            type_id,
            ..Self::new(request.message_id, request.operation.field(), status)
        }
    }

    /// The same with a reason in words. What is not ASCII is left out: a command set has no other characters.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.comment = Some(reason.into());
        self
    }

    /// What the one who answered said, for a log or a dead letter.
    pub fn in_words(&self) -> String {
        match &self.comment {
            Some(comment) => format!("{}: {comment}", self.status),
            None => self.status.to_string(),
        }
    }
}

impl Message {
    /// A command alone.
    pub fn alone(command: Command) -> Self {
        Self { command, has_data_set: false }
    }

    /// A command with a data set after it.
    pub fn with_data_set(command: Command) -> Self {
        Self { command, has_data_set: true }
    }
}

impl From<Request> for Command {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Command {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}
