//! One FHIR query in a normal form: two templates that mean the same query for a call give equal values.
//!
//! Sharing a result between services is only right when their queries are the same (item 21), so the normal form changes
//! nothing that a server could tell apart: parameters are sorted by name and keep their order within a name (`date` twice is
//! a range, `_sort` is ordered), percent-encoding is made uniform, and values are never joined or parted.

use std::fmt;

/// A relative FHIR URL, ready to be sent. Its `Debug` shows the resource type only: ids are about a patient.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query {
    url: String,
    is_search: bool,
}

impl Query {
    /// `Patient/123`. Both parts have been checked to be a type and an id.
    pub(super) fn read(resource_type: &str, id: &str) -> Self {
        Self { url: format!("{resource_type}/{id}"), is_search: false }
    }

    /// `Observation?patient=123`. Names and values stand as they will in the URL.
    pub(super) fn search(resource_type: &str, mut parameters: Vec<(&str, String)>) -> Self {
        parameters.sort_by_key(|(name, _)| *name);
        let mut url = resource_type.to_owned();
        for (index, (name, value)) in parameters.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend([*name, "=", value.as_str()]);
        }
        Self { url, is_search: true }
    }

    /// The URL, relative to the base of the FHIR server.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether the answer is a Bundle of matches.
    pub fn is_search(&self) -> bool {
        self.is_search
    }

    /// Whether it asks for the first matches of an order, as in "the newest creatinine" (`_sort=-date&_count=1`).
    ///
    /// To FHIR `_count` is no more than the size of a page. Sorted besides, it is how templates say how much they
    /// want, and the first page is all of that; further pages would be more than the service asked for (item 22).
    pub fn asks_for_the_first(&self) -> bool {
        let parameters = self.url.split_once('?').map_or("", |(_, parameters)| parameters);
        let has = |name: &str| parameters.split('&').any(|parameter| parameter.split('=').next() == Some(name));
        has("_sort") && has("_count")
    }

    /// The type that is read or searched.
    pub fn resource_type(&self) -> &str {
        self.url.split(['/', '?']).next().unwrap_or_default()
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interaction = if self.is_search { "search" } else { "read" };
        write!(f, "Query({interaction} {})", self.resource_type())
    }
}

/// Text of a template as it stands in the URL: what may not stand in a query is encoded, what need not be is decoded.
pub(super) fn normalize(literal: &str) -> String {
    let mut normal = String::with_capacity(literal.len());
    let mut bytes = literal.bytes();
    while let Some(byte) = bytes.next() {
        match (byte, encoded(bytes.clone())) {
            (b'%', Some(decoded)) => {
                bytes.nth(1);
                push(&mut normal, decoded, is_unreserved(decoded));
            }
            (b'%', None) => push(&mut normal, b'%', false),
            (byte, _) => push(&mut normal, byte, is_unreserved(byte) || b"!$'()*+,;:@/?=".contains(&byte)),
        }
    }
    normal
}

/// A value from the call as it stands in the URL: escaped for FHIR (R4 §3.1.1.4: `,` `$` `|` `\` have a meaning inside a
/// value), then percent-encoded. `/` and `:` of references and instants stay readable.
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if b",$|\\".contains(&byte) {
            encoded.push_str("%5C");
        }
        push(&mut encoded, byte, is_unreserved(byte) || b"/:".contains(&byte));
    }
    encoded
}

fn encoded(mut rest: impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit()? * 16 + digit()?)
}

fn push(url: &mut String, byte: u8, plain: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if plain {
        url.push(char::from(byte));
    } else {
        url.extend(['%', char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]);
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
