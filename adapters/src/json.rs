//! Is this an answer in JSON? Decided by its type and its first character; the firewall reads the rest.

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;

use crate::{
    advisor::{AdviseError, ErrorKind},
    http::Response,
};

/// The body of an answer that says it is JSON and begins like an object.
pub(crate) fn body(response: Response) -> Result<Bytes, AdviseError> {
    let object = response.body.trim_ascii_start().starts_with(b"{");
    if object && says_json(&response) { Ok(response.body) } else { Err(ErrorKind::NotJson.into()) }
}

/// `application/json` or `application/…+json`, with or without parameters. An answer without a type may be JSON too.
fn says_json(response: &Response) -> bool {
    let Some(value) = response.headers.get(CONTENT_TYPE) else { return true };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
