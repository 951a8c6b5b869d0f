//! `Reference.reference` taken apart (FHIR R4 §2.3.0).

use super::{is_id, is_resource_type};

/// A `Reference.reference` in one of its forms; [`Reference::parse`] never fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'t> {
    /// `#id`: a contained resource, or the container itself for `#`.
    Fragment(&'t str),
    /// `urn:uuid:…` or `urn:oid:…`: the `fullUrl` of an entry of the same Bundle.
    Urn(&'t str),
    /// `Patient/1`, `https://example.org/fhir/Patient/1`, either with `/_history/2`.
    Literal(Literal<'t>),
    /// Anything else: a conditional reference, a URL that is not RESTful, a text that is no reference at all.
    Other(&'t str),
}

/// A reference that names type and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'t> {
    /// The server's base without the last slash; `None` when relative.
    pub base: Option<&'t str>,
    /// `Patient`.
    pub resource_type: &'t str,
    /// `1`.
    pub id: &'t str,
    /// What follows `_history`.
    pub version: Option<&'t str>,
}

impl<'t> Reference<'t> {
    /// Sorts a text into its form.
    pub fn parse(text: &'t str) -> Self {
        if let Some(id) = text.strip_prefix('#') {
            return Self::Fragment(id);
        }
        if text.starts_with("urn:") {
            return Self::Urn(text);
        }
        Literal::parse(text).map_or(Self::Other(text), Self::Literal)
    }

    /// Type and id, where the reference names both.
    pub fn target(&self) -> Option<(&'t str, &'t str)> {
        match self {
            Self::Literal(literal) => Some((literal.resource_type, literal.id)),
            Self::Fragment(_) | Self::Urn(_) | Self::Other(_) => None,
        }
    }
}

impl<'t> Literal<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (current, version) = match text.split_once("/_history/") {
            Some((current, version)) => (current, Some(version)),
            None => (text, None),
        };
        let (before, id) = current.rsplit_once('/')?;
        let (base, resource_type) = match before.rsplit_once('/') {
            Some((base, resource_type)) => (Some(base), resource_type),
            None => (None, before),
        };
        let is_well_formed =
            is_resource_type(resource_type) && is_id(id) && version.is_none_or(is_id) && base.is_none_or(is_base);
        is_well_formed.then_some(Self { base, resource_type, id, version })
    }
}

fn is_base(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#']))
}
