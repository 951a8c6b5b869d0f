use dicom_dictionary_std::tags;
use serde_json::json;

use super::{Failure, FailureReason, Outcome, StoreResponse, Stored, WarningReason};
use crate::{Uid, attributes::Attributes};

const SERVICE: &str = "https://van.example/hospitals/tokyo/dicom-web";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

fn outcome(instance: &'static str, result: Result<Stored, Failure>) -> Outcome {
    Outcome { class: Some(Uid::known(CT)), instance: Some(Uid::known(instance)), result }
}

fn stored(instance: &'static str, warning: Option<WarningReason>) -> Outcome {
    let stored = Stored { study: Uid::known("1.2"), series: Uid::known("1.3"), warning, originals: Vec::new() };
    outcome(instance, Ok(stored))
}

fn failed(instance: &'static str, reason: FailureReason) -> Outcome {
    outcome(instance, Err(reason.into()))
}

/// A part whose UIDs cannot be read.
fn garbage() -> Outcome {
    Outcome { class: None, instance: None, result: Err(FailureReason::CannotUnderstand.into()) }
}

fn respond(outcomes: Vec<Outcome>) -> StoreResponse {
    StoreResponse::new(SERVICE, None, outcomes)
}

#[test]
fn the_status_is_that_of_the_table() {
    use FailureReason::{
        CannotUnderstand, DuplicateSopInstance, OutOfResources, ProcessingFailure, SopClassNotSupported,
    };
    for (outcomes, status) in [
        (vec![stored("1.4", None), stored("1.5", None)], 200),
        (vec![stored("1.4", Some(WarningReason::Coercion))], 202),
        (vec![stored("1.4", None), garbage()], 202),
        (vec![stored("1.4", None), failed("1.5", OutOfResources)], 202),
        (vec![garbage()], 400),
        (vec![failed("1.4", CannotUnderstand), garbage()], 400),
        (vec![], 400),
        (vec![failed("1.4", SopClassNotSupported)], 409),
        (vec![failed("1.4", DuplicateSopInstance), garbage()], 409),
        (vec![failed("1.4", OutOfResources), garbage()], 409),
        (vec![failed("1.4", OutOfResources), failed("1.5", ProcessingFailure)], 503),
    ] {
        assert_eq!(respond(outcomes.clone()).status(), status, "{outcomes:?}");
    }
}

#[test]
fn the_module_has_a_place_for_each_instance_and_no_empty_sequence() {
    let response = respond(vec![
        stored("1.4", None),
        stored("1.5", Some(WarningReason::ElementsDiscarded)),
        failed("1.6", FailureReason::SopClassNotSupported),
        garbage(),
    ]);
    let url = |instance: &str| format!("{SERVICE}/studies/1.2/series/1.3/instances/{instance}");
    let uid = |uid: &str| json!({"vr": "UI", "Value": [uid]});
    assert_eq!(
        serde_json::to_value(response.to_attributes()).unwrap(),
        json!({
            "00081190": {"vr": "UR", "Value": [format!("{SERVICE}/studies/1.2")]},
            "00081198": {"vr": "SQ", "Value": [
                {"00081150": uid(CT), "00081155": uid("1.6"), "00081197": {"vr": "US", "Value": [290]}},
            ]},
            "00081199": {"vr": "SQ", "Value": [
                {"00081150": uid(CT), "00081155": uid("1.4"), "00081190": {"vr": "UR", "Value": [url("1.4")]}},
                {"00081150": uid(CT), "00081155": uid("1.5"), "00081190": {"vr": "UR", "Value": [url("1.5")]},
                 "00081196": {"vr": "US", "Value": [45062]}},
            ]},
            "0008119A": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [49152]}}]},
        })
    );
    let nothing = respond(vec![garbage()]).to_attributes();
    assert!(nothing.get(tags::RETRIEVE_URL).unwrap().is_empty());
    assert!(nothing.get(tags::FAILED_SOP_SEQUENCE).is_none() && nothing.get(tags::REFERENCED_SOP_SEQUENCE).is_none());
}

#[test]
fn the_study_has_a_url_where_there_is_one_study_with_something_in_it() {
    let url = |study: Option<&Uid>, outcomes: Vec<Outcome>| {
        StoreResponse::new(SERVICE, study, outcomes).to_attributes().text(tags::RETRIEVE_URL)
    };
    let (one, other) = (Uid::known("1.2"), Uid::known("1.9"));
    let expected = Some(format!("{SERVICE}/studies/1.2"));
    assert_eq!(url(None, vec![stored("1.4", None)]), expected);
    assert_eq!(url(Some(&one), vec![stored("1.4", None), failed("1.5", FailureReason::StudyDoesNotMatch)]), expected);
    assert_eq!(url(Some(&one), vec![failed("1.5", FailureReason::StudyDoesNotMatch)]), None);
    let mut elsewhere = stored("1.5", None);
    if let Ok(stored) = &mut elsewhere.result {
        stored.study = other;
    }
    assert_eq!(url(None, vec![stored("1.4", None), elsewhere]), None);
}

#[test]
fn what_was_changed_is_told() {
    let mut coerced = stored("1.4", Some(WarningReason::Coercion));
    let mut original = Attributes::new();
    original.put_text(tags::REASON_FOR_THE_ATTRIBUTE_MODIFICATION, "COERCE");
    if let Ok(stored) = &mut coerced.result {
        stored.originals.push(original.clone());
    }
    let module = respond(vec![coerced]).to_attributes();
    assert_eq!(module.items(tags::REFERENCED_SOP_SEQUENCE)[0].items(tags::ORIGINAL_ATTRIBUTES_SEQUENCE), [original]);
}

#[test]
fn reasons_are_told_in_words_too() {
    let detail = Some("the data set ends at byte 7 — in (0010,0010)".to_owned());
    let broken = Failure { reason: FailureReason::CannotUnderstand, detail };
    assert_eq!(broken.error_comment(), "the data set ends at byte 7 ? in (0010,0010)");
    let response = respond(vec![
        outcome("1.4", Err(broken)),
        failed("1.5", FailureReason::OutOfResources),
        failed("1.6", FailureReason::OutOfResources),
    ]);
    assert_eq!(
        response.warnings(SERVICE),
        [
            format!("A700 {SERVICE}: out of resources; try again later"),
            format!("C000 {SERVICE}: the data set ends at byte 7 ? in (0010,0010)"),
        ]
    );
}

#[test]
fn every_reason_has_its_own_code_in_a_range_of_the_standard() {
    let mut codes = FailureReason::ALL.map(FailureReason::code).to_vec();
    for (reason, code) in FailureReason::ALL.into_iter().zip(&codes) {
        assert!(matches!(code, 0x0110..=0x0124 | 0xA700..=0xA7FF | 0xA900..=0xA9FF | 0xC000..=0xCFFF), "{reason:?}");
        assert!(Failure::from(reason).error_comment().len() <= 64 && reason.text().len() <= 64, "{reason:?}");
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), FailureReason::ALL.len());
}
