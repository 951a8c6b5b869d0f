//! A service that is given images by one request and answers with findings as JSON.
//!
//! ```text
//! POST {baseUrl}{path}
//! Content-Type: multipart/related; type="application/json"; boundary=…
//!
//! application/json   {"request": "1", "job": …, "study": …, "images": [{"series": …, "instance": …, "part": 2, …}, …],
//!                     "prior": {"study": …, "images": [{"series": …, "instance": …, "part": 7, …}, …]}}
//! application/dicom | image/png | image/jpeg     one part for each image, in that order
//! ```
//!
//! `prior` is there where the descriptor asks for an earlier study (`needs.prior`) and a comparable one is stored: images for
//! comparison, whose parts follow behind the others. Findings are placed in images of the study at hand only.
//!
//! 200 with `application/json` is an answer; 412 says that these images cannot be evaluated. The answer has the form that the
//! gateway publishes at `/schemas/findings.json`.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use medvan_imaging::multipart::{Boundary, ContentType, PartHead, Writer};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    advisor::{AdviseError, ErrorKind},
    analyzer::{Analysis, Analyzer, Analyzing, Image, Work},
    http::{Body, Client, GuardedUrl, Request, UrlRefused},
    json as json_body,
};

const JSON: &str = "application/json";

/// One such service.
#[derive(Debug)]
pub struct Service {
    client: Client,
    url: Result<GuardedUrl, UrlRefused>,
    answer_bytes: usize,
}

impl Service {
    /// The way to a service; of an answer at most so many bytes are read. An address that is not allowed is told by every call.
    pub fn new(client: Client, url: &str, answer_bytes: usize) -> Self {
        Self { url: client.guard().check(url), client, answer_bytes }
    }

    async fn ask(&self, work: Work) -> Result<Analysis, AdviseError> {
        let url = self.url.clone().map_err(|_| ErrorKind::Refused)?;
        let (timeout, bearer) = (work.timeout, work.bearer.clone());
        let boundary = Boundary::random(Uuid::new_v4().as_u128());
        let writer = Writer::new(boundary, &ContentType::of(JSON));
        let content_type = HeaderValue::try_from(writer.content_type()).map_err(|_| ErrorKind::Refused)?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type), (ACCEPT, HeaderValue::from_static(JSON))]);
        let body = Body::Stream(body(writer, work).boxed());
        let request =
            Request { method: Method::POST, headers, bearer, body, ..Request::get(url, timeout, self.answer_bytes) };
        let response = self.client.fetch(request).await?;
        match response.status {
            StatusCode::OK => Ok(Analysis { body: json_body::body(response)? }),
            StatusCode::PRECONDITION_FAILED => Err(ErrorKind::NotEvaluable.into()),
            status => Err(ErrorKind::Status(status.as_u16()).into()),
        }
    }
}

impl Analyzer for Service {
    fn analyze(&self, work: Work) -> Analyzing<'_> {
        Box::pin(self.ask(work))
    }
}

/// The request, part after part; an image is opened when the one before it has left.
fn body(mut writer: Writer, work: Work) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let mut described = writer.part(&PartHead::of(ContentType::of(JSON))).to_vec();
    described.extend_from_slice(description(&work).to_string().as_bytes());
    let mut pieces = vec![stream::once(async move { Ok(Bytes::from(described)) }).boxed()];
    for image in work.images.into_iter().chain(work.prior.into_iter().flat_map(|prior| prior.images)) {
        let head = writer.part(&PartHead::of(ContentType::of(image.media)));
        pieces.push(stream::once(async move { Ok(head) }).boxed());
        pieces.push(image.bytes);
    }
    let end = writer.end();
    pieces.push(stream::once(async move { Ok(end) }).boxed());
    stream::iter(pieces).flatten()
}

/// Which images these are. It says nothing of the patient.
fn description(work: &Work) -> Value {
    let mut described = json!({
        "request": "1", "job": work.job, "study": work.study, "images": images(&work.images, 2),
    });
    if let Some(prior) = &work.prior {
        described["prior"] = json!({ "study": prior.study, "images": images(&prior.images, 2 + work.images.len()) });
    }
    described
}

/// Images whose parts begin with this one, from 1.
fn images(images: &[Image], first: usize) -> Vec<Value> {
    let image = |(at, image): (usize, &Image)| {
        json!({
            "series": image.series,
            "instance": image.instance,
            "frame": image.frame,
            "modality": image.modality,
            "rows": image.rows,
            "columns": image.columns,
            "part": at + first,
        })
    };
    images.iter().enumerate().map(image).collect()
}
