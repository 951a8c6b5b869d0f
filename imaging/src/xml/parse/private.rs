//! Blocks of private attributes (PS3.5 §7.8.1). The model tells a creator and the low byte, so that blocks can be given
//! again (PS3.19 table A.1.5-2).

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::{Tag, VR};

use super::XmlError;
use crate::attributes::{Attribute, Attributes, Content};

/// Blocks that a group can have, by the element of their creator.
const BLOCKS: std::ops::RangeInclusive<u16> = 0x10..=0xFF;

/// A data set or item that is being read.
#[derive(Default)]
pub(super) struct DataSet {
    /// What has its tag.
    attributes: Attributes,
    /// What has a creator instead of a block.
    blockless: Vec<(Tag, String, Attribute)>,
}

/// A creator in a group, and the blocks that it holds.
type Held = BTreeMap<(u16, String), Vec<u16>>;

impl DataSet {
    pub(super) fn put(&mut self, tag: Tag, creator: Option<String>, attribute: Attribute) -> Result<(), XmlError> {
        match creator {
            Some(_) if tag.group().is_multiple_of(2) => Err(XmlError::Private(tag)),
            Some(creator) => {
                self.blockless.push((tag, creator, attribute));
                Ok(())
            }
            None => place(&mut self.attributes, tag, attribute),
        }
    }

    /// Everything with a block of its own.
    pub(super) fn settled(self) -> Result<Attributes, XmlError> {
        let Self { mut attributes, blockless } = self;
        if blockless.is_empty() {
            return Ok(attributes);
        }
        let (mut held, mut taken) = blocks(&attributes);
        // A creator may hold several blocks: what comes twice under it is of the next one.
        let mut seen: BTreeMap<(Tag, String), usize> = BTreeMap::new();
        for (tag, creator, attribute) in blockless {
            let low = Tag(tag.group(), tag.element() & 0xFF);
            let own = held.entry((tag.group(), creator.clone())).or_default();
            if own.is_empty() {
                let block = free(tag, &taken).ok_or(XmlError::Private(tag))?;
                taken.insert((tag.group(), block));
                own.push(block);
                let content = Content::Text(vec![Some(creator.clone())]);
                attributes.put(Tag(tag.group(), block), Attribute { vr: VR::LO, content });
            }
            // Some senders leave the block in the tag.
            if own.contains(&(tag.element() >> 8)) {
                place(&mut attributes, tag, attribute)?;
                continue;
            }
            let count = seen.entry((low, creator)).or_default();
            let block = own.get(*count).copied().ok_or(XmlError::Repeated(tag))?;
            *count += 1;
            place(&mut attributes, Tag(tag.group(), block << 8 | low.element()), attribute)?;
        }
        Ok(attributes)
    }
}

fn place(attributes: &mut Attributes, tag: Tag, attribute: Attribute) -> Result<(), XmlError> {
    if attributes.get(tag).is_some() {
        return Err(XmlError::Repeated(tag));
    }
    attributes.put(tag, attribute);
    Ok(())
}

/// The blocks that creators hold, and all blocks of which anything is there.
fn blocks(attributes: &Attributes) -> (Held, BTreeSet<(u16, u16)>) {
    let (mut held, mut taken) = (Held::new(), BTreeSet::new());
    for (tag, attribute) in attributes.iter().filter(|(tag, _)| tag.group() % 2 == 1) {
        if BLOCKS.contains(&tag.element()) {
            taken.insert((tag.group(), tag.element()));
            if let Some(creator) = attribute.texts().into_iter().next().flatten() {
                held.entry((tag.group(), creator.trim_matches(' ').to_owned())).or_default().push(tag.element());
            }
        } else {
            taken.insert((tag.group(), tag.element() >> 8));
        }
    }
    (held, taken)
}

/// A block that nobody holds: the one that the tag has all the same, or the first.
fn free(tag: Tag, taken: &BTreeSet<(u16, u16)>) -> Option<u16> {
    let own = Some(tag.element() >> 8).filter(|block| BLOCKS.contains(block));
    own.into_iter().chain(BLOCKS).find(|block| !taken.contains(&(tag.group(), *block)))
}
