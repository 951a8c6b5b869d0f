//! The report: Comprehensive 3D SR with an Imaging Measurement Report (TID 1500).

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::{Attributes, NotWritable},
};
use uuid::Uuid;

use super::{
    Completion, Context, Object, Predecessor, REPORT, Reference,
    content::{ImageReference, Relation, code, coded, contain, container, referenced, text, uid, words},
    document::{self, Series},
    group::Groups,
    instance_of,
    library::{evidence, image_library, study_item},
    segmentation::{self, Segmentation},
    terms, uid_of,
};
use crate::finding::CheckedFindings;

const SERIES: Series = Series { modality: "SR", number: 9001 };

/// How others refer to the report of this job.
pub fn reference(context: &Context<'_>) -> Reference {
    context.reference(REPORT, "report")
}

/// The SOP Instance UID of the report that is made of a job's findings, where the service gave none itself.
pub fn instance_uid(job: Uuid) -> Uid {
    instance_of(job, REPORT, "report")
}

/// The Observation UID (0040,A171) by which others refer to the measurement group of the finding at a place, counted from 0.
pub fn observation_uid(job: Uuid, at: usize) -> Uid {
    uid_of(job, &format!("observation {at}"))
}

/// The report. `beside` are pictures and other objects that were made of the same findings; segmentations are named without.
///
/// # Errors
/// A text of the images has what cannot be written, which does not happen with what was read by this program.
pub fn author(context: &Context<'_>, findings: &CheckedFindings, beside: &[Reference]) -> Result<Object, NotWritable> {
    let reference = reference(context);
    let segmentations = segmentation::plan(context, findings);
    let mut report = document::begin(context, &reference, SERIES, 1);
    report.put_text(tags::COMPLETION_FLAG, context.completion.term());
    report.put_text(tags::VERIFICATION_FLAG, "UNVERIFIED");
    report.put_text(tags::PRELIMINARY_FLAG, "PRELIMINARY");
    report.put_items(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, Vec::new());
    report.put_items(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, Vec::new());
    if let Some(study) = context.inputs.study_uid() {
        let objects =
            segmentations.iter().map(|segmentation| &segmentation.reference).chain(beside).collect::<Vec<_>>();
        let evidence = evidence(context.inputs, &study, &objects);
        report.put_items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, evidence);
    }
    if let Some(predecessor) = &context.predecessor {
        report.put_items(tags::PREDECESSOR_DOCUMENTS_SEQUENCE, vec![predecessor.item()]);
    }
    report.put_text(tags::VALUE_TYPE, "CONTAINER");
    report.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![coded(terms::IMAGING_MEASUREMENT_REPORT)]);
    contain(&mut report, Some("1500"), content(context, findings, &segmentations));
    document::object(reference, &report, None)
}

fn content(context: &Context<'_>, findings: &CheckedFindings, segmentations: &[Segmentation<'_>]) -> Vec<Attributes> {
    let mut items = vec![code(Relation::HasConceptModifier, terms::LANGUAGE, terms::ENGLISH)];
    items.extend(observer(context));
    items.extend(procedures(context));
    items.push(image_library(context.inputs));
    let groups = Groups::new(context, findings, segmentations).all();
    if !groups.is_empty() {
        items.push(container(Relation::Contains, terms::IMAGING_MEASUREMENTS, None, groups));
    }
    let said = said(findings);
    if !said.is_empty() {
        items.push(container(Relation::Contains, terms::QUALITATIVE_EVALUATIONS, None, said));
    }
    items
}

/// TID 1004: the service is the observer.
fn observer(context: &Context<'_>) -> Vec<Attributes> {
    let algorithm = context.algorithm;
    let mut items = vec![
        code(Relation::HasObservationContext, terms::OBSERVER_TYPE, terms::DEVICE),
        uid(Relation::HasObservationContext, terms::DEVICE_UID, &algorithm.uid()),
    ];
    let texts = [
        (terms::DEVICE_NAME, &algorithm.name),
        (terms::DEVICE_MANUFACTURER, &algorithm.manufacturer),
        (terms::DEVICE_MODEL, &algorithm.manufacturer_model),
        (terms::DEVICE_SERIAL, &algorithm.service_id),
    ];
    let given = texts.into_iter().filter(|(_, value)| !value.trim().is_empty());
    items.extend(given.map(|(name, value)| text(Relation::HasObservationContext, name, value.as_str())));
    items
}

fn procedures(context: &Context<'_>) -> Vec<Attributes> {
    let mut procedures = Vec::new();
    for series in &context.inputs.series {
        let procedure = terms::procedure(&series.modality);
        if !procedures.contains(&procedure) {
            procedures.push(procedure);
        }
    }
    let item = |procedure| code(Relation::HasConceptModifier, terms::PROCEDURE_REPORTED, procedure);
    procedures.into_iter().map(item).collect()
}

/// What is said of the whole: the summary, limitations, and that nothing was found.
fn said(findings: &CheckedFindings) -> Vec<Attributes> {
    let summary = findings.summary.iter().flat_map(|summary| words(terms::CONCLUSION, summary));
    let mut items: Vec<Attributes> = summary.collect();
    if findings.findings.is_empty() {
        items.push(text(Relation::Contains, terms::FINDING, "The service reports no findings."));
    }
    items.extend(findings.limitations.iter().flat_map(|limitation| words(terms::COMMENT, limitation)));
    items
}

impl Completion {
    fn term(self) -> &'static str {
        match self {
            Self::Partial => "PARTIAL",
            Self::Complete => "COMPLETE",
        }
    }
}

impl Predecessor {
    fn item(&self) -> Attributes {
        let Reference { series, instance, class } = &self.reference;
        let instance = referenced(&ImageReference { class, instance, frame: None, segment: None });
        study_item(&self.study, vec![(series, vec![instance])])
    }
}
