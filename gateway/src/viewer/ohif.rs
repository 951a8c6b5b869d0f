//! The OHIF viewer (MIT) as `medvan viewer install` left it in the data folder, with a configuration of its own.

use std::path::{Path, PathBuf};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

use super::{language::Language, this_machine::ThisMachine};
use crate::catalog::{HospitalId, Snapshot};

/// Where it is served. Its files name each other by this path.
pub(super) const BASE: &str = "/ohif/";

/// Of its documents. The two hashes are those of the scripts inside its `index.html`, after the edits. Its arrays of segments are
/// functions that it makes from texts (ndarray): without `unsafe-eval` no segmentation opens. Texts of others never become scripts.
const DOCUMENT_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-eval' \
     'sha256-Ds0n/vlPiOQAFeYNdfCCxOVKFxAZcTNw01Pl0dDOhOE=' 'sha256-8LJodUBvwevfWNpsr9nK1KHVLbkk8x9qkNuwcNyPXf0='; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; \
     worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Of its scripts. A worker has the policy of its own script, and its decoders of JPEG 2000 and JPEG-LS make functions
/// from texts.
const WORKER_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; \
     manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// For a year: the name changes with the content.
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The folder of its files.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("ohif")
}

/// Whether it is there.
pub(super) async fn is_installed(data: &Path) -> bool {
    tokio::fs::metadata(folder(data).join("index.html")).await.is_ok_and(|found| found.is_file())
}

/// `GET /ohif/…`: a file; or the one document, which reads the rest of the address itself.
pub(super) async fn file(ThisMachine(app): ThisMachine, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if !is_installed(&app.config.data).await {
        return (StatusCode::NOT_FOUND, "OHIF is not installed; `medvan viewer install` puts it here\n")
            .into_response();
    }
    let folder = folder(&app.config.data);
    let path = uri.path().strip_prefix(BASE).unwrap_or_default().to_owned();
    let mut served = path.as_str();
    let mut response = give(&folder, served, &method, &headers).await;
    let names_a_file = path.rsplit('/').next().unwrap_or_default().contains('.');
    if response.status() == StatusCode::NOT_FOUND && !names_a_file {
        // It has nothing to show without a hospital; the own viewer says what is missing.
        if ThisMachine::hospitals(&app.catalog.current()).is_empty() {
            return Redirect::temporary("/viewer").into_response();
        }
        served = "index.html";
        response = give(&folder, served, &method, &headers).await;
    }
    if response.status() == StatusCode::NOT_FOUND {
        return StatusCode::NOT_FOUND.into_response();
    }
    put_headers(served, &mut response);
    response
}

async fn give(folder: &Path, path: &str, method: &Method, headers: &HeaderMap) -> Response {
    let Ok(uri) = format!("/{path}").parse::<Uri>() else { return StatusCode::NOT_FOUND.into_response() };
    let mut inner = Request::new(Body::empty());
    (*inner.uri_mut(), *inner.method_mut()) = (uri, method.clone());
    inner.headers_mut().clone_from(headers);
    let files = ServeDir::new(folder)
        .precompressed_gzip()
        .append_index_html_on_directories(false)
        .redirect_to_trailing_slash(false);
    match files.oneshot(inner).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(never) => match never {},
    }
}

fn put_headers(path: &str, response: &mut Response) {
    let policy = if path.ends_with(".js") { WORKER_POLICY } else { DOCUMENT_POLICY };
    let cache = if is_named_by_content(path) { FOREVER } else { ASK_AGAIN };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if path.ends_with(".jsonc") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
}

/// Whether a file's name holds a hash of its content: 16 hexadecimal digits before a dot.
fn is_named_by_content(path: &str) -> bool {
    let is_hash = |part: &str| part.len() == 16 && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(stem, _)| stem.split('.').any(is_hash))
}

/// `GET /ohif/app-config.js`: one data source for each hospital that this machine may see.
pub(super) async fn app_config(ThisMachine(app): ThisMachine, language: Language) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, ASK_AGAIN),
        (header::CONTENT_SECURITY_POLICY, WORKER_POLICY),
        (header::VARY, "accept-language"),
    ];
    (headers, app_config_text(&app.catalog.current(), language)).into_response()
}

/// A hospital, as the configuration's script has it.
#[derive(Debug, Serialize)]
struct Source<'a> {
    id: &'a HospitalId,
    name: &'a str,
}

fn app_config_text(snapshot: &Snapshot, language: Language) -> String {
    let open = ThisMachine::hospitals(snapshot).into_iter().map(|view| &view.hospital);
    let sources: Vec<Source<'_>> =
        open.map(|hospital| Source { id: &hospital.id, name: language.of(&hospital.name) }).collect();
    // A list of texts cannot fail to be written.
    let list = as_script(&serde_json::to_string(&sources).unwrap_or_else(|_| "[]".to_owned()));
    include_str!("ohif/app-config.js").replacen("const hospitals = [];", &format!("const hospitals = {list};"), 1)
}

/// JSON in a script: a name must not end the script, nor a line of it.
fn as_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests;
