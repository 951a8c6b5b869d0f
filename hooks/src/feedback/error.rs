//! Why feedback was refused, and what was taken in spite of its shape.

use std::fmt;

use medvan_profiles::JsonError;

/// A body that is no feedback. Always the sender's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// Not JSON that every parser reads the same way.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing or wrong.
    #[error("{place}: {problem}")]
    Member {
        /// Where in the body, as in `feedback[0].outcome`.
        place: String,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What can be wrong, with its mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not `{"feedback": [...]}`.
    #[error("must be an object with an array \"feedback\"")]
    NoFeedback,
    /// More items than are taken at once.
    #[error("holds more than 1,000 items; send them in several calls")]
    TooMany,
    /// An item of another kind.
    #[error("must be a JSON object")]
    NotAnObject,
    /// A required string is absent, empty or of another kind.
    #[error("is required; send a string")]
    NoText,
    /// An outcome that the standard doesn't have.
    #[error("must be \"accepted\" or \"overridden\"")]
    NotAnOutcome,
    /// Accepted, but what?
    #[error("is required for an accepted card; send [{{\"id\": \"...\"}}]")]
    NothingAccepted,
    /// cds-fb-3.
    #[error("must hold a reason, a userComment, or both; or leave it out")]
    EmptyReason,
    /// A time that is none.
    #[error("must be a date and time in UTC (RFC 3339), as in 2026-04-01T09:30:00Z")]
    NotATime,
}

/// Something that was taken although the standard asks otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where in the body.
    pub place: String,
    /// What it was.
    pub tolerated: Tolerated,
}

/// Shapes of early clients, and small slips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Tolerated {
    /// One item instead of the body, or a bare list.
    #[error("was sent without the \"feedback\" array around it; taken")]
    BareItems,
    /// `overrideReason` was the Coding itself.
    #[error("was sent flat; taken as \"reason\"")]
    FlatReason,
    /// `overrideReason` was a text.
    #[error("was sent as text; taken as \"userComment\"")]
    TextReason,
    /// Ids instead of objects with an id.
    #[error("was sent as a list of ids; taken as objects with an id")]
    BareIds,
    /// A local time.
    #[error("was sent with an offset; converted to UTC")]
    NotUtc,
}

impl FeedbackError {
    pub(super) fn at(place: impl Into<String>, problem: Problem) -> Self {
        Self::Member { place: place.into(), problem }
    }

    /// For people: English, then Japanese; no value from the body.
    pub fn diagnostics(&self) -> String {
        match self {
            Self::Json(error) => {
                format!("The feedback is refused: {error}. / フィードバックを JSON として解釈できません。")
            }
            Self::Member { place, problem } => format!("{place}: {problem}. / {place}: {}", problem.japanese()),
        }
    }

    /// For programs: where in the body, as `OperationOutcome.issue.expression` wants it.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Member { place, .. } => Some(place),
        }
    }
}

impl Problem {
    fn japanese(self) -> &'static str {
        match self {
            Self::NoFeedback => "配列 \"feedback\" を持つオブジェクトにしてください。",
            Self::TooMany => "1,000 件を超えています。分けて送ってください。",
            Self::NotAnObject => "JSON のオブジェクトにしてください。",
            Self::NoText => "必須項目です。文字列を送ってください。",
            Self::NotAnOutcome => "\"accepted\" か \"overridden\" にしてください。",
            Self::NothingAccepted => "受け入れた提案の id を送ってください。",
            Self::EmptyReason => "reason か userComment を送るか、項目ごと省略してください。",
            Self::NotATime => "UTC の日時（RFC 3339）にしてください。",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.tolerated)
    }
}
