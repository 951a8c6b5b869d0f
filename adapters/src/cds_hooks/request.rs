//! What is sent to a CDS service, as HTTP.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};

use super::discovery::Validators;
use crate::http::{Bearer, GuardedUrl, Request};

/// Plain, without parameters: real services refuse `application/fhir+json` and the like (item 11).
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A hook to a service (items 11-15).
pub fn call(
    url: GuardedUrl,
    content_type: HeaderValue,
    bearer: Option<Bearer>,
    body: Bytes,
    timeout: Duration,
    limit: usize,
) -> Request {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type), (ACCEPT, JSON)]);
    Request { method: Method::POST, headers, bearer, body: body.into(), ..Request::get(url, timeout, limit) }
}

/// Outcomes of a service's cards, to `…/{id}/feedback` (items 47 and 48). The standard specifies no response body.
pub fn feedback(
    url: GuardedUrl,
    bearer: Option<Bearer>,
    body: impl Into<Bytes>,
    timeout: Duration,
    limit: usize,
) -> Request {
    call(url, JSON, bearer, body.into(), timeout, limit)
}

/// A look at a vendor's services, which may be unchanged since the last one (items 5 and 10).
pub(super) fn discovery(
    url: GuardedUrl,
    bearer: Option<Bearer>,
    previous: &Validators,
    timeout: Duration,
    limit: usize,
) -> Request {
    let mut headers = HeaderMap::from_iter([(ACCEPT, JSON)]);
    headers.extend(previous.headers());
    Request { headers, bearer, ..Request::get(url, timeout, limit) }
}
