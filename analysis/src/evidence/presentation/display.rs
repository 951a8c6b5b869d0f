//! How the images of a state are shown: as they say themselves, whole, and as large as fits.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, VR,
    attributes::{Attribute, Attributes, Content, Number},
};

use super::{super::content::decimal, Drawing, State, whole};
use crate::{
    evidence::document::long_string,
    inputs::{Pixels, Window},
};

/// Displayed Area, Modality LUT, Softcopy VOI LUT, Softcopy Presentation LUT (PS3.3 sections C.10.4, C.11.1, C.11.8, C.11.6).
pub(super) fn put(state: &State<'_>, said: &mut Attributes) {
    if let Some(rescale) = state.look.rescale {
        said.put_text(tags::RESCALE_INTERCEPT, decimal(rescale.intercept));
        said.put_text(tags::RESCALE_SLOPE, decimal(rescale.slope));
        said.put_text(tags::RESCALE_TYPE, long_string(&rescale.kind));
    }
    let windows = alike(state, |drawing| drawing.grey.window.as_ref());
    let windows: Vec<Attributes> =
        windows.iter().filter_map(|(window, images)| Some(self::window((*window)?, images.as_deref()))).collect();
    if !windows.is_empty() {
        said.put_items(tags::SOFTCOPY_VOILUT_SEQUENCE, windows);
    }
    // The photometric interpretation of the images no longer counts: what is white is said here (PS3.4 section N.2.1.4).
    said.put_text(tags::PRESENTATION_LUT_SHAPE, if state.look.is_inverse { "INVERSE" } else { "IDENTITY" });
    let areas = alike(state, |drawing| (drawing.image.columns, drawing.image.rows, drawing.grey.pixels));
    let areas = areas.iter().map(|(area, images)| self::area(*area, images.as_deref()));
    said.put_items(tags::DISPLAYED_AREA_SELECTION_SEQUENCE, areas.collect());
}

/// The images that agree in something, in the order of the first of each; no list where all agree.
fn alike<'s, K: PartialEq>(
    state: &'s State<'s>,
    key: impl Fn(&'s Drawing<'s>) -> K,
) -> Vec<(K, Option<Vec<Attributes>>)> {
    let mut groups: Vec<(K, Option<Vec<Attributes>>)> = Vec::new();
    for (drawing, _) in state.instances() {
        let key = key(drawing);
        let image = whole(drawing.image);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, images)) => images.get_or_insert_default().push(image),
            None => groups.push((key, Some(vec![image]))),
        }
    }
    if let [(_, images)] = groups.as_mut_slice() {
        *images = None;
    }
    groups
}

fn begin(images: Option<&[Attributes]>) -> Attributes {
    let mut item = Attributes::new();
    if let Some(images) = images {
        item.put_items(tags::REFERENCED_IMAGE_SEQUENCE, images.to_vec());
    }
    item
}

fn window(window: &Window, images: Option<&[Attributes]>) -> Attributes {
    let mut item = begin(images);
    item.put_text(tags::WINDOW_CENTER, decimal(window.center));
    item.put_text(tags::WINDOW_WIDTH, decimal(window.width));
    if let Some(function) = &window.function {
        item.put_text(tags::VOILUT_FUNCTION, function.as_str());
    }
    item
}

fn area((columns, rows, pixels): (u32, u32, Pixels), images: Option<&[Attributes]>) -> Attributes {
    let mut item = begin(images);
    put_corner(&mut item, tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER, [1, 1]);
    put_corner(&mut item, tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER, [columns, rows]);
    item.put_text(tags::PRESENTATION_SIZE_MODE, "SCALE TO FIT");
    match pixels {
        Pixels::Spacing(spacing) => item.put_texts(tags::PRESENTATION_PIXEL_SPACING, spacing.map(decimal)),
        Pixels::AspectRatio(ratio) => {
            item.put_numbers(tags::PRESENTATION_PIXEL_ASPECT_RATIO, &ratio.map(u64::from));
        }
    }
    item
}

fn put_corner(item: &mut Attributes, tag: Tag, corner: [u32; 2]) {
    let numbers = corner.map(|number| Some(Number::Signed(i64::from(number)))).to_vec();
    item.put(tag, Attribute { vr: VR::SL, content: Content::Numbers(numbers) });
}
