//! [`Attributes`]: a data set as people and JSON mean it: text is decoded, values are apart, names have their groups.

mod from_dataset;
mod path;
#[cfg(test)]
mod tests;
mod to_dataset;

use std::collections::BTreeMap;

use dicom_core::{Tag, VR};

pub use from_dataset::{Bulk, bulk_paths, read};
pub(crate) use path::parse_tag;
pub use path::{AttributePath, NoSuchPath};
pub use to_dataset::{NotWritable, write};

use crate::{dataset::dictionary_vr, person_name::PersonName};

/// A decoded data set, in ascending order of tags.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(BTreeMap<Tag, Attribute>);

/// One attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its value representation.
    pub vr: VR,
    /// Its values.
    pub content: Content,
}

/// The values of an attribute. A value within several may be missing (`None`): a hole (PS3.18 §F.2.5).
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// No value.
    Empty,
    /// Characters; also IS and DS, whose text says more than a number does ("1.10").
    Text(Vec<Option<String>>),
    /// Binary numbers.
    Numbers(Vec<Option<Number>>),
    /// Person names.
    Names(Vec<Option<PersonName>>),
    /// Items of a sequence.
    Items(Vec<Attributes>),
    /// Bytes.
    Inline(Vec<u8>),
    /// Bytes that are elsewhere (`BulkDataURI`).
    Elsewhere(String),
}

/// A binary number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// SS, SL, SV.
    Signed(i64),
    /// US, UL, UV.
    Unsigned(u64),
    /// FL, with its own precision.
    Single(f32),
    /// FD.
    Double(f64),
}

impl Attributes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attribute with this tag.
    pub fn get(&self, tag: Tag) -> Option<&Attribute> {
        self.0.get(&tag)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All in ascending order.
    pub fn iter(&self) -> std::collections::btree_map::Iter<'_, Tag, Attribute> {
        self.0.iter()
    }

    /// Puts one in.
    pub fn put(&mut self, tag: Tag, attribute: Attribute) {
        self.0.insert(tag, attribute);
    }

    /// Puts text in, with the VR of the dictionary; an empty text is an attribute without value.
    pub fn put_text(&mut self, tag: Tag, text: impl Into<String>) {
        self.put_texts(tag, [text.into()]);
    }

    /// Puts several texts in.
    pub fn put_texts(&mut self, tag: Tag, texts: impl IntoIterator<Item = String>) {
        let texts: Vec<Option<String>> = texts.into_iter().map(|text| (!text.is_empty()).then_some(text)).collect();
        let vr = dictionary_vr(tag);
        let content = match texts.as_slice() {
            [] | [None] => Content::Empty,
            _ if vr == VR::PN => {
                Content::Names(texts.iter().map(|text| text.as_deref().map(PersonName::parse)).collect())
            }
            _ => Content::Text(texts),
        };
        self.put(tag, Attribute { vr, content });
    }

    /// Puts a number in, in the form that the dictionary's VR asks for.
    pub fn put_number(&mut self, tag: Tag, number: u64) {
        self.put_numbers(tag, &[number]);
    }

    /// Puts numbers in, likewise.
    pub fn put_numbers(&mut self, tag: Tag, numbers: &[u64]) {
        let vr = dictionary_vr(tag);
        let content = match vr {
            VR::IS | VR::DS => Content::Text(numbers.iter().map(|number| Some(number.to_string())).collect()),
            _ => Content::Numbers(numbers.iter().map(|number| Some(Number::Unsigned(*number))).collect()),
        };
        self.put(tag, Attribute { vr, content });
    }

    /// Puts items in.
    pub fn put_items(&mut self, tag: Tag, items: Vec<Attributes>) {
        self.put(tag, Attribute { vr: VR::SQ, content: Content::Items(items) });
    }

    /// Puts the attribute in without a value.
    pub fn put_empty(&mut self, tag: Tag) {
        self.put(tag, Attribute { vr: dictionary_vr(tag), content: Content::Empty });
    }

    /// Takes one out.
    pub fn remove(&mut self, tag: Tag) -> Option<Attribute> {
        self.0.remove(&tag)
    }

    /// The first value as text: of names the groups with `=` between them, of numbers their digits.
    pub fn text(&self, tag: Tag) -> Option<String> {
        self.get(tag)?.texts().into_iter().next().flatten()
    }

    /// The first name.
    pub fn name(&self, tag: Tag) -> Option<&PersonName> {
        match &self.get(tag)?.content {
            Content::Names(names) => names.first()?.as_ref(),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn items(&self, tag: Tag) -> &[Attributes] {
        match self.get(tag).map(|attribute| &attribute.content) {
            Some(Content::Items(items)) => items,
            _ => &[],
        }
    }
}

impl Attribute {
    /// Every value as text; none of what is bytes or a sequence.
    pub fn texts(&self) -> Vec<Option<String>> {
        match &self.content {
            Content::Text(texts) => texts.clone(),
            Content::Numbers(numbers) => numbers.iter().map(|number| number.map(|number| number.to_string())).collect(),
            Content::Names(names) => names.iter().map(|name| name.as_ref().map(ToString::to_string)).collect(),
            Content::Empty | Content::Items(_) | Content::Inline(_) | Content::Elsewhere(_) => Vec::new(),
        }
    }

    /// Whether it has no value.
    pub fn is_empty(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Text(texts) => texts.iter().all(Option::is_none),
            Content::Numbers(numbers) => numbers.is_empty(),
            Content::Names(names) => names.iter().all(Option::is_none),
            Content::Items(items) => items.is_empty(),
            Content::Inline(bytes) => bytes.is_empty(),
            Content::Elsewhere(_) => false,
        }
    }
}

impl Number {
    /// The number that a text means in a VR of binary numbers. Not a number and the infinities are numbers of FL and FD.
    pub(crate) fn parse(vr: VR, text: &str) -> Option<Self> {
        let text = text.trim();
        match vr {
            VR::FL => text.parse().ok().map(Self::Single),
            VR::FD => text.parse().ok().map(Self::Double),
            VR::SL | VR::SS | VR::SV => text.parse().ok().map(Self::Signed),
            _ => text.parse().ok().map(Self::Unsigned),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signed(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Single(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
        }
    }
}

impl IntoIterator for Attributes {
    type Item = (Tag, Attribute);
    type IntoIter = std::collections::btree_map::IntoIter<Tag, Attribute>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a Tag, &'a Attribute);
    type IntoIter = std::collections::btree_map::Iter<'a, Tag, Attribute>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<(Tag, Attribute)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (Tag, Attribute)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}
