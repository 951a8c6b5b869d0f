//! Why a call was refused, in words that its sender can act on: the place, the reason, the mend, and never a value.

use std::borrow::Cow;

use medvan_profiles::JsonError;

/// A call that is not a CDS Hooks request. Always the sender's fault: 400, with [`RequestError::diagnostics`] as an
/// OperationOutcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON that every parser reads the same way.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member is missing or wrong.
    #[error("{place}: {problem}")]
    Member {
        /// FHIRPath-like place in the request, `context.patientId`.
        place: Cow<'static, str>,
        /// What is wrong there.
        problem: Problem,
    },
}

impl RequestError {
    pub(crate) fn at(place: impl Into<Cow<'static, str>>, problem: Problem) -> Self {
        Self::Member { place: place.into(), problem }
    }

    /// For people: English, then Japanese. Holds the place, the reason and the mend; no value from the request.
    pub fn diagnostics(&self) -> String {
        match self {
            Self::Json(error) => {
                format!("The request body is refused: {error}. / リクエスト本文を JSON として解釈できません。")
            }
            Self::Member { place, problem } => {
                format!("{place}: {problem}. / {place}: {}", problem.japanese())
            }
        }
    }

    /// For programs: where in the request, as `OperationOutcome.issue.expression` wants it.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Member { place, .. } => Some(place),
        }
    }
}

/// What can be wrong with a member, with its mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A required member is not there.
    #[error("is required; send it")]
    Missing,
    /// The empty string.
    #[error("is empty; send a value, or leave an optional member out")]
    Empty,
    /// Not a JSON string.
    #[error("must be a JSON string")]
    NotAString,
    /// Not a JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// Not a non-empty JSON array of the right things.
    #[error("must be a JSON array with at least one element")]
    NotAnArray,
    /// Over-long, or with control characters.
    #[error("must be at most 255 bytes without control characters")]
    NotAName,
    /// Not a URL that can be the base of a FHIR server.
    #[error("must be an absolute http(s) URL without user name and password")]
    NotAnHttpUrl,
    /// cds-r-1: an authorization says nothing without a server.
    #[error("is required when fhirAuthorization is sent; send both or neither")]
    AuthorizationWithoutServer,
    /// `token_type` is fixed.
    #[error("must be \"Bearer\"")]
    NotBearer,
    /// Not a whole number of seconds.
    #[error("must be a whole number of seconds, not a string")]
    NotSeconds,
    /// Not a bearer token.
    #[error("must be a bearer token of visible ASCII characters")]
    NotAToken,
    /// The token is for another patient than the context.
    #[error("must be the patient of context.patientId")]
    OtherPatient,
    /// A prefetch value must be a resource, an OperationOutcome or `null`.
    #[error("must be a FHIR resource with resourceType, or null; leave the key out if it cannot be provided")]
    NotAResource,
    /// A FHIR id of the wrong form.
    #[error("must be a FHIR id (letters, digits, '-' and '.'), without a resource type before it")]
    NotAnId,
    /// A reference of the wrong form.
    #[error("must be a relative reference of the form ResourceType/id")]
    NotAReference,
    /// A resource of the wrong type.
    #[error("must be a FHIR {0}")]
    NotOfType(&'static str),
}

impl Problem {
    fn japanese(self) -> String {
        let text = match self {
            Self::Missing => "必須項目です。",
            Self::Empty => "空です。値を送るか、任意項目なら省略してください。",
            Self::NotAString => "JSON の文字列にしてください。",
            Self::NotAnObject => "JSON のオブジェクトにしてください。",
            Self::NotAnArray => "要素が 1 つ以上の JSON 配列にしてください。",
            Self::NotAName => "制御文字を含まない 255 バイト以内の文字列にしてください。",
            Self::NotAnHttpUrl => "利用者名とパスワードを含まない http(s) の絶対 URL にしてください。",
            Self::AuthorizationWithoutServer => "fhirAuthorization を送る場合は必須です。",
            Self::NotBearer => "\"Bearer\" にしてください。",
            Self::NotSeconds => "秒数を整数で送ってください（文字列は不可）。",
            Self::NotAToken => "Bearer トークンの形式ではありません。",
            Self::OtherPatient => "context.patientId と同じ患者にしてください。",
            Self::NotAResource => "resourceType を持つ FHIR リソースか null にしてください。",
            Self::NotAnId => "FHIR の id（英数字と - と .）にしてください。リソース型は付けません。",
            Self::NotAReference => "「リソース型/id」の形式にしてください。",
            Self::NotOfType(name) => return format!("FHIR の {name} にしてください。"),
        };
        text.to_owned()
    }
}
