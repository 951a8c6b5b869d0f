//! [`Key`]: one attribute that is searched, and how.

use std::fmt;

use dicom_core::{
    Tag, VR,
    dictionary::{DataDictionary as _, DataDictionaryEntry},
};
use dicom_dictionary_std::StandardDataDictionary;

use super::{QueryError, moment::Range, name::NamePattern, wildcard::Wildcard};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, parse_tag},
    dataset::dictionary_vr,
};

/// One attribute that is searched, perhaps inside sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The way to it: sequences, and the attribute at the end.
    pub path: Vec<Selector>,
    /// Its value representation; `UN` of a private one.
    pub vr: VR,
    /// What its value must be.
    pub matching: Matching,
}

/// Names an attribute of a data set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Its tag; of a private one as the query has it.
    pub tag: Tag,
    /// The creator of a private one, whose block may lie elsewhere in each data set (PS3.5 §7.8.1).
    pub creator: Option<Box<str>>,
}

/// What a value must be (PS3.4 §C.2.2.2). A value within several is enough.
#[derive(Debug, Clone, PartialEq)]
pub enum Matching {
    /// Whatever it is, and also none.
    Universal,
    /// This text; spaces around it do not count.
    Single(Text),
    /// A text of this form.
    Wildcard(Wildcard),
    /// One of these UIDs, in order.
    UidList(Vec<Uid>),
    /// This number, however it is written.
    Number(Decimal),
    /// A date or time in this range.
    Range(Range),
    /// A name of this form.
    Name(NamePattern),
    /// None.
    Empty,
    /// Private attributes of this creator in the group of the tag, in whatever block.
    PrivateCreator(Text),
    /// Any of these: what several values without Multiple Value Matching mean here (the standard leaves it open).
    AnyOf(Vec<Matching>),
    /// Each of these, by one value or another (§C.2.2.2.8).
    AllOf(Vec<Matching>),
}

/// A text that is searched; not shown, because it may be a patient's.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub(super) Box<str>);

/// A number as a key has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decimal {
    /// A whole one.
    Whole(i128),
    /// Another one, as FD and as FL.
    Fraction(f64, f32),
}

/// Kinds of matching that a client must ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) fuzzy: bool,
    pub(super) empty_value: bool,
    pub(super) multiple_value: bool,
}

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if let Ok(whole) = digits.parse::<i128>() {
            return Some(Self::Whole(whole));
        }
        // Rust also reads "inf" and "nan", which no VR has.
        let written = digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let (double, single) = (digits.parse().ok()?, digits.parse().ok()?);
        written.then_some(Self::Fraction(double, single))
    }

    /// Whether a number written as text is the same one.
    pub(super) fn equals_text(self, text: &str) -> bool {
        match (self, Self::parse(text.trim())) {
            (_, None) => false,
            (Self::Whole(a), Some(Self::Whole(b))) => a == b,
            (a, Some(b)) => a.as_double() == b.as_double(),
        }
    }

    pub(super) fn as_double(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Fraction(double, _) => double,
        }
    }

    pub(super) fn as_single(self) -> f32 {
        match self {
            Self::Whole(whole) => whole as f32,
            Self::Fraction(_, single) => single,
        }
    }
}

impl Selector {
    /// An attribute of the standard.
    pub fn of(tag: Tag) -> Self {
        Self { tag, creator: None }
    }

    /// The attribute in a data set, under the tag that it has there.
    pub fn find<'a>(&self, attributes: &'a Attributes) -> Option<(Tag, &'a Attribute)> {
        let Some(creator) = &self.creator else {
            return attributes.get(self.tag).map(|attribute| (self.tag, attribute));
        };
        let group = self.tag.group();
        let is_creator =
            |block: &u16| attributes.text(Tag(group, *block)).is_some_and(|text| text.trim() == &**creator);
        (0x0010..=0x00FF).filter(is_creator).find_map(|block| {
            let tag = Tag(group, block << 8 | self.tag.element() & 0xFF);
            attributes.get(tag).map(|attribute| (tag, attribute))
        })
    }
}

/// Whether a tag is of a private data element.
pub(super) fn is_private(tag: Tag) -> bool {
    tag.group() % 2 == 1
}

/// Whether a tag reserves a block of private data elements.
pub(super) fn is_creator(tag: Tag) -> bool {
    is_private(tag) && (0x0010..=0x00FF).contains(&tag.element())
}

/// The creator element of a private data element's block.
pub(super) fn creator_of(tag: Tag) -> Tag {
    Tag(tag.group(), tag.element() >> 8)
}

/// An attribute by eight hexadecimal digits or by its keyword.
pub(super) fn attribute_named(name: &str) -> Option<Tag> {
    parse_tag(name).or_else(|| StandardDataDictionary.by_name(name).map(DataDictionaryEntry::tag))
}

/// The attribute's keyword, or its tag.
pub(super) fn name_of(tag: Tag) -> String {
    match StandardDataDictionary.by_tag(tag) {
        Some(entry) if !is_private(tag) => entry.alias().to_owned(),
        _ => format!("{:04X}{:04X}", tag.group(), tag.element()),
    }
}

/// The names of a way through sequences.
pub(super) fn path_name(path: &[Tag]) -> String {
    path.iter().map(|tag| name_of(*tag)).collect::<Vec<_>>().join(".")
}

/// Whether a tag is in the dictionary or private, and may stand in a query at all.
pub(super) fn is_known(tag: Tag) -> bool {
    let in_dictionary = || StandardDataDictionary.by_tag(tag).is_some();
    tag.element() != 0 && !matches!(tag.group(), 0x0000..=0x0007 | 0xFFFE) && (is_private(tag) || in_dictionary())
}

/// Longest value of a key in bytes, but for lists of UIDs.
const LONGEST: usize = 4 * Wildcard::LONGEST;
/// UIDs in a list.
const UIDS: usize = 10_000;

impl Matching {
    /// Reads what the value of a key asks for. The `path` is for the error's text.
    pub(super) fn parse(path: &[Tag], vr: VR, text: &str, kinds: Kinds) -> Result<Self, QueryError> {
        let text = text.trim_matches([' ', '\0']);
        if text.is_empty() || text.bytes().all(|byte| byte == b'*') {
            return Ok(Self::Universal);
        }
        if kinds.empty_value && text == "\"\"" {
            return Ok(Self::Empty);
        }
        let value = |expected| QueryError::Value { attribute: path_name(path), expected };
        if vr != VR::UI && text.len() > LONGEST {
            return Err(QueryError::TooMuch);
        }
        match vr {
            VR::SQ | VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW => {
                Err(QueryError::NotSearchable { attribute: path_name(path) })
            }
            VR::UI => uids(text)?.ok_or_else(|| value("one UID or a list of UIDs")),
            VR::DA => Range::parse(vr, text)
                .map(Self::Range)
                .ok_or_else(|| value("a date YYYYMMDD or a range of two, in order")),
            VR::TM => Range::parse(vr, text)
                .map(Self::Range)
                .ok_or_else(|| value("a time HHMMSS.FFFFFF or a range of two, in order")),
            VR::DT => Range::parse(vr, text)
                .map(Self::Range)
                .ok_or_else(|| value("a date and time YYYYMMDDHHMMSS.FFFFFF&ZZXX or a range of two, in order")),
            VR::ST | VR::LT | VR::UT | VR::UR => Self::text(text).ok_or(QueryError::TooMuch),
            _ => Self::several(vr, text, kinds, value),
        }
    }

    /// VRs that may have several values, with a backslash between them; code strings also with a comma, which they
    /// cannot contain and which viewers send.
    fn several(
        vr: VR,
        text: &str,
        kinds: Kinds,
        value: impl Fn(&'static str) -> QueryError,
    ) -> Result<Self, QueryError> {
        let is_delimiter = |c: char| c == '\\' || (c == ',' && vr == VR::CS);
        let parts = text.split(is_delimiter).map(str::trim).filter(|part| !part.is_empty());
        let mut each = parts.map(|part| Self::one(vr, part, kinds, &value)).collect::<Result<Vec<_>, _>>()?;
        if each.len() < 2 {
            return Ok(each.pop().unwrap_or(Self::Universal));
        }
        let together = matches!(vr, VR::AE | VR::AS | VR::AT | VR::CS | VR::LO | VR::PN | VR::SH | VR::UC);
        if !(kinds.multiple_value && together) {
            let universal = each.contains(&Self::Universal);
            return Ok(if universal { Self::Universal } else { Self::AnyOf(each) });
        }
        if text.contains(['*', '?']) {
            return Err(value("values without wild cards, because there are several (PS3.4 C.2.2.2.8)"));
        }
        Ok(Self::AllOf(each))
    }

    fn one(vr: VR, text: &str, kinds: Kinds, value: &impl Fn(&'static str) -> QueryError) -> Result<Self, QueryError> {
        match vr {
            VR::PN => Self::name(text, kinds.fuzzy)
                .ok_or_else(|| value("a person's name of 1024 bytes and 32 wild cards at most")),
            VR::IS | VR::SL | VR::SS | VR::SV | VR::UL | VR::US | VR::UV | VR::DS | VR::FD | VR::FL => {
                Decimal::parse(text).map(Self::Number).ok_or_else(|| value("a number"))
            }
            VR::AT => attribute_named(text)
                .map(|tag| Self::Single(Text(format!("{:04X}{:04X}", tag.group(), tag.element()).into())))
                .ok_or_else(|| value("an attribute's tag")),
            // Ages are not for wild cards (§C.2.2.2.4).
            VR::AS => Ok(Self::Single(Text(text.into()))),
            _ => Self::text(text).ok_or(QueryError::TooMuch),
        }
    }

    fn name(text: &str, fuzzy: bool) -> Option<Self> {
        let pattern = NamePattern::parse(text, fuzzy)?;
        Some(if pattern.is_universal() { Self::Universal } else { Self::Name(pattern) })
    }

    fn text(text: &str) -> Option<Self> {
        if !text.contains(['*', '?']) {
            return Some(Self::Single(Text(text.into())));
        }
        let pattern = Wildcard::new(text)?;
        Some(if pattern.is_universal() { Self::Universal } else { Self::Wildcard(pattern) })
    }

    /// Whether everything matches it.
    pub fn is_universal(&self) -> bool {
        *self == Self::Universal
    }
}

/// UIDs between commas (PS3.18) or backslashes (PS3.4 §C.2.2.2.2).
fn uids(text: &str) -> Result<Option<Matching>, QueryError> {
    let parts = text.split([',', '\\']).map(str::trim).filter(|part| !part.is_empty());
    let Ok(mut uids) = parts.map(Uid::parse).collect::<Result<Vec<_>, _>>() else { return Ok(None) };
    if uids.len() > UIDS {
        return Err(QueryError::TooMuch);
    }
    uids.sort_unstable();
    uids.dedup();
    Ok((!uids.is_empty()).then_some(Matching::UidList(uids)))
}

/// The VR of a standard attribute, `UN` of a private one.
pub(super) fn vr_of(tag: Tag) -> VR {
    if is_creator(tag) { VR::LO } else { dictionary_vr(tag) }
}
