//! Everything that an object names, wherever it stands: each must be an image of the job or a result of it.
//!
//! All sequences are walked, not only those that a class has: whatever a reader follows leads to the same study.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid,
    attributes::{Attributes, Content},
};

use super::{
    known::{Instance, Known},
    reading::{Faults, at, nth, text, wholes},
};
use crate::inputs::uid;

/// What these name is no instance that a service could have been given, or what the object said before.
const OTHER: [Tag; 5] = [
    tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
    tags::REFERENCED_STUDY_SEQUENCE,
    tags::REFERENCED_PATIENT_SEQUENCE,
    tags::REFERENCED_VISIT_SEQUENCE,
    tags::ORIGINAL_ATTRIBUTES_SEQUENCE,
];

/// Checks every reference; gives those to other results of the same job.
pub(super) fn check(said: &Attributes, known: &Known<'_>, faults: &mut Faults) -> Vec<(String, usize)> {
    let mut walk = Walk { known, faults, beside: Vec::new() };
    walk.below(said, "", None);
    walk.beside
}

/// Every instance that is named within an item, in the order of the item.
pub(super) fn named(item: &Attributes, found: &mut Vec<Uid>) {
    found.extend(uid(item, tags::REFERENCED_SOP_INSTANCE_UID));
    for (tag, attribute) in item {
        if let (Content::Items(items), false) = (&attribute.content, OTHER.contains(tag)) {
            items.iter().for_each(|item| named(item, found));
        }
    }
}

struct Walk<'a, 'k> {
    known: &'a Known<'k>,
    faults: &'a mut Faults,
    beside: Vec<(String, usize)>,
}

impl Walk<'_, '_> {
    fn below(&mut self, item: &Attributes, place: &str, series: Option<&Uid>) {
        for (tag, attribute) in item {
            let Content::Items(items) = &attribute.content else { continue };
            if OTHER.contains(tag) {
                continue;
            }
            for (number, item) in items.iter().enumerate() {
                if self.faults.is_full() {
                    return;
                }
                self.item(item, &nth(place, *tag, number), series);
            }
        }
    }

    fn item(&mut self, item: &Attributes, place: &str, series: Option<&Uid>) {
        let own = uid(item, tags::SERIES_INSTANCE_UID);
        if text(item, tags::STUDY_INSTANCE_UID).is_some() && uid(item, tags::STUDY_INSTANCE_UID) != self.known.study {
            let mend = "name the study of the request only";
            self.faults.add(at(place, tags::STUDY_INSTANCE_UID), "it is another study than the job's", mend);
        }
        if own.as_ref().is_some_and(|own| !self.known.has_series(own)) {
            let mend = "name series of the request, or of your own results";
            self.faults.add(at(place, tags::SERIES_INSTANCE_UID), "it is none of this job's series", mend);
        }
        let series = own.as_ref().or(series);
        if item.get(tags::REFERENCED_SOP_INSTANCE_UID).is_some() {
            self.reference(item, place, series);
        }
        self.below(item, place, series);
    }

    fn reference(&mut self, item: &Attributes, place: &str, series: Option<&Uid>) {
        let instance = uid(item, tags::REFERENCED_SOP_INSTANCE_UID).and_then(|uid| self.known.instance(&uid));
        let Some(instance) = instance else {
            let mend = "name instances of the request, or your own results";
            self.faults.add(at(place, tags::REFERENCED_SOP_INSTANCE_UID), "it is none of this job's instances", mend);
            return;
        };
        if series.is_some_and(|series| *series != instance.series) {
            let mend = "name it below its own series";
            self.faults.add(at(place, tags::REFERENCED_SOP_INSTANCE_UID), "it is of another series", mend);
        }
        if uid(item, tags::REFERENCED_SOP_CLASS_UID).as_ref() != Some(&instance.class) {
            let mend = "copy it from the SOPClassUID of the instance";
            self.faults.add(at(place, tags::REFERENCED_SOP_CLASS_UID), "it is not the class of the instance", mend);
        }
        self.parts(item, place, instance);
        self.beside.extend(instance.result.map(|result| (place.to_owned(), result)));
    }

    /// Frames and segments.
    fn parts(&mut self, item: &Attributes, place: &str, instance: &Instance<'_>) {
        let numbers = |tag: Tag| item.get(tag).filter(|said| !said.is_empty()).map(|_| wholes(item, tag));
        let frames = 1..=instance.frames;
        if let Some(numbers) = numbers(tags::REFERENCED_FRAME_NUMBER)
            && !numbers.is_some_and(|numbers| numbers.iter().all(|number| frames.contains(number)))
        {
            let mend = "write numbers of frames, from 1";
            self.faults.add(at(place, tags::REFERENCED_FRAME_NUMBER), "the instance has no such frame", mend);
        }
        if let (Some(numbers), Some(_)) = (numbers(tags::REFERENCED_SEGMENT_NUMBER), instance.result)
            && !numbers.is_some_and(|numbers| numbers.iter().all(|number| instance.segments.contains(number)))
        {
            let mend = "write numbers of segments of that segmentation";
            self.faults.add(at(place, tags::REFERENCED_SEGMENT_NUMBER), "the instance has no such segment", mend);
        }
    }
}
