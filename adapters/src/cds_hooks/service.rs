//! [`Service`]: one CDS service behind the [`Advisor`] seam.

use reqwest::{StatusCode, header::HeaderValue};

use super::request;
use crate::{
    advisor::{Advice, AdviseError, Advising, Advisor, Call, ErrorKind},
    http::{Client, GuardedUrl, UrlRefused},
    json,
};

/// What a descriptor says about the way to one service.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// `{base}/cds-services/{id}`.
    pub url: &'a str,
    /// `application/json`, unless the service insists on another type.
    pub content_type: &'a str,
    /// Most bytes of an answer.
    pub response_bytes: u32,
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
        Self {
            url: client.guard().check(endpoint.url),
            content_type: HeaderValue::from_str(endpoint.content_type).unwrap_or(request::JSON),
            response_bytes: usize::try_from(endpoint.response_bytes).unwrap_or(usize::MAX),
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
