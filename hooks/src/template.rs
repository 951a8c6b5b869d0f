//! Prefetch templates: a FHIR read or search with tokens in it, and the query that comes of it for one call.
//!
//! 2.0 knows tokens for root context fields and the four kinds of user (item 26); 3.0 adds a subset of FHIRPath, relative
//! dates, and `%key` for the result of another template (item 27). An EHR that speaks 2.0 cannot resolve the latter, so the
//! gateway does. Parsing happens once, when a service is registered, and is bounded; resolving is total and pure: the day
//! of `today()` comes in by parameter.

use std::fmt;

mod cursor;
mod date;
mod error;
mod expression;
mod item;
mod lint;
mod path;
mod query;
mod read;
mod resolve;
mod scope;
mod set;
#[cfg(test)]
mod tests;

pub use error::{Problem, TemplateError};
pub use lint::Lint;
pub use query::Query;
pub use resolve::{Resolution, Unresolvable};
pub use scope::{Known, Scope};
pub use set::{Fault, SetFault, parse_all};

use expression::Expression;

/// One template, understood.
#[derive(Clone)]
pub struct Template {
    text: String,
    form: Form,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        read::read(text)
    }

    /// The template as it is published: white space inside its braces is gone.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a client of 2.0 can resolve it: only root context fields and users.
    pub fn is_plain(&self) -> bool {
        self.tokens().all(Expression::is_plain)
    }

    /// Whether the answer is a Bundle of matches rather than one resource.
    pub fn is_search(&self) -> bool {
        matches!(self.form, Form::Search { .. })
    }

    /// The prefetch keys whose results it needs.
    pub fn depends_on(&self) -> impl Iterator<Item = &str> {
        self.tokens().flat_map(Expression::keys)
    }

    /// The query for one call. `keys` tells what is known under the service's other prefetch keys.
    pub fn resolve<'v>(&self, scope: &'v Scope<'v>, keys: &dyn Fn(&str) -> Known<'v>) -> Resolution {
        resolve::resolve(&self.form, scope, keys)
    }

    /// What is legal here and yet will not work with every client or server (item 28).
    pub fn lint(&self, hook: Option<&crate::Hook>) -> Vec<Lint> {
        lint::lint(self, hook)
    }

    fn tokens(&self) -> impl Iterator<Item = &Expression> {
        let (id, parameters) = match &self.form {
            Form::Read { id, .. } => (Some(id), &[][..]),
            Form::Search { parameters, .. } => (None, parameters.as_slice()),
        };
        let parts = parameters.iter().flat_map(|parameter| &parameter.value);
        id.into_iter().chain(parts).filter_map(Part::token)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({})", self.text)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

/// The two interactions a template may ask for.
#[derive(Clone)]
enum Form {
    /// `Patient/{{context.patientId}}`, or a token alone that holds `Type/id`.
    Read { resource_type: Option<String>, id: Part },
    /// `Observation?patient={{context.patientId}}`.
    Search { resource_type: String, parameters: Vec<Parameter> },
}

#[derive(Clone)]
struct Parameter {
    /// With its modifier, as it stands in the URL.
    name: String,
    value: Vec<Part>,
}

#[derive(Clone)]
enum Part {
    /// Text as it stands in the URL.
    Literal(String),
    Token(Expression),
}

impl Part {
    fn token(&self) -> Option<&Expression> {
        match self {
            Self::Token(expression) => Some(expression),
            Self::Literal(_) => None,
        }
    }
}
