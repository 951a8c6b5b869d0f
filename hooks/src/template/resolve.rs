//! From a template to the query of one call.
//!
//! Everything substituted is either an id or encoded, so that a value from a call can never add a parameter, leave the path
//! or change another value (item 29; a client that replaces raw text corrupts the query at `&` or `$`).

use std::fmt;

use medvan_profiles::fhir::{is_id, is_resource_type};
use serde::Serialize;

use super::{
    Form, Parameter, Part, date,
    expression::{Expression, Root, Step, Term},
    path::Walk,
    query::{self, Query},
    scope::{Known, Scope},
};

/// Values that one token may stand for.
const VALUES: usize = 200;
/// Bytes of a query; longer ones are refused by common servers.
const QUERY_BYTES: usize = 6000;

/// What became of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The query to make.
    Query(Query),
    /// There is none for this call.
    Unresolvable(Unresolvable),
    /// It needs the result under another key first.
    Waiting,
}

/// Why there is no query for this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unresolvable {
    /// The call does not hold the context field.
    NoSuchField,
    /// The current user is of another type, or there is none.
    OtherUser,
    /// The path leads to nothing: there is nothing to ask for.
    Empty,
    /// The path leads to something that is no simple value.
    NotSimple,
    /// A value cannot stand where the template puts it.
    NotAnId,
    /// The path looks into a resource that the call refers to and does not hold.
    NotAtHand,
    /// More values or a longer query than servers take.
    TooMany,
    /// The key it depends on is not known, or does not exist.
    Dependency,
    /// The date cannot be written.
    NoSuchDay,
}

impl fmt::Display for Unresolvable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchField => "the call does not hold the context field that the template names",
            Self::OtherUser => "the current user is not of the type that the template asks for",
            Self::Empty => "the template's path leads to nothing in this call",
            Self::NotSimple => "the template's path does not lead to a simple value",
            Self::NotAnId => "a value cannot stand where the template puts it",
            Self::NotAtHand => "the template looks into a resource that the call only refers to",
            Self::TooMany => "the template stands for more values than a query can hold",
            Self::Dependency => "the prefetch key that the template depends on is not known",
            Self::NoSuchDay => "the template's date cannot be written",
        })
    }
}

/// Why there is no query: for good, or not yet.
enum Halt {
    Unresolvable(Unresolvable),
    Waiting,
}

impl From<Unresolvable> for Halt {
    fn from(reason: Unresolvable) -> Self {
        Self::Unresolvable(reason)
    }
}

pub(super) fn resolve<'v>(form: &Form, scope: &'v Scope<'v>, keys: &dyn Fn(&str) -> Known<'v>) -> Resolution {
    let outcome = match form {
        Form::Read { resource_type, id } => read(resource_type.as_deref(), id, scope, keys),
        Form::Search { resource_type, parameters } => search(resource_type, parameters, scope, keys),
    };
    match outcome {
        Ok(query) if query.as_str().len() > QUERY_BYTES => Resolution::Unresolvable(Unresolvable::TooMany),
        Ok(query) => Resolution::Query(query),
        Err(Halt::Unresolvable(reason)) => Resolution::Unresolvable(reason),
        Err(Halt::Waiting) => Resolution::Waiting,
    }
}

fn read<'v>(
    resource_type: Option<&str>,
    id: &Part,
    scope: &'v Scope<'v>,
    keys: &dyn Fn(&str) -> Known<'v>,
) -> Result<Query, Halt> {
    let values = match id {
        Part::Literal(id) => vec![id.clone()],
        Part::Token(expression) => values(expression, scope, keys)?,
    };
    let [value] = values.as_slice() else {
        return Err(Unresolvable::TooMany.into());
    };
    let (found, id) = match value.split_once('/') {
        Some((found, id)) => (Some(found), id),
        None => (None, value.as_str()),
    };
    let name = match (resource_type, found) {
        (Some(wanted), Some(found)) if wanted != found => {
            return Err(Unresolvable::OtherUser.into());
        }
        (wanted, found) => wanted.or(found).filter(|name| is_resource_type(name)),
    };
    match name {
        Some(name) if is_id(id) => Ok(Query::read(name, id)),
        _ => Err(Unresolvable::NotAnId.into()),
    }
}

fn search<'v>(
    resource_type: &str,
    parameters: &[Parameter],
    scope: &'v Scope<'v>,
    keys: &dyn Fn(&str) -> Known<'v>,
) -> Result<Query, Halt> {
    let mut resolved = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let expected = if parameter.name == "_id" { Some(resource_type) } else { None };
        resolved.push((parameter.name.as_str(), parameter_value(parameter, expected, scope, keys)?));
    }
    Ok(Query::search(resource_type, resolved))
}

/// The value of one parameter. `ids_of` is the type whose ids it takes.
fn parameter_value<'v>(
    parameter: &Parameter,
    ids_of: Option<&str>,
    scope: &'v Scope<'v>,
    keys: &dyn Fn(&str) -> Known<'v>,
) -> Result<String, Halt> {
    let mut written = String::new();
    for part in &parameter.value {
        match part {
            Part::Literal(text) => written.push_str(text),
            Part::Token(expression) => {
                let values = values(expression, scope, keys)?;
                let values = match ids_of.or_else(|| type_before(&written)) {
                    Some(wanted) => ids(values, wanted)?,
                    None => values,
                };
                written.push_str(&joined(&values)?);
            }
        }
    }
    Ok(written)
}

/// `Practitioner/` before a token that holds `Practitioner/1`: an old trap of templates with `context.userId` (docs#520).
fn type_before(written: &str) -> Option<&str> {
    let name = written.strip_suffix('/')?;
    let name = name.rsplit(['/', ',', '|']).next()?;
    is_resource_type(name).then_some(name)
}

/// References to the wanted type as ids; references to other types cannot be among the matches and fall away.
fn ids(values: Vec<String>, wanted: &str) -> Result<Vec<String>, Unresolvable> {
    let own = values.into_iter().filter_map(|value| match value.split_once('/') {
        Some((found, id)) if found == wanted => Some(id.to_owned()),
        Some(_) => None,
        None => Some(value),
    });
    let ids: Vec<String> = own.collect();
    if ids.is_empty() {
        return Err(Unresolvable::Empty);
    }
    if ids.iter().all(|id| is_id(id)) { Ok(ids) } else { Err(Unresolvable::NotAnId) }
}

fn joined(values: &[String]) -> Result<String, Unresolvable> {
    let is_plain = |value: &String| (1..=256).contains(&value.len()) && !value.contains(char::is_control);
    if !values.iter().all(is_plain) {
        return Err(Unresolvable::NotAnId);
    }
    Ok(values.iter().map(|value| query::encode(value)).collect::<Vec<_>>().join(","))
}

/// The distinct values of a token, in the order found.
fn values<'v>(
    expression: &Expression,
    scope: &'v Scope<'v>,
    keys: &dyn Fn(&str) -> Known<'v>,
) -> Result<Vec<String>, Halt> {
    let mut values = Vec::new();
    let mut nothing = Unresolvable::Empty;
    for term in &expression.0 {
        match term_values(term, scope, keys) {
            Ok(found) => found.into_iter().for_each(|value| push_new(&mut values, value)),
            // A union is still good when one of its sides has nothing to say.
            Err(Halt::Unresolvable(
                reason @ (Unresolvable::NoSuchField | Unresolvable::OtherUser | Unresolvable::Empty),
            )) => {
                nothing = reason;
            }
            Err(halt) => return Err(halt),
        }
        if values.len() > VALUES {
            return Err(Unresolvable::TooMany.into());
        }
    }
    if values.is_empty() { Err(nothing.into()) } else { Ok(values) }
}

fn push_new(values: &mut Vec<String>, value: String) {
    if values.len() <= VALUES && !values.contains(&value) {
        values.push(value);
    }
}

fn term_values<'v>(term: &Term, scope: &'v Scope<'v>, keys: &dyn Fn(&str) -> Known<'v>) -> Result<Vec<String>, Halt> {
    let (root, steps) = match term {
        Term::User(resource_type) => {
            let id = scope.user(resource_type).ok_or(Unresolvable::OtherUser)?;
            return if is_id(id) { Ok(vec![id.to_owned()]) } else { Err(Unresolvable::NotAnId.into()) };
        }
        Term::Day(days) => {
            return Ok(vec![date::written(scope.today(), *days).ok_or(Unresolvable::NoSuchDay)?]);
        }
        Term::Path(Root::Key(key), steps) => match keys(key) {
            Known::Value(value) => (value, steps.as_slice()),
            Known::Nothing => return Err(Unresolvable::Dependency.into()),
            Known::NotYet => return Err(Halt::Waiting),
        },
        Term::Path(Root::Context, steps) => context_root(steps, scope)?,
    };
    let items = Walk::new(scope, root).run(steps)?;
    items.iter().map(|item| item.written().map_err(Halt::from)).collect()
}

fn context_root<'v, 's>(
    steps: &'s [Step],
    scope: &'v Scope<'v>,
) -> Result<(&'v serde_json::Value, &'s [Step]), Unresolvable> {
    match steps.split_first() {
        Some((Step::Member(field), rest)) => Ok((scope.field(field).ok_or(Unresolvable::NoSuchField)?, rest)),
        _ => Err(Unresolvable::NoSuchField),
    }
}
