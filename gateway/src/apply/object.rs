//! [`Object`]: one object of a file, and where it lives in the management API.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::catalog::{Client, Enrollment, Hospital, Vendor};

/// One object to apply.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A hospital, client, vendor or enrolment: what the file says is what is stored.
    Plain {
        /// Which sort.
        kind: Kind,
        /// The object without its `kind`.
        body: Value,
    },
    /// A version of a service; registered and put up for review.
    Service {
        /// The descriptor.
        descriptor: Value,
    },
    /// The governor's decision on a version.
    Approval {
        /// `vendor.service`.
        service: String,
        /// The version decided on.
        version: String,
        /// `approve`, `reject`, `suspend`, `reinstate` or `withdraw`.
        decision: String,
        /// Why; the vendor reads it.
        reason: String,
    },
}

/// The sorts of plain objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tenant.
    Hospital,
    /// One of its systems.
    Client,
    /// A maker of services.
    Vendor,
    /// A hospital takes part in a service.
    Enrollment,
}

/// Why a file cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It is neither YAML nor JSON.
    #[error("{path}: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's answer, with line and column.
        reason: String,
    },
    /// One of its documents is no object that can be applied.
    #[error("{path}, document {number}: {reason}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Which document, from 1.
        number: usize,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

/// Reads a YAML or JSON file: one object, a list of objects, or several documents.
///
/// # Errors
/// The file cannot be read or understood.
pub fn read_file(path: &Path) -> Result<Vec<Object>, ObjectError> {
    let text = std::fs::read_to_string(path).map_err(|source| ObjectError::Read { path: path.to_owned(), source })?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| ObjectError::Syntax { path: path.to_owned(), reason: error.to_string() })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut objects = Vec::new();
    for (index, document) in documents.into_iter().enumerate() {
        let wrong = |reason| ObjectError::Document { path: path.to_owned(), number: index + 1, reason };
        let listed = match document {
            Value::Array(list) => list,
            one => vec![one],
        };
        for value in listed {
            objects.push(Object::read(value, folder).map_err(wrong)?);
        }
    }
    Ok(objects)
}

impl Kind {
    /// The object with the defaults of what it leaves out, as the gateway will show it. One that is not as it must be
    /// stays as it is: the gateway says what is wrong with it.
    pub(super) fn completed(self, body: &Value) -> Value {
        match self {
            Self::Hospital => completed::<Hospital>(body),
            Self::Client => completed::<Client>(body),
            Self::Vendor => completed::<Vendor>(body),
            Self::Enrollment => completed::<Enrollment>(body),
        }
    }
}

impl Object {
    /// Reads one object. `folder` is where a `descriptorFile` is looked for.
    ///
    /// # Errors
    /// What is wrong and how to mend it.
    pub fn read(value: Value, folder: &Path) -> Result<Self, String> {
        let Value::Object(mut members) = value else { return Err("an object with `kind` is needed".to_owned()) };
        let kind = take_text(&mut members, "kind")?;
        match kind.as_str() {
            "Hospital" => Self::plain(Kind::Hospital, members, &["id"]),
            "Client" => Self::plain(Kind::Client, members, &["hospital", "id"]),
            "Vendor" => Self::plain(Kind::Vendor, members, &["id"]),
            "Enrollment" => Self::plain(Kind::Enrollment, members, &["hospital", "service"]),
            "Service" => Self::service(members, folder),
            "Approval" => Ok(Self::Approval {
                service: take_text(&mut members, "service")?,
                version: take_text(&mut members, "version")?,
                decision: take_text(&mut members, "decision")?,
                reason: take_text(&mut members, "reason")?,
            }),
            other => Err(format!(
                "`{other}` is no kind; there are Hospital, Client, Vendor, Service, Approval and Enrollment"
            )),
        }
    }

    /// Objects of a lower rank are needed by those of a higher one.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Plain { kind: Kind::Hospital, .. } => 0,
            Self::Plain { kind: Kind::Client, .. } => 1,
            Self::Plain { kind: Kind::Vendor, .. } => 2,
            Self::Service { .. } => 3,
            Self::Approval { .. } => 4,
            Self::Plain { kind: Kind::Enrollment, .. } => 5,
        }
    }

    /// Where it lives below `/api/v1`.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Plain { kind, body } => {
                let id = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                match kind {
                    Kind::Hospital => format!("/hospitals/{}", id("id")),
                    Kind::Client => format!("/hospitals/{}/clients/{}", id("hospital"), id("id")),
                    Kind::Vendor => format!("/vendors/{}", id("id")),
                    Kind::Enrollment => format!("/hospitals/{}/enrollments/{}", id("hospital"), id("service")),
                }
            }
            Self::Service { descriptor } => {
                let id = |name: &str| descriptor[name].as_str().unwrap_or_default();
                format!("/vendors/{}/services/{}/versions/{}", id("vendor"), id("id"), id("version"))
            }
            Self::Approval { service, version, .. } => {
                let (vendor, service) = service.split_once('.').unwrap_or((service, ""));
                format!("/vendors/{vendor}/services/{service}/versions/{version}")
            }
        }
    }

    fn plain(kind: Kind, members: Map<String, Value>, ids: &[&str]) -> Result<Self, String> {
        for id in ids {
            members.get(*id).and_then(Value::as_str).ok_or_else(|| missing(id))?;
        }
        Ok(Self::Plain { kind, body: Value::Object(members) })
    }

    /// The descriptor stands in a file beside it, under `descriptor`, or is the object itself (whose own `descriptor` is
    /// the version of the format).
    fn service(mut members: Map<String, Value>, folder: &Path) -> Result<Self, String> {
        let descriptor = match members.remove("descriptorFile") {
            None if members.get("descriptor").is_some_and(Value::is_object) => {
                members.remove("descriptor").unwrap_or_default()
            }
            None => Value::Object(members),
            Some(Value::String(file)) => {
                let text = std::fs::read_to_string(folder.join(&file)).map_err(|error| format!("{file}: {error}"))?;
                serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {error}"))?
            }
            Some(_) => return Err("`descriptorFile` is the name of a file".to_owned()),
        };
        for id in ["vendor", "id", "version"] {
            descriptor[id].as_str().ok_or_else(|| missing(id))?;
        }
        Ok(Self::Service { descriptor })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        match self {
            Self::Plain { kind: Kind::Hospital, body } => write!(f, "Hospital {}", id(body, "id")),
            Self::Plain { kind: Kind::Client, body } => {
                write!(f, "Client {} of {}", id(body, "id"), id(body, "hospital"))
            }
            Self::Plain { kind: Kind::Vendor, body } => write!(f, "Vendor {}", id(body, "id")),
            Self::Plain { kind: Kind::Enrollment, body } => {
                write!(f, "Enrollment of {} in {}", id(body, "hospital"), id(body, "service"))
            }
            Self::Service { descriptor } => {
                write!(f, "Service {}.{} {}", id(descriptor, "vendor"), id(descriptor, "id"), id(descriptor, "version"))
            }
            Self::Approval { service, version, .. } => write!(f, "Approval of {service} {version}"),
        }
    }
}

fn completed<T: DeserializeOwned + Serialize>(body: &Value) -> Value {
    T::deserialize(body).ok().and_then(|object| serde_json::to_value(object).ok()).unwrap_or_else(|| body.clone())
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(missing(name)),
    }
}

fn missing(name: &str) -> String {
    format!("`{name}` is needed, as text (quote a version such as \"1.0\")")
}
