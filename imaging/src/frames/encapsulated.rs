//! Frames of encapsulated pixel data: which fragments they are (PS3.5 §A.4).
//!
//! Tables are believed as far as they fit the fragments, because many do not: an offset must be that of an item.

use std::io;

use dicom_dictionary_std::tags;

use super::{Frame, FramesError, Place};
use crate::dataset::{Dataset, Span, Value};

/// Fragments, and the first one of each frame.
#[derive(Debug, Clone)]
pub(super) struct Encapsulated {
    fragments: Vec<Span>,
    /// Indices into the fragments, ascending, one for each frame.
    starts: Vec<usize>,
}

/// Bytes before the value of an item: its tag and its length.
const ITEM_HEAD: u64 = 8;

/// Bytes of a fragment by which its codec is told.
const BEGINNING: u64 = 12;

impl Encapsulated {
    pub(super) fn find(
        data_set: &Dataset,
        all: &[Span],
        count: u32,
        read: &mut impl FnMut(Span) -> io::Result<Vec<u8>>,
    ) -> Result<Self, FramesError> {
        let (basic, fragments) = all.split_first().ok_or(FramesError::NoPixelData)?;
        let count = usize::try_from(count).map_err(|_| FramesError::Unclear)?;
        if fragments.is_empty() || fragments.len() < count {
            return Err(FramesError::Unclear);
        }
        let found = |starts| Ok(Self { fragments: fragments.to_vec(), starts });
        if count == 1 {
            return found(vec![0]);
        }
        if let Some(by_table) = Self::by_extended_table(data_set, fragments, count, read)? {
            return Ok(by_table);
        }
        if basic.length == count as u64 * 4
            && let Some(starts) = by_offsets(fragments, &numbers::<4>(&read(*basic)?))
        {
            return found(starts);
        }
        if fragments.len() == count {
            return found((0..count).collect());
        }
        let starts = by_codec(fragments, read)?;
        let fits = starts.len() == count && starts.first() == Some(&0);
        if fits { found(starts) } else { Err(FramesError::Unclear) }
    }

    /// Extended Offset Table (7FE0,0001) and Extended Offset Table Lengths (7FE0,0002): each frame is one fragment, and its length
    /// is told without the padding (PS3.3 §C.7.6.3.1.8).
    fn by_extended_table(
        data_set: &Dataset,
        fragments: &[Span],
        count: usize,
        read: &mut impl FnMut(Span) -> io::Result<Vec<u8>>,
    ) -> Result<Option<Self>, FramesError> {
        let mut table = |tag| -> io::Result<Option<Vec<u64>>> {
            let bytes = match data_set.get(tag).map(|element| &element.value) {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                Some(Value::Left(left)) if left.span.length == count as u64 * 8 && left.swapped <= 1 => {
                    read(left.span)?
                }
                _ => return Ok(None),
            };
            Ok(Some(numbers::<8>(&bytes)).filter(|numbers| numbers.len() == count))
        };
        let Some(offsets) = table(tags::EXTENDED_OFFSET_TABLE)? else { return Ok(None) };
        let Some(starts) = by_offsets(fragments, &offsets) else { return Ok(None) };
        let mut fragments = fragments.to_vec();
        let is_one_each = fragments.len() == count;
        if let Some(lengths) = table(tags::EXTENDED_OFFSET_TABLE_LENGTHS)?.filter(|_| is_one_each) {
            for (fragment, length) in fragments.iter_mut().zip(lengths) {
                // No more than one byte of padding can be there; another length is wrong.
                if length <= fragment.length && fragment.length - length <= 1 {
                    fragment.length = length;
                }
            }
        }
        Ok(Some(Self { fragments, starts }))
    }

    pub(super) fn frame(&self, index: u32) -> Option<Frame> {
        let index = usize::try_from(index).ok()?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.fragments.len());
        let spans = self.fragments.get(start..end)?.to_vec();
        let bytes = spans.iter().try_fold(0u64, |sum, span| sum.checked_add(span.length))?;
        Some(Frame { spans, place: Place::Source, swapped: 1, skipped_bits: 0, bits: bytes.checked_mul(8)? })
    }
}

/// Offsets count from the first fragment's item tag. Each must be an item's, the first one the first's, and they ascend.
fn by_offsets(fragments: &[Span], offsets: &[u64]) -> Option<Vec<usize>> {
    let base = fragments.first()?.offset.checked_sub(ITEM_HEAD)?;
    let mut starts = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let value_at = base.checked_add(*offset)?.checked_add(ITEM_HEAD)?;
        let index = fragments.binary_search_by_key(&value_at, |fragment| fragment.offset).ok()?;
        if starts.last().is_some_and(|last| *last >= index) {
            return None;
        }
        starts.push(index);
    }
    (starts.first() == Some(&0)).then_some(starts)
}

/// Fragments that begin as a compressed image does.
fn by_codec(fragments: &[Span], read: &mut impl FnMut(Span) -> io::Result<Vec<u8>>) -> Result<Vec<usize>, FramesError> {
    let mut starts = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        let beginning = read(Span { offset: fragment.offset, length: fragment.length.min(BEGINNING) })?;
        if begins_image(&beginning) {
            starts.push(index);
        }
    }
    Ok(starts)
}

fn begins_image(bytes: &[u8]) -> bool {
    const BEGINNINGS: &[&[u8]] = &[
        // JPEG and JPEG-LS: start of image, then another marker.
        b"\xFF\xD8\xFF",
        // JPEG 2000 and HTJ2K: start of codestream, then its size; or, against PS3.5 §A.4.4, a file.
        b"\xFF\x4F\xFF\x51",
        b"\0\0\0\x0CjP  \r\n\x87\n",
        // JPEG XL: a codestream or a container.
        b"\xFF\x0A",
        b"\0\0\0\x0CJXL \r\n\x87\n",
    ];
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning)) || begins_rle(bytes)
}

/// RLE (PS3.5 §G.5): 1 to 15 segments, the first of which comes after the head of 64 bytes.
fn begins_rle(bytes: &[u8]) -> bool {
    matches!(bytes, [1..=15, 0, 0, 0, 64, 0, 0, 0, ..])
}

/// Little-endian numbers of so many bytes; a rest that is none is left out.
fn numbers<const SIZE: usize>(bytes: &[u8]) -> Vec<u64> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    bytes.chunks_exact(SIZE).map(number).collect()
}
