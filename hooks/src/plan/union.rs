//! The prefetch that an aggregated service publishes: what all its members ask for, each template once.
//!
//! An EHR that honours it does the gateway's queries itself, in the scope of its user. Only templates within the recommended
//! subset are published (item 28); the others are the gateway's own business. The result depends on the members, not on the
//! order in which they are given: what an EHR sees changes only when the catalog does.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use crate::{Hook, template::Template};

/// The published keys of an aggregated service, and which template each stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Union {
    prefetch: IndexMap<String, String>,
    keys: HashMap<Identity, String>,
}

/// What makes two templates of two services the same. With `%key` the meaning depends on the service's other templates, so
/// such a template is the same as itself only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    text: String,
    only_of: Option<(String, String)>,
}

/// Joins the templates of services on one hook, given as name and templates.
pub fn union(hook: &str, members: &[(&str, &IndexMap<String, Template>)]) -> Union {
    let mut members = members.to_vec();
    members.sort_by_key(|(service, _)| *service);
    let wanted = wanted(&members);
    let mut union = Union::default();
    for (identity, key) in name_all(&wanted) {
        if wanted.get(&identity).is_some_and(|users| users.template.is_publishable(Hook::find(hook))) {
            union.prefetch.insert(key.clone(), identity.text.clone());
        }
        union.keys.insert(identity, key);
    }
    union
}

impl Union {
    /// What to publish as `prefetch`.
    pub fn prefetch(&self) -> &IndexMap<String, String> {
        &self.prefetch
    }

    /// The key that stands for this template of this service.
    pub fn key(&self, service: &str, key: &str, template: &Template) -> Option<&str> {
        self.keys.get(&Identity::of(service, key, template)).map(String::as_str)
    }
}

/// A template, and the keys under which services want it.
struct Users<'a> {
    template: &'a Template,
    keys: Vec<(&'a str, &'a str)>,
}

fn wanted<'a>(members: &[(&'a str, &'a IndexMap<String, Template>)]) -> IndexMap<Identity, Users<'a>> {
    let mut wanted: IndexMap<Identity, Users<'a>> = IndexMap::new();
    for (service, templates) in members {
        for (key, template) in *templates {
            let users = wanted.entry(Identity::of(service, key, template));
            users.or_insert_with(|| Users { template, keys: Vec::new() }).keys.push((service, key));
        }
    }
    wanted
}

/// A key that means one template only keeps its name; any other is told apart by its service.
fn name_all(wanted: &IndexMap<Identity, Users<'_>>) -> Vec<(Identity, String)> {
    let mut meanings: HashMap<&str, HashSet<&Identity>> = HashMap::new();
    for (identity, users) in wanted {
        for (_, key) in &users.keys {
            meanings.entry(key).or_default().insert(identity);
        }
    }
    let own = |users: &Users<'_>| {
        users.keys.iter().find(|(_, key)| meanings[key].len() == 1).map(|(_, key)| (*key).to_owned())
    };
    let mut taken: HashSet<String> = wanted.values().filter_map(own).collect();
    let name = |(identity, users): (&Identity, &Users<'_>)| {
        let name = own(users).unwrap_or_else(|| prefixed(&users.keys, &mut taken));
        (identity.clone(), name)
    };
    wanted.iter().map(name).collect()
}

fn prefixed(keys: &[(&str, &str)], taken: &mut HashSet<String>) -> String {
    let (service, key) = keys.first().copied().unwrap_or_default();
    let safe = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-");
    let base = format!("{}-{}", safe(service), safe(key));
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    let name = names.find(|name| !taken.contains(name)).unwrap_or(base);
    taken.insert(name.clone());
    name
}

impl Identity {
    fn of(service: &str, key: &str, template: &Template) -> Self {
        let only_of = template.depends_on().next().map(|_| (service.to_owned(), key.to_owned()));
        Self { text: template.as_str().to_owned(), only_of }
    }
}

impl Template {
    fn is_publishable(&self, hook: Option<&Hook>) -> bool {
        self.is_plain() && self.lint(hook).iter().all(|lint| !lint.outside_subset)
    }
}
