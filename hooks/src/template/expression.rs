//! The inside of a token: what 2.0 allows and the FHIRPath subset of 3.0.
//!
//! ```text
//! expression = term *( "|" term )
//! term       = "userPractitionerId" / "userPractitionerRoleId" / "userPatientId" / "userRelatedPersonId"
//!            / "today()" [ ("+" / "-") number "days" ]
//!            / ("context" / "%" key) *( "." step / "[" number "]" )
//! step       = name / "ofType(" type ")" / "resolve()" / "extension('" url "')" / "first()" / "exists()"
//!            / "where(" *step [ "=" "'" text "'" ] ")"
//! ```

use super::{
    cursor::Cursor,
    error::{Problem, TemplateError},
};

/// Paths in one expression.
const TERMS: usize = 8;

/// The union of its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression(pub(super) Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Term {
    /// The id of the user, if the user is of this type.
    User(&'static str),
    /// Today and so many days.
    Day(i32),
    Path(Root, Vec<Step>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    Context,
    /// The result under another prefetch key.
    Key(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    OfType(String),
    Resolve,
    Extension(String),
    /// Keeps the items for which the path leads to the text, or, without one, to `true`.
    Where(Vec<Step>, Option<String>),
    Exists,
    First,
    Index(usize),
}

impl Expression {
    /// Reads one token of `text` from just behind its `{{`; also gives the position behind its `}}`.
    pub(super) fn read(text: &str, start: usize) -> Result<(Self, usize), TemplateError> {
        let mut cursor = Cursor::new(text, start);
        let mut terms = vec![cursor.term()?];
        while cursor.skip("|") {
            terms.push(cursor.term()?);
        }
        if terms.len() > TERMS {
            return Err(cursor.fail(Problem::TooComplex));
        }
        cursor.expect("}}", Problem::Unbalanced)?;
        Ok((Self(terms), cursor.position()))
    }

    pub(super) fn is_plain(&self) -> bool {
        match self.0.as_slice() {
            [Term::User(_)] => true,
            [Term::Path(Root::Context, steps)] => matches!(steps.as_slice(), [Step::Member(_)]),
            _ => false,
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|term| match term {
            Term::Path(Root::Key(key), _) => Some(key.as_str()),
            Term::Path(Root::Context, _) | Term::User(_) | Term::Day(_) => None,
        })
    }
}
