//! [`Problem`]: how the management API says no (RFC 9457).
//!
//! | kind | status | whose fault |
//! |---|---|---|
//! | unauthorized | 401, bare | the caller's: no valid credential |
//! | forbidden | 403 | the caller's: its role does not have this function |
//! | not-found | 404 | the caller's; also another tenant's object |
//! | method-not-allowed | 405 | the caller's |
//! | conflict | 409 | the caller's: the object is not in the state for it |
//! | too-large, media-type, not-json, parameter, invalid | 413, 415, 400, 400, 422 | the caller's |
//! | unavailable | 503 with Retry-After | ours, passing |
//! | internal | 500, no details | ours |
//!
//! Management objects hold no patient data, so a text may repeat what was sent; a secret it never repeats.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use medvan_profiles::descriptor::Fault;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;
use crate::store::StoreError;

/// Base of the problem types' names. They identify; nothing needs to be read there.
const TYPES: &str = "https://medvan.example/problems/";

/// Why the API did not do it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    faults: Vec<Fault>,
}

/// The sorts of problems; the table is in the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No valid credential.
    Unauthorized,
    /// The role does not have this function.
    Forbidden,
    /// There is no such thing, for this caller.
    NotFound,
    /// The thing knows no such method.
    MethodNotAllowed,
    /// The object is not in the state for it.
    Conflict,
    /// The body is too long.
    TooLarge,
    /// The body is not declared as JSON.
    MediaType,
    /// The body is not JSON.
    NotJson,
    /// A parameter cannot be used.
    Parameter,
    /// The object is not as it must be.
    Invalid,
    /// Not now.
    Unavailable,
    /// Our fault.
    Internal,
}

/// The body of a problem, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// What sort of problem, for programs.
    #[serde(rename = "type")]
    kind: String,
    /// What sort of problem, for people, in English and Japanese.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong this time and how to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Every fault of the object that was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<shape::Fault>)]
    faults: Vec<Fault>,
}

impl Problem {
    /// A problem with what is wrong and how to mend it.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: Some(detail.into()), faults: Vec::new() }
    }

    /// A problem about which there is no more to say.
    pub const fn bare(kind: Kind) -> Self {
        Self { kind, detail: None, faults: Vec::new() }
    }

    /// There is no such thing.
    pub fn no_such(thing: &str) -> Self {
        Self::new(Kind::NotFound, format!("there is no such {thing} (該当する{thing}がありません)"))
    }

    /// The object that was sent has these faults.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = format!("{} fault(s); each names its place and its mend", faults.len());
        Self { kind: Kind::Invalid, detail: Some(detail), faults }
    }

    /// What sort of problem it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// What sort of problem, in English and Japanese.
    pub const fn title(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Unauthorized => {
                ("unauthorized", StatusCode::UNAUTHORIZED, "A valid credential is needed (有効な資格情報が必要です)")
            }
            Self::Forbidden => {
                ("forbidden", StatusCode::FORBIDDEN, "This role may not do this (この役割では実行できません)")
            }
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Not found (見つかりません)"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed (このメソッドは使えません)")
            }
            Self::Conflict => {
                ("conflict", StatusCode::CONFLICT, "Not possible in the present state (現在の状態では実行できません)")
            }
            Self::TooLarge => {
                ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large (本文が大きすぎます)")
            }
            Self::MediaType => (
                "media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send application/json (application/json で送ってください)",
            ),
            Self::NotJson => ("not-json", StatusCode::BAD_REQUEST, "The body is not JSON (本文が JSON ではありません)"),
            Self::Parameter => {
                ("parameter", StatusCode::BAD_REQUEST, "A parameter cannot be used (パラメーターが正しくありません)")
            }
            Self::Invalid => {
                ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "The object has faults (内容に誤りがあります)")
            }
            Self::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not now, try again (時間をおいて再試行してください)")
            }
            Self::Internal => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "A fault of the gateway (ゲートウェイの障害です)")
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Closed | StoreError::NoSpace => Self::bare(Kind::Unavailable),
            StoreError::Database(_) | StoreError::NotRecorded | StoreError::Unreadable(_) | StoreError::Schema(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the management API met a fault");
                Self::bare(Kind::Internal)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.kind == Kind::Unauthorized {
            let challenge = (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"medvan\""));
            return (StatusCode::UNAUTHORIZED, [challenge]).into_response();
        }
        let (name, status, title) = self.kind.row();
        let body = ProblemBody {
            kind: format!("{TYPES}{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            faults: self.faults,
        };
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
