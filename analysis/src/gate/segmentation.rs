//! Segmentations (PS3.3 sections A.51, C.8.20.2): their size holds, their segments are what frames name, and frames lie where
//! their images lie.

pub(super) mod frames;

use std::collections::HashSet;

use dicom_dictionary_std::tags;
use medvan_imaging::attributes::Attributes;

use super::{
    known::Known,
    object::{Object, Pixels},
    reading::{Faults, at, check_code, nth, text, wholes},
};
use crate::{finding::FRAMES, inputs::whole};
use frames::Frame;

/// Rows and columns, and how many bits a pixel has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) frames: u32,
    pub(super) bits: u32,
}

pub(super) fn check(object: &Object, known: &Known<'_>, faults: &mut Faults) {
    let said = &object.said;
    fixed_values(said, faults);
    let segments = segments(said, faults);
    let Some(shape) = Shape::of(said) else {
        let mend = "write Rows, Columns, NumberOfFrames, BitsAllocated (1 of BINARY, 8 of FRACTIONAL)";
        faults.add("/Rows", "its size cannot be read", mend);
        return;
    };
    pixels(object, shape, faults);
    let items = said.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    if items.len() != shape.frames as usize || items.len() > FRAMES {
        let mend = format!("write an item of PerFrameFunctionalGroupsSequence for each of at most {FRAMES} frames");
        faults.add("/NumberOfFrames", "it is not the number of items for the frames", mend);
        return;
    }
    let frame_of_reference = crate::inputs::uid(said, tags::FRAME_OF_REFERENCE_UID);
    if frame_of_reference.as_ref().is_some_and(|uid| !known.frames_of_reference.contains(uid)) {
        let mend = "use the Frame of Reference UID of the images";
        faults.add("/FrameOfReferenceUID", "no image of this job has it", mend);
    }
    for (number, frame) in frames::all(said).iter().enumerate() {
        if faults.is_full() {
            return;
        }
        let place = nth("", tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, number);
        in_segment(frame, &segments, &place, faults);
        frame.check_geometry(shape, frame_of_reference.as_ref(), known, &place, faults);
    }
    dimensions(said, faults);
}

impl Shape {
    pub(super) fn of(said: &Attributes) -> Option<Self> {
        let shape = Self {
            rows: whole(said, tags::ROWS)?,
            columns: whole(said, tags::COLUMNS)?,
            frames: whole(said, tags::NUMBER_OF_FRAMES)?,
            bits: whole(said, tags::BITS_ALLOCATED)?,
        };
        let sound = [shape.rows, shape.columns, shape.frames].iter().all(|number| *number > 0);
        (sound && matches!(shape.bits, 1 | 8)).then_some(shape)
    }

    /// Bytes of all frames: bits go on from frame to frame without a gap (PS3.5 section 8.1.1).
    fn bytes(self) -> u64 {
        let pixels =
            u64::from(self.rows).saturating_mul(u64::from(self.columns)).saturating_mul(u64::from(self.frames));
        pixels.saturating_mul(u64::from(self.bits)).div_ceil(8)
    }
}

fn fixed_values(said: &Attributes, faults: &mut Faults) {
    let kind = text(said, tags::SEGMENTATION_TYPE);
    let bits = match kind.as_deref() {
        Some("BINARY") => [1, 1, 0],
        Some("FRACTIONAL") => {
            for tag in [tags::SEGMENTATION_FRACTIONAL_TYPE, tags::MAXIMUM_FRACTIONAL_VALUE] {
                if text(said, tag).is_none() {
                    faults.add(at("", tag), "it is missing or empty", "write it: FRACTIONAL has it");
                }
            }
            [8, 8, 7]
        }
        _ => {
            faults.add("/SegmentationType", "it is none of the allowed values", "write BINARY or FRACTIONAL");
            return;
        }
    };
    let [allocated, stored, high] = bits;
    for (tag, expected) in [
        (tags::BITS_ALLOCATED, allocated),
        (tags::BITS_STORED, stored),
        (tags::HIGH_BIT, high),
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        if whole(said, tag) != Some(expected) {
            faults.add(at("", tag), "it is another number than this type has", format!("write {expected}"));
        }
    }
    if text(said, tags::PHOTOMETRIC_INTERPRETATION).as_deref() != Some("MONOCHROME2") {
        faults.add("/PhotometricInterpretation", "it is another one than segmentations have", "write MONOCHROME2");
    }
}

/// Segments are numbered 1, 2, … and say what they are (section C.8.20.4).
fn segments(said: &Attributes, faults: &mut Faults) -> HashSet<u32> {
    let mut numbers = HashSet::new();
    for ((number, item), expected) in said.items(tags::SEGMENT_SEQUENCE).iter().enumerate().zip(1..) {
        let place = nth("", tags::SEGMENT_SEQUENCE, number);
        if whole(item, tags::SEGMENT_NUMBER) != Some(expected) {
            faults.add(at(&place, tags::SEGMENT_NUMBER), "segments are not numbered in order", "number them from 1");
        }
        numbers.insert(expected);
        if text(item, tags::SEGMENT_LABEL).is_none() {
            faults.add(at(&place, tags::SEGMENT_LABEL), "it is missing or empty", "name the segment");
        }
        let kind = text(item, tags::SEGMENT_ALGORITHM_TYPE);
        if !matches!(kind.as_deref(), Some("AUTOMATIC" | "SEMIAUTOMATIC" | "MANUAL")) {
            let mend = "write AUTOMATIC, SEMIAUTOMATIC or MANUAL";
            faults.add(at(&place, tags::SEGMENT_ALGORITHM_TYPE), "it is none of the allowed values", mend);
        } else if kind.as_deref() != Some("MANUAL") && text(item, tags::SEGMENT_ALGORITHM_NAME).is_none() {
            faults.add(at(&place, tags::SEGMENT_ALGORITHM_NAME), "it is missing or empty", "name the algorithm");
        }
        check_code(item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, &place, faults);
        check_code(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, &place, faults);
    }
    numbers
}

fn pixels(object: &Object, shape: Shape, faults: &mut Faults) {
    let bytes = shape.bytes();
    match object.pixels() {
        Pixels::None => faults.add("/PixelData", "it is missing", "send the pixels of all frames"),
        Pixels::Native(sent) => {
            if sent.len() as u64 != bytes && sent.len() as u64 != bytes + bytes % 2 {
                let mend = format!("{bytes} bytes are rows times columns times frames, in bits packed without gaps");
                faults.add("/PixelData", "it has another length than its frames", mend);
            }
        }
        Pixels::Fragments(fragments) => {
            if (fragments as u64) < u64::from(shape.frames) {
                faults.add("/PixelData", "it has fewer fragments than frames", "send the pixels of all frames");
            }
        }
    }
}

fn in_segment(frame: &Frame, segments: &HashSet<u32>, place: &str, faults: &mut Faults) {
    if !frame.segment.is_some_and(|segment| segments.contains(&segment)) {
        let mend = "write the number of an item of SegmentSequence in SegmentIdentificationSequence";
        faults.add(place, "the frame is of no segment", mend);
    }
}

/// Each frame has as many indexes as there are dimensions, and they count from 1 (section C.7.6.17).
fn dimensions(said: &Attributes, faults: &mut Faults) {
    let dimensions = said.items(tags::DIMENSION_INDEX_SEQUENCE).len();
    for (number, group) in said.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).iter().enumerate() {
        let content = group.items(tags::FRAME_CONTENT_SEQUENCE).first();
        let values = content.and_then(|content| wholes(content, tags::DIMENSION_INDEX_VALUES));
        if !values.is_some_and(|values| values.len() == dimensions && values.iter().all(|value| *value > 0)) {
            let place = nth("", tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, number);
            let mend = "write a number from 1 for each item of DimensionIndexSequence";
            faults.add(place, "its dimension index values do not fit the dimensions", mend);
        }
    }
}
