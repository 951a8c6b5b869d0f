mod made;
mod readings;
mod refusals;
mod repairs;

use std::io::Cursor;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag,
    attributes::{self, AttributePath, Attributes},
    dataset::{Limits, Seekable},
    file::read_file,
};
use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::{Gated, Job, read};
use crate::{evidence::Reference, inputs::Inputs};
use made::{Made, inputs};

const JOB: Uuid = Uuid::from_u128(7);

fn gate(files: Vec<Vec<u8>>, inputs: &Inputs) -> Gated {
    gate_after(files, inputs, &[])
}

fn gate_after(files: Vec<Vec<u8>>, inputs: &Inputs, earlier: &[Reference]) -> Gated {
    read(files, &Job { inputs, job: JOB, at: datetime!(2026-11-23 18:30:00 +09:00), earlier })
}

fn said(bytes: &[u8]) -> Attributes {
    let limits = Limits { binary: 1 << 20, ..Limits::default() };
    let file = read_file(Seekable::new(Cursor::new(bytes)).unwrap(), &limits).unwrap();
    attributes::read(&file.data_set, &|_: &AttributePath| None)
}

/// Changes an item within items.
fn within(item: &mut Attributes, way: &[(Tag, usize)], change: &mut dyn FnMut(&mut Attributes)) {
    let Some(((tag, number), rest)) = way.split_first() else { return change(item) };
    let mut items = item.items(*tag).to_vec();
    within(&mut items[*number], rest, change);
    item.put_items(*tag, items);
}

/// Changes the first content item with this concept name, wherever it is.
fn at_concept(item: &mut Attributes, concept: &str, change: &mut dyn FnMut(&mut Attributes)) -> bool {
    let mut items = item.items(tags::CONTENT_SEQUENCE).to_vec();
    for child in &mut items {
        let name = child.items(tags::CONCEPT_NAME_CODE_SEQUENCE).first().and_then(|name| name.text(tags::CODE_VALUE));
        let is_it = name.as_deref() == Some(concept);
        if is_it {
            change(child);
        }
        if is_it || at_concept(child, concept, change) {
            item.put_items(tags::CONTENT_SEQUENCE, items);
            return true;
        }
    }
    false
}

#[test]
fn what_our_own_authors_write_passes_as_it_is() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let files: Vec<Vec<u8>> = made.objects.iter().map(|object| object.bytes.clone()).collect();
    assert_eq!(files.len(), 5, "a segmentation, a picture, a report, a presentation state and a PDF");
    let gated = gate(files.clone(), &inputs);
    assert_eq!(gated.quarantined, []);
    assert!(gated.accepted.iter().all(|object| object.repairs.is_empty()));
    assert_eq!(gated.accepted.iter().map(|object| object.bytes.clone()).collect::<Vec<_>>(), files);
    let references: Vec<&Reference> = gated.accepted.iter().map(|object| &object.reference).collect();
    assert_eq!(references, made.objects.iter().map(|object| &object.reference).collect::<Vec<_>>());
}

#[test]
fn one_object_that_comes_twice_is_one_and_two_with_one_uid_are_none() {
    let inputs = inputs();
    let picture = Made::all(&inputs).picture();
    let gated = gate(vec![picture.bytes.clone(), picture.bytes.clone()], &inputs);
    assert_eq!((gated.accepted.len(), gated.quarantined.len()), (1, 0));
    let other = picture.changed(|said| said.put_text(tags::SERIES_DESCRIPTION, "other"));
    let gated = gate(vec![picture.bytes, other], &inputs);
    assert_eq!(gated.accepted, []);
    assert_eq!(gated.quarantined.iter().map(|kept| kept.at).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(gated.quarantined[1].reasons[0].reason, "another result has the same UID");
}

#[test]
fn what_names_a_result_that_is_kept_back_is_kept_back_too() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let torn = made.segmentation().changed(|said| said.put_text(tags::PATIENT_ID, "OTHER"));
    let gated = gate(vec![made.report().bytes, made.picture().bytes, torn], &inputs);
    assert_eq!(gated.accepted.len(), 1, "the picture names images only");
    assert_eq!(gated.quarantined[0].reasons[0].reason, "it names another result that is kept back");
    assert!(gated.quarantined[0].reasons[0].place.starts_with("/CurrentRequestedProcedureEvidenceSequence/0"));
    assert_eq!(gated.quarantined[1].reasons[0].place, "/PatientID");
    assert_eq!(gated.findings.findings, []);
}

#[test]
fn an_earlier_result_may_be_named_but_not_sent_again() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let earlier: Vec<Reference> = [made.segmentation(), made.picture()].map(|object| object.reference).to_vec();
    let gated = gate_after(vec![made.report().bytes], &inputs, &earlier);
    assert_eq!(gated.quarantined, []);
    let gated = gate_after(vec![made.picture().bytes], &inputs, &earlier);
    assert_eq!(gated.quarantined[0].reasons[0].reason, "an earlier result has this UID");
}

#[test]
fn only_so_many_results_are_looked_at() {
    let inputs = inputs();
    let gated = gate(vec![Vec::new(); super::OBJECTS + 1], &inputs);
    assert_eq!(gated.quarantined.len(), super::OBJECTS + 1);
    assert_eq!(gated.quarantined[0].reasons[0].mend, "send a DICOM file (PS3.10)");
    assert_eq!(gated.quarantined[super::OBJECTS].reasons[0].reason, "there are too many results");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// No damage makes the gate panic, and what it accepts is of the job's study and patient.
    #[test]
    fn damaged_objects_are_judged(which in 0_usize..5, damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let inputs = inputs();
        let mut files: Vec<Vec<u8>> = Made::all(&inputs).objects.into_iter().map(|object| object.bytes).collect();
        for (at, byte) in damage {
            let at = at.index(files[which].len());
            files[which][at] = byte;
        }
        for object in gate(files, &inputs).accepted {
            let said = said(&object.bytes);
            prop_assert_eq!(said.text(tags::STUDY_INSTANCE_UID), Some("2.25.40".to_owned()));
            prop_assert_eq!(said.text(tags::PATIENT_ID), Some("SYN-1".to_owned()));
        }
    }
}
