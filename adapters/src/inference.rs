//! A bare model behind the Open Inference Protocol v2 (KServe, Triton, MLServer, OpenVINO model server), by REST.
//!
//! ```text
//! POST {baseUrl}/v2/models/{model}[/versions/{version}]/infer
//! Content-Type: application/json
//!
//! {"inputs": [{"name": …, "shape": …, "datatype": …, "data": […]}], "outputs": [{"name": …}]}
//! ```
//!
//! With the binary tensor data extension tensors stand behind the JSON, and `Inference-Header-Content-Length` says where it
//! ends. What tensors mean is not known here (`medvan_analysis::inference`). 200 is an answer; anything else is not, and the
//! `{"error": …}` that it says is not kept: a model that fails may repeat what it was given.

use std::{fmt, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    advisor::{AdviseError, ErrorKind},
    http::{Bearer, Client, GuardedUrl, Request, Response, UrlRefused},
    json as json_body,
};

const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// A model at a server.
#[derive(Debug)]
pub struct Model {
    client: Client,
    url: Result<GuardedUrl, UrlRefused>,
    answer_bytes: usize,
}

/// One question. Its `Debug` shows sizes only.
pub struct Infer {
    /// JSON, and tensors behind it.
    pub body: Bytes,
    /// Bytes of its JSON, where tensors stand behind it.
    pub json_length: Option<usize>,
    /// The gateway's own token for this service.
    pub bearer: Option<Bearer>,
    /// Time for everything until the last byte of the answer.
    pub timeout: Duration,
}

/// An answer of the allowed size that claims to be one. Nothing else about it is known yet.
#[derive(Clone)]
pub struct Inferred {
    /// JSON, and tensors behind it.
    pub body: Bytes,
    /// Bytes of its JSON, where it says so.
    pub json_length: Option<u64>,
}

impl Model {
    /// The way to a model, at the whole URL that ends with `/infer`; of an answer at most so many bytes are read. An address that
    /// is not allowed is told by every call.
    pub fn new(client: Client, url: &str, answer_bytes: usize) -> Self {
        Self { url: client.guard().check(url), client, answer_bytes }
    }

    /// Asks once. Dropping the future ends the call.
    ///
    /// # Errors
    /// There is no answer, or it is none of this protocol.
    pub async fn infer(&self, ask: Infer) -> Result<Inferred, AdviseError> {
        let url = self.url.clone().map_err(|_| ErrorKind::Refused)?;
        let request = Request {
            method: Method::POST,
            headers: headers(ask.json_length),
            bearer: ask.bearer,
            body: ask.body.into(),
            ..Request::get(url, ask.timeout, self.answer_bytes)
        };
        let response = self.client.fetch(request).await?;
        match response.status {
            StatusCode::OK => inferred(response),
            status => Err(ErrorKind::Status(status.as_u16()).into()),
        }
    }
}

fn headers(json_length: Option<usize>) -> HeaderMap {
    let media = if json_length.is_some() { "application/octet-stream" } else { "application/json" };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media))]);
    headers.extend(json_length.map(|length| (JSON_LENGTH, HeaderValue::from(length))));
    headers
}

/// An answer with tensors behind its JSON says how long that is; one without it must be JSON.
fn inferred(response: Response) -> Result<Inferred, AdviseError> {
    match response.headers.get(JSON_LENGTH) {
        None => Ok(Inferred { body: json_body::body(response)?, json_length: None }),
        Some(length) => {
            let length = length.to_str().ok().and_then(|length| length.trim().parse().ok());
            let json_length = Some(length.ok_or(ErrorKind::NotJson)?);
            Ok(Inferred { body: response.body, json_length })
        }
    }
}

impl fmt::Debug for Infer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Infer({} bytes)", self.body.len())
    }
}

impl fmt::Debug for Inferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inferred({} bytes)", self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        http::{HeaderMap, StatusCode},
        response::IntoResponse,
        routing::post,
    };

    use super::*;
    use crate::{
        advisor::Fault,
        testing::{AMPLE, Server, client},
    };

    const PATH: &str = "/v2/models/nodules/infer";

    fn ask(json_length: Option<usize>) -> Infer {
        let bearer = Some(Bearer::new("t.o.k").unwrap());
        Infer { body: r#"{"inputs":[]}tensor"#.into(), json_length, bearer, timeout: AMPLE }
    }

    async fn answers(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> Result<Inferred, AdviseError> {
        let answer = move || async move {
            let headers: HeaderMap =
                headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            (StatusCode::from_u16(status).unwrap(), headers, axum::body::Body::from(body)).into_response()
        };
        let server = Server::axum(Router::new().route(PATH, post(answer))).await;
        Model::new(client(), &server.text(PATH), 64).infer(ask(None)).await
    }

    #[tokio::test]
    async fn a_request_says_where_its_json_ends() {
        let told = |headers: HeaderMap| async move {
            let of = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            let told = [of("content-type"), of("inference-header-content-length"), of("authorization")].join(" ");
            ([("content-type", "application/json")], format!("{{\"told\":\"{told}\"}}"))
        };
        let server = Server::axum(Router::new().route(PATH, post(told))).await;
        let model = Model::new(client(), &server.text(PATH), 1024);
        for (length, expected) in
            [(None, "application/json - Bearer t.o.k"), (Some(13), "application/octet-stream 13 Bearer t.o.k")]
        {
            let answer = model.infer(ask(length)).await.unwrap();
            assert_eq!(answer.body, format!("{{\"told\":\"{expected}\"}}"));
        }
    }

    #[tokio::test]
    async fn only_an_answer_of_the_protocol_is_one() {
        let json = &[("content-type", "application/json")];
        let answer = answers(200, json, "{}").await.unwrap();
        assert_eq!((&answer.body[..], answer.json_length), (&b"{}"[..], None));
        let octets = &[("content-type", "application/octet-stream"), ("inference-header-content-length", "2")];
        let answer = answers(200, octets, "{}tensor").await.unwrap();
        assert_eq!((&answer.body[..], answer.json_length), (&b"{}tensor"[..], Some(2)));
        for (status, headers, body, kind) in [
            (200, &[("content-type", "text/html")][..], "<html>", ErrorKind::NotJson),
            (200, &[("inference-header-content-length", "-1")][..], "{}", ErrorKind::NotJson),
            (200, json, "[]", ErrorKind::NotJson),
            (500, json, r#"{"error":"Yamada"}"#, ErrorKind::Status(500)),
            (400, json, r#"{"error":"Yamada"}"#, ErrorKind::Status(400)),
            (412, json, "{}", ErrorKind::Status(412)),
        ] {
            let error = answers(status, headers, body).await.unwrap_err();
            assert_eq!(error.kind, kind, "{status} {body}");
            assert!(!format!("{error} {error:?}").contains("Yamada"));
        }
    }

    #[tokio::test]
    async fn a_long_answer_and_a_forbidden_address_are_refused() {
        let long = "{\"outputs\":[                                                             ]}";
        assert_eq!(answers(200, &[], long).await.unwrap_err().kind, ErrorKind::TooLarge);
        let forbidden = Model::new(client(), "http://169.254.169.254/v2/models/m/infer", 64);
        let error = forbidden.infer(ask(None)).await.unwrap_err();
        assert_eq!((error.kind, error.fault()), (ErrorKind::Refused, Fault::Gateway));
    }

    #[test]
    fn debug_shows_sizes_only() {
        let inferred = Inferred { body: "Yamada".into(), json_length: None };
        assert_eq!(format!("{:?} {inferred:?}", ask(None)), "Infer(19 bytes) Inferred(6 bytes)");
    }
}
