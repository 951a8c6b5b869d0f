//! What is put right, to which value, and how the object says so.

use dicom_dictionary_std::tags::*;
use medvan_imaging::Tag;

use super::{
    super::AcceptedObject,
    gate,
    made::{FIRST, Made, SECOND, inputs},
    said,
};

/// The one object that is accepted of some files, after it has been put right twice to the same bytes.
fn put_right(files: &[Vec<u8>]) -> AcceptedObject {
    let once = gate(files.to_vec(), &inputs());
    assert_eq!(once.quarantined, []);
    let again = gate(files.to_vec(), &inputs());
    assert_eq!(once.accepted, again.accepted, "the same bytes each time");
    let object = once.accepted[0].clone();
    let mut passed = files.to_vec();
    passed[0] = object.bytes.clone();
    let passed = gate(passed, &inputs()).accepted[0].clone();
    assert_eq!(
        (passed.bytes == object.bytes, passed.repairs.as_slice()),
        (true, [].as_slice()),
        "nothing is left to mend"
    );
    object
}

fn tags_of(object: &AcceptedObject) -> Vec<Tag> {
    object.repairs.iter().map(|repair| repair.tag).collect()
}

#[test]
fn attributes_of_patient_and_study_are_taken_from_the_images() {
    let missing = [PATIENT_NAME, PATIENT_ID, ISSUER_OF_PATIENT_ID, PATIENT_BIRTH_DATE, STUDY_ID, ACCESSION_NUMBER];
    let file = Made::all(&inputs()).picture().without(&missing);
    let object = put_right(&[file]);
    let mut mended = tags_of(&object);
    mended.sort();
    let mut expected = missing.to_vec();
    expected.sort();
    assert_eq!(mended, expected);
    let said = said(&object.bytes);
    for (tag, value) in [
        (PATIENT_NAME, Some("Yamada^Hanako=山田^花子=やまだ^はなこ")),
        (PATIENT_ID, Some("SYN-1")),
        (ISSUER_OF_PATIENT_ID, Some("HOSPITAL")),
        (PATIENT_BIRTH_DATE, None),
        (STUDY_ID, Some("STUDY-9")),
        (ACCESSION_NUMBER, Some("ACC-5")),
    ] {
        assert!(said.get(tag).is_some(), "{tag}");
        assert_eq!(said.text(tag).as_deref(), value, "{tag}");
    }
    let [original] = said.items(ORIGINAL_ATTRIBUTES_SEQUENCE) else { panic!("one item says what was changed") };
    assert_eq!(original.text(MODIFYING_SYSTEM).as_deref(), Some("MedVAN gateway"));
    assert_eq!(original.text(REASON_FOR_THE_ATTRIBUTE_MODIFICATION).as_deref(), Some("CORRECT"));
    assert_eq!(original.text(ATTRIBUTE_MODIFICATION_DATE_TIME).as_deref(), Some("20261123183000+0900"));
    let [before] = original.items(MODIFIED_ATTRIBUTES_SEQUENCE) else { panic!("one item has the values before") };
    assert_eq!(before.len(), missing.len());
    assert!(missing.iter().all(|tag| before.get(*tag).is_some_and(|before| before.is_empty())));
}

#[test]
fn pixels_stay_where_an_object_is_put_right() {
    let picture = Made::all(&inputs()).picture();
    let object = put_right(&[picture.without(&[STUDY_ID])]);
    let pixels = |bytes: &[u8]| bytes[bytes.len() - 64 * 64 * 3..].to_vec();
    assert_eq!(pixels(&object.bytes), pixels(&picture.bytes));
}

#[test]
fn the_sources_of_a_segmentation_are_made_of_its_frames() {
    let whole = Made::all(&inputs()).segmentation();
    let object = put_right(&[whole.without(&[REFERENCED_SERIES_SEQUENCE])]);
    assert_eq!(tags_of(&object), [REFERENCED_SERIES_SEQUENCE]);
    let expected = said(&whole.bytes);
    assert_eq!(said(&object.bytes).get(REFERENCED_SERIES_SEQUENCE), expected.get(REFERENCED_SERIES_SEQUENCE));
}

#[test]
fn the_evidence_of_a_report_is_made_of_its_content() {
    let made = Made::all(&inputs());
    let (segmentation, picture) = (made.segmentation(), made.picture());
    let report = made.report().without(&[CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE]);
    let files = [report, segmentation.bytes.clone(), picture.bytes];
    let object = put_right(&files);
    assert_eq!(tags_of(&object), [CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE]);
    let mut named = Vec::new();
    said(&object.bytes)
        .items(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE)
        .iter()
        .for_each(|item| super::super::references::named(item, &mut named));
    let named: Vec<&str> = named.iter().map(medvan_imaging::Uid::as_str).collect();
    assert_eq!(named, [FIRST, SECOND, segmentation.reference.instance.as_str()]);
}

#[test]
fn evidence_with_foreign_instances_is_not_mended_away() {
    let made = Made::all(&inputs());
    let report = made.report().changed(|said| {
        let item = said.items(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE)[0].clone();
        let mut series = item.items(REFERENCED_SERIES_SEQUENCE)[0].clone();
        let mut instance = series.items(REFERENCED_SOP_SEQUENCE)[0].clone();
        instance.put_text(REFERENCED_SOP_INSTANCE_UID, "2.25.92");
        series.put_items(REFERENCED_SOP_SEQUENCE, vec![instance]);
        let mut item = item;
        item.put_items(REFERENCED_SERIES_SEQUENCE, vec![series]);
        said.put_items(CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, vec![item]);
    });
    let gated = gate(vec![report, made.segmentation().bytes, made.picture().bytes], &inputs());
    assert_eq!(gated.quarantined[0].reasons[0].reason, "it is none of this job's instances");
}

#[test]
fn an_unnamed_character_set_is_found_by_the_patients_name() {
    let picture = Made::all(&inputs()).picture();
    for (terms, stated) in [(["ISO_IR 192", ""], "ISO_IR 192"), (["", "ISO 2022 IR 87"], "ISO 2022 IR 87")] {
        let mut inputs = inputs();
        let terms: Vec<String> = terms.map(str::to_owned).to_vec();
        inputs.study.put_texts(SPECIFIC_CHARACTER_SET, ["".to_owned(), "ISO 2022 IR 87".to_owned()]);
        let whole = picture.changed(|said| said.put_texts(SPECIFIC_CHARACTER_SET, terms.clone()));
        let gated = gate(vec![unknown(&whole, stated)], &inputs);
        assert_eq!(gated.quarantined, []);
        let object = &gated.accepted[0];
        assert_eq!(tags_of(object), [SPECIFIC_CHARACTER_SET]);
        let mended = said(&object.bytes);
        assert_eq!(mended.name(PATIENT_NAME).unwrap().ideographic.as_deref(), Some("山田^花子"));
        let charset = mended.get(SPECIFIC_CHARACTER_SET).unwrap().texts();
        assert!(charset.contains(&Some(stated.to_owned())), "{charset:?}");
    }
}

#[test]
fn a_name_in_no_character_set_is_another_name() {
    let picture = Made::all(&inputs()).picture();
    let file = unknown(&picture.bytes, "ISO_IR 192");
    let at = file.windows(3).position(|window| window == "山".as_bytes()).unwrap();
    let mut torn = file.clone();
    torn[at] = 0xFF;
    let gated = gate(vec![torn], &inputs());
    assert_eq!(gated.quarantined[0].reasons[0].place, "/PatientName");
}

/// The file with a character set of the same length that nobody knows.
fn unknown(bytes: &[u8], term: &str) -> Vec<u8> {
    let at = bytes.windows(term.len()).position(|window| window == term.as_bytes()).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at + term.len() - 2..at + term.len()].copy_from_slice(b"99");
    bytes
}
