//! Why a call got no cards, told once at the edge.
//!
//! | refusal | status | whose fault | try again |
//! |---|---|---|---|
//! | [`Refusal::NotAuthenticated`] | 401, no body | caller | with another token |
//! | [`Refusal::TrialEnded`] | 403 | contract | after a new enrolment |
//! | [`Refusal::NoSuchService`] | 404 | caller or contract | no |
//! | [`Refusal::BodyTooSlow`] | 408 | caller | yes |
//! | [`Refusal::NotEvaluable`] | 412 | caller: data is missing | with more data |
//! | [`Refusal::BodyTooLarge`] | 413 | caller | no |
//! | [`Refusal::NotJson`] | 415 | caller | no |
//! | [`Refusal::UnknownEncoding`] | 415 | caller | no |
//! | [`Refusal::Malformed`] | 400 | caller | no |
//! | [`Refusal::Overloaded`] | 503 + Retry-After | us | yes |
//! | [`Refusal::NotRecorded`] | 503 + Retry-After | us: no answer leaves without its record | yes |
//!
//! A 401 is bare on purpose (CDS Hooks best practices, item 56): it tells a stranger nothing.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use medvan_authoring::{Issue, IssueCode, operation_outcome};
use medvan_hooks::{feedback::FeedbackError, request::RequestError};

/// Why a call got no cards. Its text is for the caller: it names places and mends, never a patient's data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller's token was not accepted")]
    NotAuthenticated,
    #[error(
        "the trial of {service} is over: its quota is used up or its last day has passed; ask for a contract. \
             このサービスの試行は終了しました。運用者に契約を依頼してください。"
    )]
    TrialEnded { service: String },
    #[error("no such service for this hospital; GET cds-services lists what it is enrolled for")]
    NoSuchService,
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error(
        "no service can be evaluated: required data is missing; send the prefetch of the discovery document or \
             fhirServer with fhirAuthorization. 必要なデータが不足しているため、どのサービスも評価できません。"
    )]
    NotEvaluable,
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body must be JSON with Content-Type: application/json")]
    NotJson,
    #[error("the body's Content-Encoding is not known here; send it plain, with gzip or with deflate")]
    UnknownEncoding,
    #[error("{diagnostics}")]
    Malformed { diagnostics: String, expression: Option<String> },
    #[error("too many calls are being answered; try again in a second")]
    Overloaded,
    #[error("the exchange could not be recorded, so no answer is given; try again")]
    NotRecorded,
}

impl Refusal {
    /// A request that is wrong at one place.
    pub(crate) fn malformed(place: &str, mend: impl Into<String>) -> Self {
        Self::Malformed { diagnostics: mend.into(), expression: Some(place.to_owned()) }
    }

    /// The HTTP status of the table above.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotAuthenticated => StatusCode::UNAUTHORIZED,
            Self::TrialEnded { .. } => StatusCode::FORBIDDEN,
            Self::NoSuchService => StatusCode::NOT_FOUND,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotEvaluable => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::UnknownEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Overloaded | Self::NotRecorded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// One word for records and metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not-authenticated",
            Self::TrialEnded { .. } => "trial-ended",
            Self::NoSuchService => "no-such-service",
            Self::BodyTooSlow => "body-too-slow",
            Self::NotEvaluable => "not-evaluable",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::NotJson => "not-json",
            Self::UnknownEncoding => "unknown-encoding",
            Self::Malformed { .. } => "malformed",
            Self::Overloaded => "overloaded",
            Self::NotRecorded => "not-recorded",
        }
    }

    /// The FHIR issue type (http://hl7.org/fhir/issue-type) of the OperationOutcome.
    fn issue_code(&self) -> IssueCode {
        match self {
            Self::NotAuthenticated => IssueCode::Login,
            Self::TrialEnded { .. } => IssueCode::Forbidden,
            Self::NoSuchService => IssueCode::NotFound,
            Self::BodyTooSlow => IssueCode::Timeout,
            Self::NotEvaluable => IssueCode::Required,
            Self::BodyTooLarge { .. } => IssueCode::TooLong,
            Self::NotJson | Self::UnknownEncoding => IssueCode::Structure,
            Self::Malformed { .. } => IssueCode::Invalid,
            Self::Overloaded => IssueCode::Throttled,
            Self::NotRecorded => IssueCode::Transient,
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Malformed { diagnostics: error.diagnostics(), expression: error.expression().map(str::to_owned) }
    }
}

impl From<FeedbackError> for Refusal {
    fn from(error: FeedbackError) -> Self {
        Self::Malformed { diagnostics: error.diagnostics(), expression: error.expression().map(str::to_owned) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::UNAUTHORIZED {
            return (status, [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))]).into_response();
        }
        let expression = match &self {
            Self::Malformed { expression, .. } => expression.clone(),
            _ => None,
        };
        let body = operation_outcome(&[Issue::error(self.issue_code(), self.to_string(), expression)]);
        let mut response = (status, [(header::CONTENT_TYPE, "application/fhir+json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
