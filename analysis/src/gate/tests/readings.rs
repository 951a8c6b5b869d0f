//! What reports and segmentations say, as findings.

use dicom_dictionary_std::tags::*;

use super::{
    at_concept, gate,
    made::{Made, inputs},
};
use crate::finding::{Finding, Place, Presence};

#[test]
fn what_was_written_of_findings_is_read_back_as_they_were() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let files: Vec<Vec<u8>> = made.objects.iter().map(|object| object.bytes.clone()).collect();
    let gated = gate(files, &inputs);
    assert_eq!(gated.unread, 0);
    assert_eq!(gated.findings.summary, made.findings.summary);
    assert_eq!(gated.findings.limitations, made.findings.limitations);
    assert_eq!(gated.findings.findings.len(), made.findings.findings.len());
    // In a report those with coordinates come first.
    for written in &made.findings.findings {
        let read = gated.findings.findings.iter().find(|read| read.id == written.id).unwrap();
        let mut expected: Finding = written.clone();
        if matches!(written.place, Some(Place::HeatMap { .. })) {
            // A report names the images over which a heat map lies, not its numbers.
            let image = made.findings.heat_maps[0].frames[0].image.clone();
            expected.place = Some(Place::Image { image });
        }
        // A frame of an image that has only one goes without saying.
        if let Some(Place::Polyline { image, .. }) = &mut expected.place {
            image.frame = None;
        }
        assert_eq!(*read, expected);
    }
}

#[test]
fn segments_that_no_report_names_are_findings_by_themselves() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let gated = gate(vec![made.segmentation().bytes], &inputs);
    let [found] = gated.findings.findings.as_slice() else { panic!("one segment") };
    let written = &made.findings.findings[0];
    assert_eq!((&found.id, &found.code, &found.tracking_uid), (&written.id, &written.code, &written.tracking_uid));
    assert_eq!((&found.site, &found.laterality, &found.place), (&written.site, &written.laterality, &written.place));
    assert_eq!(found.measurements, []);
}

#[test]
fn a_segment_without_pixels_is_no_finding() {
    let inputs = inputs();
    let gated = gate(vec![Made::all(&inputs).segmentation().with_pixels(Some(vec![0; 16]))], &inputs);
    assert_eq!((gated.accepted.len(), gated.unread), (1, 0));
    assert_eq!(gated.findings.findings, []);
}

#[test]
fn a_mean_is_not_read_as_a_measurement() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let report = made.report().changed(|said| {
        let mut modifier = said.items(CONTENT_SEQUENCE)[0].clone();
        let mut name = modifier.items(CONCEPT_NAME_CODE_SEQUENCE)[0].clone();
        name.put_text(CODE_VALUE, "121401");
        modifier.put_items(CONCEPT_NAME_CODE_SEQUENCE, vec![name]);
        assert!(at_concept(said, "118565006", &mut |item| item.put_items(CONTENT_SEQUENCE, vec![modifier.clone()])));
    });
    let gated = gate(vec![report, made.segmentation().bytes, made.picture().bytes], &inputs);
    assert_eq!((gated.accepted.len(), gated.unread), (3, 1));
    assert_eq!(gated.findings.findings[0].measurements, []);
}

#[test]
fn codes_of_unknown_schemes_are_left_out_and_counted() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    let segmentation = made.segmentation().changed(|said| {
        super::within(said, &[(SEGMENT_SEQUENCE, 0), (SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, 0)], &mut |code| {
            code.put_text(CODING_SCHEME_DESIGNATOR, "ICD10");
        });
    });
    let gated = gate(vec![segmentation], &inputs);
    assert_eq!((gated.accepted.len(), gated.findings.findings.len(), gated.unread), (1, 0, 1));
}

/// CID 240 of PS3.16 and SNOMED CT itself call different concepts "Absent".
#[test]
fn what_is_absent_is_read_in_both_codes() {
    let inputs = inputs();
    let made = Made::all(&inputs);
    for code in ["272519000", "2667000"] {
        let report = made.report().changed(|said| {
            assert!(at_concept(said, "705057003", &mut |item| {
                super::within(item, &[(CONCEPT_CODE_SEQUENCE, 0)], &mut |value| value.put_text(CODE_VALUE, code));
            }));
        });
        let gated = gate(vec![report, made.segmentation().bytes, made.picture().bytes], &inputs);
        let indeterminate = made.findings.findings.iter().find(|written| written.presence == Presence::Indeterminate);
        let read =
            gated.findings.findings.iter().find(|read| Some(&read.id) == indeterminate.map(|written| &written.id));
        assert_eq!(read.map(|read| read.presence), Some(Presence::Absent), "{code}");
    }
}
