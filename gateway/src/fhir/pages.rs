//! The pages of one search, joined into one Bundle without touching an entry.

use indexmap::IndexMap;
use medvan_hooks::prefetch::PrefetchState;
use medvan_profiles::Json;
use serde::{Deserialize, Serialize};

/// Pages read so far.
#[derive(Debug, Default)]
pub(super) struct Pages {
    first: Option<Json>,
    bundle: Option<Bundle>,
    count: usize,
}

/// A Bundle with its members as text, in their order.
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
    pub(super) fn add(&mut self, page: Json) -> Option<String> {
        self.count += 1;
        let mut bundle: Bundle = serde_json::from_str(page.as_str()).ok()?;
        if !bundle.is_bundle() {
            self.first.get_or_insert(page);
            return None;
        }
        let next = bundle.take_next();
        match &mut self.bundle {
            None => self.bundle = Some(bundle),
            Some(first) => first.append(&bundle),
        }
        next
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All pages as one resource.
    pub(super) fn into_state(self) -> PrefetchState {
        let joined = self.bundle.and_then(|bundle| serde_json::value::to_raw_value(&bundle).ok()).map(Json::from);
        match joined.or(self.first) {
            Some(resource) => PrefetchState::of(resource),
            None => PrefetchState::Null,
        }
    }
}

impl Bundle {
    fn is_bundle(&self) -> bool {
        self.0.get("resourceType").is_some_and(|kind| kind.as_str() == "\"Bundle\"")
    }

    /// Removes the links: they name the hospital's server, and page two needs a token that no service has
    /// (CDS Hooks item 23).
    fn take_next(&mut self) -> Option<String> {
        let links: Vec<Link> = serde_json::from_str(self.0.shift_remove("link")?.as_str()).ok()?;
        links.into_iter().find(|link| link.relation == "next").map(|link| link.url)
    }

    fn append(&mut self, page: &Self) {
        let mut entries = self.entries();
        entries.extend(page.entries());
        if let Ok(joined) = serde_json::value::to_raw_value(&entries) {
            self.0.insert("entry".to_owned(), joined.into());
        }
    }

    fn entries(&self) -> Vec<Json> {
        self.0.get("entry").and_then(|entries| serde_json::from_str(entries.as_str()).ok()).unwrap_or_default()
    }
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
        assert_eq!(pages.add(json(first)).as_deref(), Some("https://ehr/fhir?p=2"));
        assert_eq!(pages.add(json(second)), None);
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
        assert_eq!(pages.add(json(text)), None);
        assert_eq!(pages.into_state(), PrefetchState::Resource(json(text)));
    }
}
