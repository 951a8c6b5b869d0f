//! All templates of one service: each must parse, and those with `%key` must lead somewhere.

use indexmap::IndexMap;

use super::{Template, TemplateError};

/// What is wrong with the template under one key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {fault}")]
pub struct SetFault {
    /// The prefetch key.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// `%key` of a key that the service does not have.
    #[error("%{0} is not a prefetch key of this service; name one that is")]
    UnknownKey(String),
    /// "It is an error if dependencies are cyclical" (3.0).
    #[error("depends on itself; break the circle")]
    Cycle,
}

/// Reads the templates of one service. The order does not matter: dependencies are followed by name.
pub fn parse_all(texts: &IndexMap<String, String>) -> Result<IndexMap<String, Template>, Vec<SetFault>> {
    let mut faults = Vec::new();
    let mut templates = IndexMap::with_capacity(texts.len());
    for (key, text) in texts {
        match Template::parse(text) {
            Ok(template) => drop(templates.insert(key.clone(), template)),
            Err(error) => faults.push(SetFault { key: key.clone(), fault: error.into() }),
        }
    }
    faults.extend(templates.iter().filter_map(|(key, template)| unknown_key(key, template, texts)));
    faults.extend(
        templates
            .keys()
            .filter(|key| reaches_itself(key, &templates))
            .map(|key| SetFault { key: key.clone(), fault: Fault::Cycle }),
    );
    if faults.is_empty() { Ok(templates) } else { Err(faults) }
}

fn unknown_key(key: &str, template: &Template, texts: &IndexMap<String, String>) -> Option<SetFault> {
    let unknown = template.depends_on().find(|needed| !texts.contains_key(*needed))?;
    Some(SetFault { key: key.to_owned(), fault: Fault::UnknownKey(unknown.to_owned()) })
}

fn reaches_itself(start: &str, templates: &IndexMap<String, Template>) -> bool {
    let (mut seen, mut open) = (Vec::new(), vec![start]);
    while let Some(key) = open.pop() {
        for needed in templates.get(key).into_iter().flat_map(Template::depends_on) {
            if needed == start {
                return true;
            }
            if !seen.contains(&needed) {
                seen.push(needed);
                open.push(needed);
            }
        }
    }
    false
}
