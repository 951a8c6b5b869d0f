//! One call of a hook: read strictly from an EHR ([`Request::parse`]), written exactly for a vendor ([`Outgoing`]).
//!
//! What the standard says SHALL is refused with the place and the mend; what real senders get wrong without harm (item 13:
//! `hookInstance` that is no UUID; section 1L: field names of the standard's own examples) is taken with a [`Warning`].
//! FHIR inside a call stays the text it came in (item 3).

use std::{borrow::Cow, fmt};

use indexmap::IndexMap;
use medvan_profiles::{Json, JsonError, Limits, json};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

mod authorization;
mod error;
mod outgoing;

pub use authorization::FhirAuthorization;
pub use error::{Problem, RequestError};
pub use outgoing::{OmittedKeys, Outgoing};

use crate::{
    context::{self, Oddity, Warning},
    prefetch,
};

/// The longest `hook` and `hookInstance` taken, in bytes.
const NAME_BYTES: usize = 255;

/// A call as it came in, its envelope checked. [`Request::check`] looks at the context.
#[derive(Clone)]
pub struct Request {
    /// The hook that fired.
    pub hook: String,
    /// The sender's identifier of this call. Not unique with every sender: never an idempotency key by itself.
    pub hook_instance: String,
    /// Base URL of the sender's FHIR server: an http(s) URL, to be compared with the registered one, never followed as such.
    pub fhir_server: Option<String>,
    /// Access to that server for this call.
    pub fhir_authorization: Option<FhirAuthorization>,
    /// The hook's context, one text per field.
    pub context: IndexMap<String, Json>,
    /// What the sender prefetched, by key.
    pub prefetch: IndexMap<String, Json>,
    /// Extensions of the request.
    pub extension: Option<IndexMap<String, Json>>,
    patient_id: Option<String>,
    user: Option<String>,
}

impl Request {
    /// Reads a call. Everything in it is bounded by [`Limits::MESSAGE`]; a text that two parsers could read differently is
    /// refused before anything else.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let text = text(body)?;
        if !text.trim_start().starts_with('{') {
            return Err(RequestError::at("$this", Problem::NotAnObject));
        }
        let wire: Wire = serde_json::from_str(text).map_err(|error| diagnose(text, &error))?;
        wire.check()
    }

    /// Checks `context` against the published hook and renames aliased fields; of a custom hook only that it is an object.
    pub fn check(&mut self) -> Result<Vec<Warning>, RequestError> {
        let mut warnings = Vec::new();
        if uuid::Uuid::try_parse(&self.hook_instance).is_err() {
            warnings.push(Warning::new("hookInstance", Oddity::NotAUuid));
        }
        if let Some(authorization) = &self.fhir_authorization {
            authorization.check(self.patient_id(), &mut warnings)?;
        }
        context::check(&self.hook, &mut self.context, &mut warnings)?;
        Ok(warnings)
    }

    /// `context.patientId`.
    pub fn patient_id(&self) -> Option<&str> {
        self.patient_id.as_deref()
    }

    /// `context.userId`: `Type/id` of the current user.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }
}

/// Shows the shape of a call, nothing of its content.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("hook", &self.hook)
            .field("hook_instance", &self.hook_instance)
            .field("context", &self.context)
            .field("prefetch", &self.prefetch)
            .finish_non_exhaustive()
    }
}

/// The envelope as it stands on the wire, every member optional so that a missing one is told by name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    hook: Option<String>,
    hook_instance: Option<String>,
    fhir_server: Option<String>,
    fhir_authorization: Option<Json>,
    context: Option<IndexMap<String, Json>>,
    prefetch: Option<IndexMap<String, Json>>,
    extension: Option<IndexMap<String, Json>>,
}

impl Wire {
    fn check(self) -> Result<Request, RequestError> {
        let hook = name("hook", self.hook)?;
        let hook_instance = name("hookInstance", self.hook_instance)?;
        let fhir_server = self.fhir_server.map(http_url).transpose()?;
        let fhir_authorization = self.fhir_authorization.as_ref().map(FhirAuthorization::parse).transpose()?;
        if fhir_authorization.is_some() && fhir_server.is_none() {
            return Err(RequestError::at("fhirServer", Problem::AuthorizationWithoutServer));
        }
        let context = self.context.ok_or_else(|| RequestError::at("context", Problem::Missing))?;
        let (patient_id, user) = (string(&context, "patientId"), string(&context, "userId"));
        let prefetch = resources(self.prefetch.unwrap_or_default())?;
        let mut extension = self.extension;
        if let Some(members) = &mut extension {
            members.retain(|_, value| !value.is_null());
        }
        Ok(Request {
            hook,
            hook_instance,
            fhir_server,
            fhir_authorization,
            context,
            prefetch,
            extension,
            patient_id,
            user,
        })
    }
}

/// The scan has proved the text UTF-8; looking again is cheaper than carrying the proof.
fn text(body: &[u8]) -> Result<&str, JsonError> {
    json::scan(body, &Limits::MESSAGE)?;
    std::str::from_utf8(body).map_err(|_| JsonError::Syntax { line: 1, column: 1 })
}

fn name(place: &'static str, value: Option<String>) -> Result<String, RequestError> {
    let value = value.ok_or_else(|| RequestError::at(place, Problem::Missing))?;
    match value.len() {
        0 => Err(RequestError::at(place, Problem::Empty)),
        length if length > NAME_BYTES || value.contains(char::is_control) => {
            Err(RequestError::at(place, Problem::NotAName))
        }
        _ => Ok(value),
    }
}

fn http_url(value: String) -> Result<String, RequestError> {
    let url = Url::parse(&value).map_err(|_| RequestError::at("fhirServer", Problem::NotAnHttpUrl))?;
    let plain = matches!(url.scheme(), "https" | "http")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    if plain { Ok(value) } else { Err(RequestError::at("fhirServer", Problem::NotAnHttpUrl)) }
}

fn string(context: &IndexMap<String, Json>, field: &str) -> Option<String> {
    serde_json::from_str(context.get(field)?.as_str()).ok()
}

/// Each value is a FHIR resource or `null`. `{}`, which 2.0 forbids, is how some senders say `null`.
fn resources(mut prefetch: IndexMap<String, Json>) -> Result<IndexMap<String, Json>, RequestError> {
    for (position, (key, value)) in prefetch.iter_mut().enumerate() {
        match value.as_str().as_bytes() {
            b"null" => {}
            [b'{', inner @ .., b'}'] if inner.iter().all(u8::is_ascii_whitespace) => {
                *value = Json::from_value(&Value::Null)
            }
            [b'{', ..] if prefetch::resource_type(value).is_some() => {}
            _ => {
                return Err(RequestError::at(prefetch_place(key, position), Problem::NotAResource));
            }
        }
    }
    Ok(prefetch)
}

/// A key is the sender's text: it is repeated only when it looks like a key.
fn prefetch_place(key: &str, position: usize) -> Cow<'static, str> {
    let plain = key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain { format!("prefetch.{key}").into() } else { format!("prefetch[{position}]").into() }
}

/// The slow way, taken only by a text that was refused: which member has the wrong type.
fn diagnose(text: &str, error: &serde_json::Error) -> RequestError {
    const STRINGS: [&str; 3] = ["hook", "hookInstance", "fhirServer"];
    const OBJECTS: [&str; 3] = ["context", "prefetch", "extension"];
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return JsonError::Syntax { line: error.line(), column: error.column() }.into();
    };
    let wrong = |name: &&&str, right: fn(&Value) -> bool| {
        value.get(**name).is_some_and(|value| !value.is_null() && !right(value))
    };
    let string = STRINGS.iter().find(|name| wrong(name, Value::is_string)).map(|name| (*name, Problem::NotAString));
    let object = || OBJECTS.iter().find(|name| wrong(name, Value::is_object)).map(|name| (*name, Problem::NotAnObject));
    let (place, problem) = string.or_else(object).unwrap_or(("$this", Problem::NotAnObject));
    RequestError::at(place, problem)
}
