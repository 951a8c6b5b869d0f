//! Compressed bodies that nobody here can unpack are refused with a reason; tower-http alone would answer with an
//! empty 415.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::header;

use crate::call::Refusal;

pub(super) async fn known_only(request: Request, next: Next) -> Response {
    let mut encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let first = encodings.next().map_or(&b"identity"[..], |encoding| encoding.as_bytes());
    let known = matches!(first, b"identity" | b"gzip" | b"deflate") && encodings.next().is_none();
    if known { next.run(request).await } else { Refusal::UnknownEncoding.into_response() }
}
