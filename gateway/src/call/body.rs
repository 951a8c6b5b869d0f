//! Reading a body: bounded in size and time, JSON by its Content-Type.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::refusal::Refusal;
use crate::config::ServerLimits;

/// Reads the whole body, or says what is wrong with it.
///
/// `application/json` is asked for (CDS Hooks item 11); `+json` types are taken too, because FHIR clients send
/// `application/fhir+json`.
pub(crate) async fn read_json(headers: &HeaderMap, body: Body, limits: &ServerLimits) -> Result<Bytes, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::NotJson);
    }
    let too_large = Refusal::BodyTooLarge { limit: limits.request_bytes };
    if declared_length(headers).is_some_and(|length| length > limits.request_bytes) {
        return Err(too_large);
    }
    let whole = Limited::new(body, limits.request_bytes).collect();
    match tokio::time::timeout(Duration::from_millis(limits.body_read_ms), whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if is_length_error(error.as_ref()) => Err(too_large),
        Ok(Err(_)) => Err(Refusal::Malformed {
            diagnostics: "the body ended early or could not be decompressed".to_owned(),
            expression: None,
        }),
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The limit's error may lie under those of layers between (decompression).
fn is_length_error(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_content_type() {
        for (value, expected) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON", true),
            ("application/fhir+json", true),
            ("text/json", false),
            ("text/plain", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_json(&headers), expected, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
