//! [`Status`]: how an operation went (PS3.7 annex C; PS3.4 §B.2.3, §C.4, §J.3).

use std::fmt;

/// The status of a response (0000,0900).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u16);

/// What a status means for the one who asked (PS3.7 §C.1 to §C.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was done, but not quite as asked.
    Warning,
    /// It was not done.
    Failure,
    /// It was ended because the asker wanted that.
    Cancel,
    /// More responses follow.
    Pending,
}

impl Status {
    /// It was done.
    pub const SUCCESS: Self = Self(0x0000);
    /// More follow.
    pub const PENDING: Self = Self(0xFF00);
    /// More follow, and some optional keys were not looked at.
    pub const PENDING_WITHOUT_SOME_KEYS: Self = Self(0xFF01);
    /// Ended by C-CANCEL.
    pub const CANCEL: Self = Self(0xFE00);
    /// Some sub-operations failed or gave a warning.
    pub const SUB_OPERATIONS_INCOMPLETE: Self = Self(0xB000);
    /// No room, no time, no hands.
    pub const OUT_OF_RESOURCES: Self = Self(0xA700);
    /// No sub-operation could be done.
    pub const UNABLE_TO_PERFORM_SUB_OPERATIONS: Self = Self(0xA702);
    /// The destination of a C-MOVE is not known here.
    pub const MOVE_DESTINATION_UNKNOWN: Self = Self(0xA801);
    /// The data set or identifier is none of its SOP class.
    pub const DATA_SET_MISMATCH: Self = Self(0xA900);
    /// The data set cannot be understood, the identifier cannot be processed.
    pub const CANNOT_UNDERSTAND: Self = Self(0xC000);
    /// Another content is stored under this SOP Instance UID. PS3.4 has no code of its own for it; the
    /// last digits are those of "duplicate SOP instance".
    pub const CONFLICT: Self = Self(0xC111);
    /// A general failure.
    pub const PROCESSING_FAILURE: Self = Self(0x0110);
    /// No such SOP Instance.
    pub const NO_SUCH_INSTANCE: Self = Self(0x0112);
    /// No such event type.
    pub const NO_SUCH_EVENT: Self = Self(0x0113);
    /// A value is out of the range that is allowed.
    pub const INVALID_ARGUMENT: Self = Self(0x0115);
    /// The SOP Instance UID breaks the rules of UIDs.
    pub const INVALID_INSTANCE: Self = Self(0x0117);
    /// SOP Class and SOP Instance do not belong together.
    pub const CLASS_INSTANCE_CONFLICT: Self = Self(0x0119);
    /// The SOP class is not served here.
    pub const SOP_CLASS_NOT_SUPPORTED: Self = Self(0x0122);
    /// No such action.
    pub const NO_SUCH_ACTION: Self = Self(0x0123);
    /// This node may not do that.
    pub const NOT_AUTHORIZED: Self = Self(0x0124);
    /// Attributes were asked for that are not there.
    pub const ATTRIBUTES_NOT_SUPPORTED: Self = Self(0x0001);
    /// There is an instance with this SOP Instance UID already.
    pub const DUPLICATE_INSTANCE: Self = Self(0x0111);
    /// No room for more.
    pub const RESOURCE_LIMITATION: Self = Self(0x0213);
    /// A workitem was created, with something filled in (PS3.4 table CC.2.5-4).
    pub const CREATED_WITH_MODIFICATIONS: Self = Self(0xB300);
    /// No such workitem (PS3.4 §CC.2).
    pub const NO_SUCH_WORKITEM: Self = Self(0xC307);
    /// Nobody knows the one who is to hear of workitems (PS3.4 table CC.2.3-3).
    pub const UNKNOWN_RECEIVER: Self = Self(0xC308);
    /// What can be done to other instances cannot be done to this one (PS3.4 table CC.2.3-3).
    pub const WRONG_INSTANCE: Self = Self(0xC314);
    /// The same Transaction UID was used before.
    pub const DUPLICATE_TRANSACTION: Self = Self(0x0131);
    /// The operation is not one of the SOP class.
    pub const UNRECOGNIZED_OPERATION: Self = Self(0x0211);
    /// A parameter is missing or malformed.
    pub const MISTYPED_ARGUMENT: Self = Self(0x0212);

    /// What it means for the one who asked.
    pub fn outcome(self) -> Outcome {
        match self.0 {
            0x0000 => Outcome::Success,
            0xFF00 | 0xFF01 => Outcome::Pending,
            0xFE00 => Outcome::Cancel,
            0x0001 | 0x0107 | 0x0116 | 0xB000..=0xBFFF => Outcome::Warning,
            _ => Outcome::Failure,
        }
    }

    /// In words, for logs and for people; the number says more only to those who know it.
    pub fn meaning(self) -> &'static str {
        MEANINGS.iter().find(|(mask, code, _)| self.0 & mask == *code).map_or("unknown status", |(.., words)| words)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04X} ({})", self.0, self.meaning())
    }
}

/// Mask, code and words; the first match counts.
const MEANINGS: &[(u16, u16, &str)] = &[
    (0xFFFF, 0x0000, "success"),
    (0xFFFF, 0x0001, "requested optional attributes are not supported"),
    (0xFFFF, 0x0105, "no such attribute"),
    (0xFFFF, 0x0106, "invalid attribute value"),
    (0xFFFF, 0x0107, "attribute list error"),
    (0xFFFF, 0x0110, "processing failure"),
    (0xFFFF, 0x0111, "duplicate SOP instance"),
    (0xFFFF, 0x0112, "no such SOP instance"),
    (0xFFFF, 0x0113, "no such event type"),
    (0xFFFF, 0x0114, "no such argument"),
    (0xFFFF, 0x0115, "invalid argument value"),
    (0xFFFF, 0x0116, "attribute value out of range"),
    (0xFFFF, 0x0117, "invalid SOP instance"),
    (0xFFFF, 0x0118, "no such SOP class"),
    (0xFFFF, 0x0119, "class-instance conflict"),
    (0xFFFF, 0x0120, "missing attribute"),
    (0xFFFF, 0x0121, "missing attribute value"),
    (0xFFFF, 0x0122, "refused: SOP class not supported"),
    (0xFFFF, 0x0123, "no such action"),
    (0xFFFF, 0x0124, "refused: not authorized"),
    (0xFFFF, 0x0131, "duplicate transaction UID"),
    (0xFFFF, 0x0210, "duplicate invocation"),
    (0xFFFF, 0x0211, "unrecognized operation"),
    (0xFFFF, 0x0212, "mistyped argument"),
    (0xFFFF, 0x0213, "resource limitation"),
    (0xFFFF, 0xA701, "refused: out of resources, cannot count the matches"),
    (0xFFFF, 0xA702, "refused: out of resources, cannot perform sub-operations"),
    (0xFF00, 0xA700, "refused: out of resources"),
    (0xFFFF, 0xA801, "refused: move destination unknown"),
    (0xFF00, 0xA900, "data set does not match SOP class"),
    (0xFFFF, 0xB000, "warning: coercion of data elements, or sub-operations with failures or warnings"),
    (0xFFFF, 0xB006, "warning: elements discarded"),
    (0xFFFF, 0xB007, "warning: data set does not match SOP class"),
    (0xFFFF, 0xB300, "warning: the UPS was created with modifications"),
    (0xFFFF, 0xB304, "warning: the UPS is already in the requested state of CANCELED"),
    (0xFFFF, 0xB306, "warning: the UPS is already in the requested state of COMPLETED"),
    (0xF000, 0xB000, "warning"),
    (0xFFFF, 0xC300, "the UPS may no longer be updated"),
    (0xFFFF, 0xC301, "the correct Transaction UID was not provided"),
    (0xFFFF, 0xC302, "the UPS is already IN PROGRESS"),
    (0xFFFF, 0xC303, "the UPS may only become SCHEDULED via N-CREATE"),
    (0xFFFF, 0xC304, "the UPS has not met final state requirements"),
    (0xFFFF, 0xC307, "no such UPS"),
    (0xFFFF, 0xC308, "the receiving AE title is unknown"),
    (0xFFFF, 0xC309, "the UPS State was not SCHEDULED"),
    (0xFFFF, 0xC310, "the UPS is not yet IN PROGRESS"),
    (0xFFFF, 0xC311, "the UPS is already COMPLETED"),
    (0xFFFF, 0xC312, "the performer cannot be contacted"),
    (0xFFFF, 0xC313, "the performer chooses not to cancel"),
    (0xFFFF, 0xC314, "the action is not appropriate for the instance"),
    (0xF000, 0xC000, "cannot understand or unable to process"),
    (0xFFFF, 0xFE00, "cancelled"),
    (0xFFFF, 0xFF00, "pending"),
    (0xFFFF, 0xFF01, "pending, optional keys not supported"),
];
