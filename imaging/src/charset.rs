//! [`Charset`]: what Specific Character Set (0008,0005) says (PS3.3 §C.12.1.1.2), and text to and from bytes by it
//! (PS3.5 §6.1).
//!
//! Bytes are decoded first and split after: the second byte of a kanji may be `5C`, the backslash, so only a decoder that
//! walks along knows which `5C` is a delimiter (PS3.18 §F.2.4).
//!
//! Reading is lenient. What is taken beyond the standard, most of it as pydicom does:
//!
//! - terms in other spellings (`ISO-IR 100`, `ISO_IR_100`, `utf-8`), and a multi-byte term without the empty first value;
//! - escape sequences to a set that is not declared, and the older or longer forms of them in ISO 2022;
//! - bytes with the high bit where nothing has been designated for them: by the first declared set that could have, as
//!   half-width katakana where the other sets are Japanese, otherwise as Latin-1. (pydicom: always Latin-1.)
//! - Shift_JIS kanji under `ISO_IR 13`, whose bytes have no meaning in JIS X 0201;
//! - the vendors' kanji in rows 13 and 89 to 92 of JIS X 0208 (髙, 﨑, ①, ㈱). (pydicom: U+FFFD.)
//!
//! Where pydicom differs from the standard, the standard is followed: in JIS X 0201 `5C` is `¥` and `7E` is `‾`
//! (PS3.5 §H.1.1), where pydicom shows `\` and `~`; in names, state is lost at `^` and `=`.
//!
//! Tables are those of `encoding_rs`, with these differences, because the web's tables serve another purpose:
//! bytes `80` to `9F` of every ISO 8859 set are the C1 controls (the web has windows-1252, 1254 and 874 there), and in
//! JIS X 0208 six signs are as Unicode's own table of JIS has them (`〜‖−¢£¬`, the web has `～∥－￠￡￢`). GB 2312 follows
//! GB 18030 (`·`, `—`; pydicom has `・`, `―`). ISO 8859-7, 8859-8 and TIS 620 are the later editions with a few more
//! characters.
//!
//! Writing is strict: only declared sets, only their own characters, every escape sequence that PS3.5 §6.1.2.5.3 wants.

use std::sync::Arc;

use crate::person_name::PersonName;

mod decode;
mod element;
mod encode;
mod set;
mod table;
#[cfg(test)]
mod tests;

pub use encode::NotEncodable;

use set::Set;

/// How many terms of (0008,0005) are looked at, and how many unknown ones are remembered. There are 19 different ones.
const MAX_TERMS: usize = 32;

/// How long a term can be: 16 characters (VR CS), with room for a sender's own invention.
const MAX_TERM_CHARS: usize = 64;

/// A Specific Character Set: the sets it declares, in their order. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charset {
    /// Never empty; each once; an encoding of all Unicode, which allows no code extension, only ever alone or behind
    /// others, where it cannot be reached by an escape sequence.
    sets: Arc<[Set]>,
    unknown: Arc<[String]>,
}

/// The default repertoire, ISO-IR 6: what holds when (0008,0005) is absent or empty.
impl Default for Charset {
    fn default() -> Self {
        Self { sets: Arc::new([Set::Ascii]), unknown: Arc::default() }
    }
}

impl Charset {
    /// Reads the bytes of (0008,0005), all values with their padding. Never fails: a term that nobody knows counts as the
    /// default repertoire when it is the first, as nothing otherwise, and [`Self::unknown_terms`] has it.
    pub fn parse(value: &[u8]) -> Self {
        let (mut sets, mut unknown) = (Vec::new(), Vec::new());
        for (position, term) in value.split(|byte| *byte == b'\\').take(MAX_TERMS).enumerate() {
            let set = Set::of_term(term);
            if set.is_none() {
                unknown.push(
                    String::from_utf8_lossy(term).trim_matches([' ', '\0']).chars().take(MAX_TERM_CHARS).collect(),
                );
            }
            match set {
                Some(set) if !sets.contains(&set) => sets.push(set),
                None if position == 0 => sets.push(Set::Ascii),
                _ => {}
            }
        }
        Self { sets: settle(sets), unknown: unknown.into() }
    }

    /// `ISO_IR 192`: UTF-8. Everything can be written in it.
    pub fn utf8() -> Self {
        Self { sets: Arc::new([Set::Utf8]), unknown: Arc::default() }
    }

    /// The value of (0008,0005) for text written by this one: the known terms in their proper spelling, values divided by
    /// a backslash; empty for the default repertoire, in which case the attribute is left out.
    pub fn specific_character_set(&self) -> String {
        if let [only] = *self.sets {
            return only.term();
        }
        self.sets.iter().map(|set| set.extension_term()).collect::<Vec<_>>().join("\\")
    }

    /// The terms that nobody knows, without padding, the first 64 characters of each.
    pub fn unknown_terms(&self) -> &[String] {
        &self.unknown
    }

    /// The text of a value of VR ST, LT or UT, which has one value: `5C` is a character in it. Padding stays.
    ///
    /// Bytes that mean nothing become U+FFFD. In JIS X 0201 `5C` is `¥` (pydicom: `\`).
    pub fn decode(&self, bytes: &[u8]) -> String {
        decode::text(&self.sets, bytes)
    }

    /// The values of an element of VR SH, LO or UC: split at each `5C` that is a character by itself. Padding stays, empty
    /// values too; an element without bytes has no values.
    pub fn decode_values(&self, bytes: &[u8]) -> Vec<String> {
        decode::values(&self.sets, bytes, decode::Delimiters::Values)
    }

    /// The names of an element of VR PN, without padding. An empty value is an empty name, so that positions hold.
    pub fn decode_names(&self, bytes: &[u8]) -> Vec<PersonName> {
        let values = decode::values(&self.sets, bytes, decode::Delimiters::Names);
        values.iter().map(|value| PersonName::parse(value)).collect()
    }

    /// The bytes of a value of VR ST, LT or UT, not yet padded to an even length.
    ///
    /// # Errors
    /// A character is in none of the sets. [`Self::utf8`] has them all, except ESC, which is in none.
    pub fn encode(&self, text: &str) -> Result<Vec<u8>, NotEncodable> {
        encode::text(&self.sets, text)
    }

    /// The bytes of an element of VR SH, LO or UC, not yet padded to an even length.
    ///
    /// # Errors
    /// As with [`Self::encode`]; or a character would be taken for the delimiter: `\`, and `¥` under `ISO_IR 13`.
    pub fn encode_values<T: AsRef<str>>(&self, values: &[T]) -> Result<Vec<u8>, NotEncodable> {
        encode::values(&self.sets, values)
    }

    /// The bytes of one name (VR PN), not yet padded to an even length.
    ///
    /// # Errors
    /// As with [`Self::encode_values`]; or a group of the name holds the delimiter `=`.
    pub fn encode_name(&self, name: &PersonName) -> Result<Vec<u8>, NotEncodable> {
        self.encode_names(std::slice::from_ref(name))
    }

    /// The bytes of an element of VR PN with any number of names, not yet padded to an even length.
    ///
    /// # Errors
    /// As with [`Self::encode_name`].
    pub fn encode_names(&self, names: &[PersonName]) -> Result<Vec<u8>, NotEncodable> {
        encode::names(&self.sets, names)
    }
}

/// Brings declared sets into the order that the standard wants: no code extension beside an encoding of all Unicode, and a
/// multi-byte set behind a single-byte one (PS3.3 §C.12.1.1.2).
fn settle(mut sets: Vec<Set>) -> Arc<[Set]> {
    match sets.first() {
        None => sets.push(Set::Ascii),
        Some(first) if first.is_unicode() => sets.truncate(1),
        Some(first) if first.is_extension_only() => {
            sets.retain(|set| *set != Set::Ascii);
            sets.insert(0, Set::Ascii);
        }
        Some(_) => {}
    }
    sets.into()
}
