//! Bundle of what a search found (FHIR R4 §3.1.1.5.1).

use fhir_sdk::r4b::codes::{BundleType, SearchEntryMode};
use serde::Serialize;

use crate::written::{Written, written};

/// A page of what was found.
#[derive(Debug, Clone)]
pub struct SearchSet {
    /// The address of this page, with everything that was understood of the question.
    pub this: String,
    /// The address of the next one.
    pub next: Option<String>,
    /// What matches.
    pub matches: Vec<Match>,
}

/// Something that matches.
#[derive(Debug, Clone)]
pub struct Match {
    /// Its absolute address.
    pub url: String,
    /// The resource.
    pub resource: Written,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a> {
    resource_type: &'static str,
    r#type: BundleType,
    link: Vec<Link<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entry: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Link<'a> {
    relation: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    full_url: &'a str,
    resource: &'a Written,
    search: Search,
}

#[derive(Serialize)]
struct Search {
    mode: SearchEntryMode,
}

impl SearchSet {
    /// As FHIR JSON.
    pub fn written(&self) -> Written {
        let next = self.next.iter().map(|url| Link { relation: "next", url });
        written(&Typed {
            resource_type: "Bundle",
            r#type: BundleType::Searchset,
            link: std::iter::once(Link { relation: "self", url: &self.this }).chain(next).collect(),
            entry: self.matches.iter().map(Match::typed).collect(),
        })
    }
}

impl Match {
    fn typed(&self) -> Entry<'_> {
        Entry { full_url: &self.url, resource: &self.resource, search: Search { mode: SearchEntryMode::Match } }
    }
}
