//! Why a DICOMweb request got no answer, told once at the edge (PS3.18 §8.5, a status report).
//!
//! | refusal | status | whose fault | try again |
//! |---|---|---|---|
//! | [`Refusal::NotAuthenticated`] | 401, no body | caller | with a token |
//! | [`Refusal::NoImages`], [`Refusal::NotFound`] | 404 | caller | no |
//! | [`Refusal::Gone`] | 410 | caller | no |
//! | [`Refusal::NotTheirs`] | 403 | caller | no |
//! | [`Refusal::BadRequest`] | 400 | caller | no |
//! | [`Refusal::NotAcceptable`] | 406 | caller | with another Accept |
//! | [`Refusal::TooSlow`] | 408 | caller | yes |
//! | [`Refusal::TooBroad`], [`Refusal::TooLarge`] | 413 | caller | with a narrower question |
//! | [`Refusal::UnsupportedMedia`] | 415 | caller | no |
//! | [`Refusal::OutOfRange`] | 416 | caller | no |
//! | [`Refusal::Busy`], [`Refusal::NoRoom`], [`Refusal::TooMany`] | 503 + Retry-After | us | yes |
//! | [`Refusal::Internal`] | 500 | us | perhaps |

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::outgoing::Ended;
use crate::{
    archive::{Fault, ReadFault},
    store::StoreError,
};

/// Why a request got no answer. Its text is for the caller and never has a patient's data in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the caller's token was not accepted")]
    NotAuthenticated,
    #[error("this hospital exchanges no images here; its `imaging` is not set")]
    NoImages,
    #[error("there is no such resource in this hospital")]
    NotFound,
    #[error("the hospital had this workitem; it was deleted after its time")]
    Gone,
    #[error("{0}")]
    NotTheirs(&'static str),
    #[error("{0}")]
    BadRequest(String),
    #[error("none of the acceptable representations can be given: {0}")]
    NotAcceptable(&'static str),
    #[error("the request's body stopped coming")]
    TooSlow,
    #[error(
        "the search matches more than can be looked at; add a key such as StudyDate, PatientID or StudyInstanceUID"
    )]
    TooBroad,
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    UnsupportedMedia(&'static str),
    #[error("the range lies outside of the resource")]
    OutOfRange { length: u64 },
    #[error("too much of this kind is under way at once; try again in a moment")]
    Busy,
    #[error("there is no room left on the disk; try again when there is")]
    NoRoom,
    #[error(
        "the hospital has as many workitems as it may have, or as large ones; they go some time after their completion or cancellation"
    )]
    TooMany,
    #[error("the server could not do it; the log says why")]
    Internal,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotAuthenticated => StatusCode::UNAUTHORIZED,
            Self::NoImages | Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::NotTheirs(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooBroad | Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::OutOfRange { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Busy | Self::NoRoom | Self::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Refusal {
    /// Whether it is about one instance, and another one may be given.
    pub(super) fn is_of_one_instance(&self) -> bool {
        matches!(self, Self::NotFound | Self::NotAcceptable(_) | Self::TooLarge(_))
    }
}

impl From<Ended> for Refusal {
    /// Before anything was sent.
    fn from(_: Ended) -> Self {
        Self::Internal
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::UNAUTHORIZED {
            return (status, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
        let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (status, text, format!("{self}\n")).into_response();
        match self {
            Self::Busy | Self::NoRoom => {
                drop(response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            Self::TooMany => drop(response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3600"))),
            Self::OutOfRange { length } => {
                if let Ok(value) = HeaderValue::try_from(format!("bytes */{length}")) {
                    response.headers_mut().insert(header::CONTENT_RANGE, value);
                }
            }
            _ => {}
        }
        response
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSpace => return Self::NoRoom,
            StoreError::Busy => return Self::Busy,
            _ => {}
        }
        tracing::error!(error = &error as &dyn std::error::Error, "the index of images does not answer");
        Self::Internal
    }
}

impl From<ReadFault> for Refusal {
    fn from(fault: ReadFault) -> Self {
        if fault.is_busy() {
            return Self::Busy;
        }
        tracing::error!(error = &fault as &dyn std::error::Error, "a stored instance cannot be read");
        Self::Internal
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Busy => Self::Busy,
            Fault::NoSpace => Self::NoRoom,
            _ => Self::Internal,
        }
    }
}
