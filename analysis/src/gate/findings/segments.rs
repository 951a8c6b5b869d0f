//! Segments as findings with masks.

use std::collections::{HashMap, HashSet};

use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, attributes::Attributes};

use super::{
    super::{
        object::{Object, Pixels},
        reading::text,
        segmentation::{
            Shape,
            frames::{self, Frame},
        },
    },
    code, cut,
};
use crate::{
    finding::{Finding, ImageName, MaskFrame, PIXELS, Place, Presence},
    inputs::{InputImage, InputSeries, Inputs, uid, whole},
};

/// Runs of all masks: what an answer in JSON can hold of them. Masks beyond are not read.
const RUNS: usize = 8_000_000;

/// Segments of all segmentations of a job.
pub(super) struct Segments {
    /// In their order.
    segments: Vec<Segment>,
    by_number: HashMap<(Uid, u32), usize>,
}

struct Segment {
    /// Nothing where findings cannot say it.
    finding: Option<Finding>,
    is_named: bool,
    /// No pixel is inside: nothing was found there.
    is_blank: bool,
}

/// What may still be read.
struct Left {
    pixels: u64,
    runs: usize,
}

type Images<'a> = HashMap<&'a Uid, (&'a InputSeries, &'a InputImage)>;

impl Segments {
    pub(super) fn read(segmentations: &[&Object], inputs: &Inputs) -> Self {
        let images = inputs.images();
        let mut all = Self { segments: Vec::new(), by_number: HashMap::new() };
        let mut left = Left { pixels: PIXELS, runs: RUNS };
        for object in segmentations {
            let mut masks = masks(object, &images, &mut left);
            for item in object.said.items(tags::SEGMENT_SEQUENCE) {
                let Some(number) = whole(item, tags::SEGMENT_NUMBER) else { continue };
                let mask = masks.remove(&number);
                let is_blank = mask.as_ref().is_some_and(|mask| mask.as_ref().is_some_and(Vec::is_empty));
                let frames = mask.flatten().filter(|frames| !frames.is_empty());
                let place = frames.map(|frames| Place::Mask { frames });
                all.by_number.insert((object.reference.instance.clone(), number), all.segments.len());
                all.segments.push(Segment { finding: finding(item, number, place), is_named: false, is_blank });
            }
        }
        all
    }

    /// Where a segment is, for the group that names it first. Others that name it get none: a mask is held once.
    pub(super) fn place(&mut self, segmentation: &Uid, number: u32) -> Option<Place> {
        let at = *self.by_number.get(&(segmentation.clone(), number))?;
        let segment = &mut self.segments[at];
        segment.is_named = true;
        segment.finding.as_mut()?.place.take()
    }

    /// The segments that no group names, and how many of them cannot be said.
    pub(super) fn rest(self) -> (Vec<Finding>, usize) {
        let rest = self.segments.into_iter().filter(|segment| !segment.is_named && !segment.is_blank);
        let (said, unsaid): (Vec<Segment>, Vec<Segment>) = rest.partition(|segment| segment.finding.is_some());
        (said.into_iter().filter_map(|segment| segment.finding).collect(), unsaid.len())
    }
}

fn finding(item: &Attributes, number: u32, place: Option<Place>) -> Option<Finding> {
    let id = text(item, tags::TRACKING_ID).or_else(|| text(item, tags::SEGMENT_LABEL));
    let region = item.items(tags::ANATOMIC_REGION_SEQUENCE).first();
    Some(Finding {
        id: cut(&id.unwrap_or_else(|| format!("Segment {number}")), 64),
        tracking_uid: uid(item, tags::TRACKING_UID),
        code: code(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE)?,
        category: code(item, tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE),
        presence: Presence::Present,
        site: code(item, tags::ANATOMIC_REGION_SEQUENCE),
        laterality: region.and_then(|region| code(region, tags::ANATOMIC_REGION_MODIFIER_SEQUENCE)),
        confidence: None,
        evaluations: Vec::new(),
        measurements: Vec::new(),
        place,
        text: None,
    })
}

/// The masks by segment: `None` where they cannot be laid over images of one series, pixel over pixel. Fractional and compressed
/// ones are not read: which fraction counts is the service's to say.
fn masks(object: &Object, images: &Images<'_>, left: &mut Left) -> HashMap<u32, Option<Vec<MaskFrame>>> {
    let mut masks: HashMap<u32, Option<Vec<MaskFrame>>> = HashMap::new();
    let (Some(shape), Pixels::Native(bits)) = (Shape::of(&object.said), object.pixels()) else { return masks };
    if shape.bits != 1 {
        return masks;
    }
    let pixels = shape.rows as usize * shape.columns as usize;
    let mut laid: HashSet<(u32, ImageName)> = HashSet::new();
    let mut series: HashMap<u32, &Uid> = HashMap::new();
    for (number, frame) in frames::all(&object.said).iter().enumerate() {
        let Some(segment) = frame.segment else { continue };
        let mask = masks.entry(segment).or_insert_with(|| Some(Vec::new()));
        let Some(frames) = mask else { continue };
        let found = over(frame, shape, images).filter(|(of, image)| {
            **series.entry(segment).or_insert(&of.uid) == of.uid && laid.insert((segment, image.clone()))
        });
        let runs = found.and_then(|(_, image)| {
            left.pixels = left.pixels.checked_sub(pixels as u64)?;
            let runs = runs(bits, number * pixels, pixels, left.runs)?;
            left.runs -= runs.len();
            Some(MaskFrame { image, runs })
        });
        match runs {
            Some(frame) if frame.runs.len() > 1 => frames.push(frame),
            Some(_) => {}
            None => *mask = None,
        }
    }
    masks
}

/// The one image of the same size over which a frame lies.
fn over<'a>(frame: &Frame, shape: Shape, images: &Images<'a>) -> Option<(&'a InputSeries, ImageName)> {
    let [name] = frame.sources.as_slice() else { return None };
    let (series, image) = images.get(&name.instance)?;
    let named = name.frame.filter(|_| image.frames > 1);
    let is_like = (image.rows, image.columns) == (shape.rows, shape.columns);
    let is_one = image.frames == 1 || named.is_some();
    (is_like && is_one).then(|| (*series, ImageName { instance: name.instance.clone(), frame: named }))
}

/// Lengths by turns outside and inside, beginning outside; nothing where there would be more than so many, or too few bits.
fn runs(bits: &[u8], begin: usize, length: usize, most: usize) -> Option<Vec<u32>> {
    let end = begin.checked_add(length)?;
    if end.div_ceil(8) > bits.len() {
        return None;
    }
    let (mut runs, mut inside, mut since, mut at) = (Vec::new(), false, begin, begin);
    while at < end {
        // Whole bytes at once where nothing changes in them.
        let same = if inside { 0xFF } else { 0 };
        if at.is_multiple_of(8) && at + 8 <= end && bits[at / 8] == same {
            at += 8;
            continue;
        }
        if (bits[at / 8] >> (at % 8) & 1 == 1) != inside {
            runs.push(u32::try_from(at - since).ok()?);
            if runs.len() >= most {
                return None;
            }
            (inside, since) = (!inside, at);
        }
        at += 1;
    }
    runs.push(u32::try_from(end - since).ok()?);
    Some(runs)
}
