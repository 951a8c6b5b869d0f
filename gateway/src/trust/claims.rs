//! The claims of CDS Hooks' JWT (item 52), read strictly: right type or refused (checks 7 and 8).

use serde_json::{Map, Value};

use super::Refusal;

/// Longest `iss`, `jti`, `tenant` or single audience.
const MAX_TEXT: usize = 1024;

/// Most audiences in one token.
const MAX_AUDIENCES: usize = 8;

/// What a token says about itself. Nothing here is believed before the signature is.
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) expires: i64,
    pub(super) issued: i64,
    pub(super) not_before: Option<i64>,
    pub(super) nonce: String,
    pub(super) tenant: Option<String>,
}

impl Claims {
    pub(super) fn read(mut claims: Map<String, Value>) -> Result<Self, Refusal> {
        Ok(Self {
            issuer: required(&mut claims, "iss", text)?,
            audiences: required(&mut claims, "aud", audiences)?,
            expires: required(&mut claims, "exp", seconds)?,
            issued: required(&mut claims, "iat", seconds)?,
            not_before: optional(&mut claims, "nbf", seconds)?,
            nonce: required(&mut claims, "jti", text)?,
            tenant: optional(&mut claims, "tenant", text)?,
        })
    }
}

type Read<T> = fn(Value) -> Option<T>;

fn required<T>(claims: &mut Map<String, Value>, name: &'static str, read: Read<T>) -> Result<T, Refusal> {
    optional(claims, name, read)?.ok_or(Refusal::Claim(name))
}

/// Absent is fine, present in another type (`null` too) is not.
fn optional<T>(claims: &mut Map<String, Value>, name: &'static str, read: Read<T>) -> Result<Option<T>, Refusal> {
    claims.remove(name).map(|value| read(value).ok_or(Refusal::Claim(name))).transpose()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= MAX_TEXT => Some(text),
        _ => None,
    }
}

/// A string or an array of strings (RFC 7519 §4.1.3).
fn audiences(value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) if (1..=MAX_AUDIENCES).contains(&items.len()) => items.into_iter().map(text).collect(),
        Value::Array(_) => None,
        single => text(single).map(|audience| vec![audience]),
    }
}

/// Seconds since 1970 (RFC 7519 §2, NumericDate); a fraction is allowed there and cut off here.
#[expect(clippy::needless_pass_by_value, reason = "one shape for every reader")]
#[expect(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn seconds(value: Value) -> Option<i64> {
    const END_OF_TIME: f64 = 253_402_300_800.0; // the year 10000
    let number = value.as_f64()?;
    (0.0..END_OF_TIME).contains(&number).then_some(number as i64)
}
