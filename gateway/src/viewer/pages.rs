//! The own viewer: one page, its scripts and its style, and the list of hospitals that it begins with.
//!
//! The page is the same for everybody but for its language; which hospital and which study it shows, its script reads from
//! the address: `/viewer?hospital={hospital}&study={StudyInstanceUID}`.

use axum::{
    Json,
    extract::Path,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use medvan_profiles::descriptor::Words;
use serde::Serialize;

use super::{language::Language, ohif, this_machine::ThisMachine};
use crate::catalog::HospitalId;

/// Scripts and style come from here and from nowhere else, and no text ever becomes HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A file of the page.
struct Asset {
    name: &'static str,
    media: &'static str,
    text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every file of the page.
const ASSETS: &[Asset] = &[
    Asset { name: "controls.js", media: SCRIPT, text: include_str!("web/controls.js") },
    Asset { name: "dicomweb.js", media: SCRIPT, text: include_str!("web/dicomweb.js") },
    Asset { name: "dom.js", media: SCRIPT, text: include_str!("web/dom.js") },
    Asset { name: "findings.js", media: SCRIPT, text: include_str!("web/findings.js") },
    Asset { name: "heat.js", media: SCRIPT, text: include_str!("web/heat.js") },
    Asset { name: "hospitals.js", media: SCRIPT, text: include_str!("web/hospitals.js") },
    Asset { name: "icon.svg", media: "image/svg+xml", text: include_str!("web/icon.svg") },
    Asset { name: "jobs.js", media: SCRIPT, text: include_str!("web/jobs.js") },
    Asset { name: "main.js", media: SCRIPT, text: include_str!("web/main.js") },
    Asset { name: "matching.js", media: SCRIPT, text: include_str!("web/matching.js") },
    Asset { name: "overlay.js", media: SCRIPT, text: include_str!("web/overlay.js") },
    Asset { name: "picture.js", media: SCRIPT, text: include_str!("web/picture.js") },
    Asset { name: "stage.js", media: SCRIPT, text: include_str!("web/stage.js") },
    Asset { name: "studies.js", media: SCRIPT, text: include_str!("web/studies.js") },
    Asset { name: "study.js", media: SCRIPT, text: include_str!("web/study.js") },
    Asset { name: "style.css", media: "text/css; charset=utf-8", text: include_str!("web/style.css") },
    Asset { name: "texts.js", media: SCRIPT, text: include_str!("web/texts.js") },
    Asset { name: "units.js", media: SCRIPT, text: include_str!("web/units.js") },
    Asset { name: "work.js", media: SCRIPT, text: include_str!("web/work.js") },
];

/// `GET /viewer`
pub(super) async fn page(_: ThisMachine, language: Language, headers: HeaderMap) -> Response {
    let text = include_str!("web/page.html").replacen("{language}", language.tag(), 1);
    let mut response = unless_known(&headers, "text/html; charset=utf-8", text);
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept-language"));
    response
}

/// `GET /viewer/{asset}`
pub(super) async fn asset(_: ThisMachine, Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => unless_known(&headers, asset.media, asset.text.to_owned()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What the pages begin with.
#[derive(Debug, Serialize)]
struct Beginning {
    hospitals: Vec<OpenHospital>,
    /// Whether studies can be opened in OHIF.
    ohif: bool,
}

#[derive(Debug, Serialize)]
struct OpenHospital {
    id: HospitalId,
    name: Words,
}

/// `GET /viewer/hospitals.json`
pub(super) async fn hospitals(ThisMachine(app): ThisMachine) -> Response {
    let snapshot = app.catalog.current();
    let open = ThisMachine::hospitals(&snapshot).into_iter().map(|view| &view.hospital);
    let hospitals = open.map(|hospital| OpenHospital { id: hospital.id.clone(), name: hospital.name.clone() });
    let ohif = ohif::is_installed(&app.config.data).await;
    Json(Beginning { hospitals: hospitals.collect(), ohif }).into_response()
}

/// The text; or that it is what the browser has already.
fn unless_known(headers: &HeaderMap, media: &'static str, text: String) -> Response {
    let tag = etag(text.as_bytes());
    let kept: [(HeaderName, &str); 4] = [
        (header::ETAG, &tag),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, media)], text).into_response()
}

fn etag(body: &[u8]) -> String {
    use base64::Engine as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    format!("\"{}\"", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest.as_ref()[..18]))
}
