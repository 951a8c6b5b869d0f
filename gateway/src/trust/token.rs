//! [`Token`]: the compact JWT (RFC 7515 §7.1) taken apart once; nothing in it is believed yet.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use medvan_profiles::json::{Limits, scan};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Algorithm, Refusal, claims::Claims};

/// Longest token that is looked at. Real ones have 600 to 1500 characters.
const MAX_LENGTH: usize = 8192;

const LIMITS: Limits = Limits { bytes: MAX_LENGTH, depth: 8, values: 256 };

/// A token as received: readable, not trusted.
pub struct Token<'a> {
    pub(super) header: Header,
    pub(super) algorithm: Algorithm,
    pub(super) claims: Claims,
    /// What was signed: header and payload as sent.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

/// The header members that matter. `jwk`, `x5c`, `x5u` and the like are not even read: a token does not bring its own
/// key along.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    typ: Option<String>,
    /// Opaque: it is compared, never part of a path or a query (check 13).
    pub(super) kid: String,
    pub(super) jku: Option<String>,
    crit: Option<Value>,
}

impl<'a> Token<'a> {
    /// Takes a token apart: form, header, and claims of the right types.
    ///
    /// # Errors
    /// Whatever the text alone is enough to refuse.
    pub fn parse(text: &'a str) -> Result<Self, Refusal> {
        let (signed, signature) = split(text)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = object(header)?;
        let algorithm = header.judge()?;
        let claims = Claims::read(object::<Map<String, Value>>(payload)?)?;
        let signature = decode(signature)?;
        Ok(Self { header, algorithm, claims, signed, signature })
    }

    /// Who the token says it is from: good for choosing the [`super::ClientKeys`] to verify with, for nothing else.
    pub fn claimed_issuer(&self) -> &str {
        &self.claims.issuer
    }
}

impl std::fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl Header {
    fn judge(&self) -> Result<Algorithm, Refusal> {
        if !self.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")) {
            return Err(Refusal::Type);
        }
        if self.crit.is_some() {
            return Err(Refusal::Critical);
        }
        self.alg.parse().map_err(|_| Refusal::Algorithm)
    }
}

fn split(text: &str) -> Result<(&str, &str), Refusal> {
    if text.len() > MAX_LENGTH || text.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return Err(Refusal::Malformed);
    }
    text.rsplit_once('.').ok_or(Refusal::Malformed)
}

/// Canonical base64url without padding only: one signature has one spelling.
fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

/// A JSON object in which no member comes twice (check 12).
fn object<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Refusal> {
    let json = decode(part)?;
    scan(&json, &LIMITS).map_err(|_| Refusal::Malformed)?;
    // serde reads a struct from an array too.
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::Malformed);
    }
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}
