//! Range requests (RFC 9110 §14.2): one range of bytes; of several the whole is given, as the RFC allows.

use http::{HeaderMap, StatusCode, header};
use medvan_imaging::dataset::Span;

use super::refusal::Refusal;

/// Which bytes are given, and with which status.
pub(super) struct Ranged {
    pub(super) span: Span,
    pub(super) status: StatusCode,
}

/// What the request asks for of a resource of so many bytes.
///
/// # Errors
/// The range lies outside of it (416).
pub(super) fn asked(headers: &HeaderMap, length: u64) -> Result<Ranged, Refusal> {
    let whole = Ranged { span: Span { offset: 0, length }, status: StatusCode::OK };
    let Some(value) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ok(whole) };
    // A range that cannot be read is ignored (RFC 9110 §14.2).
    let Some((first, last)) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(whole);
    };
    let (first, last) = (first.trim(), last.trim());
    let bounds = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => Some((first, last.min(length.saturating_sub(1)))),
        (Ok(first), Err(_)) if last.is_empty() => Some((first, length.saturating_sub(1))),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 => {
            Some((length.saturating_sub(count), length.saturating_sub(1)))
        }
        (Err(_), Ok(0)) if first.is_empty() => return Err(Refusal::OutOfRange { length }),
        _ => None,
    };
    match bounds {
        None => Ok(whole),
        Some((first, _)) if first >= length => Err(Refusal::OutOfRange { length }),
        Some((first, last)) => {
            Ok(Ranged { span: Span { offset: first, length: last - first + 1 }, status: StatusCode::PARTIAL_CONTENT })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_given_and_what_is_none_is_ignored() {
        for (range, expected) in [
            ("bytes=0-9", Some((0, 10, 206))),
            ("bytes=90-", Some((90, 10, 206))),
            ("bytes=90-1000", Some((90, 10, 206))),
            ("bytes=-10", Some((90, 10, 206))),
            ("bytes=-1000", Some((0, 100, 206))),
            ("bytes=100-", None),
            ("bytes=-0", None),
            ("bytes=9-0", Some((0, 100, 200))),
            ("bytes=0-1,5-6", Some((0, 100, 200))),
            ("lines=1-2", Some((0, 100, 200))),
            ("bytes=18446744073709551615-", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
            let found = asked(&headers, 100).ok();
            let found = found.map(|ranged| (ranged.span.offset, ranged.span.length, ranged.status.as_u16()));
            assert_eq!(found, expected, "{range}");
        }
    }
}
