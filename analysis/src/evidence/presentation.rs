//! Grayscale Softcopy Presentation States (PS3.3 section A.33.1): what was found as lines and labels that a viewer draws over the
//! images and can turn off.
//!
//! One for the grey images of a series in which something can be drawn; several where these are not all shown alike, for a state
//! has one modality LUT (section C.11.1), and what the images say of it no longer counts (PS3.4 section N.2.1). So a state repeats how
//! its images are to be shown. Colour images get none, nor do those whose values a table translates.
//!
//! Coordinates are those of [`crate::finding::Place`]: columns and rows from 0\0, the upper left corner of the upper left pixel
//! (section C.10.5). Only the displayed area counts pixels from 1\1 (section C.10.4).

mod display;
mod graphics;
mod outline;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::{Attributes, NotWritable},
};

use super::{
    Context, Object, PRESENTATION, Reference,
    content::{ImageReference, referenced},
    document::{self, DATE, Series, TIME, formatted, long_string},
};
use crate::{
    finding::{CheckedFindings, Finding, ImageName, MaskFrame, Place},
    inputs::{Grey, InputImage, InputSeries, Rescale},
};

const SERIES: Series = Series { modality: "PR", number: 9004 };
/// Presentation states of a job: more than one for a series only where its images differ in how they are shown.
pub const STATES: usize = 50;
/// Images and frames of a state.
const IMAGES: usize = 2_000;
/// Findings that a state draws, each counted once for every image.
const DRAWN: usize = 10_000;

/// The presentation states; none where nothing can be drawn in a grey image.
///
/// What is more than a state can hold is left out of it, and it says how many findings that are.
///
/// # Errors
/// As [`super::report::author`].
pub fn author(context: &Context<'_>, findings: &CheckedFindings) -> Result<Vec<Object>, NotWritable> {
    let states = plan(context, findings);
    states.iter().zip(1..).map(|(state, number)| state.object(context, number)).collect()
}

/// Images that are shown alike, with what is drawn in them.
struct State<'a> {
    reference: Reference,
    series: &'a InputSeries,
    look: Look<'a>,
    /// By their order in the series and the number of the frame.
    images: BTreeMap<(usize, u32), Drawing<'a>>,
    drawn: usize,
    left_out: usize,
}

/// What a state says of all its images.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look<'a> {
    is_inverse: bool,
    rescale: Option<&'a Rescale>,
}

/// An image, or one frame of it, with what is drawn in it.
struct Drawing<'a> {
    image: &'a InputImage,
    grey: &'a Grey,
    marks: Vec<Mark<'a>>,
}

/// One finding in one image.
#[derive(Debug, Clone, Copy)]
struct Mark<'a> {
    /// Which of the findings.
    at: usize,
    finding: &'a Finding,
    shape: Shape<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Shape<'a> {
    Point([f64; 2]),
    Line(&'a [[f64; 2]]),
    Box { from: [f64; 2], to: [f64; 2] },
    Mask(&'a MaskFrame),
}

/// Distributes what can be drawn over states, always in the same way.
fn plan<'a>(context: &Context<'a>, findings: &'a CheckedFindings) -> Vec<State<'a>> {
    let series = context.inputs.series.iter();
    let images: HashMap<&Uid, (&'a InputSeries, usize)> = series
        .flat_map(|series| series.images.iter().enumerate().map(move |(at, image)| (&image.instance, (series, at))))
        .collect();
    let mut states: Vec<State<'a>> = Vec::new();
    let present = findings.findings.iter().enumerate().filter(|(_, finding)| finding.presence.is_present());
    for (at, finding) in present {
        for (name, shape) in shapes(finding) {
            let Some((series, order)) = images.get(&name.instance).copied() else { continue };
            let Some(grey) = &series.images[order].grey else { continue };
            let look = Look { is_inverse: grey.is_inverse, rescale: grey.rescale.as_ref() };
            let fitting = states.iter().position(|state| state.series.uid == series.uid && state.look == look);
            let state = match fitting {
                Some(state) => state,
                None if states.len() < STATES => {
                    states.push(State::empty(context, series, look, states.len()));
                    states.len() - 1
                }
                None => continue,
            };
            let place = (order, name.frame.unwrap_or(1));
            states[state].put(place, grey, Mark { at, finding, shape });
        }
    }
    states
}

/// Where a finding can be drawn. Heat maps have no lines, and places in the patient lie in no image of their own.
fn shapes(finding: &Finding) -> Vec<(&ImageName, Shape<'_>)> {
    match &finding.place {
        Some(Place::Point { image, at }) => vec![(image, Shape::Point(*at))],
        Some(Place::Polyline { image, points }) => vec![(image, Shape::Line(points))],
        Some(Place::Box { image, from, to }) => vec![(image, Shape::Box { from: *from, to: *to })],
        Some(Place::Mask { frames }) => frames.iter().map(|frame| (&frame.image, Shape::Mask(frame))).collect(),
        _ => Vec::new(),
    }
}

impl<'a> State<'a> {
    fn empty(context: &Context<'_>, series: &'a InputSeries, look: Look<'a>, number: usize) -> Self {
        let reference = context.reference(PRESENTATION, &number.to_string());
        Self { reference, series, look, images: BTreeMap::new(), drawn: 0, left_out: 0 }
    }

    fn put(&mut self, place: (usize, u32), grey: &'a Grey, mark: Mark<'a>) {
        let has_room = self.images.contains_key(&place) || self.images.len() < IMAGES;
        if !has_room || self.drawn >= DRAWN {
            self.left_out += 1;
            return;
        }
        self.drawn += 1;
        let image = &self.series.images[place.0];
        self.images.entry(place).or_insert_with(|| Drawing { image, grey, marks: Vec::new() }).marks.push(mark);
    }

    fn object(&self, context: &Context<'_>, number: u64) -> Result<Object, NotWritable> {
        let mut said = document::begin(context, &self.reference, SERIES, number);
        // Nobody said of which side of the body the series is.
        said.put_empty(tags::LATERALITY);
        said.put_text(tags::CONTENT_LABEL, "AI_RESULT");
        said.put_text(tags::CONTENT_DESCRIPTION, long_string(&context.algorithm.name));
        said.put_empty(tags::CONTENT_CREATOR_NAME);
        said.put_text(tags::PRESENTATION_CREATION_DATE, formatted(context.at, DATE));
        said.put_text(tags::PRESENTATION_CREATION_TIME, formatted(context.at, TIME));
        said.put_items(tags::REFERENCED_SERIES_SEQUENCE, vec![self.relationship()]);
        display::put(self, &mut said);
        graphics::put(self, context, &mut said);
        document::object(self.reference.clone(), &said, None)
    }

    /// Presentation State Relationship (PS3.3 section C.11.11).
    fn relationship(&self) -> Attributes {
        let images = self.instances().into_iter().map(|(drawing, frames)| {
            let mut item = whole(drawing.image);
            if drawing.image.frames > 1 && frames.len() < drawing.image.frames as usize {
                item.put_numbers(tags::REFERENCED_FRAME_NUMBER, &frames);
            }
            item
        });
        let mut item = Attributes::new();
        item.put_text(tags::SERIES_INSTANCE_UID, self.series.uid.as_str());
        item.put_items(tags::REFERENCED_IMAGE_SEQUENCE, images.collect());
        item
    }

    /// Every instance once, with the frames of it that are drawn in.
    fn instances(&self) -> Vec<(&Drawing<'a>, Vec<u64>)> {
        let mut instances: Vec<(usize, &Drawing<'a>, Vec<u64>)> = Vec::new();
        for ((order, frame), drawing) in &self.images {
            match instances.last_mut() {
                Some((last, _, frames)) if last == order => frames.push(u64::from(*frame)),
                _ => instances.push((*order, drawing, vec![u64::from(*frame)])),
            }
        }
        instances.into_iter().map(|(_, drawing, frames)| (drawing, frames)).collect()
    }
}

/// A reference to an image with all its frames.
fn whole(image: &InputImage) -> Attributes {
    referenced(&ImageReference { class: &image.class, instance: &image.instance, frame: None, segment: None })
}
