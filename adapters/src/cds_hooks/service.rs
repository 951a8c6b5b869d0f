//! [`Service`]: one CDS service behind the [`Advisor`] seam.

use reqwest::{StatusCode, header::HeaderValue};

use super::{json, request};
use crate::{
    advisor::{Advice, AdviseError, Advising, Advisor, Call, ErrorKind},
    http::{Client, GuardedUrl, UrlRefused},
};

/// What a descriptor says about the way to one service.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// `{base}/cds-services/{id}`.
    pub url: &'a str,
    /// For a service that insists on another type than `application/json`.
    pub content_type: Option<&'a str>,
    /// Most bytes of an answer.
    pub response_bytes: usize,
}

/// One CDS service. Made once and kept: its URL is judged and its headers are read here, not per call.
#[derive(Debug)]
pub struct Service {
    client: Client,
    url: Result<GuardedUrl, UrlRefused>,
    content_type: HeaderValue,
    response_bytes: usize,
}

impl Service {
    /// The way to a service. An address that is not allowed is told by every call, as [`ErrorKind::Refused`].
    pub fn new(client: Client, endpoint: Endpoint<'_>) -> Self {
        let content_type = endpoint.content_type.and_then(|text| HeaderValue::from_str(text).ok());
        Self {
            url: client.guard().check(endpoint.url),
            content_type: content_type.unwrap_or(request::JSON),
            response_bytes: endpoint.response_bytes,
            client,
        }
    }

    async fn ask(&self, call: Call) -> Result<Advice, AdviseError> {
        let url = self.url.clone().map_err(|_| ErrorKind::Refused)?;
        let content_type = self.content_type.clone();
        let request = request::call(url, content_type, call.bearer, call.body, call.timeout, self.response_bytes);
        let response = self.client.fetch(request).await?;
        match response.status {
            StatusCode::OK => Ok(Advice { body: json::body(response)? }),
            StatusCode::PRECONDITION_FAILED => Err(ErrorKind::NotEvaluable.into()),
            status => Err(ErrorKind::Status(status.as_u16()).into()),
        }
    }
}

impl Advisor for Service {
    fn advise(&self, call: Call) -> Advising<'_> {
        Box::pin(self.ask(call))
    }
}
