//! [`Archive`]: a service that is an archive itself and misbehaves; the first segment of its path says how.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use medvan_fixtures::{
    analyzers::ct_density,
    instances::Instance,
    running::{self, Running},
};
use serde_json::{Value, json};

/// How it behaves, and what is said of it: nothing where it is delivered in the end.
pub const BEHAVIOURS: &[(&str, Option<&str>)] = &[
    ("twice", None),
    ("never", Some("no complete answer in time")),
    ("refuses", Some("did not store all instances")),
    ("unavailable", Some("status 503")),
    ("html", Some("not DICOMweb")),
    ("garbage", Some("it cannot be read")),
    ("huge", Some("too large")),
    ("drips", Some("no complete answer in time")),
    ("foreign-patient", Some("another patient than the job")),
    ("foreign-study", Some("another study than the job")),
    ("image-uid", Some("no complete answer in time")),
    ("cut", Some("not DICOMweb")),
];

/// Attributes of the objects that are spoiled, in Explicit VR Little Endian.
const PATIENT_ID: &[u8] = b"\x10\x00\x20\x00LO";
const STUDY_UID: &[u8] = b"\x20\x00\x0D\x00UI";

pub struct Archive {
    base_url: String,
    _running: Running,
}

/// Results by behaviour.
type Held = Arc<Mutex<HashMap<String, Vec<Instance>>>>;

impl Archive {
    pub async fn start() -> Self {
        let bound = running::bind(running::ANY_PORT).await.unwrap();
        let base_url = bound.base_url();
        let router = Router::new().fallback(answer).with_state(Held::default());
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        Self { base_url, _running: bound.serve(router) }
    }

    /// What its vendor registers for one behaviour.
    pub fn descriptor(&self, name: &str) -> Value {
        let mut descriptor = ct_density::ANALYZER.descriptor(&self.base_url);
        descriptor["id"] = json!(name);
        descriptor["images"][0]["way"] =
            json!({ "kind": "dicomweb", "path": format!("/{name}/{{job}}"), "results": "fetch", "expects": ["SR"] });
        descriptor["images"][0]["limits"] = json!({ "attempts": 1, "deadlineSeconds": 6, "answerBytes": 1 << 20 });
        descriptor
    }
}

async fn answer(State(held): State<Held>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut path = uri.path().trim_start_matches('/').split('/');
    let (name, _job) = (path.next().unwrap_or_default().to_owned(), path.next());
    let rest: Vec<&str> = path.collect();
    if method == Method::POST {
        return stored(&held, &name, &headers, &body);
    }
    let results = held.lock().unwrap().get(&name).cloned().unwrap_or_default();
    match rest.as_slice() {
        ["studies", _, "series"] if name == "html" => ([(header::CONTENT_TYPE, "text/html")], "<html>").into_response(),
        ["studies", _, "series"] if name == "never" => StatusCode::NO_CONTENT.into_response(),
        ["studies", _, "series"] => list(&name, &results),
        ["studies", _, "series", series, "instances"] => {
            list(&name, &results.into_iter().filter(|result| result.series.as_str() == *series).collect::<Vec<_>>())
        }
        ["studies", _, "series", _, "instances", instance] => {
            let found = results.iter().find(|result| result.instance.as_str() == *instance);
            found.map_or(StatusCode::NOT_FOUND.into_response(), |found| given(&name, found))
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// It computes at once.
fn stored(held: &Held, name: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    match name {
        "unavailable" => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "refuses" => return StatusCode::CONFLICT.into_response(),
        _ => {}
    }
    let boundary = headers[header::CONTENT_TYPE].to_str().unwrap().rsplit_once("boundary=").unwrap().1;
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let images: Vec<Instance> = split(body, boundary.as_bytes())
        .into_iter()
        .filter_map(|part| {
            let begin = part.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            Instance::read(Bytes::copy_from_slice(&part[begin..part.len() - 2])).ok()
        })
        .collect();
    let mut results = ct_density::evidence(&images).unwrap();
    if name == "image-uid" {
        results.iter_mut().for_each(|result| result.instance = images[0].instance.clone());
    }
    held.lock().unwrap().insert(name.to_owned(), results);
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/dicom+json")], "{}").into_response()
}

fn split<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(boundary.len()).position(|window| window == boundary) {
        parts.push(&rest[..at]);
        rest = &rest[at + boundary.len()..];
    }
    parts
}

fn list(name: &str, results: &[Instance]) -> Response {
    let of = |result: &Instance| {
        json!({
            "00080016": { "vr": "UI", "Value": [result.class.as_str()] },
            "00080018": { "vr": "UI", "Value": [result.instance.as_str()] },
            "00080060": { "vr": "CS", "Value": [result.modality()] },
            "0020000E": { "vr": "UI", "Value": [result.series.as_str()] },
        })
    };
    let mut told: Vec<Value> = results.iter().map(of).collect();
    if name == "twice" {
        told.extend(told.clone());
    }
    ([(header::CONTENT_TYPE, "application/dicom+json")], json!(told).to_string()).into_response()
}

fn given(name: &str, found: &Instance) -> Response {
    let mut bytes = found.bytes.to_vec();
    match name {
        "garbage" => bytes = b"<html>no DICOM</html>".to_vec(),
        "huge" => bytes.resize(4 << 20, 0),
        "foreign-patient" => spoil(&mut bytes, PATIENT_ID),
        "foreign-study" => spoil(&mut bytes, STUDY_UID),
        "cut" => {
            return (
                [(header::CONTENT_TYPE, "multipart/related; type=\"application/dicom\"; boundary=b")],
                "--b\r\n\r\nDI",
            )
                .into_response();
        }
        "drips" => {
            let pieces = stream::iter(bytes).then(|byte| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, std::convert::Infallible>(vec![byte])
            });
            return ([(header::CONTENT_TYPE, "application/dicom")], Body::from_stream(pieces)).into_response();
        }
        _ => {}
    }
    ([(header::CONTENT_TYPE, "application/dicom")], bytes).into_response()
}

/// Makes another value of an attribute, of the same length.
fn spoil(bytes: &mut [u8], tag: &[u8]) {
    let at = bytes.windows(tag.len()).position(|window| window == tag).unwrap() + tag.len();
    let length = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let value = &mut bytes[at + 2..at + 2 + length];
    let last = value.iter().rposition(u8::is_ascii_digit).unwrap();
    value[last] = if value[last] == b'1' { b'2' } else { b'1' };
}
