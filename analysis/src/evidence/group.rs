//! One finding as a measurement group: TID 1411 with a segment, TID 1410 with a region of an image, TID 1501 with neither.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, attributes::Attributes};

use super::{
    Context,
    content::{ImageReference, Relation, code, container, image, in_patient, number, region, text, uid, with, words},
    report,
    segmentation::Segmentation,
    terms,
};
use crate::{
    finding::{Answer, CheckedFindings, Evaluation, Finding, ImageName, Place, Presence},
    inputs::{InputImage, InputSeries},
};

/// What groups are made from.
pub(super) struct Groups<'a> {
    context: &'a Context<'a>,
    findings: &'a CheckedFindings,
    images: HashMap<&'a Uid, (&'a InputSeries, &'a InputImage)>,
    /// For each finding with a mask: its segmentation and the number of its segment.
    segments: HashMap<usize, (&'a Segmentation<'a>, u16)>,
}

impl<'a> Groups<'a> {
    pub(super) fn new(
        context: &'a Context<'a>,
        findings: &'a CheckedFindings,
        segmentations: &'a [Segmentation<'a>],
    ) -> Self {
        let segments = segmentations.iter().flat_map(|segmentation| {
            let numbered = segmentation.segments().zip(1..);
            numbered.map(move |(finding, number)| (finding, (segmentation, number)))
        });
        Self { context, findings, images: context.inputs.images(), segments: segments.collect() }
    }

    /// A group for each finding. Those with coordinates come first: viewers open a report at its first group, and there is nothing
    /// to open where it has none.
    pub(super) fn all(&self) -> Vec<Attributes> {
        let mut findings: Vec<_> = self.findings.findings.iter().enumerate().collect();
        findings.sort_by_key(|(_, finding)| Drawn::of(finding));
        findings.into_iter().map(|(at, finding)| self.group(at, finding)).collect()
    }

    fn group(&self, at: usize, finding: &Finding) -> Attributes {
        let mut items = tracking(finding);
        items.extend(found(finding));
        items.extend(self.algorithm());
        let (template, places) = self.place(at, finding);
        items.extend(places);
        if let Some(confidence) = finding.confidence {
            items.push(number(terms::CERTAINTY_OF_FINDING, percent(confidence), terms::PERCENT));
        }
        for measurement in &finding.measurements {
            items.push(number((&measurement.code).into(), measurement.value, terms::unit(&measurement.unit)));
        }
        items.extend(presence(finding.presence));
        items.extend(finding.evaluations.iter().map(evaluation));
        items.extend(finding.text.iter().flat_map(|said| words(terms::COMMENT, said)));
        let mut group = container(Relation::Contains, terms::MEASUREMENT_GROUP, Some(template), items);
        // Observations and ImagingSelections of FHIR refer to the group by it.
        group.put_text(tags::OBSERVATION_UID, report::observation_uid(self.context.job, at).as_str());
        group
    }

    /// TID 4019.
    fn algorithm(&self) -> Vec<Attributes> {
        let algorithm = self.context.algorithm;
        let mut items = vec![
            text(Relation::HasConceptModifier, terms::ALGORITHM_NAME, algorithm.name.as_str()),
            text(Relation::HasConceptModifier, terms::ALGORITHM_VERSION, algorithm.version.as_str()),
        ];
        if !algorithm.manufacturer.is_empty() {
            let manufacturer = algorithm.manufacturer.as_str();
            items.push(text(Relation::HasConceptModifier, terms::ALGORITHM_MANUFACTURER, manufacturer));
        }
        let parameters = algorithm.parameters.iter().map(String::as_str);
        items.extend(parameters.map(|said| text(Relation::HasConceptModifier, terms::ALGORITHM_PARAMETERS, said)));
        items
    }

    /// The template that fits where the finding is, and the items that say where.
    fn place(&self, at: usize, finding: &Finding) -> (&'static str, Vec<Attributes>) {
        match &finding.place {
            None => ("1501", Vec::new()),
            Some(Place::Image { image }) => ("1501", self.source(image).into_iter().collect()),
            Some(Place::Point { image, at }) => ("1410", self.region("POINT", &[*at], image)),
            Some(Place::Polyline { image, points }) => ("1410", self.region("POLYLINE", points, image)),
            Some(Place::Box { image, from: [left, top], to: [right, bottom] }) => {
                let corners = [[*left, *top], [*right, *top], [*right, *bottom], [*left, *bottom], [*left, *top]];
                ("1410", self.region("POLYLINE", &corners, image))
            }
            Some(Place::PatientPoint { frame_of_reference, at }) => {
                ("1501", vec![in_patient("POINT", &[*at], frame_of_reference)])
            }
            Some(Place::PatientPolyline { frame_of_reference, points }) => {
                ("1501", vec![in_patient("POLYLINE", points, frame_of_reference)])
            }
            Some(Place::Mask { .. }) => ("1411", self.segment(at)),
            Some(Place::HeatMap { heat_map }) => {
                let maps = self.findings.heat_maps.iter().filter(|map| map.id == *heat_map);
                let images = maps.flat_map(|map| &map.frames).filter_map(|frame| self.source(&frame.image));
                ("1501", images.collect())
            }
        }
    }

    fn source(&self, name: &ImageName) -> Option<Attributes> {
        let name = self.named(name)?;
        Some(image(Relation::Contains, Some(terms::SOURCE_OF_MEASUREMENT), &name))
    }

    fn region(&self, graphic: &str, points: &[[f64; 2]], name: &ImageName) -> Vec<Attributes> {
        self.named(name).map(|image| region(graphic, points, &image)).into_iter().collect()
    }

    fn segment(&self, at: usize) -> Vec<Attributes> {
        let Some((segmentation, number)) = self.segments.get(&at) else { return Vec::new() };
        let reference = ImageReference {
            class: &segmentation.reference.class,
            instance: &segmentation.reference.instance,
            frame: None,
            segment: Some(*number),
        };
        vec![
            image(Relation::Contains, Some(terms::REFERENCED_SEGMENT), &reference),
            uid(Relation::Contains, terms::SOURCE_SERIES, &segmentation.series.uid),
        ]
    }

    fn named(&self, name: &ImageName) -> Option<ImageReference<'a>> {
        let (_, image) = self.images.get(&name.instance)?;
        let frame = name.frame.filter(|_| image.frames > 1);
        Some(ImageReference { class: &image.class, instance: &image.instance, frame, segment: None })
    }
}

/// The coordinates that a group has, in the order in which groups stand in a report.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Drawn {
    InImage,
    InPatient,
    Not,
}

impl Drawn {
    fn of(finding: &Finding) -> Self {
        match &finding.place {
            Some(Place::Point { .. } | Place::Polyline { .. } | Place::Box { .. }) => Self::InImage,
            Some(Place::PatientPoint { .. } | Place::PatientPolyline { .. }) => Self::InPatient,
            Some(Place::Image { .. } | Place::Mask { .. } | Place::HeatMap { .. }) | None => Self::Not,
        }
    }
}

/// TID 4108.
fn tracking(finding: &Finding) -> Vec<Attributes> {
    let mut items = vec![text(Relation::HasObservationContext, terms::TRACKING_IDENTIFIER, finding.id.as_str())];
    let tracked = finding.tracking_uid.iter();
    items.extend(tracked.map(|tracked| uid(Relation::HasObservationContext, terms::TRACKING_UID, tracked)));
    items
}

fn found(finding: &Finding) -> Vec<Attributes> {
    let category = finding.category.iter();
    let mut items: Vec<Attributes> =
        category.map(|category| code(Relation::Contains, terms::FINDING_CATEGORY, category.into())).collect();
    items.push(code(Relation::Contains, terms::FINDING, (&finding.code).into()));
    if let Some(site) = &finding.site {
        let mut item = code(Relation::HasConceptModifier, terms::FINDING_SITE, site.into());
        let side = finding.laterality.iter();
        let side = side.map(|side| code(Relation::HasConceptModifier, terms::LATERALITY, side.into()));
        with(&mut item, side.collect());
        items.push(item);
    }
    items
}

fn presence(presence: Presence) -> Option<Attributes> {
    let answer = match presence {
        Presence::Present => return None,
        Presence::Absent => terms::ABSENT,
        Presence::Indeterminate => terms::INDETERMINATE,
    };
    Some(code(Relation::Contains, terms::PRESENCE, answer))
}

fn evaluation(evaluation: &Evaluation) -> Attributes {
    let question = (&evaluation.question).into();
    match &evaluation.answer {
        Answer::Code(answer) => code(Relation::Contains, question, answer.into()),
        Answer::Text(answer) => text(Relation::Contains, question, answer.as_str()),
    }
}

/// Without the noise of binary fractions: 0.57 is 57, not 56.99999999999999.
fn percent(part: f64) -> f64 {
    (part * 1e10).round() / 1e8
}
