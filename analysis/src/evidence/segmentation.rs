//! Masks as Segmentation objects (PS3.3 section A.51): one bit for each pixel, one segment for each finding, one object for
//! the masks over images of one series, size and frame of reference.

mod frames;
mod pixels;

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::{Attributes, NotWritable},
};
use uuid::Uuid;

use super::{
    Context, Object, Reference, SEGMENTATION,
    content::{ImageReference, coded, referenced},
    document::{self, Series, long_string},
    instance_of, terms,
};
use crate::{
    finding::{CheckedFindings, Finding, Findings, ImageName, MaskFrame, Place},
    inputs::{InputImage, InputSeries, Plane},
};

const SERIES: Series = Series { modality: "SEG", number: 9002 };
/// Segments that one object can have (US).
const SEGMENTS: usize = 65_535;

/// Which findings are segments of which object, before anything is written.
#[derive(Debug)]
pub(super) struct Segmentation<'a> {
    /// How others refer to it.
    pub(super) reference: Reference,
    /// The series in whose images the masks are.
    pub(super) series: &'a InputSeries,
    size: Size,
    frame_of_reference: Option<&'a Uid>,
    masks: Vec<Mask<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    rows: u32,
    columns: u32,
}

#[derive(Debug)]
struct Mask<'a> {
    /// Which of the findings.
    at: usize,
    finding: &'a Finding,
    frames: Vec<Frame<'a>>,
}

/// One image of a mask.
#[derive(Debug)]
struct Frame<'a> {
    image: &'a InputImage,
    /// Its place among the images of its series.
    order: usize,
    mask: &'a MaskFrame,
}

/// The segmentations of a job; none where no finding has a mask.
///
/// # Errors
/// As [`super::report::author`].
pub fn author(context: &Context<'_>, findings: &CheckedFindings) -> Result<Vec<Object>, NotWritable> {
    let plan = plan(context, findings);
    plan.iter().zip(1..).map(|(segmentation, number)| segmentation.object(context, number)).collect()
}

/// Where the masks of a job's findings are: for the place of each finding with a mask the SOP Instance UID of its object and the
/// number of its segment. `is_made` says whether an object is there, `series` of which series an image is.
///
/// The images' sizes and frames of reference, by which masks are parted too ([`plan`]), are not asked for. Where there are as many
/// objects as there would be without them, they part nothing; else nothing can be told.
pub fn segments<'a>(
    job: Uuid,
    findings: &'a Findings,
    series: impl Fn(&Uid) -> Option<&'a Uid>,
    is_made: impl Fn(&Uid) -> bool,
) -> HashMap<usize, (Uid, usize)> {
    let mut objects: Vec<((Option<&Uid>, u64), usize)> = Vec::new();
    let mut segments = HashMap::new();
    for (at, finding) in findings.findings.iter().enumerate() {
        let Some(Place::Mask { frames }) = &finding.place else { continue };
        let Some(first) = frames.first() else { continue };
        let pixels = first.runs.iter().map(|run| u64::from(*run)).sum();
        let like = (series(&first.image.instance), pixels);
        let object = objects.iter().position(|(other, _)| *other == like).unwrap_or_else(|| {
            objects.push((like, 0));
            objects.len() - 1
        });
        if let Some((_, number)) = objects.get_mut(object) {
            *number += 1;
            segments.insert(at, (instance_of(job, SEGMENTATION, &object.to_string()), *number));
        }
    }
    let made =
        (0..=objects.len()).filter(|object| is_made(&instance_of(job, SEGMENTATION, &object.to_string()))).count();
    if made == objects.len() { segments } else { HashMap::new() }
}

/// Distributes masks over objects, always in the same way.
pub(super) fn plan<'a>(context: &Context<'a>, findings: &'a CheckedFindings) -> Vec<Segmentation<'a>> {
    let inputs = context.inputs;
    let images: HashMap<&Uid, (&InputSeries, usize)> = inputs
        .series
        .iter()
        .flat_map(|series| series.images.iter().enumerate().map(move |(at, image)| (&image.instance, (series, at))))
        .collect();
    let mut plan: Vec<Segmentation<'a>> = Vec::new();
    for (at, finding) in findings.findings.iter().enumerate() {
        let Some(Place::Mask { frames }) = &finding.place else { continue };
        let found = frames.iter().filter_map(|mask| {
            let (series, order) = images.get(&mask.image.instance)?;
            Some((*series, Frame { image: &series.images[*order], order: *order, mask }))
        });
        let (series, mut frames): (Vec<&InputSeries>, Vec<Frame<'_>>) = found.unzip();
        frames.sort_by_key(|frame| (frame.order, frame.mask.image.frame));
        let (Some(series), Some(first)) = (series.first(), frames.first()) else { continue };
        let size = Size { rows: first.image.rows, columns: first.image.columns };
        let frame_of_reference = common_frame_of_reference(&frames);
        let mask = Mask { at, finding, frames };
        let fitting = plan.iter_mut().find(|other| {
            other.series.uid == series.uid
                && other.size == size
                && other.frame_of_reference == frame_of_reference
                && other.masks.len() < SEGMENTS
        });
        match fitting {
            Some(segmentation) => segmentation.masks.push(mask),
            None => {
                let reference = context.reference(SEGMENTATION, &plan.len().to_string());
                plan.push(Segmentation { reference, series, size, frame_of_reference, masks: vec![mask] });
            }
        }
    }
    plan
}

/// The frame of reference of all, where all say where they lie. Frames within an image lie elsewhere than it says as a whole.
fn common_frame_of_reference<'a>(frames: &[Frame<'a>]) -> Option<&'a Uid> {
    let of = |frame: &Frame<'a>| frame.plane().map(|plane| &plane.frame_of_reference);
    let first = of(frames.first()?)?;
    frames.iter().all(|frame| of(frame) == Some(first)).then_some(first)
}

impl<'a> Frame<'a> {
    fn plane(&self) -> Option<&'a Plane> {
        self.image.plane.as_ref().filter(|_| self.image.frames == 1)
    }

    fn name(&self) -> &'a ImageName {
        &self.mask.image
    }
}

impl Segmentation<'_> {
    /// The findings whose masks are its segments 1, 2, …
    pub(super) fn segments(&self) -> impl Iterator<Item = usize> {
        self.masks.iter().map(|mask| mask.at)
    }

    fn object(&self, context: &Context<'_>, number: u64) -> Result<Object, NotWritable> {
        let mut said = document::begin(context, &self.reference, SERIES, number);
        self.describe_pixels(&mut said);
        said.put_text(tags::CONTENT_LABEL, "AI_RESULT");
        said.put_text(tags::CONTENT_DESCRIPTION, long_string(&context.algorithm.name));
        said.put_empty(tags::CONTENT_CREATOR_NAME);
        said.put_text(tags::SEGMENTATION_TYPE, "BINARY");
        said.put_text(tags::SEGMENTS_OVERLAP, "UNDEFINED");
        let segments = self.masks.iter().zip(1..).map(|(mask, number)| segment(context, mask.finding, number));
        said.put_items(tags::SEGMENT_SEQUENCE, segments.collect());
        if let Some(uid) = self.frame_of_reference {
            said.put_text(tags::FRAME_OF_REFERENCE_UID, uid.as_str());
            said.put_empty(tags::POSITION_REFERENCE_INDICATOR);
        }
        said.put_items(tags::REFERENCED_SERIES_SEQUENCE, vec![self.sources()]);
        frames::put(self, context, &mut said);
        document::object(self.reference.clone(), &said, Some(pixels::packed(self)))
    }

    /// Image Pixel and Segmentation Image (PS3.3 sections C.7.6.3, C.8.20.2).
    fn describe_pixels(&self, said: &mut Attributes) {
        said.put_texts(tags::IMAGE_TYPE, ["DERIVED".to_owned(), "PRIMARY".to_owned()]);
        said.put_text(tags::LOSSY_IMAGE_COMPRESSION, "00");
        said.put_text(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2");
        for (tag, number) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::ROWS, self.size.rows),
            (tags::COLUMNS, self.size.columns),
            (tags::BITS_ALLOCATED, 1),
            (tags::BITS_STORED, 1),
            (tags::HIGH_BIT, 0),
            (tags::PIXEL_REPRESENTATION, 0),
        ] {
            said.put_number(tag, u64::from(number));
        }
    }

    /// Common Instance Reference (PS3.3 section C.12.2).
    fn sources(&self) -> Attributes {
        let instances = self.images().into_iter().map(|(_, image)| {
            referenced(&ImageReference { class: &image.class, instance: &image.instance, frame: None, segment: None })
        });
        let mut item = Attributes::new();
        item.put_items(tags::REFERENCED_INSTANCE_SEQUENCE, instances.collect());
        item.put_text(tags::SERIES_INSTANCE_UID, self.series.uid.as_str());
        item
    }

    /// Every image that has a mask, once, in the order of the series.
    fn images(&self) -> Vec<(usize, &InputImage)> {
        let frames = self.masks.iter().flat_map(|mask| &mask.frames);
        let mut images: Vec<(usize, &InputImage)> = frames.map(|frame| (frame.order, frame.image)).collect();
        images.sort_by_key(|(order, _)| *order);
        images.dedup_by_key(|(order, _)| *order);
        images
    }
}

/// The colours of [`super::draw`] as Recommended Display CIELab Value (PS3.3 section C.10.7.1.1).
pub(super) const COLOURS: [[u64; 3]; 6] = [
    [51_180, 38_565, 53_611],
    [45_921, 30_028, 21_024],
    [51_095, 17_699, 38_369],
    [45_159, 47_996, 28_687],
    [58_687, 30_717, 52_162],
    [41_248, 47_867, 48_906],
];

/// An item of the Segment Sequence (PS3.3 section C.8.20.4).
fn segment(context: &Context<'_>, finding: &Finding, number: u64) -> Attributes {
    let mut item = Attributes::new();
    item.put_number(tags::SEGMENT_NUMBER, number);
    let colour = COLOURS[(number as usize).wrapping_sub(1) % COLOURS.len()];
    item.put_numbers(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE, &colour);
    item.put_text(tags::SEGMENT_LABEL, long_string(&finding.id));
    item.put_text(tags::SEGMENT_DESCRIPTION, finding.code.meaning.as_str());
    item.put_text(tags::SEGMENT_ALGORITHM_TYPE, "AUTOMATIC");
    item.put_text(tags::SEGMENT_ALGORITHM_NAME, long_string(&context.algorithm.name));
    item.put_items(tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE, vec![algorithm(context)]);
    let category = finding.category.as_ref().map_or(terms::ABNORMAL_STRUCTURE, Into::into);
    item.put_items(tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, vec![coded(category)]);
    item.put_items(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, vec![coded((&finding.code).into())]);
    if let Some(site) = &finding.site {
        let mut region = coded(site.into());
        if let Some(side) = &finding.laterality {
            region.put_items(tags::ANATOMIC_REGION_MODIFIER_SEQUENCE, vec![coded(side.into())]);
        }
        item.put_items(tags::ANATOMIC_REGION_SEQUENCE, vec![region]);
    }
    if let Some(uid) = &finding.tracking_uid {
        item.put_text(tags::TRACKING_ID, finding.id.as_str());
        item.put_text(tags::TRACKING_UID, uid.as_str());
    }
    item
}

/// Algorithm Identification Macro (PS3.3 table 10-19).
fn algorithm(context: &Context<'_>) -> Attributes {
    let algorithm = context.algorithm;
    let mut item = Attributes::new();
    item.put_items(tags::ALGORITHM_FAMILY_CODE_SEQUENCE, vec![coded(terms::ARTIFICIAL_INTELLIGENCE)]);
    item.put_text(tags::ALGORITHM_NAME, long_string(&algorithm.name));
    item.put_text(tags::ALGORITHM_VERSION, long_string(&algorithm.version));
    if !algorithm.manufacturer.is_empty() {
        item.put_text(tags::ALGORITHM_SOURCE, long_string(&algorithm.manufacturer));
    }
    if !algorithm.parameters.is_empty() {
        item.put_text(tags::ALGORITHM_PARAMETERS, algorithm.parameters.join("; "));
    }
    item
}
