//! [`Dataset`]: a data set as it is on the wire (PS3.5 chapter 7).
//!
//! Values are bytes, in little endian whatever the source was, text in the source's character set. Long values are left
//! where they are and named by their [`Span`]: a CT slice of half a megabyte reads as a few kilobytes, a film of four
//! gigabytes too.

mod deflate;
mod fault;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod vr;
mod write;

use dicom_core::{Tag, VR};

pub use deflate::Inflated;
pub use fault::ReadError;
pub use read::{Limits, read, read_until};
pub use source::{Seekable, Source};
pub(crate) use vr::parse_vr;
pub use vr::{dictionary_vr, is_text, word_size};
pub use write::{Piece, write};

use crate::Uid;

/// A data set: elements in ascending order of their tags, each tag once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dataset {
    elements: Vec<Element>,
}

/// One data element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub tag: Tag,
    /// Its value representation, from the source or from the dictionary.
    pub vr: VR,
    /// Its value.
    pub value: Value,
}

/// The value of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The bytes, padding and all; numbers are little endian.
    Bytes(Vec<u8>),
    /// Items of a sequence.
    Items(Vec<Dataset>),
    /// A long value that was left in the source.
    Left(Left),
    /// Encapsulated pixel data (PS3.5 §A.4) left in the source: the first fragment is the basic offset table.
    Fragments(Vec<Span>),
}

/// A place in the source of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Bytes before it.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
}

/// A long value that was left in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Where it is.
    pub span: Span,
    /// Bytes of one number where they must be turned round, because the source is big endian; else 1.
    pub swapped: u8,
}

impl Dataset {
    /// A data set without elements.
    pub fn new() -> Self {
        Self::default()
    }

    /// The elements in ascending order.
    pub fn iter(&self) -> std::slice::Iter<'_, Element> {
        self.elements.iter()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element with this tag.
    pub fn get(&self, tag: Tag) -> Option<&Element> {
        self.place(tag).ok().map(|at| &self.elements[at])
    }

    /// The bytes of a value that is here.
    pub fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match &self.get(tag)?.value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items of a sequence; none where there is no sequence.
    pub fn items(&self, tag: Tag) -> &[Dataset] {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    /// The first value of an element whose characters are ASCII by its VR (UI, CS, IS, DA …), without padding.
    pub fn ascii(&self, tag: Tag) -> Option<&str> {
        let text = std::str::from_utf8(self.bytes(tag)?).ok()?;
        let first = text.split('\\').next().unwrap_or_default();
        Some(first.trim_matches([' ', '\0']))
    }

    /// The UID of an element, if it is one.
    pub fn uid(&self, tag: Tag) -> Option<Uid> {
        self.ascii(tag).and_then(|text| Uid::parse(text).ok())
    }

    /// The first number of an element that holds US.
    pub fn unsigned_short(&self, tag: Tag) -> Option<u16> {
        let bytes = self.bytes(tag)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    }

    /// Puts an element in; one with the same tag is replaced.
    pub fn put(&mut self, element: Element) {
        match self.elements.last() {
            Some(last) if last.tag >= element.tag => match self.place(element.tag) {
                Ok(at) => self.elements[at] = element,
                Err(at) => self.elements.insert(at, element),
            },
            _ => self.elements.push(element),
        }
    }

    /// Puts bytes in, padded to an even length as the VR asks (PS3.5 §6.2).
    pub fn put_bytes(&mut self, tag: Tag, vr: VR, bytes: impl Into<Vec<u8>>) {
        let mut bytes = bytes.into();
        if bytes.len() % 2 == 1 {
            bytes.push(if is_text(vr) && vr != VR::UI { b' ' } else { 0 });
        }
        self.put(Element { tag, vr, value: Value::Bytes(bytes) });
    }

    /// Takes an element out.
    pub fn remove(&mut self, tag: Tag) -> Option<Element> {
        self.place(tag).ok().map(|at| self.elements.remove(at))
    }

    fn place(&self, tag: Tag) -> Result<usize, usize> {
        self.elements.binary_search_by(|element| element.tag.cmp(&tag))
    }

    /// Elements in any order; of several with one tag the last holds, as pydicom has it.
    fn from_unordered(mut elements: Vec<Element>) -> Self {
        if elements.windows(2).any(|pair| pair[0].tag >= pair[1].tag) {
            elements.sort_by_key(|element| element.tag);
            elements.reverse();
            elements.dedup_by_key(|element| element.tag);
            elements.reverse();
        }
        Self { elements }
    }
}

impl<'a> IntoIterator for &'a Dataset {
    type Item = &'a Element;
    type IntoIter = std::slice::Iter<'a, Element>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Value {
    /// A sequence without items or bytes without content.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Items(items) => items.is_empty(),
            Self::Left(_) | Self::Fragments(_) => false,
        }
    }
}
