//! Reading the inside of a token, one character after the other. Every loop and every nesting is bounded.

use super::{
    error::{Problem, TemplateError},
    expression::{Root, Step, Term},
};

/// Steps in one path.
const STEPS: usize = 32;
/// Nested `where()`.
const DEPTH: usize = 8;
/// Days from today, a century.
const DAYS: i32 = 36_525;

const USERS: [(&str, &str); 4] = [
    ("userPractitionerRoleId", "PractitionerRole"),
    ("userPractitionerId", "Practitioner"),
    ("userPatientId", "Patient"),
    ("userRelatedPersonId", "RelatedPerson"),
];

/// A position in a template, inside a token.
pub(super) struct Cursor<'t> {
    text: &'t str,
    position: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, position: usize) -> Self {
        Self { text, position }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn term(&mut self) -> Result<Term, TemplateError> {
        self.space();
        let start = self.position;
        if self.skip("%") {
            let key = self.key()?;
            let steps = self.steps()?;
            return if key == "context" {
                Err(Problem::PercentContext.at(start))
            } else {
                Ok(Term::Path(Root::Key(key), steps))
            };
        }
        match self.word() {
            "context" => Ok(Term::Path(Root::Context, self.context_steps()?)),
            "today" => self.day(),
            name => match USERS.iter().find(|(user, _)| *user == name) {
                Some((_, resource_type)) => Ok(Term::User(resource_type)),
                None => Err(Problem::UnknownToken.at(start)),
            },
        }
    }

    fn day(&mut self) -> Result<Term, TemplateError> {
        self.call_end()?;
        let sign = match (self.skip("+"), self.skip("-")) {
            (true, _) => 1,
            (_, true) => -1,
            _ => return Ok(Term::Day(0)),
        };
        let number = i32::try_from(self.number()?).ok().filter(|days| *days <= DAYS);
        let days = number.ok_or_else(|| self.fail(Problem::Expected("a number of days up to a century")))?;
        self.space();
        match self.word() {
            "days" | "day" => Ok(Term::Day(sign * days)),
            _ => Err(self.fail(Problem::Expected("the unit days"))),
        }
    }

    /// `context` alone is nothing that could stand in a query.
    fn context_steps(&mut self) -> Result<Vec<Step>, TemplateError> {
        let steps = self.steps()?;
        match steps.first() {
            Some(Step::Member(_)) => Ok(steps),
            _ => Err(self.fail(Problem::Expected("a field of the context"))),
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>, TemplateError> {
        let mut steps = Vec::new();
        while let Some(step) = self.next_step(0)? {
            steps.push(step);
            if steps.len() > STEPS {
                return Err(self.fail(Problem::TooComplex));
            }
        }
        Ok(steps)
    }

    fn next_step(&mut self, depth: usize) -> Result<Option<Step>, TemplateError> {
        if self.skip("[") {
            let index = self.number()?;
            self.expect("]", Problem::Expected("]"))?;
            return Ok(Some(Step::Index(index)));
        }
        if self.skip(".") { self.step(depth).map(Some) } else { Ok(None) }
    }

    fn step(&mut self, depth: usize) -> Result<Step, TemplateError> {
        self.space();
        let start = self.position;
        if self.text[start..].starts_with('`') {
            return Ok(Step::Member(self.quoted('`')?));
        }
        let name = self.word();
        match (name, self.skip("(")) {
            ("", _) => Err(Problem::Expected("the name of an element").at(start)),
            (name, false) => Ok(Step::Member(name.to_owned())),
            ("where", true) => self.condition(depth + 1),
            ("ofType", true) => self.of_type(),
            ("extension", true) => self.extension(),
            (name, true) => {
                let step = match name {
                    "resolve" => Step::Resolve,
                    "exists" => Step::Exists,
                    "first" => Step::First,
                    _ => return Err(Problem::UnknownFunction.at(start)),
                };
                self.expect(")", Problem::Expected(")"))?;
                Ok(step)
            }
        }
    }

    fn of_type(&mut self) -> Result<Step, TemplateError> {
        self.space();
        let start = self.position;
        let name = self.word();
        if !medvan_profiles::fhir::is_resource_type(name) {
            return Err(Problem::Expected("a FHIR resource type").at(start));
        }
        self.expect(")", Problem::Expected(")"))?;
        Ok(Step::OfType(name.to_owned()))
    }

    fn extension(&mut self) -> Result<Step, TemplateError> {
        self.space();
        let url = self.quoted('\'')?;
        self.expect(")", Problem::Expected(")"))?;
        Ok(Step::Extension(url))
    }

    fn condition(&mut self, depth: usize) -> Result<Step, TemplateError> {
        if depth > DEPTH {
            return Err(self.fail(Problem::TooComplex));
        }
        let mut steps = vec![self.step(depth)?];
        while let Some(step) = self.next_step(depth)? {
            steps.push(step);
            if steps.len() > STEPS {
                return Err(self.fail(Problem::TooComplex));
            }
        }
        let text = if self.skip("=") { Some(self.text_literal()?) } else { None };
        if text.is_none() && steps.last() != Some(&Step::Exists) {
            return Err(self.fail(Problem::Expected("= 'text' or exists()")));
        }
        self.expect(")", Problem::Expected(")"))?;
        Ok(Step::Where(steps, text))
    }

    fn text_literal(&mut self) -> Result<String, TemplateError> {
        self.space();
        self.quoted('\'')
    }

    /// A key may hold what JSON names hold in practice; another one is written in backticks.
    fn key(&mut self) -> Result<String, TemplateError> {
        if self.text[self.position..].starts_with('`') {
            return self.quoted('`');
        }
        let key = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if key.is_empty() {
            Err(self.fail(Problem::Expected("the name of a prefetch key")))
        } else {
            Ok(key.to_owned())
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, TemplateError> {
        let start = self.position;
        let mut characters = self.text[start..].char_indices();
        if characters.next() != Some((0, quote)) {
            return Err(self.fail(Problem::Expected("a text in single quotes")));
        }
        let mut text = String::new();
        while let Some((offset, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                end if end == quote => {
                    self.position = start + offset + quote.len_utf8();
                    return Ok(text);
                }
                other => text.push(other),
            }
        }
        Err(self.fail(Problem::Expected("a closing quote")))
    }

    fn call_end(&mut self) -> Result<(), TemplateError> {
        self.expect("(", Problem::Expected("()"))?;
        self.expect(")", Problem::Expected("()"))
    }

    fn number(&mut self) -> Result<usize, TemplateError> {
        self.space();
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        digits.parse().map_err(|_| self.fail(Problem::Expected("a number")))
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'t str {
        let rest = &self.text[self.position..];
        let length = rest.bytes().position(|byte| !keep(byte)).unwrap_or(rest.len());
        self.position += length;
        &rest[..length]
    }

    pub(super) fn skip(&mut self, wanted: &str) -> bool {
        self.space();
        let found = self.text[self.position..].starts_with(wanted);
        if found {
            self.position += wanted.len();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: &str, problem: Problem) -> Result<(), TemplateError> {
        if self.skip(wanted) { Ok(()) } else { Err(self.fail(problem)) }
    }

    fn space(&mut self) {
        self.take_while(|byte| byte == b' ' || byte == b'\t');
    }

    pub(super) fn fail(&self, problem: Problem) -> TemplateError {
        problem.at(self.position)
    }
}
