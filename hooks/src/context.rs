//! `context` against the hook's published table (section 2 of the hooks' pages).
//!
//! Extra fields pass: hooks may add fields (item 62), and a vendor may know them. Names that the standard's own examples
//! use instead of the table's are taken and renamed, so that a vendor only ever sees the table's names.

use std::{borrow::Cow, collections::HashSet, fmt};

use indexmap::IndexMap;
use medvan_profiles::{
    Json,
    fhir::{is_id, is_resource_type},
};
use serde::Deserialize;

use crate::{
    hook::{Field, Hook, Kind, Need},
    prefetch::resource_type,
    request::{Problem, RequestError},
};

/// Something odd in a call that was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// FHIRPath-like place in the request.
    pub place: Cow<'static, str>,
    /// What is odd there.
    pub oddity: Oddity,
}

impl Warning {
    pub(crate) fn new(place: impl Into<Cow<'static, str>>, oddity: Oddity) -> Self {
        Self { place: place.into(), oddity }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.oddity)
    }
}

/// What is odd, and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// The sender's identifier of the call is not a UUID.
    #[error("is not a UUID; taken as it is")]
    NotAUuid,
    /// Patient scopes and no patient (cds-r-2).
    #[error("should name the patient of the patient/ scopes")]
    PatientScopeWithoutPatient,
    /// A name from an example or an older version.
    #[error("was sent as \"{0}\"; renamed")]
    Alias(&'static str),
    /// A field that the sources do not agree to be required.
    #[error("should be sent; read as empty")]
    Missing,
    /// The user is of a type that the hook does not expect.
    #[error("is of a type that this hook does not expect")]
    UserType,
    /// A resource in an entry-like or Bundle wrapper, as in some of the standard's own examples.
    #[error("is wrapped; the table asks for the bare resource")]
    Wrapped,
    /// A reference to something that is not in the call.
    #[error("refers to something that is not in the context")]
    Dangling,
    /// A hook that later versions of the standard replaced.
    #[error("is deprecated; \"{0}\" replaces it")]
    Deprecated(&'static str),
}

/// Checks the context of a published hook, and renames aliased fields.
pub(crate) fn check(
    hook: &str,
    context: &mut IndexMap<String, Json>,
    warnings: &mut Vec<Warning>,
) -> Result<(), RequestError> {
    let Some(hook) = Hook::find(hook) else {
        return Ok(());
    };
    if let Some(replacement) = hook.replaced_by {
        warnings.push(Warning::new("hook", Oddity::Deprecated(replacement)));
    }
    for field in hook.fields {
        rename(field, context, warnings);
        check_field(field, context.get(field.name), warnings)?;
    }
    check_selections(context, warnings);
    check_tasks(context, warnings);
    Ok(())
}

/// An alias takes the table's name and keeps its position; beside the table's name it is dropped.
fn rename(field: &Field, context: &mut IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    for alias in field.aliases {
        let Some(position) = context.get_index_of(*alias) else {
            continue;
        };
        warnings.push(Warning::new(place(field), Oddity::Alias(alias)));
        let Some((_, value)) = context.shift_remove_index(position) else {
            continue;
        };
        if !context.contains_key(field.name) {
            context.shift_insert(position, field.name.to_owned(), value);
        }
    }
}

fn check_field(field: &Field, value: Option<&Json>, warnings: &mut Vec<Warning>) -> Result<(), RequestError> {
    match (value, field.need) {
        (Some(value), _) if !value.is_null() => check_value(field, value, warnings),
        (_, Need::Optional) => Ok(()),
        (_, Need::Required) => Err(at(field, Problem::Missing)),
        (_, Need::Expected) => {
            warnings.push(Warning::new(place(field), Oddity::Missing));
            Ok(())
        }
    }
}

fn check_value(field: &Field, value: &Json, warnings: &mut Vec<Warning>) -> Result<(), RequestError> {
    let problem = match field.kind {
        Kind::Id => string(value).and_then(|text| if is_id(&text) { Ok(()) } else { Err(Problem::NotAnId) }),
        Kind::Reference => string(value).and_then(|text| reference(&text).map(|_| ())),
        Kind::References => references(value),
        Kind::Bundle => of_type(value, "Bundle"),
        Kind::User(types) => return check_user(field, types, value, warnings),
        Kind::Resource(name) => return check_resource(field, name, value, warnings),
        Kind::Resources(name) => return check_resources(field, name, value),
    };
    problem.map_err(|problem| at(field, problem))
}

fn check_user(field: &Field, types: &[&str], value: &Json, warnings: &mut Vec<Warning>) -> Result<(), RequestError> {
    let text = string(value).map_err(|problem| at(field, problem))?;
    let (user_type, _) = reference(&text).map_err(|problem| at(field, problem))?;
    if !types.contains(&user_type) {
        warnings.push(Warning::new(place(field), Oddity::UserType));
    }
    Ok(())
}

fn check_resource(
    field: &Field,
    name: &'static str,
    value: &Json,
    warnings: &mut Vec<Warning>,
) -> Result<(), RequestError> {
    if of_type(value, name).is_ok() {
        return Ok(());
    }
    if of_type(value, "Bundle").is_ok() || entry_holds(value, name) {
        warnings.push(Warning::new(place(field), Oddity::Wrapped));
        return Ok(());
    }
    Err(at(field, Problem::NotOfType(name)))
}

fn check_resources(field: &Field, name: &'static str, value: &Json) -> Result<(), RequestError> {
    let items: Vec<Json> = serde_json::from_str(value.as_str()).map_err(|_| at(field, Problem::NotAnArray))?;
    for (position, item) in items.iter().enumerate() {
        of_type(item, name).map_err(|problem| RequestError::at(format!("{}[{position}]", place(field)), problem))?;
    }
    Ok(())
}

/// order-select: "the selections field references FHIR resources in the draftOrders Bundle".
fn check_selections(context: &IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    let (Some(selections), Some(orders)) = (context.get("selections"), context.get("draftOrders")) else {
        return;
    };
    let selections: Vec<String> = serde_json::from_str(selections.as_str()).unwrap_or_default();
    let bundle: Bundle = serde_json::from_str(orders.as_str()).unwrap_or_default();
    let known: HashSet<String> = bundle.entry.into_iter().filter_map(Entry::reference).collect();
    if selections.iter().any(|selection| !known.contains(selection)) {
        warnings.push(Warning::new("context.selections", Oddity::Dangling));
    }
}

/// order-dispatch: each task "SHALL reference one of the dispatchedOrders". Vendors can still use the rest of the call.
fn check_tasks(context: &IndexMap<String, Json>, warnings: &mut Vec<Warning>) {
    let (Some(orders), Some(tasks)) = (context.get("dispatchedOrders"), context.get("fulfillmentTasks")) else {
        return;
    };
    let orders: HashSet<String> = serde_json::from_str(orders.as_str()).unwrap_or_default();
    let tasks: Vec<Task> = serde_json::from_str(tasks.as_str()).unwrap_or_default();
    let dangling = |task: &Task| task.focus.reference.as_ref().is_none_or(|focus| !orders.contains(focus));
    if tasks.iter().any(dangling) {
        warnings.push(Warning::new("context.fulfillmentTasks", Oddity::Dangling));
    }
}

#[derive(Deserialize, Default)]
struct Bundle {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    resource: Option<Head>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
    id: Option<String>,
}

impl Entry {
    fn reference(self) -> Option<String> {
        let head = self.resource?;
        Some(format!("{}/{}", head.resource_type?, head.id?))
    }
}

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    focus: Focus,
}

#[derive(Deserialize, Default)]
struct Focus {
    reference: Option<String>,
}

fn place(field: &Field) -> String {
    format!("context.{}", field.name)
}

fn at(field: &Field, problem: Problem) -> RequestError {
    RequestError::at(place(field), problem)
}

fn string(value: &Json) -> Result<String, Problem> {
    let text: String = serde_json::from_str(value.as_str()).map_err(|_| Problem::NotAString)?;
    if text.is_empty() { Err(Problem::Empty) } else { Ok(text) }
}

fn references(value: &Json) -> Result<(), Problem> {
    let items: Vec<String> = serde_json::from_str(value.as_str()).map_err(|_| Problem::NotAnArray)?;
    if items.is_empty() {
        return Err(Problem::NotAnArray);
    }
    items.iter().try_for_each(|item| reference(item).map(|_| ()))
}

fn of_type(value: &Json, name: &'static str) -> Result<(), Problem> {
    match resource_type(value) {
        Some(found) if found == name => Ok(()),
        _ => Err(Problem::NotOfType(name)),
    }
}

/// `{"resource": {…}}`, as in the R4 example of allergyintolerance-create.
fn entry_holds(value: &Json, name: &str) -> bool {
    let entry: Option<Entry> = serde_json::from_str(value.as_str()).ok();
    entry.and_then(|entry| entry.resource).and_then(|head| head.resource_type).is_some_and(|found| found == name)
}

/// `Type/id`, split.
pub(crate) fn reference(text: &str) -> Result<(&str, &str), Problem> {
    match text.split_once('/') {
        Some((name, id)) if is_resource_type(name) && is_id(id) => Ok((name, id)),
        _ => Err(Problem::NotAReference),
    }
}
