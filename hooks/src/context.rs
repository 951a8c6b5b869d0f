//! `context` against the hook's published table (section 2 of the hooks' pages).
//!
//! Extra fields pass: hooks may add fields (item 62), and a vendor may know them. Names that the standard's own examples
//! use instead of the table's are taken and renamed, so that a vendor only ever sees the table's names.

use indexmap::IndexMap;
use medvan_profiles::{
    Json,
    fhir::{is_id, is_resource_type},
};

mod references;
mod warning;

pub use warning::{Oddity, Warning};

use references::Entry;

use crate::{
    hook::{Field, Hook, Kind, Need},
    prefetch::resource_type,
    request::{Problem, RequestError},
};

/// Checks the context of a published hook, and renames aliased fields.
pub(crate) fn check(
    hook: &str,
    context: &mut IndexMap<String, Json>,
    warnings: &mut Vec<Warning>,
) -> Result<(), RequestError> {
    // "JSON elements SHALL NOT be null": some senders write it for what they leave out, and no service shall see it.
    context.retain(|_, value| !value.is_null());
    let Some(hook) = Hook::find(hook) else {
        return Ok(());
    };
    if let Some(replacement) = hook.replaced_by {
        warnings.push(Warning::new("hook", Oddity::Deprecated(replacement)));
    }
    for field in hook.fields {
        rename(field, context, warnings);
        leave_out_if_empty(field, context);
        check_field(field, context.get(field.name), warnings)?;
    }
    references::check(context, warnings);
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

/// A list without tasks says that there are none; "empty" is written by leaving it out.
fn leave_out_if_empty(field: &Field, context: &mut IndexMap<String, Json>) {
    let is_empty = |value: &Json| serde_json::from_str::<[(); 0]>(value.as_str()).is_ok();
    if matches!(field.kind, Kind::Resources(_)) && context.get(field.name).is_some_and(is_empty) {
        context.shift_remove(field.name);
    }
}

fn check_field(field: &Field, value: Option<&Json>, warnings: &mut Vec<Warning>) -> Result<(), RequestError> {
    match (value, field.need) {
        (Some(value), _) => check_value(field, value, warnings),
        (None, Need::Optional) => Ok(()),
        (None, Need::Required) => Err(at(field, Problem::Missing)),
        (None, Need::Expected) => {
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
        Kind::Resource(types) => return check_resource(field, types, value, warnings),
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
    types: &'static [&'static str],
    value: &Json,
    warnings: &mut Vec<Warning>,
) -> Result<(), RequestError> {
    let is_one_of = |found: &str| types.contains(&found);
    if resource_type(value).is_some_and(|found| is_one_of(&found)) {
        return Ok(());
    }
    if of_type(value, "Bundle").is_ok() || type_in_entry(value).is_some_and(|found| is_one_of(&found)) {
        warnings.push(Warning::new(place(field), Oddity::Wrapped));
        return Ok(());
    }
    Err(at(field, Problem::NotOfType(types.first().copied().unwrap_or("resource"))))
}

fn check_resources(field: &Field, name: &'static str, value: &Json) -> Result<(), RequestError> {
    let items: Vec<Json> = serde_json::from_str(value.as_str()).map_err(|_| at(field, Problem::NotAnArray))?;
    for (position, item) in items.iter().enumerate() {
        of_type(item, name).map_err(|problem| RequestError::at(format!("{}[{position}]", place(field)), problem))?;
    }
    Ok(())
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
fn type_in_entry(value: &Json) -> Option<String> {
    if !value.is_object() {
        return None;
    }
    let entry: Entry = serde_json::from_str(value.as_str()).ok()?;
    entry.resource?.resource_type
}

/// `Type/id`, split.
pub(crate) fn reference(text: &str) -> Result<(&str, &str), Problem> {
    match text.split_once('/') {
        Some((name, id)) if is_resource_type(name) && is_id(id) => Ok((name, id)),
        _ => Err(Problem::NotAReference),
    }
}
