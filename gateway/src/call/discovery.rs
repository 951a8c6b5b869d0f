//! `GET /hospitals/{hospital}/cds-services`: what this hospital is enrolled for.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use medvan_hooks::discovery::Services;

use super::caller::{Audience, CdsClient};
use crate::App;

/// Answers with every offer; the list may be empty, the answer never is (CDS Hooks item 5). An `ETag` lets an EHR
/// that asks daily see at a glance that nothing changed (item 10).
pub(crate) async fn discovery(
    State(app): State<App>,
    Path(hospital): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let caller = match CdsClient::authenticate(&app, &hospital, Audience::Discovery, &headers, peer).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    if let Err(refusal) = caller.spend_token(&app).await {
        return refusal.into_response();
    }
    let published: Services = caller.hospital().offers.values().map(|offer| offer.published.clone()).collect();
    let body = published.to_bytes();
    let tag = etag(&body);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    ([(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, tag)], body).into_response()
}

fn etag(body: &[u8]) -> String {
    use base64::Engine as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    format!("\"{}\"", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest.as_ref()[..18]))
}
