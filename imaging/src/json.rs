//! DICOM JSON (PS3.18 annex F): strict in what is written, lenient in what is read.
//!
//! Written: keys in ascending order, `vr` always, at most one of `Value`, `BulkDataURI` and `InlineBinary`, nothing where
//! there is no value, IS and DS as numbers only where that loses nothing.
//! Read: keys of either case, a value that is no array, names as plain text, numbers as text and text as numbers.

mod parse;
#[cfg(test)]
mod tests;
mod unique;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dicom_core::{Tag, VR};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

pub use parse::{JsonError, parse, parse_many};

use crate::attributes::{Attribute, Attributes, Content, Number};

/// Eight hexadecimal digits in capitals.
pub fn key(tag: Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (tag, attribute) in self {
            map.serialize_entry(&Key(*tag), attribute)?;
        }
        map.end()
    }
}

/// A tag as a key, without an allocation.
struct Key(Tag);

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let number = (u32::from(self.0.group()) << 16) | u32::from(self.0.element());
        let text: [u8; 8] = std::array::from_fn(|at| DIGITS[(number >> (28 - 4 * at) & 0xF) as usize]);
        serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("vr", self.vr.to_string())?;
        match &self.content {
            Content::Empty => {}
            Content::Items(items) if items.is_empty() => {}
            Content::Items(items) => map.serialize_entry("Value", items)?,
            Content::Names(names) => map.serialize_entry("Value", names)?,
            Content::Numbers(numbers) => map.serialize_entry("Value", numbers)?,
            Content::Text(texts) if matches!(self.vr, VR::IS | VR::DS) => {
                map.serialize_entry("Value", &NumberTexts(texts))?;
            }
            Content::Text(texts) => map.serialize_entry("Value", texts)?,
            Content::Inline(bytes) => map.serialize_entry("InlineBinary", &STANDARD.encode(bytes))?,
            Content::Elsewhere(uri) => map.serialize_entry("BulkDataURI", uri)?,
        }
        map.end()
    }
}

impl Serialize for Number {
    /// JSON has no number for what is none: `NaN` and the infinities are written as text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Beyond this a reader that takes numbers as doubles would lose digits.
        const EXACT: u64 = 1 << 53;
        match *self {
            Self::Signed(number) if number.unsigned_abs() > EXACT => serializer.serialize_str(&number.to_string()),
            Self::Signed(number) => serializer.serialize_i64(number),
            Self::Unsigned(number) if number > EXACT => serializer.serialize_str(&number.to_string()),
            Self::Unsigned(number) => serializer.serialize_u64(number),
            Self::Single(number) if number.is_finite() => serializer.serialize_f32(number),
            Self::Double(number) if number.is_finite() => serializer.serialize_f64(number),
            Self::Single(_) | Self::Double(_) => serializer.serialize_str(&self.to_string()),
        }
    }
}

/// IS and DS: a number where its text comes back the same from it, else the text (§F.2.3 note).
struct NumberTexts<'a>(&'a [Option<String>]);

impl Serialize for NumberTexts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for text in self.0 {
            match text.as_deref() {
                None => seq.serialize_element(&())?,
                Some(text) => match exact(text) {
                    Some(number) => seq.serialize_element(&number)?,
                    None => seq.serialize_element(text)?,
                },
            }
        }
        seq.end()
    }
}

/// The number that a text stands for, if writing it gives the text again.
fn exact(text: &str) -> Option<serde_json::Number> {
    let number = match text.parse::<i64>() {
        Ok(whole) if whole.unsigned_abs() <= 1 << 53 => serde_json::Number::from(whole),
        _ => serde_json::Number::from_f64(text.parse().ok()?)?,
    };
    (number.to_string() == text).then_some(number)
}
