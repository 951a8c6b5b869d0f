//! Why a FHIR request got no resource, told once at the edge as an OperationOutcome (FHIR R4 §3.1.0.1.5).
//!
//! | refusal | status | whose fault | try again |
//! |---|---|---|---|
//! | [`Refusal::NotAuthenticated`] | 401, no body | caller | with a token |
//! | [`Refusal::NoImages`], [`Refusal::NotServed`], [`Refusal::NotFound`] | 404 | caller | no |
//! | [`Refusal::OnlyInR5`] | 404 | caller | with `fhirVersion=5.0` |
//! | [`Refusal::BadRequest`] | 400 | caller | no |
//! | [`Refusal::NotAcceptable`] | 406 | caller | with another Accept |
//! | [`Refusal::TooLarge`], [`Refusal::TooCostly`] | 413 | caller | with a narrower question |
//! | [`Refusal::NotAForm`] | 415 | caller | no |
//! | [`Refusal::Busy`] | 503 + Retry-After | us | yes |
//! | [`Refusal::Internal`] | 500 | us | perhaps |

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use medvan_authoring::{Issue, IssueCode, operation_outcome};

use crate::{archive::SearchFault, store::StoreError};

/// Why a request got no resource. Its text is for the caller and never has a patient's data in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller's token was not accepted")]
    NotAuthenticated,
    #[error("this hospital exchanges no images here; its `imaging` is not set")]
    NoImages,
    #[error("this type of resource is not served; GET metadata lists those that are")]
    NotServed,
    #[error("this type of resource is served in FHIR 5.0: ask with Accept: application/fhir+json; fhirVersion=5.0")]
    OnlyInR5,
    #[error("there is no such resource in this hospital")]
    NotFound,
    #[error("{0}")]
    BadRequest(String),
    #[error("FHIR 4.0 or 5.0 as application/fhir+json is what can be given")]
    NotAcceptable,
    #[error("the body is larger than 65536 bytes")]
    TooLarge,
    #[error("the search matches more than can be looked at; add a key such as patient or _id")]
    TooCostly,
    #[error("the parameters of a search come as application/x-www-form-urlencoded")]
    NotAForm,
    #[error("too much of this kind is under way at once; try again in a moment")]
    Busy,
    #[error("the server could not do it; the log says why")]
    Internal,
}

impl Refusal {
    fn told(&self) -> (StatusCode, IssueCode) {
        match self {
            Self::NotAuthenticated => (StatusCode::UNAUTHORIZED, IssueCode::Login),
            Self::NoImages | Self::NotFound => (StatusCode::NOT_FOUND, IssueCode::NotFound),
            Self::NotServed | Self::OnlyInR5 => (StatusCode::NOT_FOUND, IssueCode::NotSupported),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, IssueCode::Invalid),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong),
            Self::TooCostly => (StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooCostly),
            Self::NotAForm => (StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::Structure),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, IssueCode::Throttled),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.told();
        if status == StatusCode::UNAUTHORIZED {
            return (status, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
        let body = operation_outcome(&[Issue::error(code, self.to_string(), None)]);
        let mut response = (status, [(header::CONTENT_TYPE, "application/fhir+json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the store of AI results does not answer");
        Self::Internal
    }
}

impl From<SearchFault> for Refusal {
    fn from(fault: SearchFault) -> Self {
        match fault {
            SearchFault::TooBroad => Self::TooCostly,
            SearchFault::Read(fault) if fault.is_busy() => Self::Busy,
            SearchFault::Store(_) | SearchFault::Read(_) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "the index of images does not answer");
                Self::Internal
            }
        }
    }
}
