//! What a segmentation says of each of its frames (PS3.3 section C.7.6.16).

use dicom_dictionary_std::tags;
use medvan_imaging::{Tag, Uid, attributes::Attributes};

use super::{
    super::{
        known::Known,
        reading::{Faults, at, text, wholes},
    },
    Shape,
};
use crate::{
    finding::ImageName,
    inputs::{Plane, decimals, uid, whole},
};

/// Millimetres from the origin of a frame of reference; scanners are smaller.
const FAR: f64 = 1e5;
/// Millimetres by which a frame may lie off its image: what rounding to a decimal string makes.
const NEAR: f64 = 0.05;
/// The same for cosines, and for parts of a spacing.
const LIKE: f64 = 1e-3;

/// A frame.
#[derive(Debug)]
pub(in super::super) struct Frame {
    /// Number of its segment.
    pub(in super::super) segment: Option<u32>,
    /// The images from which it was derived.
    pub(in super::super) sources: Vec<ImageName>,
    position: Said<3>,
    orientation: Said<6>,
    spacing: Said<2>,
}

/// Numbers that may be there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said<const N: usize> {
    Nothing,
    Wrong,
    Numbers([f64; N]),
}

/// All frames, with what is said of all of them together.
pub(in super::super) fn all(said: &Attributes) -> Vec<Frame> {
    let none = Attributes::new();
    let shared = said.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first().unwrap_or(&none);
    said.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).iter().map(|own| Frame::of(own, shared)).collect()
}

impl Frame {
    fn of(own: &Attributes, shared: &Attributes) -> Self {
        let group = |tag: Tag| own.items(tag).first().or_else(|| shared.items(tag).first());
        let segment = group(tags::SEGMENT_IDENTIFICATION_SEQUENCE);
        let derivations = [own, shared]
            .into_iter()
            .map(|group| group.items(tags::DERIVATION_IMAGE_SEQUENCE))
            .find(|all| !all.is_empty());
        let sources = derivations.unwrap_or_default().iter().flat_map(|item| item.items(tags::SOURCE_IMAGE_SEQUENCE));
        Self {
            segment: segment.and_then(|item| whole(item, tags::REFERENCED_SEGMENT_NUMBER)),
            sources: sources.flat_map(source).collect(),
            position: Said::of(group(tags::PLANE_POSITION_SEQUENCE), tags::IMAGE_POSITION_PATIENT),
            orientation: Said::of(group(tags::PLANE_ORIENTATION_SEQUENCE), tags::IMAGE_ORIENTATION_PATIENT),
            spacing: Said::of(group(tags::PIXEL_MEASURES_SEQUENCE), tags::PIXEL_SPACING),
        }
    }

    /// Says where the frame cannot lie: nowhere, or elsewhere than the one image from which it was made and whose size it has.
    pub(in super::super) fn check_geometry(
        &self,
        shape: Shape,
        frame_of_reference: Option<&Uid>,
        known: &Known<'_>,
        place: &str,
        faults: &mut Faults,
    ) {
        let mend = "copy position, orientation and spacing of the image, or write decimal numbers in millimetres";
        if self.is_wrong() {
            faults.add(place, "its place in the patient cannot be read", mend);
            return;
        }
        let images: Vec<_> = self.sources.iter().filter_map(|name| known.instance(&name.instance)?.image).collect();
        let is_like = |rows: u32, columns: u32| (rows, columns) == (shape.rows, shape.columns);
        let like: Vec<_> = images.iter().filter(|image| is_like(image.rows, image.columns)).collect();
        let (Said::Numbers(_), Some(frame_of_reference)) = (self.position, frame_of_reference) else {
            if like.is_empty() {
                let mend = "name images of the same rows and columns, or say where the frame lies in the patient";
                faults.add(at(place, tags::DERIVATION_IMAGE_SEQUENCE), "it lies over no image of the job", mend);
            }
            return;
        };
        if let ([_], [image]) = (images.as_slice(), like.as_slice())
            && image.frames == 1
            && let Some(plane) = &image.plane
            && (plane.frame_of_reference != *frame_of_reference || !self.lies_in(plane))
        {
            faults.add(at(place, tags::PLANE_POSITION_SEQUENCE), "it lies elsewhere than its source image", mend);
        }
    }

    fn is_wrong(&self) -> bool {
        let far = matches!(self.position, Said::Numbers(at) if at.iter().any(|number| number.abs() > FAR));
        let flat = matches!(self.spacing, Said::Numbers(sides) if sides.iter().any(|side| *side <= 0.0));
        let is_partial = (self.position == Said::Nothing) != (self.orientation == Said::Nothing);
        let wrong = self.position == Said::Wrong || self.orientation == Said::Wrong || self.spacing == Said::Wrong;
        far || flat || is_partial || wrong
    }

    /// Whether it lies in this plane, pixel over pixel.
    pub(in super::super) fn lies_in(&self, plane: &Plane) -> bool {
        let near = |said: &[f64], expected: &[f64], most: f64| {
            said.iter().zip(expected).all(|(said, expected)| (said - expected).abs() <= most)
        };
        let (Said::Numbers(position), Said::Numbers(orientation)) = (self.position, self.orientation) else {
            return false;
        };
        let spacing = match self.spacing {
            Said::Numbers(spacing) => near(&spacing, &plane.spacing, plane.spacing[0].min(plane.spacing[1]) * LIKE),
            _ => false,
        };
        spacing && near(&position, &plane.position, NEAR) && near(&orientation, plane.orientation.as_flattened(), LIKE)
    }
}

impl<const N: usize> Said<N> {
    fn of(group: Option<&Attributes>, tag: Tag) -> Self {
        match group {
            None => Self::Nothing,
            Some(group) => decimals(group, tag).map_or(Self::Wrong, Self::Numbers),
        }
    }
}

/// The image of an item, once for each frame that is named. A purpose that is no source of pixels makes no difference: frames of
/// several images are over none.
fn source(item: &Attributes) -> Vec<ImageName> {
    let Some(instance) = uid(item, tags::REFERENCED_SOP_INSTANCE_UID) else { return Vec::new() };
    match text(item, tags::REFERENCED_FRAME_NUMBER).and_then(|_| wholes(item, tags::REFERENCED_FRAME_NUMBER)) {
        Some(frames) => {
            frames.into_iter().map(|frame| ImageName { instance: instance.clone(), frame: Some(frame) }).collect()
        }
        None => vec![ImageName { instance, frame: None }],
    }
}
