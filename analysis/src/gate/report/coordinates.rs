//! Coordinates in images and in the patient (PS3.3 sections C.18.6, C.18.9).

use dicom_dictionary_std::tags;
use medvan_imaging::attributes::Attributes;

use super::super::{
    known::Known,
    reading::{Faults, at, reals, text},
};
use crate::inputs::uid;

/// Millimetres from the origin of a frame of reference; scanners are smaller.
const FAR: f64 = 1e5;

/// Checks an SCOORD; gives how many numbers it has.
pub(super) fn in_image(item: &Attributes, known: &Known<'_>, place: &str, faults: &mut Faults) -> usize {
    let points = match text(item, tags::GRAPHIC_TYPE).as_deref() {
        Some("POINT") => 1..=1,
        Some("MULTIPOINT") => 1..=usize::MAX,
        Some("POLYLINE") => 2..=usize::MAX,
        Some("CIRCLE") => 2..=2,
        Some("ELLIPSE") => 4..=4,
        _ => {
            let mend = "write POINT, MULTIPOINT, POLYLINE, CIRCLE or ELLIPSE";
            faults.add(at(place, tags::GRAPHIC_TYPE), "it is none of the allowed values", mend);
            return 0;
        }
    };
    let place_of_data = at(place, tags::GRAPHIC_DATA);
    let Some(numbers) = numbers(item, 2, &points, &place_of_data, faults) else { return 0 };
    let children = item.items(tags::CONTENT_SEQUENCE).iter();
    let images: Vec<_> = children
        .filter(|child| text(child, tags::RELATIONSHIP_TYPE).as_deref() == Some("SELECTED FROM"))
        .flat_map(|child| child.items(tags::REFERENCED_SOP_SEQUENCE))
        .collect();
    if images.is_empty() {
        let mend = "put an IMAGE below it with the relationship SELECTED FROM";
        faults.add(place, "the region is of no image", mend);
        return numbers.len();
    }
    // Coordinates of the whole matrix of a slide have another bound than its tiles.
    let is_tiled = text(item, tags::PIXEL_ORIGIN_INTERPRETATION).as_deref() == Some("VOLUME");
    let named = images.iter().filter_map(|image| uid(image, tags::REFERENCED_SOP_INSTANCE_UID));
    for image in named.filter_map(|uid| known.instance(&uid)?.image) {
        let [width, height] = [image.columns, image.rows].map(|side| if is_tiled { f64::MAX } else { f64::from(side) });
        let is_inside = |point: &[f64]| (0.0..=width).contains(&point[0]) && (0.0..=height).contains(&point[1]);
        if !numbers.chunks_exact(2).all(is_inside) {
            let mend = "write column and row in pixels, from 0 to the image's columns and rows";
            faults.add(&place_of_data, "it is outside of the image", mend);
        }
    }
    numbers.len()
}

/// Checks an SCOORD3D; gives how many numbers it has.
pub(super) fn in_patient(item: &Attributes, known: &Known<'_>, place: &str, faults: &mut Faults) -> usize {
    let points = match text(item, tags::GRAPHIC_TYPE).as_deref() {
        Some("POINT") => 1..=1,
        Some("MULTIPOINT") => 1..=usize::MAX,
        Some("POLYLINE") => 2..=usize::MAX,
        Some("POLYGON") => 3..=usize::MAX,
        Some("ELLIPSE") => 4..=4,
        Some("ELLIPSOID") => 6..=6,
        _ => {
            let mend = "write POINT, MULTIPOINT, POLYLINE, POLYGON, ELLIPSE or ELLIPSOID";
            faults.add(at(place, tags::GRAPHIC_TYPE), "it is none of the allowed values", mend);
            return 0;
        }
    };
    let frame_of_reference = uid(item, tags::REFERENCED_FRAME_OF_REFERENCE_UID);
    if !frame_of_reference.is_some_and(|uid| known.frames_of_reference.contains(&uid)) {
        let mend = "use the Frame of Reference UID of the images";
        faults.add(at(place, tags::REFERENCED_FRAME_OF_REFERENCE_UID), "no image of this job has it", mend);
    }
    let place = at(place, tags::GRAPHIC_DATA);
    let Some(numbers) = numbers(item, 3, &points, &place, faults) else { return 0 };
    if numbers.iter().any(|number| number.abs() > FAR) {
        faults.add(place, "it is outside of any scanner", "write millimetres in the frame of reference");
    }
    numbers.len()
}

fn numbers(
    item: &Attributes,
    axes: usize,
    points: &std::ops::RangeInclusive<usize>,
    place: &str,
    faults: &mut Faults,
) -> Option<Vec<f64>> {
    let numbers = reals(item, tags::GRAPHIC_DATA);
    let fits = |numbers: &Vec<f64>| numbers.len().is_multiple_of(axes) && points.contains(&(numbers.len() / axes));
    let numbers = numbers.filter(fits);
    if numbers.is_none() {
        let mend = format!("write {axes} finite numbers for each point, and as many points as the graphic type has");
        faults.add(place, "the coordinates do not fit the graphic type", mend);
    }
    numbers
}
