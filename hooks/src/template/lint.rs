//! What is legal in a template and yet will not work everywhere.
//!
//! The standard recommends a subset of search ("Prefetch query restrictions", item 28): only what every server does. The
//! gateway publishes subset-clean templates to an EHR and makes the other queries itself.

use super::{
    Form, Parameter, Part, Template,
    expression::{Expression, Root, Step, Term},
};
use crate::Hook;

/// One remark, for the vendor at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The parameter or token.
    pub place: String,
    /// Why it is remarked.
    pub reason: &'static str,
    /// What to write instead.
    pub mend: &'static str,
    /// Whether a client that keeps to the recommended subset cannot do it.
    pub outside_subset: bool,
}

pub(super) fn lint(template: &Template, hook: Option<&Hook>) -> Vec<Lint> {
    let mut lints: Vec<Lint> = template.tokens().filter_map(|token| token_lint(token, hook)).collect();
    if let Form::Search { parameters, .. } = &template.form {
        lints.extend(parameters.iter().filter_map(parameter_lint));
        if template.tokens().next().is_none() {
            lints.push(about_nobody());
        }
    }
    lints
}

fn token_lint(token: &Expression, hook: Option<&Hook>) -> Option<Lint> {
    if !token.is_plain() {
        let place = first_name(token).to_owned();
        return Some(outside(
            place,
            "FHIRPath, dates and %key are of 3.0",
            "nothing, if the gateway may resolve it itself",
        ));
    }
    let [Term::Path(Root::Context, steps)] = token.0.as_slice() else {
        return None;
    };
    let [Step::Member(name)] = steps.as_slice() else {
        return None;
    };
    let field = hook?.field(name);
    if field.is_some_and(|field| field.token) {
        return None;
    }
    let reason = if field.is_some() {
        "the hook does not offer this field as a token"
    } else {
        "the hook's table has no such field"
    };
    Some(outside(format!("context.{name}"), reason, "a field that the hook's table marks as a prefetch token"))
}

fn first_name(token: &Expression) -> &str {
    match token.0.first() {
        Some(Term::Path(Root::Key(key), _)) => key,
        Some(Term::Path(Root::Context, _)) => "context",
        Some(Term::Day(_)) => "today()",
        Some(Term::User(name)) => name,
        None => "",
    }
}

fn parameter_lint(parameter: &Parameter) -> Option<Lint> {
    let (name, modifier) = match parameter.name.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (parameter.name.as_str(), None),
    };
    let place = parameter.name.clone();
    match (name, modifier) {
        ("sort" | "_sort", Some(_)) | ("sort", None) => {
            Some(outside(place, "was the spelling of sorting before R4", "_sort=-date"))
        }
        ("_count" | "_sort" | "_maxresults" | "_id" | "_lastUpdated", None) => date_lint(parameter),
        (name, _) if name.starts_with('_') => Some(outside(
            place,
            "is not in the recommended subset of search",
            "a template of its own for what it would add",
        )),
        (name, _) if name.contains('.') => Some(outside(
            place,
            "chained parameters are not in the recommended subset",
            "a reference or token parameter of the resource itself",
        )),
        (_, Some(modifier)) if modifier != "in" => {
            Some(outside(place, "of the modifiers only :in is in the recommended subset", "an equality"))
        }
        _ => date_lint(parameter),
    }
}

/// Of the date prefixes, the subset has `eq lt gt ge le`.
fn date_lint(parameter: &Parameter) -> Option<Lint> {
    let Some(Part::Literal(start)) = parameter.value.first() else {
        return None;
    };
    let rest = ["ne", "sa", "eb", "ap"].iter().find_map(|prefix| start.strip_prefix(prefix))?;
    let is_date =
        rest.starts_with(|first: char| first.is_ascii_digit()) || (rest.is_empty() && parameter.value.len() > 1);
    is_date.then(|| {
        outside(
            parameter.name.clone(),
            "of the date prefixes only eq, lt, gt, ge and le are in the recommended subset",
            "one of those",
        )
    })
}

fn about_nobody() -> Lint {
    Lint {
        place: "?".to_owned(),
        reason: "nothing binds the search to the call: it could answer with any patient's data",
        mend: "patient={{context.patientId}}",
        outside_subset: false,
    }
}

fn outside(place: String, reason: &'static str, mend: &'static str) -> Lint {
    Lint { place, reason, mend, outside_subset: true }
}
