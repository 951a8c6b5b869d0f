//! The pages of one search, joined into one Bundle without touching an entry.

use indexmap::IndexMap;
use medvan_hooks::prefetch::{Omission, PrefetchState};
use medvan_profiles::Json;
use serde::{Deserialize, Serialize};

/// Pages read so far.
#[derive(Debug, Default)]
pub(super) struct Pages {
    first: Option<First>,
    /// Entries of the pages after the first.
    more: Vec<Json>,
    count: usize,
    bytes: usize,
}

#[derive(Debug)]
enum First {
    Bundle(Bundle),
    /// A read, or an OperationOutcome.
    Resource(Json),
}

/// A resource with its members as text, in their order.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct Bundle(IndexMap<String, Json>);

#[derive(Deserialize)]
struct Link {
    relation: String,
    url: String,
}

impl Pages {
    /// Takes one page; returns the address of the next.
    ///
    /// # Errors
    /// It cannot be part of a whole answer: what is known instead.
    pub(super) fn add(&mut self, page: Json) -> Result<Option<String>, PrefetchState> {
        self.count += 1;
        self.bytes += page.as_str().len();
        let mut bundle: Bundle = serde_json::from_str(page.as_str()).map_err(|_| Omission::Unreachable)?;
        let next = if bundle.is_bundle() { bundle.take_next()? } else { None };
        match (&self.first, bundle.is_bundle()) {
            (None, true) => self.first = Some(First::Bundle(bundle)),
            (None, false) => self.first = Some(First::Resource(page)),
            (Some(_), true) => self.more.extend(bundle.entries()?),
            (Some(_), false) => return Err(not_a_page(page)),
        }
        Ok(next)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All pages as one resource.
    pub(super) fn into_state(self) -> PrefetchState {
        match self.first {
            Some(First::Resource(resource)) => PrefetchState::of(resource),
            Some(First::Bundle(bundle)) => match bundle.with(self.more) {
                Ok(joined) => PrefetchState::of(joined),
                Err(omission) => omission.into(),
            },
            None => Omission::Unreachable.into(),
        }
    }
}

/// What came where a search should have gone on.
fn not_a_page(page: Json) -> PrefetchState {
    match PrefetchState::of(page) {
        failed @ PrefetchState::Failed(_) => failed,
        _ => Omission::Unreachable.into(),
    }
}

impl Bundle {
    fn is_bundle(&self) -> bool {
        self.0.get("resourceType").is_some_and(|kind| kind.as_str() == "\"Bundle\"")
    }

    /// Removes the links: they name the hospital's server, and page two needs a token that no service has
    /// (CDS Hooks item 23). Links that cannot be read may hold a `next`.
    fn take_next(&mut self) -> Result<Option<String>, Omission> {
        let Some(links) = self.0.shift_remove("link") else { return Ok(None) };
        let links: Vec<Link> = serde_json::from_str(links.as_str()).map_err(|_| Omission::Unreachable)?;
        Ok(links.into_iter().find(|link| link.relation == "next").map(|link| link.url))
    }

    /// The same with the entries of later pages; the text it was where there are none.
    fn with(mut self, more: Vec<Json>) -> Result<Json, Omission> {
        if !more.is_empty() {
            let entries: Vec<Json> = self.entries()?.into_iter().chain(more).collect();
            self.0.insert("entry".to_owned(), text(&entries)?);
        }
        text(&self)
    }

    fn entries(&self) -> Result<Vec<Json>, Omission> {
        let entries = self.0.get("entry").map(|entries| serde_json::from_str(entries.as_str()));
        entries.transpose().map(Option::unwrap_or_default).map_err(|_| Omission::Unreachable)
    }
}

fn text(value: &impl Serialize) -> Result<Json, Omission> {
    serde_json::value::to_raw_value(value).map(Json::from).map_err(|_| Omission::Unreachable)
}

#[cfg(test)]
mod tests {
    use medvan_profiles::Limits;

    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes(), &Limits::MESSAGE).unwrap()
    }

    #[test]
    fn pages_are_joined_and_their_entries_stay_as_they_came() {
        let mut pages = Pages::default();
        let first = r#"{"resourceType":"Bundle","total":3,"link":[{"relation":"next","url":"https://ehr/fhir?p=2"}],
                        "entry":[{"resource":{"v": 1.00}}]}"#;
        let second = r#"{"resourceType":"Bundle","entry":[{"resource":{"v":"　"}},{"resource":{"v":1e2}}]}"#;
        assert_eq!(pages.add(json(first)).unwrap().as_deref(), Some("https://ehr/fhir?p=2"));
        assert_eq!(pages.add(json(second)), Ok(None));
        let PrefetchState::Resource(joined) = pages.into_state() else { panic!("no resource") };
        assert_eq!(
            joined.as_str(),
            r#"{"resourceType":"Bundle","total":3,"entry":[{"resource":{"v": 1.00}},{"resource":{"v":"　"}},{"resource":{"v":1e2}}]}"#
        );
    }

    #[test]
    fn a_single_resource_stays_the_text_it_was() {
        let mut pages = Pages::default();
        let text = r#"{ "resourceType" : "Patient", "id":"a" }"#;
        assert_eq!(pages.add(json(text)), Ok(None));
        assert_eq!(pages.into_state(), PrefetchState::Resource(json(text)));
    }
}
