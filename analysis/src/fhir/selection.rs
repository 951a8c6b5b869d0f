//! Where findings are, as ImagingSelections (FHIR R5): images and regions in them, segments, and the content items that say so.
//!
//! Codes and references are those of HL7's guide "DICOM SR to FHIR" (1.0.0 ballot): a finding's Observation is derived from all of its
//! selections, and a selection has those in `focus` on which it rests.

use std::{collections::HashMap, fmt, str::FromStr};

use medvan_authoring::{Coded, Concept, ImagingSelection, Link, Named, Region, SelectedInstance, Shape};
use medvan_imaging::Uid;

use super::{DCM, Told, finding, is_report, patient, uid_identifier};
use crate::{
    evidence::{Reference, SEGMENTATION, report, segmentation},
    finding::{Finding, ImageName, Place},
};

/// A part of what is selected for a finding, in the order in which a finding has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Images, or a region in them.
    Place,
    /// The segment that was made of a mask.
    Segment,
    /// The measurement group of the report that was made.
    Report,
}

/// That is no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither place, segment nor report")]
pub struct NoPart;

/// Selects the places of the findings of one job.
#[derive(Debug)]
pub struct Selector<'a> {
    told: &'a Told<'a>,
    /// The series of each instance that the service was given.
    series: HashMap<&'a Uid, &'a Uid>,
    /// For findings with a mask: in which of the objects it is, as which segment.
    segments: HashMap<usize, (&'a Reference, usize)>,
    /// The report that the gateway made of the findings.
    report: Option<&'a Reference>,
}

/// What is selected, without all that selections of a job have in common.
struct Selected {
    code: Coded,
    series: Option<Uid>,
    frame_of_reference: Option<Uid>,
    instances: Vec<SelectedInstance>,
}

impl Part {
    const ALL: [Self; 3] = [Self::Place, Self::Segment, Self::Report];

    const fn word(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Segment => "segment",
            Self::Report => "report",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Part {
    type Err = NoPart;

    fn from_str(word: &str) -> Result<Self, NoPart> {
        Self::ALL.into_iter().find(|part| part.word() == word).ok_or(NoPart)
    }
}

impl<'a> Selector<'a> {
    pub(super) fn of(told: &'a Told<'a>) -> Self {
        let inputs = told.inputs.iter();
        let series: HashMap<&Uid, &Uid> =
            inputs.flat_map(|(series, instances)| instances.iter().map(move |instance| (instance, series))).collect();
        let made: HashMap<&Uid, &Reference> = told.evidence.iter().map(|(made, _)| (&made.instance, made)).collect();
        let is_segmentation = |uid: &Uid| made.get(uid).is_some_and(|made| made.class.as_str() == SEGMENTATION);
        let of_series = |instance: &Uid| series.get(instance).copied();
        let segments = segmentation::segments(told.job, told.findings, of_series, is_segmentation).into_iter();
        let segments =
            segments.filter_map(|(at, (object, number))| Some((at, (*made.get(&object)?, number)))).collect();
        let report = made.get(&report::instance_uid(told.job)).copied();
        Self { told, series, segments, report }
    }

    /// What there is to select: the place of the finding, counted from 0, and which part.
    pub fn parts(&self) -> impl Iterator<Item = (usize, Part)> + '_ {
        (0..self.told.findings.findings.len()).flat_map(|place| self.parts_of(place).map(move |part| (place, part)))
    }

    /// The selection that is this part of the finding at a place, counted from 0.
    pub fn selection(&self, place: usize, part: Part) -> Option<ImagingSelection> {
        let (told, finding) = (self.told, self.told.findings.findings.get(place)?);
        let selected = match part {
            Part::Place => self.place(place, finding.place.as_ref()?),
            Part::Segment => self.segment(place)?,
            Part::Report => self.content_item(place)?,
        };
        let identifiers = match part {
            Part::Report => self.observation_uid(place).into_iter().collect(),
            Part::Place | Part::Segment => finding::identifiers(finding).collect(),
        };
        Some(ImagingSelection {
            header: told.header(self.id(place, part)),
            is_withdrawn: told.is_superseded,
            identifiers,
            subject: patient(told.patient_id),
            issued: told.at,
            performer: told.device(),
            code: Concept::from(selected.code),
            study_uid: told.study.to_string(),
            derived_from: vec![told.imaging_study()],
            series_uid: selected.series.map(|uid| uid.to_string()),
            frame_of_reference_uid: selected.frame_of_reference.map(|uid| uid.to_string()),
            body_site: finding.site.as_ref().map(finding::concept),
            body_structure: finding::body_structure(told, finding),
            focus: self.focus(place, part),
            instances: selected.instances,
        })
    }

    /// The Observation UID of the finding's measurement group, as an identifier: where there is a report of ours.
    pub(super) fn observation_uid(&self, place: usize) -> Option<Named> {
        self.report?;
        let system = "http://hl7.org/fhir/uv/dicom-sr/CodeSystem/dicom-identifier-type";
        let kind = Coded::of(system, "observation-uid", "Observation UID");
        let uid = report::observation_uid(self.told.job, place);
        Some(Named { kind: Some(kind.into()), ..uid_identifier(&uid) })
    }

    /// References to all selections of a finding.
    pub(super) fn links(&self, place: usize) -> impl Iterator<Item = Link> + '_ {
        self.parts_of(place).map(move |part| self.link(place, part))
    }

    fn parts_of(&self, place: usize) -> impl Iterator<Item = Part> + '_ {
        let finding = self.told.findings.findings.get(place);
        Part::ALL.into_iter().filter(move |part| match part {
            Part::Place => finding.is_some_and(|finding: &Finding| finding.place.is_some()),
            Part::Segment => self.segments.contains_key(&place),
            Part::Report => finding.is_some() && self.report.is_some(),
        })
    }

    /// A segment rests on images, and both on what the report says.
    fn focus(&self, place: usize, part: Part) -> Vec<Link> {
        let rests = |on: &Part| *on != part && (*on == Part::Report || part == Part::Segment);
        let parts = self.parts_of(place).filter(|_| part != Part::Report).filter(rests);
        parts.map(|on| self.link(place, on)).collect()
    }

    fn id(&self, place: usize, part: Part) -> String {
        format!("{}.{part}", self.told.observation_id(place))
    }

    fn link(&self, place: usize, part: Part) -> Link {
        Link::to("ImagingSelection", &self.id(place, part))
    }

    fn place(&self, at: usize, place: &Place) -> Selected {
        let flat = |shape, points| self.images(at, region(), Some(Region::Flat(shape, points)));
        match place {
            Place::Image { .. } | Place::HeatMap { .. } => {
                self.images(at, Coded::of(DCM, "121112", "Source of Measurement"), None)
            }
            Place::Mask { .. } => self.images(at, Coded::of(DCM, "121233", "Source image for segmentation"), None),
            Place::Point { at, .. } => flat(Shape::Point, vec![*at]),
            Place::Polyline { points, .. } => flat(Shape::Polyline, points.clone()),
            Place::Box { from: [left, top], to: [right, bottom], .. } => {
                let corners = vec![[*left, *top], [*right, *top], [*right, *bottom], [*left, *bottom], [*left, *top]];
                flat(Shape::Polyline, corners)
            }
            Place::PatientPoint { frame_of_reference, at } => self.spatial(frame_of_reference, Shape::Point, vec![*at]),
            Place::PatientPolyline { frame_of_reference, points } => {
                self.spatial(frame_of_reference, Shape::Polyline, points.clone())
            }
        }
    }

    /// The images of a finding, which are of one series, perhaps with a region in the only one; several frames of one are one
    /// instance.
    fn images(&self, at: usize, code: Coded, region: Option<Region>) -> Selected {
        let mut instances: Vec<SelectedInstance> = Vec::new();
        let mut places: HashMap<&Uid, usize> = HashMap::new();
        let mut series = None;
        for image in self.told.findings.images_of(at) {
            series = series.or_else(|| self.series.get(&image.instance).copied().cloned());
            let at = *places.entry(&image.instance).or_insert(instances.len());
            if at == instances.len() {
                instances.push(self.instance(image));
            } else if let (Some(instance), Some(frame)) = (instances.get_mut(at), image.frame) {
                instance.subset.push(frame.to_string());
            }
        }
        if let [only] = instances.as_mut_slice() {
            only.region = region;
        }
        Selected { code, series, frame_of_reference: None, instances }
    }

    /// R5 has regions in space below instances only, although they are of none: it is the report that has this one.
    fn spatial(&self, frame_of_reference: &Uid, shape: Shape, points: Vec<[f64; 3]>) -> Selected {
        let reports = || self.told.evidence.iter().map(|(made, _)| made).find(|made| is_report(made));
        let report = self.report.or_else(reports);
        let instance = report.map(|report| SelectedInstance {
            region: Some(Region::Spatial(shape, points)),
            ..made(report, Vec::new())
        });
        Selected {
            code: region(),
            series: report.map(|report| report.series.clone()),
            frame_of_reference: Some(frame_of_reference.clone()),
            instances: instance.into_iter().collect(),
        }
    }

    fn segment(&self, place: usize) -> Option<Selected> {
        let (object, number) = self.segments.get(&place)?;
        let code = Coded::of(DCM, "121191", "Referenced Segment");
        Some(Selected::of(code, object, number.to_string()))
    }

    fn content_item(&self, place: usize) -> Option<Selected> {
        let code = Coded::of(DCM, "111040", "Original Source");
        Some(Selected::of(code, self.report?, report::observation_uid(self.told.job, place).to_string()))
    }

    fn instance(&self, image: &ImageName) -> SelectedInstance {
        let known = self.told.images.get(&image.instance);
        let frame = image.frame.filter(|_| known.is_none_or(|known| known.is_multi_frame));
        SelectedInstance {
            uid: image.instance.to_string(),
            class: known.map(|known| known.class.to_string()),
            subset: frame.iter().map(u32::to_string).collect(),
            region: None,
        }
    }
}

impl Selected {
    /// A part of an object that was made.
    fn of(code: Coded, object: &Reference, subset: String) -> Self {
        let instances = vec![made(object, vec![subset])];
        Self { code, series: Some(object.series.clone()), frame_of_reference: None, instances }
    }
}

fn made(object: &Reference, subset: Vec<String>) -> SelectedInstance {
    SelectedInstance { uid: object.instance.to_string(), class: Some(object.class.to_string()), subset, region: None }
}

fn region() -> Coded {
    Coded::of(DCM, "111030", "Image Region")
}
