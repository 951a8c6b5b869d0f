//! Reading DICOM JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dicom_core::{Tag, VR};
use serde_json::{Map, Value};

use super::unique::Unique;
use crate::{
    attributes::{Attribute, Attributes, Content, Number, parse_tag},
    dataset::{dictionary_vr, parse_vr},
    person_name::PersonName,
};

/// Why a text is no DICOM JSON. It names places, never values.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON, nested deeper than 128, or has a key twice in one object.
    #[error("this is no JSON, is nested too deep or has a key twice: error at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A data set must be an object, several of them an array of objects.
    #[error("a data set must be a JSON object")]
    NotADataSet,
    /// A key is no tag.
    #[error("a key is not eight hexadecimal digits")]
    Key,
    /// A tag is written in two ways in one data set.
    #[error("{0} comes twice")]
    Twice(Tag),
    /// An attribute is not an object, or its VR is none.
    #[error("{0} is not an attribute with a value representation")]
    Attribute(Tag),
    /// A value does not fit its VR.
    #[error("a value of {0} does not fit its value representation")]
    Value(Tag),
}

/// Reads one data set: an object, or an array with one.
///
/// # Errors
/// It is no DICOM JSON.
pub fn parse(text: &[u8]) -> Result<Attributes, JsonError> {
    let mut many = parse_many(text)?;
    match (many.pop(), many.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(JsonError::NotADataSet),
    }
}

/// Reads several data sets: an array of objects, or one object.
///
/// # Errors
/// It is no DICOM JSON.
pub fn parse_many(text: &[u8]) -> Result<Vec<Attributes>, JsonError> {
    // A byte order mark is nothing to fail for (RFC 8259 §8.1).
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let Unique(value) = serde_json::from_slice(text)
        .map_err(|error| JsonError::NotJson { line: error.line(), column: error.column() })?;
    match value {
        Value::Array(values) => values.into_iter().map(data_set).collect(),
        one => Ok(vec![data_set(one)?]),
    }
}

fn data_set(value: Value) -> Result<Attributes, JsonError> {
    let Value::Object(object) = value else { return Err(JsonError::NotADataSet) };
    let mut attributes = Attributes::new();
    for (key, value) in object {
        let tag = parse_tag(&key).ok_or(JsonError::Key)?;
        if attributes.get(tag).is_some() {
            return Err(JsonError::Twice(tag));
        }
        attributes.put(tag, attribute(tag, value)?);
    }
    Ok(attributes)
}

fn attribute(tag: Tag, value: Value) -> Result<Attribute, JsonError> {
    let Value::Object(mut object) = value else { return Err(JsonError::Attribute(tag)) };
    let vr = match object.get("vr") {
        Some(Value::String(vr)) => parse_vr(vr).ok_or(JsonError::Attribute(tag))?,
        Some(_) => return Err(JsonError::Attribute(tag)),
        None => dictionary_vr(tag),
    };
    Ok(Attribute { vr, content: content(tag, vr, &mut object)? })
}

fn content(tag: Tag, vr: VR, object: &mut Map<String, Value>) -> Result<Content, JsonError> {
    if let Some(Value::String(uri)) = object.remove("BulkDataURI") {
        return Ok(Content::Elsewhere(uri));
    }
    if let Some(Value::String(text)) = object.remove("InlineBinary") {
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return STANDARD.decode(text).map(Content::Inline).map_err(|_| JsonError::Value(tag));
    }
    let values = match object.remove("Value") {
        None | Some(Value::Null) => return Ok(Content::Empty),
        Some(Value::Array(values)) => values,
        // Some writers forget the array (HL7's own example does).
        Some(one) => vec![one],
    };
    if values.is_empty() || values.iter().all(|value| value.as_str() == Some("")) {
        return Ok(Content::Empty);
    }
    of_vr(tag, vr, values)
}

fn of_vr(tag: Tag, vr: VR, values: Vec<Value>) -> Result<Content, JsonError> {
    let wrong = || JsonError::Value(tag);
    match vr {
        VR::SQ => values
            .into_iter()
            .map(|value| if value.is_null() { Ok(Attributes::new()) } else { data_set(value) })
            .collect::<Result<_, _>>()
            .map(Content::Items),
        VR::PN => each(values, |value| name(value).ok_or_else(wrong)).map(Content::Names),
        VR::FL | VR::FD | VR::SL | VR::SS | VR::SV | VR::UL | VR::US | VR::UV => {
            each(values, |value| number(vr, &value).ok_or_else(wrong)).map(Content::Numbers)
        }
        VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN => Err(wrong()),
        _ => each(values, |value| match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(wrong()),
        })
        .map(Content::Text),
    }
}

/// Values with their holes.
fn each<T>(values: Vec<Value>, read: impl Fn(Value) -> Result<T, JsonError>) -> Result<Vec<Option<T>>, JsonError> {
    values.into_iter().map(|value| if value.is_null() { Ok(None) } else { read(value).map(Some) }).collect()
}

fn name(value: Value) -> Option<PersonName> {
    serde_json::from_value(value).ok()
}

fn number(vr: VR, value: &Value) -> Option<Number> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Number::parse(vr, &text)
}
