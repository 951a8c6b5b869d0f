//! `medvan apply`: bring hospitals, clients, vendors, services, approvals and enrolments to what files say.
//!
//! The objects are those of the management API, sent through it: what the API refuses, files cannot do either. In
//! particular an approval needs the governor's credential. Applying twice changes nothing the second time.

mod management;
mod object;

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

pub use management::{Credentials, Management};
pub use object::{Object, ObjectError, read_file};

/// What applying one object came to, or would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which object, such as `Hospital kaede`.
    pub object: String,
    /// What happens to it.
    pub change: Change,
    /// What the gateway remarks about it; it serves all the same.
    pub remarks: Vec<String>,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is not there yet.
    Create,
    /// These members differ.
    Update(Vec<String>),
    /// A version moves from one state to another.
    Move {
        /// The state it is in.
        from: String,
        /// The decision that moves it.
        by: String,
    },
    /// Nothing.
    Unchanged,
}

/// Why applying stopped. What was applied before stays applied; apply again after the mend.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file cannot be understood.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A credential cannot be read.
    #[error(
        "cannot read the credential {path}; give its folder with --data, or the file with --operator or --governor"
    )]
    Credential {
        /// The file.
        path: std::path::PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Approvals, and nobody to make them.
    #[error("approvals need the governor's credential: give its file with --governor (the operator cannot approve)")]
    NoGovernor,
    /// The gateway cannot be reached.
    #[error("the gateway at {server} cannot be reached: {reason}")]
    Unreachable {
        /// Its base URL.
        server: String,
        /// Why.
        reason: String,
    },
    /// A version is registered with another descriptor.
    #[error("{object} is registered otherwise ({members}) and never changes; give it a new version number")]
    VersionChanged {
        /// The object.
        object: String,
        /// What differs.
        members: String,
    },
    /// The gateway refused an object; its own words.
    #[error("{object}: {status} {words}")]
    Refused {
        /// The object.
        object: String,
        /// The status.
        status: u16,
        /// The problem's title, detail and faults.
        words: String,
    },
}

/// Applies objects in the order in which they need each other, whatever order they came in.
///
/// # Errors
/// The first object that is refused.
pub async fn apply(
    management: &Management,
    mut objects: Vec<Object>,
    dry_run: bool,
) -> Result<Vec<Outcome>, ApplyError> {
    objects.sort_by_key(Object::rank);
    let mut outcomes = Vec::with_capacity(objects.len());
    for object in &objects {
        outcomes.push(apply_one(management, object, dry_run).await?);
    }
    Ok(outcomes)
}

async fn apply_one(management: &Management, object: &Object, dry_run: bool) -> Result<Outcome, ApplyError> {
    let current = management.get(object).await?;
    let mut remarks = Vec::new();
    let change = match object {
        Object::Approval { decision, .. } => {
            let change = decided(current.as_ref(), decision);
            if !dry_run && change != Change::Unchanged {
                management.decide(object).await?;
            }
            change
        }
        Object::Service { descriptor } => {
            apply_version(management, object, current.as_ref(), descriptor, dry_run, &mut remarks).await?
        }
        Object::Plain { kind, body } => {
            let change = compared(current.as_ref(), &kind.completed(body));
            if !dry_run && change != Change::Unchanged {
                management.put(object, body).await?;
            }
            change
        }
    };
    Ok(Outcome { object: object.to_string(), change, remarks })
}

/// A version never changes: another descriptor under its number is told now, not when it is applied.
async fn apply_version(
    management: &Management,
    object: &Object,
    current: Option<&Value>,
    descriptor: &Value,
    dry_run: bool,
    remarks: &mut Vec<String>,
) -> Result<Change, ApplyError> {
    let change = compared(current.map(|version| &version["descriptor"]), descriptor);
    if let Change::Update(members) = change {
        return Err(ApplyError::VersionChanged { object: object.to_string(), members: members.join(", ") });
    }
    if !dry_run {
        let registered = management.put(object, descriptor).await?;
        *remarks = management::lines(&registered["remarks"]);
        if current.is_none_or(|version| version["state"] == "draft") {
            management.submit(object).await?;
        }
    }
    Ok(change)
}

/// What a decision changes, by the version's present state.
fn decided(current: Option<&Value>, decision: &str) -> Change {
    let state = current.and_then(|version| version["state"].as_str()).unwrap_or("not registered");
    let already = matches!(
        (state, decision),
        ("approved", "approve" | "reinstate") | ("suspended", "suspend") | ("withdrawn", "withdraw")
    );
    if already { Change::Unchanged } else { Change::Move { from: state.to_owned(), by: decision.to_owned() } }
}

/// Which members differ. What the gateway has and the file does not say differs too: a permission that is taken out of a
/// file must end.
fn compared(current: Option<&Value>, wanted: &Value) -> Change {
    let Some(current) = current else { return Change::Create };
    let mut differing = Vec::new();
    collect_differences("", current, wanted, &mut differing);
    if differing.is_empty() { Change::Unchanged } else { Change::Update(differing) }
}

fn collect_differences(place: &str, current: &Value, wanted: &Value, differing: &mut Vec<String>) {
    let (Value::Object(now), Value::Object(then)) = (current, wanted) else {
        if current != wanted {
            differing.push(place.to_owned());
        }
        return;
    };
    let names: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    for name in names {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let member = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
        collect_differences(&place, &member(now), &member(then), differing);
    }
}

/// Reads every object of these files.
///
/// # Errors
/// The first file that cannot be understood, with its place.
pub fn read_files<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Object>, ObjectError> {
    let mut objects = Vec::new();
    for path in paths {
        objects.extend(read_file(path.as_ref())?);
    }
    Ok(objects)
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.change {
            Change::Create => write!(f, "+ {}", self.object),
            Change::Update(members) => write!(f, "~ {}: {}", self.object, members.join(", ")),
            Change::Move { from, by } => write!(f, "~ {}: {from}, {by}", self.object),
            Change::Unchanged => write!(f, "  {}", self.object),
        }?;
        self.remarks.iter().try_for_each(|remark| write!(f, "\n    {remark}"))
    }
}

#[cfg(test)]
mod tests;
