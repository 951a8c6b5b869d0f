//! Reading a vendor's discovery document, only when it changed (item 10).

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};

use super::request;
use crate::{
    advisor::{AdviseError, ErrorKind},
    http::{Bearer, Client, GuardedUrl},
    json,
};

/// Longest validator that is kept.
const MAX_VALIDATOR: usize = 512;

/// What a vendor's server gave to recognise a document by; sent back as it came (RFC 9110 §8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What a look at a vendor's services came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovered {
    /// 304: as it was.
    Unchanged,
    /// A document, perhaps the same again.
    Document {
        /// The JSON as it came.
        body: Bytes,
        /// To be given with the next look.
        validators: Validators,
    },
}

/// Looks at a vendor's services. With the `validators` of the last look the answer may be that nothing changed.
///
/// # Errors
/// No document: see [`ErrorKind`].
pub async fn discover(
    client: &Client,
    url: GuardedUrl,
    bearer: Option<Bearer>,
    previous: &Validators,
    timeout: Duration,
    limit: usize,
) -> Result<Discovered, AdviseError> {
    let response = client.fetch(request::discovery(url, bearer, previous, timeout, limit)).await?;
    match response.status {
        StatusCode::NOT_MODIFIED if *previous != Validators::default() => Ok(Discovered::Unchanged),
        StatusCode::OK => {
            let validators = Validators::of(&response.headers);
            Ok(Discovered::Document { body: json::body(response)?, validators })
        }
        status => Err(ErrorKind::Status(status.as_u16()).into()),
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            let value: &HeaderValue = headers.get(name)?;
            value.to_str().ok().filter(|text| text.len() <= MAX_VALIDATOR).map(str::to_owned)
        };
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let header = |name, text: &Option<String>| Some((name, HeaderValue::from_str(text.as_deref()?).ok()?));
        [header(IF_NONE_MATCH, &self.etag), header(IF_MODIFIED_SINCE, &self.last_modified)].into_iter().flatten()
    }
}
