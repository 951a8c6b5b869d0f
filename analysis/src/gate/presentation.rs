//! Grayscale Softcopy Presentation States (PS3.3 sections A.33.1, C.10.5): what they draw has coordinates.

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, attributes::Attributes};

use super::{
    known::Known,
    object::Object,
    reading::{Faults, at, nth, reals, text},
};
use crate::inputs::whole;

/// Numbers of all coordinates.
const COORDINATES: usize = 500_000;

pub(super) fn check(object: &Object, known: &Known<'_>, faults: &mut Faults) {
    let said = &object.said;
    let all = size(said, tags::REFERENCED_SERIES_SEQUENCE, known);
    let mut coordinates = 0;
    for (number, annotation) in said.items(tags::GRAPHIC_ANNOTATION_SEQUENCE).iter().enumerate() {
        let place = nth("", tags::GRAPHIC_ANNOTATION_SEQUENCE, number);
        let own = size(annotation, tags::REFERENCED_IMAGE_SEQUENCE, known);
        let size = own.or(all).unwrap_or([f64::MAX; 2]);
        for (number, graphic) in annotation.items(tags::GRAPHIC_OBJECT_SEQUENCE).iter().enumerate() {
            if faults.is_full() {
                return;
            }
            coordinates += self::graphic(graphic, size, &nth(&place, tags::GRAPHIC_OBJECT_SEQUENCE, number), faults);
        }
    }
    if coordinates > COORDINATES {
        let mend = format!("write at most {COORDINATES} numbers of coordinates in all, or send a Segmentation");
        faults.add("/GraphicAnnotationSequence", "there are too many coordinates", mend);
    }
}

/// Columns and rows of the largest image that is named in this sequence.
fn size(item: &Attributes, sequence: Tag, known: &Known<'_>) -> Option<[f64; 2]> {
    let mut named = Vec::new();
    item.items(sequence).iter().for_each(|item| super::references::named(item, &mut named));
    let images = named.iter().filter_map(|uid| known.instance(uid)?.image);
    let largest = |[width, height]: [f64; 2], image: &crate::inputs::InputImage| {
        [width.max(f64::from(image.columns)), height.max(f64::from(image.rows))]
    };
    images.fold(None, |size, image| Some(largest(size.unwrap_or_default(), image)))
}

fn graphic(graphic: &Attributes, [width, height]: [f64; 2], place: &str, faults: &mut Faults) -> usize {
    let [width, height] = match text(graphic, tags::GRAPHIC_ANNOTATION_UNITS).as_deref() {
        Some("PIXEL") => [width, height],
        Some("DISPLAY") => [1.0, 1.0],
        Some("MATRIX") => [f64::MAX; 2],
        _ => {
            let mend = "write PIXEL, DISPLAY or MATRIX";
            faults.add(at(place, tags::GRAPHIC_ANNOTATION_UNITS), "it is none of the allowed values", mend);
            return 0;
        }
    };
    let place = at(place, tags::GRAPHIC_DATA);
    let points = whole(graphic, tags::NUMBER_OF_GRAPHIC_POINTS).map(|points| points as usize);
    let numbers = reals(graphic, tags::GRAPHIC_DATA).unwrap_or_default();
    if numbers.is_empty() || points.and_then(|points| points.checked_mul(2)) != Some(numbers.len()) {
        let mend = "write two finite numbers for each of NumberOfGraphicPoints";
        faults.add(place, "the coordinates are not as many as the points", mend);
        return numbers.len();
    }
    let is_inside = |point: &[f64]| (0.0..=width).contains(&point[0]) && (0.0..=height).contains(&point[1]);
    if !numbers.chunks_exact(2).all(is_inside) {
        let mend = "write column and row in pixels of the image, or parts of the display from 0 to 1";
        faults.add(place, "it is outside of the image", mend);
    }
    numbers.len()
}
