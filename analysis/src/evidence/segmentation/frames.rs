//! Functional groups and dimensions of a segmentation (PS3.3 sections C.7.6.16, C.7.6.17, A.51.5).

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, VR,
    attributes::{Attribute, Attributes, Content, Number},
};

use super::{
    super::{
        Context,
        content::{ImageReference, coded, decimal, referenced},
        terms,
    },
    Frame, Segmentation,
};
use crate::inputs::Plane;

/// The image and the frame of it over which a frame lies: what its second dimension counts.
type Position = (usize, Option<u32>);

pub(super) fn put(segmentation: &Segmentation<'_>, context: &Context<'_>, said: &mut Attributes) {
    let is_placed = segmentation.frame_of_reference.is_some();
    let frames = || segmentation.masks.iter().flat_map(|mask| &mask.frames);
    let positions = positions(frames());
    let planes: Option<Vec<&Plane>> = frames().map(Frame::plane).collect();
    let common = planes.filter(|_| is_placed).and_then(|planes| common(&planes));
    let mut shared = Attributes::new();
    if let Some(plane) = common {
        orient(plane, &mut shared);
    }
    let mut each = Vec::new();
    for (mask, number) in segmentation.masks.iter().zip(1..) {
        for frame in &mask.frames {
            let index = [number, positions[&position(frame)]];
            let mut group = described(frame, index, is_placed);
            group.put_items(tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![identified(number)]);
            if let (None, true, Some(plane)) = (common, is_placed, frame.plane()) {
                orient(plane, &mut group);
            }
            each.push(group);
        }
    }
    said.put_number(tags::NUMBER_OF_FRAMES, each.len() as u64);
    said.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    said.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, each);
    dimensions(context, segmentation, is_placed, said);
}

fn position(frame: &Frame<'_>) -> Position {
    (frame.order, frame.name().frame)
}

/// Every position with its number from 1, in the order of the series.
fn positions<'a>(frames: impl Iterator<Item = &'a Frame<'a>>) -> HashMap<Position, u32> {
    let mut positions: Vec<Position> = frames.map(position).collect();
    positions.sort_unstable();
    positions.dedup();
    positions.into_iter().zip(1..).collect()
}

/// The plane whose orientation and spacing all have.
fn common<'a>(planes: &[&'a Plane]) -> Option<&'a Plane> {
    let (first, rest) = planes.split_first()?;
    let is_like = |plane: &&&Plane| {
        plane.orientation == first.orientation && plane.spacing == first.spacing && plane.thickness == first.thickness
    };
    (rest.iter().filter(is_like).count() == rest.len()).then_some(*first)
}

fn described(frame: &Frame<'_>, index: [u32; 2], is_placed: bool) -> Attributes {
    let mut group = Attributes::new();
    let mut content = Attributes::new();
    let index = index.map(|index| Some(Number::Unsigned(u64::from(index)))).to_vec();
    content.put(tags::DIMENSION_INDEX_VALUES, Attribute { vr: VR::UL, content: Content::Numbers(index.clone()) });
    if !is_placed {
        content.put_text(tags::STACK_ID, "1");
        let number = Attribute { vr: VR::UL, content: Content::Numbers(vec![index[1]]) };
        content.put(tags::IN_STACK_POSITION_NUMBER, number);
    }
    group.put_items(tags::FRAME_CONTENT_SEQUENCE, vec![content]);
    group.put_items(tags::DERIVATION_IMAGE_SEQUENCE, vec![derivation(frame)]);
    if let (true, Some(plane)) = (is_placed, frame.plane()) {
        let mut position = Attributes::new();
        position.put_texts(tags::IMAGE_POSITION_PATIENT, plane.position.map(decimal));
        group.put_items(tags::PLANE_POSITION_SEQUENCE, vec![position]);
    }
    group
}

/// From which image it was derived (PS3.3 section C.7.6.16.2.6).
fn derivation(frame: &Frame<'_>) -> Attributes {
    let named = frame.name().frame.filter(|_| frame.image.frames > 1);
    let image =
        ImageReference { class: &frame.image.class, instance: &frame.image.instance, frame: named, segment: None };
    let mut source = referenced(&image);
    source.put_items(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, vec![coded(terms::PROCESSED_IMAGE)]);
    source.put_text(tags::SPATIAL_LOCATIONS_PRESERVED, "YES");
    let mut item = Attributes::new();
    item.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![source]);
    item.put_items(tags::DERIVATION_CODE_SEQUENCE, vec![coded(terms::SEGMENTATION_DERIVATION)]);
    item
}

fn identified(number: u32) -> Attributes {
    let mut item = Attributes::new();
    item.put_number(tags::REFERENCED_SEGMENT_NUMBER, u64::from(number));
    item
}

/// Plane Orientation and Pixel Measures (PS3.3 sections C.7.6.16.2.4, C.7.6.16.2.1).
fn orient(plane: &Plane, group: &mut Attributes) {
    let mut orientation = Attributes::new();
    let cosines = plane.orientation.into_iter().flatten();
    orientation.put_texts(tags::IMAGE_ORIENTATION_PATIENT, cosines.map(decimal));
    group.put_items(tags::PLANE_ORIENTATION_SEQUENCE, vec![orientation]);
    let mut measures = Attributes::new();
    measures.put_texts(tags::PIXEL_SPACING, plane.spacing.map(decimal));
    if let Some(thickness) = plane.thickness {
        measures.put_text(tags::SLICE_THICKNESS, decimal(thickness));
    }
    group.put_items(tags::PIXEL_MEASURES_SEQUENCE, vec![measures]);
}

/// By segment, then by where it lies: in the patient, or else in the order of the images.
fn dimensions(context: &Context<'_>, segmentation: &Segmentation<'_>, is_placed: bool, said: &mut Attributes) {
    let uid = context.uid(&format!("dimensions {}", segmentation.reference.instance));
    let where_it_lies = if is_placed {
        (tags::IMAGE_POSITION_PATIENT, tags::PLANE_POSITION_SEQUENCE, "Image Position Patient")
    } else {
        (tags::IN_STACK_POSITION_NUMBER, tags::FRAME_CONTENT_SEQUENCE, "In-Stack Position Number")
    };
    let segment = (tags::REFERENCED_SEGMENT_NUMBER, tags::SEGMENT_IDENTIFICATION_SEQUENCE, "Segment Number");
    let index = [segment, where_it_lies].map(|(tag, group, label)| {
        let mut item = Attributes::new();
        item.put_text(tags::DIMENSION_ORGANIZATION_UID, uid.as_str());
        item.put_text(tags::DIMENSION_INDEX_POINTER, pointer(tag));
        item.put_text(tags::FUNCTIONAL_GROUP_POINTER, pointer(group));
        item.put_text(tags::DIMENSION_DESCRIPTION_LABEL, label);
        item
    });
    let mut organization = Attributes::new();
    organization.put_text(tags::DIMENSION_ORGANIZATION_UID, uid.as_str());
    said.put_items(tags::DIMENSION_ORGANIZATION_SEQUENCE, vec![organization]);
    said.put_items(tags::DIMENSION_INDEX_SEQUENCE, index.to_vec());
}

fn pointer(tag: Tag) -> String {
    medvan_imaging::json::key(tag)
}
