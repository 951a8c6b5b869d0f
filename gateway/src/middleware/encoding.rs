//! Compressed bodies that nobody here can unpack are refused with a reason; tower-http alone would answer with an
//! empty 415.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::header;

use crate::{api, call::Refusal};

pub(super) async fn known_only(request: Request, next: Next) -> Response {
    let mut encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let first = encodings.next().map_or(&b"identity"[..], |encoding| encoding.as_bytes());
    let known = matches!(first, b"identity" | b"gzip" | b"deflate") && encodings.next().is_none();
    match known {
        true => next.run(request).await,
        // Each door speaks its own language of errors.
        false if request.uri().path().starts_with(api::BASE) => api::unknown_encoding().into_response(),
        false => Refusal::UnknownEncoding.into_response(),
    }
}
