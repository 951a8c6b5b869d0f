//! Every layer around the routes, outermost first. Handlers stay free of all of this.

mod access_log;
mod cors;
mod encoding;

use axum::{Router, middleware::from_fn};
use http::{HeaderName, HeaderValue, header};
use tower_http::{
    catch_panic::CatchPanicLayer,
    decompression::RequestDecompressionLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};

use crate::{App, dicomweb};

/// Header that carries the request's id in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around all routes.
pub(crate) fn wrap(router: Router, app: &App) -> Router {
    router
        // Innermost: a body may come compressed; its limit counts what comes out (see `call::body`).
        .layer(RequestDecompressionLayer::new().gzip(true).deflate(true))
        .layer(from_fn(encoding::known_only))
        .layer(cors::layer(app))
        .layer(from_fn(dicomweb::on_options))
        // A panic costs one request, not its neighbours on the connection.
        .layer(CatchPanicLayer::new())
        // Answers are about patients or about access: nobody may keep or guess at them.
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(from_fn(access_log::one_line))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
}

/// Sets a header where the handler set none.
fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
