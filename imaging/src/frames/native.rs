//! Frames of native pixel data: one after the other, without a gap, also where a frame is no whole number of bytes (PS3.5 §8.1.1).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{Frame, FramesError, Place};
use crate::dataset::{Dataset, Element, Span, Value};

/// Where native pixel data is, and the size of its frames.
#[derive(Debug, Clone)]
pub(super) struct Native {
    place: Place,
    span: Span,
    swapped: u8,
    /// Bits of one frame, more than none.
    frame: u128,
}

impl Native {
    pub(super) fn find(data_set: &Dataset, element: &Element, count: u32) -> Result<Self, FramesError> {
        let (place, span, swapped) = match &element.value {
            Value::Bytes(bytes) => (Place::Value(element.tag), Span { offset: 0, length: bytes.len() as u64 }, 1),
            Value::Left(left) => (Place::Source, left.span, left.swapped),
            Value::Items(_) | Value::Fragments(_) => return Err(FramesError::NoPixelData),
        };
        Ok(Self { place, span, swapped, frame: frame_bits(data_set, element.tag, count, span.length)? })
    }

    /// The frame with this index, from 0; `None` where the value ends before it does.
    pub(super) fn frame(&self, index: u32) -> Option<Frame> {
        let first = u128::from(index).checked_mul(self.frame)?;
        let end = first.checked_add(self.frame)?;
        if end > u128::from(self.span.length) * 8 {
            return None;
        }
        // Numbers that are turned round are taken whole; otherwise bytes are.
        let unit = u128::from(self.swapped.max(1)) * 8;
        let start = first - first % unit;
        let stop = end.div_ceil(unit) * unit;
        let (offset, stop) = (u64::try_from(start / 8).ok()?, u64::try_from(stop / 8).ok()?.min(self.span.length));
        Some(Frame {
            spans: vec![Span { offset: self.span.offset.checked_add(offset)?, length: stop - offset }],
            place: self.place,
            swapped: self.swapped,
            skipped_bits: u8::try_from(first - start).ok()?,
            bits: u64::try_from(self.frame).ok()?,
        })
    }
}

fn frame_bits(data_set: &Dataset, pixels: Tag, count: u32, length: u64) -> Result<u128, FramesError> {
    let size = |tag: Tag| match data_set.unsigned_short(tag) {
        Some(size @ 1..) => Ok(u128::from(size)),
        _ => Err(FramesError::Attribute(tag)),
    };
    let (rows, columns) = (size(tags::ROWS)?, size(tags::COLUMNS)?);
    let allocated = match pixels {
        tags::FLOAT_PIXEL_DATA => 32,
        tags::DOUBLE_FLOAT_PIXEL_DATA => 64,
        _ => size(tags::BITS_ALLOCATED)?,
    };
    let samples = match data_set.unsigned_short(tags::SAMPLES_PER_PIXEL) {
        None => 1,
        Some(_) => size(tags::SAMPLES_PER_PIXEL)?,
    };
    let full = rows * columns * samples * allocated;
    // Some say that their chrominance is shared and write it out all the same: the length tells.
    let fits = || full.checked_mul(u128::from(count)).is_some_and(|bits| bits <= u128::from(length) * 8);
    Ok(match data_set.ascii(tags::PHOTOMETRIC_INTERPRETATION) {
        // Two pixels share their two chrominance values: four numbers for two pixels (PS3.3 §C.7.6.3.1.2).
        Some("YBR_FULL_422" | "YBR_PARTIAL_422") if samples == 3 && !fits() => {
            rows * columns.next_multiple_of(2) * 2 * allocated
        }
        _ => full,
    })
}
