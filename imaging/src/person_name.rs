//! [`PersonName`]: a name as DICOM has it (PS3.5 §6.2.1), and which names a query means ([`Pattern`]).
//!
//! PS3.4 §C.2.2.2.1.1 and §C.2.2.2.4 leave the matching of names to the implementation, which has to tell what it does.
//! This is it.
//!
//! **Literal matching** ([`PersonName::matches`]). Case and width do not matter (Unicode NFKC and lower case: `ﾔﾏﾀﾞ` is
//! `ヤマダ`), nor spaces around components, nor empty components at the end (`Yamada` is `Yamada^^`); everything else does.
//! `*` stands for any characters, `^` among them, `?` for one; the full-width `＊` and `？` too. A pattern without `=` has to
//! match any one group as a whole; a pattern with `=` each group that it gives. Groups are compared to their 256th character;
//! the standard allows 64. A pattern that is empty or all `*` matches every name, also an empty one.
//!
//! **Fuzzy matching** ([`PersonName::fuzzy_matches`]; PS3.18 §8.3.4.2, PS3.4 §C.2.2.2.1.1). It finds all that literal
//! matching finds. Besides, the pattern is taken as words, in any order, and each of them has to begin a word of the name, in
//! any group (or in the group it is given for): `taro yam` means `Yamada^Tarou`. Words are the same when they look the same
//! or sound the same:
//!
//! - look: without case, width, accents, apostrophes; katakana as hiragana, small kana as large ones (so that the `シヨウジ` of
//!   old systems is `ショウジ`), without `ー`; kanji in their usual form (髙 高, 邊 辺, 齋 斎; `person_name/variants.rs`), 々 as
//!   what it repeats. A name is also looked at without its spaces, carets and hyphens: `山田太郎` means `山田^太郎`, and the
//!   other way round.
//! - sound, for words in kana, or in letters that can be read as Japanese: Hepburn, Kunrei and Nihon-shiki are one, long
//!   vowels are short (`Satou`, `Satoh`, `Satō`, `Sato`, さとう, サトー), `m` before `b`, `m`, `p` is `n`. Voicing is kept:
//!   `はた` is not `はだ`. So kana find romaji, and romaji find kana.
//!
//! Wild cards work inside a word too (`y*da`), by look only.
//!
//! **Searching many names.** [`PersonName::search_keys`] are folded texts to index; [`Pattern::keys`] are prefixes of which
//! at least one begins a key of every name that matches. SQL asks the index for names with such keys; then the exact answer
//! is asked here. One set of keys serves literal and fuzzy matching.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};

mod fold;
mod pattern;
mod sound;
#[cfg(test)]
mod tests;
mod variants;
mod wildcard;
mod words;

pub use pattern::{Pattern, PatternError};

/// A name in up to three writings. In each group `^` divides family name, given name, middle name, prefix and suffix.
///
/// As JSON it is the object of PS3.18 §F.2.2: `{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}`, with the groups
/// that are not empty. A plain string is read too.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct PersonName {
    /// In letters, as a rule Latin ones.
    pub alphabetic: Option<String>,
    /// In ideographs: kanji, Hanja, Hanzi.
    pub ideographic: Option<String>,
    /// In letters that tell the sound: kana, Hangul.
    pub phonetic: Option<String>,
}

impl PersonName {
    /// Reads `A^B=…=…`, as it is after decoding. What does not count is taken off: spaces and NULs around each group, empty
    /// components at its end. Whatever comes after a third `=` has no meaning and is left out.
    pub fn parse(text: &str) -> Self {
        let mut groups = text.split('=').map(group);
        let mut next = || groups.next().flatten();
        Self { alphabetic: next(), ideographic: next(), phonetic: next() }
    }

    /// Whether no group says anything.
    pub fn is_empty(&self) -> bool {
        self.groups().iter().all(Option::is_none)
    }

    /// The groups in their order, those that say something.
    pub fn groups(&self) -> [Option<&str>; 3] {
        [&self.alphabetic, &self.ideographic, &self.phonetic]
            .map(|group| group.as_deref().filter(|group| !group.is_empty()))
    }

    /// The groups to write, without empty ones at the end.
    pub(crate) fn written_groups(&self) -> Vec<&str> {
        let groups = self.groups();
        let count = groups.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        groups.iter().take(count).map(|group| group.unwrap_or_default()).collect()
    }

    /// Whether this name is meant by the pattern, literally.
    pub fn matches(&self, pattern: &Pattern) -> bool {
        pattern.matches(self)
    }

    /// Whether this name is meant by the pattern, literally or by look or sound of its words.
    pub fn fuzzy_matches(&self, pattern: &Pattern) -> bool {
        pattern.fuzzy_matches(self)
    }

    /// Texts by which an index finds this name, each once, at most 64 characters long and at most 108 of them.
    pub fn search_keys(&self) -> Vec<String> {
        words::search_keys(self)
    }
}

/// A group without the padding around it; nothing when nothing is left. Empty components stay as they were written.
fn group(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\0']);
    (!text.is_empty()).then(|| text.into())
}

/// `A^B=…=…`, without delimiters at the end.
impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written_groups().join("="))
    }
}

/// Which groups there are, never the name.
impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.groups().map(|group| group.map(|_| "…"));
        f.debug_tuple("PersonName").field(&shown).finish()
    }
}

impl Serialize for PersonName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, group) in ["Alphabetic", "Ideographic", "Phonetic"].iter().zip(self.groups()) {
            if let Some(group) = group {
                map.serialize_entry(key, group)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = PersonName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a person name: an object with Alphabetic, Ideographic and Phonetic, or a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PersonName, E> {
        Ok(PersonName::parse(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PersonName, A::Error> {
        let mut groups: [Option<String>; 3] = Default::default();
        while let Some(key) = map.next_key::<String>()? {
            let [alphabetic, ideographic, phonetic] = &mut groups;
            let place = match key.as_str() {
                "Alphabetic" => alphabetic,
                "Ideographic" => ideographic,
                "Phonetic" => phonetic,
                _ => {
                    map.next_value::<de::IgnoredAny>()?;
                    continue;
                }
            };
            if place.is_some() {
                return Err(de::Error::custom("a group of a person name must come once only"));
            }
            *place = map.next_value()?;
        }
        assemble(groups).ok_or_else(|| de::Error::custom("a group of a person name must not hold ="))
    }
}

/// Some senders put all groups into the first one.
fn assemble(groups: [Option<String>; 3]) -> Option<PersonName> {
    let [alphabetic, ideographic, phonetic] = groups;
    let delimited = |group: &Option<String>| group.as_ref().is_some_and(|group| group.contains('='));
    match (alphabetic, ideographic, phonetic) {
        (Some(all), None, None) => Some(PersonName::parse(&all)),
        (first, second, third) if ![&first, &second, &third].into_iter().any(delimited) => {
            let read = |text: Option<String>| text.and_then(|text| group(&text));
            Some(PersonName { alphabetic: read(first), ideographic: read(second), phonetic: read(third) })
        }
        _ => None,
    }
}
