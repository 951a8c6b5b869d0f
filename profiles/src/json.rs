//! [`Json`]: one JSON value kept as the text it came in.
//!
//! `1.00` stays `1.00`, key order, unknown elements, `_birthDate` and full-width spaces stay, because the text is
//! never parsed and written again (design, invariant 2). The text has passed [`Json::parse`], which refuses what
//! two parsers could read differently: duplicate keys, lone surrogates, a byte order mark.

mod scan;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

pub use self::scan::scan;

/// What one JSON text may hold. Everything above is refused before anything is built from it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Depth of nested arrays and objects; never more than 126, where serde_json stops reading.
    pub depth: usize,
    /// Values in the whole text, counting every array element and object member.
    pub values: usize,
}

impl Limits {
    /// For one CDS Hooks request or response: 8 MiB, 64 levels, one million values.
    pub const MESSAGE: Self = Self { bytes: 8 << 20, depth: 64, values: 1_000_000 };
}

/// Why a text was refused. The message names a place, never a value: it may be shown to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Longer than [`Limits::bytes`].
    #[error("the JSON text is longer than {limit} bytes")]
    TooLong {
        /// The limit that was passed.
        limit: usize,
    },
    /// Deeper than [`Limits::depth`].
    #[error("the JSON text is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit that was passed.
        limit: usize,
    },
    /// More values than [`Limits::values`].
    #[error("the JSON text holds more than {limit} values")]
    TooMany {
        /// The limit that was passed.
        limit: usize,
    },
    /// The text starts with a byte order mark, which RFC 8259 §8.1 forbids a sender to add.
    #[error("the JSON text starts with a byte order mark; send UTF-8 without one")]
    ByteOrderMark,
    /// The same member name twice in one object (RFC 8259 §4 leaves the meaning open; two parsers may differ).
    #[error("an object at line {line}, column {column} has the same member twice")]
    DuplicateKey {
        /// Line on which the second member's name ends, from 1.
        line: usize,
        /// Column at which the second member's name ends, in bytes, from 1.
        column: usize,
    },
    /// Not JSON (RFC 8259), a string that is not Unicode (invalid UTF-8, lone surrogate), or a number that no
    /// double can hold (`1e999`).
    #[error("not valid JSON at line {line}, column {column}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, in bytes, from 1.
        column: usize,
    },
}

/// One JSON value as text, cheap to clone, written out exactly as it came in.
///
/// Its `Debug` shows kind and size, never content: a value may be about a patient.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Takes a text that came from outside: one strict [`scan`], then the text is kept as it is
    /// (without the white space around it).
    pub fn parse(text: &[u8], limits: &Limits) -> Result<Self, JsonError> {
        let text = scan::checked(text, limits)?;
        let raw = serde_json::from_str::<&RawValue>(text).map_err(|error| JsonError::at(&error))?;
        Ok(Self(Arc::from(raw.to_owned())))
    }

    /// The text as it came in.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// A parsed copy for rules to look at. Never write it back out in place of the text.
    ///
    /// Every text that passed [`scan`], alone or as a part of a message, has a value. A text that nobody scanned
    /// and that serde_json cannot hold reads as `null`.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.as_str()).unwrap_or(Value::Null)
    }

    /// A value that we made ourselves.
    pub fn from_value(value: &Value) -> Self {
        Self(Arc::from(serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())))
    }

    /// Whether the text is an object. To be asked before a struct is read from it: serde's structs read arrays too, their
    /// elements in the order of the fields.
    pub fn is_object(&self) -> bool {
        self.as_str().starts_with('{')
    }

    /// Whether the text is the literal `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }
}

impl JsonError {
    fn at(error: &serde_json::Error) -> Self {
        Self::Syntax { line: error.line().max(1), column: error.column().max(1) }
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.as_str().len())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Arc::from(raw))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}
