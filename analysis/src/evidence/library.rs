//! The images of the job: the Image Library of a report (TID 1600), and the evidence that it names.

use dicom_dictionary_std::tags;
use medvan_imaging::{Uid, attributes::Attributes};

use super::{
    Reference,
    content::{ImageReference, Relation, code, container, image, referenced, uid},
    terms,
};
use crate::inputs::{InputImage, InputSeries, Inputs};

/// TID 1600: a group for each series, with what its images have in common (TID 1602).
pub(super) fn image_library(inputs: &Inputs) -> Attributes {
    let groups = inputs.series.iter().map(group).collect();
    container(Relation::Contains, terms::IMAGE_LIBRARY, Some("1600"), groups)
}

fn group(series: &InputSeries) -> Attributes {
    let mut items = Vec::new();
    if !series.modality.is_empty() {
        items.push(code(Relation::HasAcquisitionContext, terms::MODALITY, terms::modality(&series.modality)));
    }
    if let Some(frame_of_reference) = common_frame_of_reference(&series.images) {
        items.push(uid(Relation::HasAcquisitionContext, terms::FRAME_OF_REFERENCE, frame_of_reference));
    }
    items.extend(series.images.iter().map(|each| image(Relation::Contains, None, &whole(each))));
    container(Relation::Contains, terms::IMAGE_LIBRARY_GROUP, None, items)
}

fn common_frame_of_reference(images: &[InputImage]) -> Option<&Uid> {
    let first = &images.first()?.plane.as_ref()?.frame_of_reference;
    let is_same = |image: &InputImage| image.plane.as_ref().is_some_and(|plane| plane.frame_of_reference == *first);
    images.iter().all(is_same).then_some(first)
}

/// An image as a whole.
pub(super) fn whole(image: &InputImage) -> ImageReference<'_> {
    ImageReference { class: &image.class, instance: &image.instance, frame: None, segment: None }
}

/// Current Requested Procedure Evidence Sequence (PS3.3 section C.17.2): the images, and what else was made of the findings.
pub(super) fn evidence(inputs: &Inputs, study: &Uid, beside: &[&Reference]) -> Vec<Attributes> {
    let mut series: Vec<(&Uid, Vec<Attributes>)> = inputs
        .series
        .iter()
        .map(|series| (&series.uid, series.images.iter().map(|image| referenced(&whole(image))).collect()))
        .collect();
    for object in beside {
        let item = referenced(&ImageReference {
            class: &object.class,
            instance: &object.instance,
            frame: None,
            segment: None,
        });
        match series.iter_mut().find(|(uid, _)| **uid == object.series) {
            Some((_, instances)) => instances.push(item),
            None => series.push((&object.series, vec![item])),
        }
    }
    vec![study_item(study, series)]
}

/// An item of a hierarchical reference (PS3.3 section C.17.2.1).
pub(crate) fn study_item(study: &Uid, series: Vec<(&Uid, Vec<Attributes>)>) -> Attributes {
    let items = series.into_iter().map(|(uid, instances)| {
        let mut item = Attributes::new();
        item.put_items(tags::REFERENCED_SOP_SEQUENCE, instances);
        item.put_text(tags::SERIES_INSTANCE_UID, uid.as_str());
        item
    });
    let items = items.collect();
    let mut item = Attributes::new();
    item.put_items(tags::REFERENCED_SERIES_SEQUENCE, items);
    item.put_text(tags::STUDY_INSTANCE_UID, study.as_str());
    item
}
