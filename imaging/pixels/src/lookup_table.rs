//! [`LookupTable`]: a table from stored values to others (PS3.3 §C.7.6.3.1.5, §C.7.9.2, §C.11.1.1, §C.11.2.1.1).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::DecodeError;

/// Most entries that a descriptor can state.
const MOST_ENTRIES: usize = 1 << 16;

/// A lookup table as it stands in an object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupTable {
    /// Number of entries (0 means 65536), first value mapped, bits of an entry.
    pub descriptor: [u16; 3],
    /// The entries: words in little endian, or bytes.
    #[serde(serialize_with = "as_base64", deserialize_with = "of_base64")]
    pub data: Vec<u8>,
    /// Whether the data are segments (§C.7.9.2) that have yet to be expanded.
    #[serde(default)]
    pub segmented: bool,
}

/// The three tables of PALETTE COLOR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Palette {
    /// Red Palette Color Lookup Table.
    pub red: LookupTable,
    /// Green Palette Color Lookup Table.
    pub green: LookupTable,
    /// Blue Palette Color Lookup Table.
    pub blue: LookupTable,
}

impl std::fmt::Debug for LookupTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookupTable").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

/// A table ready to be looked into.
#[derive(Debug)]
pub(crate) struct Entries {
    /// The value whose entry is the first.
    first: i64,
    values: Vec<u16>,
    /// Largest value that an entry can have.
    pub(crate) most: u16,
}

impl Entries {
    /// The entry of a value; values before the first and after the last have theirs.
    pub(crate) fn of(&self, value: i64) -> u16 {
        let place = value.saturating_sub(self.first).clamp(0, self.values.len() as i64 - 1);
        self.values[place as usize]
    }
}

impl LookupTable {
    /// Reads the entries. `signed`: whether the values looked up are signed, and so the first one mapped.
    pub(crate) fn entries(&self, name: &str, signed: bool) -> Result<Entries, DecodeError> {
        let [count, first, bits] = self.descriptor;
        let count = if count == 0 { MOST_ENTRIES } else { usize::from(count) };
        if !(8..=16).contains(&bits) {
            return Err(DecodeError::description(name, "must have entries of 8 to 16 bits"));
        }
        let words = self.words(count, bits);
        let mut values = if self.segmented { Segments::expand(&words, bits == 8, count, name)? } else { words };
        values.truncate(count);
        if values.is_empty() {
            return Err(DecodeError::description(name, "has no entries"));
        }
        let first = if signed { i64::from(first.cast_signed()) } else { i64::from(first) };
        let most = largest(bits, &values);
        Ok(Entries { first, values, most })
    }

    /// Entries of 8 bits come as bytes, or one in each word.
    fn words(&self, count: usize, bits: u16) -> Vec<u16> {
        let bytes = bits == 8 && (self.segmented || self.data.len() < 2 * count);
        if bytes {
            return self.data.iter().copied().map(u16::from).collect();
        }
        self.data.chunks_exact(2).map(|word| u16::from_le_bytes([word[0], word[1]])).collect()
    }
}

/// The largest value an entry can have. Tables exist that promise 16 bits and use 8 of them: drawn as promised they would be black.
fn largest(bits: u16, values: &[u16]) -> u16 {
    let used = values.iter().copied().max().unwrap_or(0);
    if bits > 8 && used <= 0xFF && values.len() > 1 { 0xFF } else { u16::MAX >> (16 - bits) }
}

/// The reader of a segmented table.
struct Segments<'a> {
    words: &'a [u16],
    /// Segments of a table of 8 bits are made of bytes.
    bytes: bool,
    name: &'a str,
    values: Vec<u16>,
    /// Most entries, and most segments that are still read: an indirect segment of empty segments would never be full.
    count: usize,
    left: usize,
}

impl<'a> Segments<'a> {
    fn expand(words: &'a [u16], bytes: bool, count: usize, name: &'a str) -> Result<Vec<u16>, DecodeError> {
        let mut segments = Self { words, bytes, name, values: Vec::new(), count, left: 2 * MOST_ENTRIES };
        let mut at = 0;
        while at + 1 < words.len() && segments.values.len() < count {
            at = segments.segment(at, true)?;
        }
        Ok(segments.values)
    }

    /// Reads the segment at a place; gives the place after it.
    fn segment(&mut self, at: usize, indirect: bool) -> Result<usize, DecodeError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| self.broken())?;
        let length = usize::from(self.word(at + 1)?);
        match self.word(at)? {
            0 => self.discrete(at + 2, length),
            1 => self.linear(at + 2, length),
            2 if indirect => self.indirect(at + 2, length),
            _ => Err(self.broken()),
        }
    }

    fn discrete(&mut self, at: usize, length: usize) -> Result<usize, DecodeError> {
        let values = self.words.get(at..at + length).ok_or_else(|| self.broken())?;
        self.values.extend_from_slice(values);
        self.bounded(at + length)
    }

    /// From the last value in equal steps to the one given.
    fn linear(&mut self, at: usize, length: usize) -> Result<usize, DecodeError> {
        let to = f64::from(self.word(at)?);
        let from = f64::from(*self.values.last().ok_or_else(|| self.broken())?);
        let step = (to - from) / length as f64;
        self.values.extend((1..=length).map(|one| (from + step * one as f64).round_ties_even() as u16));
        self.bounded(at + 1)
    }

    /// So many segments again from an offset in bytes.
    fn indirect(&mut self, at: usize, segments: usize) -> Result<usize, DecodeError> {
        let (mut place, after) = if self.bytes {
            let byte = |of: usize| self.word(at + of).map(usize::from);
            (byte(0)? | byte(1)? << 8 | byte(2)? << 16 | byte(3)? << 24, at + 4)
        } else {
            ((usize::from(self.word(at)?) | usize::from(self.word(at + 1)?) << 16) / 2, at + 2)
        };
        for _ in 0..segments {
            place = self.segment(place, false)?;
        }
        Ok(after)
    }

    fn word(&self, at: usize) -> Result<u16, DecodeError> {
        self.words.get(at).copied().ok_or_else(|| self.broken())
    }

    /// A segment may be at most what is left of the table.
    fn bounded(&self, after: usize) -> Result<usize, DecodeError> {
        if self.values.len() > self.count { Err(self.broken()) } else { Ok(after) }
    }

    fn broken(&self) -> DecodeError {
        DecodeError::description(self.name, "has broken segments")
    }
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn of_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests;
