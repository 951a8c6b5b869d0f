//! What a template can see of one call: context fields, the user, the day, and where the FHIR server is.

use std::sync::OnceLock;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde_json::Value;
use time::Date;

use crate::Request;

/// The view of one call. Context fields are parsed when a template looks into them, and only once.
#[derive(Debug)]
pub struct Scope<'a> {
    context: IndexMap<&'a str, Field<'a>>,
    user: Option<&'a str>,
    fhir_server: Option<&'a str>,
    today: Date,
}

/// What is known under another prefetch key of the same service.
#[derive(Debug, Clone, Copy)]
pub enum Known<'v> {
    /// The resource there.
    Value(&'v Value),
    /// Nothing, for good.
    Nothing,
    /// Not yet, ask again later.
    NotYet,
}

impl<'a> Scope<'a> {
    /// The view of this call on that day.
    pub fn new(request: &'a Request, today: Date) -> Self {
        let field = |(name, json): (&'a String, &'a Json)| (name.as_str(), Field { json, value: OnceLock::new() });
        Self {
            context: request.context.iter().map(field).collect(),
            user: request.user(),
            fhir_server: request.fhir_server.as_deref().map(|base| base.trim_end_matches('/')),
            today,
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.context.get(name).map(Field::value).filter(|value| !value.is_null())
    }

    /// The id of the current user, if the user is of that type.
    pub(super) fn user(&self, resource_type: &str) -> Option<&str> {
        let (user_type, id) = self.user?.split_once('/')?;
        (user_type == resource_type).then_some(id)
    }

    pub(super) fn today(&self) -> Date {
        self.today
    }

    /// Whether an absolute reference with this base points into the call's own server.
    pub(super) fn is_own_server(&self, base: &str) -> bool {
        self.fhir_server == Some(base)
    }

    /// The fields, parsed, in which a resource could stand.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Value> {
        self.context.values().filter(|field| !field.json.as_str().starts_with('"')).map(Field::value)
    }
}

#[derive(Debug)]
struct Field<'a> {
    json: &'a Json,
    value: OnceLock<Value>,
}

impl Field<'_> {
    fn value(&self) -> &Value {
        self.value.get_or_init(|| self.json.value())
    }
}
