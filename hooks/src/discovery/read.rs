//! Reading a vendor's discovery document as far as it can be understood.

use indexmap::IndexMap;
use medvan_profiles::{Json, JsonError, Limits};
use serde::de::DeserializeOwned;

use super::Service;

/// More definitions than this are not read.
const SERVICES: usize = 500;
/// More prefetch keys than this are not read.
const KEYS: usize = 64;

const LIMITS: Limits = Limits { bytes: 1 << 20, depth: 32, values: 50_000 };

/// What a document said, and where it deviates from the standard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovered {
    /// The definitions that can be used, in the order of the document.
    pub services: Vec<Service>,
    /// Deviations, in the order of the document.
    pub defects: Vec<Defect>,
}

/// One deviation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// JSON Pointer in the document.
    pub place: String,
    /// What the standard asks for, and what was done.
    pub reason: &'static str,
}

/// The document holds no definitions at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADiscovery {
    /// Not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// No `services`.
    #[error("a discovery document is an object with the array \"services\"")]
    NoServices,
}

pub(super) fn read(body: &[u8]) -> Result<Discovered, NotADiscovery> {
    let document = Json::parse(body, &LIMITS)?;
    let mut discovered = Discovered::default();
    let definitions = discovered.definitions(&document)?;
    if definitions.len() > SERVICES {
        discovered.defect("/services", "more than 500 services; the rest is not read");
    }
    for (place, definition) in definitions.into_iter().take(SERVICES) {
        discovered.read_service(&place, &definition);
    }
    Ok(discovered)
}

/// The members in the order of the document: templates with `%key` depend on it.
type Members = IndexMap<String, Json>;

impl Discovered {
    fn defect(&mut self, place: impl Into<String>, reason: &'static str) {
        self.defects.push(Defect { place: place.into(), reason });
    }

    /// The array that the standard asks for; a bare array and an object map have been seen, and mean the same.
    fn definitions(&mut self, document: &Json) -> Result<Vec<(String, Json)>, NotADiscovery> {
        if let Some(services) = read_as::<Vec<Json>>(document) {
            self.defect("", "must be an object with \"services\"; read as the array of services");
            return Ok(numbered("", services));
        }
        let services = read_as::<Members>(document).and_then(|mut members| members.swap_remove("services"));
        let services = services.ok_or(NotADiscovery::NoServices)?;
        if let Some(services) = read_as::<Vec<Json>>(&services) {
            return Ok(numbered("/services", services));
        }
        let services = read_as::<Members>(&services).ok_or(NotADiscovery::NoServices)?;
        self.defect("/services", "must be an array; the values of the object are read");
        Ok(services.into_iter().map(|(key, value)| (format!("/services/{}", escape(&key)), value)).collect())
    }

    fn read_service(&mut self, place: &str, definition: &Json) {
        let Some(members) = read_as::<Members>(definition) else {
            return self.defect(place, "must be an object; not read");
        };
        let Some(id) = self.text(place, &members, "id").filter(|id| is_url_safe(id)) else {
            return self
                .defect(format!("{place}/id"), "is required and becomes part of the URL; the service is not read");
        };
        let Some(hook) = self.text(place, &members, "hook") else {
            return self.defect(format!("{place}/hook"), "is required; the service is not read");
        };
        if self.services.iter().any(|known| known.id == id && known.hook == hook) {
            return self.defect(place, "the same id and hook again; not read");
        }
        let service = self.rest(place, id, hook, &members);
        self.services.push(service);
    }

    fn rest(&mut self, place: &str, id: String, hook: String, members: &Members) -> Service {
        let title = self.text(place, members, "title");
        let description = self.text(place, members, "description").unwrap_or_else(|| {
            self.defect(format!("{place}/description"), "is required; read as the title");
            title.clone().unwrap_or_else(|| id.clone())
        });
        Service {
            title,
            description,
            prefetch: self.prefetch(place, members.get("prefetch")),
            usage_requirements: self.text(place, members, "usageRequirements"),
            version: self.text(place, members, "version"),
            hook_version: self.text(place, members, "hookVersion"),
            extension: self.members(place, "extension", members.get("extension")),
            hook,
            id,
        }
    }

    fn text(&mut self, place: &str, members: &Members, name: &str) -> Option<String> {
        let text = read_as::<String>(members.get(name)?).filter(|text| !text.is_empty());
        if text.is_none() {
            self.defect(format!("{place}/{name}"), "must be a string that is not empty; read as absent");
        }
        text
    }

    fn members(&mut self, place: &str, name: &str, value: Option<&Json>) -> Option<Members> {
        let members = read_as::<Members>(value?);
        if members.is_none() {
            self.defect(format!("{place}/{name}"), "must be an object; read as absent");
        }
        members
    }

    fn prefetch(&mut self, place: &str, value: Option<&Json>) -> IndexMap<String, String> {
        let mut templates = IndexMap::new();
        for (key, template) in self.members(place, "prefetch", value).unwrap_or_default() {
            let place = format!("{place}/prefetch/{}", escape(&key));
            match read_as::<String>(&template) {
                _ if templates.len() >= KEYS => self.defect(place, "more than 64 keys; not read"),
                Some(text) if !text.is_empty() => drop(templates.insert(key, text)),
                _ => self.defect(place, "must be a template that is not empty; not read"),
            }
        }
        templates
    }
}

fn read_as<T: DeserializeOwned>(json: &Json) -> Option<T> {
    serde_json::from_str(json.as_str()).ok()
}

fn numbered(place: &str, services: Vec<Json>) -> Vec<(String, Json)> {
    services.into_iter().enumerate().map(|(index, value)| (format!("{place}/{index}"), value)).collect()
}

/// An id that can stand in a path as it is.
fn is_url_safe(id: &str) -> bool {
    id.len() <= 128
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        && id != "."
        && id != ".."
}

/// RFC 6901.
fn escape(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}
