//! Reading a template: the URL around the tokens.

use medvan_profiles::fhir::{is_id, is_resource_type};

use super::{
    Form, Parameter, Part, Template,
    error::{Problem, TemplateError},
    expression::Expression,
    query::normalize,
};

/// Bytes in a template.
const BYTES: usize = 4096;
/// Tokens in a template.
const TOKENS: usize = 16;

pub(super) fn read(text: &str) -> Result<Template, TemplateError> {
    if text.len() > BYTES {
        return Err(Problem::TooLong.at(BYTES));
    }
    let (parts, text) = parts(text)?;
    let form = form(parts)?;
    Ok(Template { text, form })
}

/// The text cut into literals and tokens, and the text with its tokens trimmed.
fn parts(text: &str) -> Result<(Vec<Part>, String), TemplateError> {
    let (mut parts, mut trimmed, mut position) = (Vec::new(), String::with_capacity(text.len()), 0);
    while let Some(offset) = text[position..].find("{{") {
        let open = position + offset;
        push_literal(&mut parts, &text[position..open], position)?;
        let (expression, end) = Expression::read(text, open + 2)?;
        parts.push(Part::Token(expression));
        trimmed.extend([&text[position..open], "{{", text[open + 2..end - 2].trim(), "}}"]);
        position = end;
    }
    push_literal(&mut parts, &text[position..], position)?;
    trimmed.push_str(&text[position..]);
    match parts.iter().filter(|part| part.token().is_some()).count() {
        count if count > TOKENS => Err(Problem::TooManyTokens.at(0)),
        _ => Ok((parts, trimmed)),
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &str, position: usize) -> Result<(), TemplateError> {
    if let Some(offset) = literal.find("}}") {
        return Err(Problem::Unbalanced.at(position + offset));
    }
    if let Some(offset) = literal.find(['#', '\\', '{', '}']) {
        return Err(Problem::NotRelative.at(position + offset));
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal.to_owned()));
    }
    Ok(())
}

fn form(parts: Vec<Part>) -> Result<Form, TemplateError> {
    let (path, query) = split_first(parts, '?');
    match query {
        Some(query) => Ok(Form::Search { resource_type: searched_type(&path)?, parameters: parameters(query)? }),
        None => read_form(path),
    }
}

fn read_form(path: Vec<Part>) -> Result<Form, TemplateError> {
    let mut path = path.into_iter();
    match (path.next(), path.next(), path.next()) {
        (Some(id @ Part::Token(_)), None, _) => Ok(Form::Read { resource_type: None, id }),
        (Some(Part::Literal(prefix)), Some(id @ Part::Token(_)), None) => {
            let name = prefix.strip_suffix('/').filter(|name| is_resource_type(name));
            let name = name.ok_or_else(|| not_a_path(&prefix))?;
            Ok(Form::Read { resource_type: Some(name.to_owned()), id })
        }
        (Some(Part::Literal(whole)), None, _) => match whole.split_once('/') {
            Some((name, id)) if is_resource_type(name) && is_id(id) => {
                Ok(Form::Read { resource_type: Some(name.to_owned()), id: Part::Literal(id.to_owned()) })
            }
            _ => Err(not_a_path(&whole)),
        },
        _ => Err(Problem::NotReadOrSearch.at(0)),
    }
}

fn searched_type(path: &[Part]) -> Result<String, TemplateError> {
    match path {
        [Part::Literal(name)] if is_resource_type(name) => Ok(name.clone()),
        [Part::Literal(other), ..] => Err(not_a_path(other)),
        _ => Err(Problem::NotReadOrSearch.at(0)),
    }
}

fn not_a_path(path: &str) -> TemplateError {
    if path.starts_with('/') || path.contains(':') {
        Problem::NotRelative.at(0)
    } else {
        Problem::NotReadOrSearch.at(0)
    }
}

fn parameters(query: Vec<Part>) -> Result<Vec<Parameter>, TemplateError> {
    let parameters = split(query, '&').into_iter().filter(|parts| !parts.is_empty());
    let parameters = parameters.map(parameter).collect::<Result<Vec<_>, _>>()?;
    if parameters.is_empty() { Err(Problem::NoParameters.at(0)) } else { Ok(parameters) }
}

fn parameter(parts: Vec<Part>) -> Result<Parameter, TemplateError> {
    let (name, value) = split_first(parts, '=');
    let name = match name.as_slice() {
        [Part::Literal(name)] => normalize(name),
        _ => return Err(Problem::TokenInName.at(0)),
    };
    let value = value.ok_or(Problem::NoParameters.at(0))?;
    let normal = |part| match part {
        Part::Literal(text) => Part::Literal(normalize(&text)),
        token @ Part::Token(_) => token,
    };
    Ok(Parameter { name, value: value.into_iter().map(normal).collect() })
}

/// Cuts at the first `mark` that stands outside a token.
fn split_first(parts: Vec<Part>, mark: char) -> (Vec<Part>, Option<Vec<Part>>) {
    let (mut before, mut after) = (Vec::new(), None::<Vec<Part>>);
    for part in parts {
        match (&mut after, part) {
            (Some(after), part) => after.push(part),
            (None, Part::Literal(text)) => match text.split_once(mark) {
                Some((left, right)) => {
                    before.extend(literal(left));
                    after = Some(literal(right).into_iter().collect());
                }
                None => before.push(Part::Literal(text)),
            },
            (None, token) => before.push(token),
        }
    }
    (before, after)
}

fn split(parts: Vec<Part>, mark: char) -> Vec<Vec<Part>> {
    let (mut pieces, mut rest) = (Vec::new(), Some(parts));
    while let Some(parts) = rest {
        let (before, after) = split_first(parts, mark);
        pieces.push(before);
        rest = after;
    }
    pieces
}

fn literal(text: &str) -> Option<Part> {
    (!text.is_empty()).then(|| Part::Literal(text.to_owned()))
}
