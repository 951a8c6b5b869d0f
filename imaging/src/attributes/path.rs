//! [`AttributePath`]: the way to one attribute, through items of sequences: `7FE00010`, `54000100.0.54001010`.

use std::{fmt, str::FromStr};

use dicom_core::Tag;

use crate::dataset::{Dataset, Element};

/// The way to one attribute of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePath {
    /// Sequences and the item of each, counted from 0.
    items: Vec<(Tag, usize)>,
    last: Tag,
}

/// A text is no path, or the data set has nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such attribute")]
pub struct NoSuchPath;

impl AttributePath {
    /// A path to an attribute of the data set itself.
    pub fn to(tag: Tag) -> Self {
        Self { items: Vec::new(), last: tag }
    }

    /// The same attribute inside an item.
    pub(super) fn through(items: &[(Tag, usize)], last: Tag) -> Self {
        Self { items: items.to_vec(), last }
    }

    /// What is there.
    pub fn find<'a>(&self, data_set: &'a Dataset) -> Option<&'a Element> {
        let inner = self.items.iter().try_fold(data_set, |outer, (tag, item)| outer.items(*tag).get(*item))?;
        inner.get(self.last)
    }

    /// The attribute's tag.
    pub fn tag(&self) -> Tag {
        self.last
    }

    /// Whether it is an attribute of the data set itself.
    pub fn is_top(&self) -> bool {
        self.items.is_empty()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (tag, item) in &self.items {
            write!(f, "{:04X}{:04X}.{item}.", tag.group(), tag.element())?;
        }
        write!(f, "{:04X}{:04X}", self.last.group(), self.last.element())
    }
}

impl FromStr for AttributePath {
    type Err = NoSuchPath;
    fn from_str(text: &str) -> Result<Self, NoSuchPath> {
        let parts: Vec<&str> = text.split('.').take(257).collect();
        let (last, through) = parts.split_last().ok_or(NoSuchPath)?;
        if !through.len().is_multiple_of(2) || parts.len() > 256 {
            return Err(NoSuchPath);
        }
        let items = through
            .chunks_exact(2)
            .map(|pair| Ok((parse_tag(pair[0]).ok_or(NoSuchPath)?, pair[1].parse().map_err(|_| NoSuchPath)?)))
            .collect::<Result<_, NoSuchPath>>()?;
        Ok(Self { items, last: parse_tag(last).ok_or(NoSuchPath)? })
    }
}

/// Eight hexadecimal digits.
pub(crate) fn parse_tag(text: &str) -> Option<Tag> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(text, 16).ok()?;
    Some(Tag((number >> 16) as u16, (number & 0xFFFF) as u16))
}
