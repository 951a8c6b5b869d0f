//! What the caller accepts: the Accept headers and the query's `accept` (PS3.18 §8.3.3, §8.7).

use http::{HeaderMap, header};
use medvan_imaging::{
    accept::{Acceptable, Choice, Offer},
    multipart::Boundary,
};
use uuid::Uuid;

use super::refusal::Refusal;

/// Reads what a request accepts.
pub(super) fn acceptable(headers: &HeaderMap, query: &Parameters) -> Result<Acceptable, Refusal> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    Acceptable::parse(accept, query.get("accept"), query.get("transferSyntax"))
        .map_err(|error| Refusal::BadRequest(error.to_string()))
}

/// The offer that fits best.
pub(super) fn choose(acceptable: &Acceptable, offers: &[Offer], have: &'static str) -> Result<Choice, Refusal> {
    acceptable.choose(offers).ok_or(Refusal::NotAcceptable(have))
}

/// A boundary that no payload holds.
pub(super) fn boundary() -> Boundary {
    Boundary::random(Uuid::new_v4().as_u128())
}

/// A query string, decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes a query string; of what is not UTF-8 the bad bytes are replaced.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        const MOST: usize = 256;
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .take(MOST + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if pairs.len() > MOST {
            return Err(Refusal::BadRequest(format!("a query has at most {MOST} parameters")));
        }
        Ok(Self(pairs))
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
