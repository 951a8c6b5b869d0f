//! Capabilities (PS3.18 §8.9 and annex H): what this origin server can do, in WADL or in JSON.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, header};
use medvan_imaging::accept::Offer;

use super::{
    negotiation::{self, Parameters},
    refusal::Refusal,
};

const WADL: &str = "application/vnd.sun.wadl+xml";
const HAVE: &str = "application/vnd.sun.wadl+xml, application/json";

/// A resource below the root: path, methods with the media types of their answers.
type Entry = (&'static str, &'static [(&'static str, &'static [&'static str])]);

const DICOM: &[&str] = &["multipart/related; type=\"application/dicom\"", "application/dicom", "application/zip"];
const METADATA: &[&str] = &["application/dicom+json", "multipart/related; type=\"application/dicom+xml\""];
const STORED: &[&str] = &["application/dicom+json", "application/dicom+xml"];
const NOTHING: &[&str] = &[];
const BYTES: &[&str] = &["application/octet-stream", "multipart/related; type=\"application/octet-stream\""];

const PIXELS: &[&str] = &["multipart/related; type=\"application/octet-stream\"", "application/octet-stream"];
const PICTURES: &[&str] = &["image/jpeg", "image/png"];
const ALL_BYTES: &[&str] = &["multipart/related; type=\"application/octet-stream\""];
const ALL_PICTURES: &[&str] = &["multipart/related; type=\"image/jpeg\"", "multipart/related; type=\"image/png\""];
const RENDERED: &[&str] = &["image/jpeg", "image/png", "text/html", "text/plain", "application/pdf"];

/// Every resource that is there. A test asks for each.
pub(super) const RESOURCES: &[Entry] = &[
    ("/studies", &[("GET", METADATA), ("POST", STORED)]),
    ("/studies/{study}", &[("GET", DICOM), ("POST", STORED)]),
    ("/studies/{study}/metadata", &[("GET", METADATA)]),
    ("/studies/{study}/series", &[("GET", METADATA)]),
    ("/studies/{study}/instances", &[("GET", METADATA)]),
    ("/studies/{study}/series/{series}", &[("GET", DICOM)]),
    ("/studies/{study}/series/{series}/metadata", &[("GET", METADATA)]),
    ("/studies/{study}/series/{series}/instances", &[("GET", METADATA)]),
    ("/studies/{study}/series/{series}/instances/{instance}", &[("GET", DICOM)]),
    ("/studies/{study}/series/{series}/instances/{instance}/metadata", &[("GET", METADATA)]),
    ("/studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}", &[("GET", BYTES)]),
    ("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}", &[("GET", PIXELS)]),
    ("/studies/{study}/series/{series}/instances/{instance}/pixeldata", &[("GET", PIXELS)]),
    ("/studies/{study}/series/{series}/instances/{instance}/rendered", &[("GET", RENDERED)]),
    ("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered", &[("GET", PICTURES)]),
    ("/studies/{study}/bulkdata", &[("GET", ALL_BYTES)]),
    ("/studies/{study}/pixeldata", &[("GET", ALL_BYTES)]),
    ("/studies/{study}/rendered", &[("GET", ALL_PICTURES)]),
    ("/studies/{study}/series/{series}/bulkdata", &[("GET", ALL_BYTES)]),
    ("/studies/{study}/series/{series}/pixeldata", &[("GET", ALL_BYTES)]),
    ("/studies/{study}/series/{series}/rendered", &[("GET", ALL_PICTURES)]),
    ("/studies/{study}/series/{series}/instances/{instance}/bulkdata", &[("GET", ALL_BYTES)]),
    ("/studies/{study}/thumbnail", &[("GET", PICTURES)]),
    ("/studies/{study}/series/{series}/thumbnail", &[("GET", PICTURES)]),
    ("/studies/{study}/series/{series}/instances/{instance}/thumbnail", &[("GET", PICTURES)]),
    ("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail", &[("GET", PICTURES)]),
    ("/series", &[("GET", METADATA)]),
    ("/instances", &[("GET", METADATA)]),
    ("/workitems", &[("GET", METADATA), ("POST", NOTHING)]),
    ("/workitems/{workitem}", &[("GET", METADATA), ("POST", NOTHING)]),
    ("/workitems/{workitem}/state", &[("PUT", NOTHING)]),
    ("/workitems/{workitem}/cancelrequest", &[("POST", NOTHING)]),
    ("/workitems/{workitem}/subscribers/{aetitle}", &[("POST", NOTHING), ("DELETE", NOTHING)]),
    ("/workitems/1.2.840.10008.5.1.4.34.5/subscribers/{aetitle}/suspend", &[("POST", NOTHING)]),
    ("/workitems/1.2.840.10008.5.1.4.34.5.1/subscribers/{aetitle}/suspend", &[("POST", NOTHING)]),
    ("/subscribers/{aetitle}", &[("GET", NOTHING)]),
];

/// `OPTIONS` on the root. It tells nothing about any hospital, so nobody must say who they are.
///
/// A layer around CORS, which would take every `OPTIONS` for a preflight: only one with `Access-Control-Request-Method` is.
pub(crate) async fn on_options(request: Request, next: Next) -> Response {
    let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || is_preflight || !is_root(request.uri().path()) {
        return next.run(request).await;
    }
    capabilities(request.headers()).into_response()
}

fn is_root(path: &str) -> bool {
    let mut parts = path.trim_end_matches('/').split('/').skip(1);
    (parts.next(), parts.nth(1), parts.next()) == (Some("hospitals"), Some("dicom-web"), None)
}

fn capabilities(headers: &HeaderMap) -> Result<Response, Refusal> {
    let acceptable = negotiation::acceptable(headers, &Parameters::default())?;
    let offers = [Offer::single(WADL), Offer::single("application/json"), Offer::single("application/dicom+json")];
    let choice = negotiation::choose(&acceptable, &offers, HAVE)?;
    let media = [(header::CONTENT_TYPE, offers[choice.offer].media)];
    Ok(if choice.offer == 0 { (media, wadl()).into_response() } else { (media, json()).into_response() })
}

fn wadl() -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<application xmlns=\"http://wadl.dev.java.net/2009/02\">\n<resources base=\"\">\n",
    );
    for (path, methods) in RESOURCES {
        text.push_str(&format!("<resource path=\"{}\">\n", path.trim_start_matches('/')));
        for (method, media) in *methods {
            text.push_str(&format!("<method name=\"{method}\">\n"));
            if *method != "GET" {
                for sent in sent(path) {
                    let media = sent.replace('"', "&quot;");
                    text.push_str(&format!("<request><representation mediaType=\"{media}\"/></request>\n"));
                }
            }
            for media in *media {
                let media = media.replace('"', "&quot;");
                text.push_str(&format!("<response><representation mediaType=\"{media}\"/></response>\n"));
            }
            text.push_str("</method>\n");
        }
        text.push_str("</resource>\n");
    }
    text.push_str("</resources>\n</application>\n");
    text
}

/// The media types of what is sent to a resource.
fn sent(path: &str) -> &'static [&'static str] {
    if path.contains("/subscribers/") {
        return &[];
    }
    if path.starts_with("/workitems") {
        return &["application/dicom+json", "application/dicom+xml"];
    }
    &[
        "multipart/related; type=\"application/dicom\"",
        "multipart/related; type=\"application/dicom+json\"",
        "multipart/related; type=\"application/dicom+xml\"",
    ]
}

fn json() -> String {
    let resources: Vec<serde_json::Value> = RESOURCES
        .iter()
        .map(|(path, methods)| {
            let methods: Vec<serde_json::Value> = methods
                .iter()
                .map(|(method, media)| serde_json::json!({"name": method, "response": {"mediaTypes": media}}))
                .collect();
            serde_json::json!({"path": path, "methods": methods})
        })
        .collect();
    serde_json::json!({"application": {"resources": resources}}).to_string()
}
