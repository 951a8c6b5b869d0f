//! The one strict look at a JSON text: is there exactly one way to read it, and is it small enough?
//!
//! Two parsers that read one text differently are how a check gets bypassed: the gateway approves the first
//! `patientId`, the service reads the second. So the scan refuses duplicate member names (compared after
//! unescaping), lone surrogates, invalid UTF-8, a byte order mark and numbers beyond a double, and counts depth and
//! values, all in one pass that builds nothing.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{JsonError, Limits};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// serde_json reads one level more and then stops by itself, without saying why.
const DEEPEST: usize = 126;

/// Objects with more members than this look their names up in a set; smaller ones compare, which is faster.
const FEW_MEMBERS: usize = 24;

/// Checks a whole text against [`Limits`] without building anything from it.
pub fn scan(text: &[u8], limits: &Limits) -> Result<(), JsonError> {
    checked(text, limits).map(|_| ())
}

/// The same, and hands the text on as the UTF-8 that it was found to be.
pub(super) fn checked<'t>(bytes: &'t [u8], limits: &Limits) -> Result<&'t str, JsonError> {
    if bytes.len() > limits.bytes {
        return Err(JsonError::TooLong { limit: limits.bytes });
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(JsonError::ByteOrderMark);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(&bytes[..error.valid_up_to()]))?;
    walk(text, limits)?;
    Ok(text)
}

fn not_utf8(before: &[u8]) -> JsonError {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    JsonError::Syntax { line, column }
}

fn walk(text: &str, limits: &Limits) -> Result<(), JsonError> {
    let mut walk =
        Walk { depth_left: limits.depth.min(DEEPEST), values_left: limits.values, names: Vec::new(), refusal: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = One(&mut walk).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    outcome.map_err(|error| walk.explain(&error, limits))
}

/// What is left of the limits, and the member names of the objects that are open, innermost last.
struct Walk<'de> {
    depth_left: usize,
    values_left: usize,
    names: Vec<Cow<'de, str>>,
    refusal: Option<Refusal>,
}

/// Why the walk stopped by itself, beside the error that serde carries.
#[derive(Clone, Copy)]
enum Refusal {
    TooDeep,
    TooMany,
    DuplicateKey,
}

/// One value of the text.
struct One<'w, 'de>(&'w mut Walk<'de>);

/// One member name.
struct Name;

impl<'de> Walk<'de> {
    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.values_left.checked_sub(1) {
            Some(left) => {
                self.values_left = left;
                Ok(())
            }
            None => self.refuse(Refusal::TooMany),
        }
    }

    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => self.refuse(Refusal::TooDeep),
        }
    }

    fn leave(&mut self) {
        self.depth_left += 1;
    }

    fn refuse<T, E: serde::de::Error>(&mut self, refusal: Refusal) -> Result<T, E> {
        self.refusal = Some(refusal);
        Err(E::custom("refused"))
    }

    fn explain(&self, error: &serde_json::Error, limits: &Limits) -> JsonError {
        match self.refusal {
            None => JsonError::at(error),
            Some(Refusal::TooDeep) => JsonError::TooDeep { limit: limits.depth.min(DEEPEST) },
            Some(Refusal::TooMany) => JsonError::TooMany { limit: limits.values },
            Some(Refusal::DuplicateKey) => JsonError::DuplicateKey { line: error.line(), column: error.column() },
        }
    }

    fn members<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let first = self.names.len();
        let mut many = HashSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if !self.is_new(name, first, &mut many) {
                return self.refuse(Refusal::DuplicateKey);
            }
            map.next_value_seed(One(self))?;
        }
        self.names.truncate(first);
        Ok(())
    }

    /// Notes a member name of the innermost object, whose names begin at `first`.
    fn is_new(&mut self, name: Cow<'de, str>, first: usize, many: &mut HashSet<Cow<'de, str>>) -> bool {
        let names = &self.names[first..];
        if names.len() >= FEW_MEMBERS {
            if many.is_empty() {
                many.extend(names.iter().cloned());
            }
            return many.insert(name);
        }
        let is_new = !names.contains(&name);
        self.names.push(name);
        is_new
    }
}

impl<'de> DeserializeSeed<'de> for One<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.count::<D::Error>()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.enter::<A::Error>()?;
        while seq.next_element_seed(One(walk))?.is_some() {}
        walk.leave();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let walk = self.0;
        walk.enter::<A::Error>()?;
        walk.members(&mut map)?;
        walk.leave();
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
