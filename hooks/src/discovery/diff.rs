//! What changed between the definitions in force and the ones a vendor publishes now.
//!
//! Nothing takes effect by being published: the changes that would give a vendor more data, or show an EHR something that
//! nobody has looked at, need an approval (design, invariant on approval; docs#204: definitions change several times a week).

use indexmap::IndexMap;
use serde::Serialize;

use super::Service;

/// One change of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A service that was not there.
    Added {
        /// Its id.
        id: String,
        /// Its hook.
        hook: String,
    },
    /// A service that is no longer there.
    Removed {
        /// Its id.
        id: String,
        /// Its hook.
        hook: String,
    },
    /// An id that meant a service on one hook now means one on another: approvals of the old one do not cover it.
    IdReused {
        /// The id.
        id: String,
        /// The hook it stood for.
        from: String,
        /// The hook it stands for.
        to: String,
    },
    /// A new key, or a query with fewer conditions: the service would receive more.
    PrefetchWidened {
        /// Id of the service.
        id: String,
        /// The prefetch key.
        key: String,
    },
    /// A key less, or a query with more conditions: the service would receive less.
    PrefetchNarrowed {
        /// Id of the service.
        id: String,
        /// The prefetch key.
        key: String,
    },
    /// Another query: more or less cannot be told.
    PrefetchChanged {
        /// Id of the service.
        id: String,
        /// The prefetch key.
        key: String,
    },
    /// Another title, description, usage requirement or version: what people were told about it.
    TextChanged {
        /// Id of the service.
        id: String,
        /// The member.
        member: &'static str,
    },
}

impl Change {
    /// Whether somebody has to agree before the change may take effect. Less data and a service that went away need nobody.
    pub fn needs_approval(&self) -> bool {
        match self {
            Self::Added { .. } | Self::IdReused { .. } => true,
            Self::PrefetchWidened { .. } | Self::PrefetchChanged { .. } | Self::TextChanged { .. } => true,
            Self::Removed { .. } | Self::PrefetchNarrowed { .. } => false,
        }
    }
}

/// The changes from `old` to `new`, in the order of `old`, then of `new`.
pub fn diff(old: &[Service], new: &[Service]) -> Vec<Change> {
    let mut changes = Vec::new();
    for before in old {
        match find(new, before) {
            Some(after) => compare(before, after, &mut changes),
            None => changes.push(gone(old, new, before)),
        }
    }
    let known = |after: &&Service| find(old, after).is_none() && moved_from(old, new, after).is_none();
    changes
        .extend(new.iter().filter(known).map(|after| Change::Added { id: after.id.clone(), hook: after.hook.clone() }));
    changes
}

fn find<'a>(services: &'a [Service], wanted: &Service) -> Option<&'a Service> {
    services.iter().find(|service| service.id == wanted.id && service.hook == wanted.hook)
}

fn gone(old: &[Service], new: &[Service], before: &Service) -> Change {
    let successor = new.iter().find(|after| after.id == before.id && moved_from(old, new, after) == Some(before));
    match successor {
        Some(after) => Change::IdReused { id: before.id.clone(), from: before.hook.clone(), to: after.hook.clone() },
        None => Change::Removed { id: before.id.clone(), hook: before.hook.clone() },
    }
}

/// The service whose id a new one took over: same id, another hook, and the old pair is gone. The n-th new one of an id
/// succeeds the n-th old one.
fn moved_from<'a>(old: &'a [Service], new: &[Service], after: &Service) -> Option<&'a Service> {
    let fresh = |service: &&Service| service.id == after.id && find(old, service).is_none();
    let position = new.iter().filter(fresh).position(|service| service.hook == after.hook)?;
    old.iter().filter(|before| before.id == after.id && find(new, before).is_none()).nth(position)
}

fn compare(before: &Service, after: &Service, changes: &mut Vec<Change>) {
    let id = &before.id;
    for (key, template) in &before.prefetch {
        let change = match after.prefetch.get(key) {
            None => Some(Change::PrefetchNarrowed { id: id.clone(), key: key.clone() }),
            Some(now) => compare_templates(id, key, template, now),
        };
        changes.extend(change);
    }
    let new_keys = after.prefetch.keys().filter(|key| !before.prefetch.contains_key(*key));
    changes.extend(new_keys.map(|key| Change::PrefetchWidened { id: id.clone(), key: key.clone() }));
    for (member, text) in texts(before) {
        if texts(after).get(member) != Some(&text) {
            changes.push(Change::TextChanged { id: id.clone(), member });
        }
    }
}

fn texts(service: &Service) -> IndexMap<&'static str, Option<&str>> {
    IndexMap::from([
        ("title", service.title.as_deref()),
        ("description", Some(service.description.as_str())),
        ("usageRequirements", service.usage_requirements.as_deref()),
        ("version", service.version.as_deref()),
        ("hookVersion", service.hook_version.as_deref()),
    ])
}

fn compare_templates(id: &str, key: &str, before: &str, after: &str) -> Option<Change> {
    let (id, key) = (id.to_owned(), key.to_owned());
    let (old, new) = (Conditions::of(before), Conditions::of(after));
    match (new.include(&old), old.include(&new)) {
        (true, true) => None,
        (true, false) => Some(Change::PrefetchNarrowed { id, key }),
        (false, true) => Some(Change::PrefetchWidened { id, key }),
        (false, false) => Some(Change::PrefetchChanged { id, key }),
    }
}

/// A template as a type and a set of conditions that must all hold.
struct Conditions<'a> {
    path: &'a str,
    conditions: Vec<&'a str>,
}

impl<'a> Conditions<'a> {
    fn of(template: &'a str) -> Self {
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        Self { path, conditions: query.split('&').filter(|part| !part.is_empty()).collect() }
    }

    /// Whether every condition of `other` is one of these too. Parameters that add resources or members to the answer
    /// (`_include`, `_elements` …) are no conditions: with a difference in them nothing can be said.
    fn include(&self, other: &Self) -> bool {
        let narrowing = |part: &&&str| {
            !part.starts_with('_') || ["_count=", "_id=", "_lastUpdated="].iter().any(|name| part.starts_with(name))
        };
        let extras = self.conditions.iter().filter(|part| !other.conditions.contains(part));
        self.path == other.path
            && other.conditions.iter().all(|part| self.conditions.contains(part))
            && extras.clone().count() == extras.filter(narrowing).count()
    }
}
