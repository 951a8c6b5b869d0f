use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{attributes, series, study};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, Content},
    query::{Extended, Level, Query, QueryError},
};

fn find(level: Level, identifier: &Attributes) -> Query {
    Query::from_identifier(level, identifier, Extended::default()).unwrap()
}

#[test]
fn an_answer_has_exactly_the_keys_of_the_identifier() {
    let mut identifier = attributes(&[
        (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192"),
        (tags::QUERY_RETRIEVE_LEVEL, "STUDY"),
        (tags::STUDY_DATE, "20260701-20260731"),
        (tags::PATIENT_ID, ""),
        (tags::PATIENT_BIRTH_DATE, ""),
        (tags::SERIES_NUMBER, ""),
    ]);
    identifier.put_items(tags::PROCEDURE_CODE_SEQUENCE, vec![]);
    let query = find(Level::Study, &identifier);
    assert!(query.matches(&study()));
    let mut expected = attributes(&[
        (tags::STUDY_DATE, "20260704"),
        (tags::QUERY_RETRIEVE_LEVEL, "STUDY"),
        (tags::PATIENT_ID, "0012345"),
        (tags::PATIENT_BIRTH_DATE, ""),
        (tags::SERIES_NUMBER, ""),
    ]);
    expected.put_empty(tags::PROCEDURE_CODE_SEQUENCE);
    assert_eq!(query.identifier_answer(&study()), expected);
}

#[test]
fn items_are_told_where_they_match_and_as_far_as_they_were_asked_for() {
    let mut identifier = Attributes::new();
    let item = attributes(&[(tags::SCHEDULED_PROCEDURE_STEP_ID, "S2"), (tags::REQUESTED_PROCEDURE_ID, "")]);
    identifier.put_items(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![item]);
    let query = find(Level::Series, &identifier);
    assert!(query.matches(&series()));
    let answer = query.identifier_answer(&series());
    let expected = attributes(&[(tags::SCHEDULED_PROCEDURE_STEP_ID, "S2"), (tags::REQUESTED_PROCEDURE_ID, "R2")]);
    assert_eq!(answer.items(tags::REQUEST_ATTRIBUTES_SEQUENCE), [expected]);
    assert_eq!(answer.text(tags::QUERY_RETRIEVE_LEVEL).as_deref(), Some("SERIES"));

    identifier.put_items(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![Attributes::new()]);
    let whole = find(Level::Series, &identifier).identifier_answer(&series());
    assert_eq!(whole.items(tags::REQUEST_ATTRIBUTES_SEQUENCE), series().items(tags::REQUEST_ATTRIBUTES_SEQUENCE));

    identifier.put_items(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![Attributes::new(), Attributes::new()]);
    assert_eq!(
        Query::from_identifier(Level::Series, &identifier, Extended::default()).map(|_| ()),
        Err(QueryError::Items { attribute: "RequestAttributesSequence".to_owned() })
    );
}

#[test]
fn what_was_agreed_on_decides_how_keys_match() {
    let moments = attributes(&[(tags::STUDY_DATE, "20260703-20260704"), (tags::STUDY_TIME, "0900-1000")]);
    for (combined_date_time, expected) in [(false, false), (true, true)] {
        let query =
            Query::from_identifier(Level::Study, &moments, Extended { combined_date_time, ..Extended::default() });
        let late = attributes(&[
            (tags::STUDY_DATE, "20260703"),
            (tags::STUDY_TIME, "2300"),
            (tags::STUDY_INSTANCE_UID, "1.2.3"),
        ]);
        let query = query.unwrap();
        assert_eq!(query.matches(&late), expected);
        assert_eq!(query.in_study(&Uid::known("1.2.3")).unwrap().matches(&late), expected);
    }
    let zone = attributes(&[(tags::STUDY_DATE, "20260703"), (tags::TIMEZONE_OFFSET_FROM_UTC, "-0400")]);
    for timezone in [false, true] {
        let query = Query::from_identifier(Level::Study, &zone, Extended { timezone, ..Extended::default() }).unwrap();
        assert_eq!(query.matches(&study()), timezone);
        assert_eq!(query.identifier_answer(&study()).text(tags::TIMEZONE_OFFSET_FROM_UTC).as_deref(), Some("+0900"));
    }
    let empty = attributes(&[(tags::PATIENT_COMMENTS, "\"\"")]);
    for empty_value in [false, true] {
        let query =
            Query::from_identifier(Level::Study, &empty, Extended { empty_value, ..Extended::default() }).unwrap();
        assert_eq!(query.matches(&study()), empty_value);
    }
    let several = attributes(&[(tags::MODALITIES_IN_STUDY, "CT\\MR")]);
    for multiple_value in [false, true] {
        let query = Query::from_identifier(Level::Study, &several, Extended { multiple_value, ..Extended::default() });
        assert_eq!(query.unwrap().matches(&study()), !multiple_value);
    }
}

#[test]
fn a_key_that_cannot_be_matched_is_still_returned() {
    let mut identifier = Attributes::new();
    identifier.put(tags::ICC_PROFILE, Attribute { vr: VR::OB, content: Content::Inline(vec![1, 2]) });
    let query = find(Level::Study, &identifier);
    assert!(query.matches(&study()));
    assert!(query.identifier_answer(&study()).get(tags::ICC_PROFILE).unwrap().is_empty());
}

#[test]
fn private_keys_need_their_creator() {
    let text = |text: &str| Attribute { vr: VR::LO, content: Content::Text(vec![Some(text.to_owned())]) };
    let mut identifier = Attributes::new();
    identifier.put(Tag(0x0023, 0x1001), text("x"));
    assert_eq!(
        Query::from_identifier(Level::Study, &identifier, Extended::default()).map(|_| ()),
        Err(QueryError::NoPrivateCreator { attribute: "00231001".to_owned() })
    );
    identifier.put(Tag(0x0023, 0x0010), text("Acme"));
    let query = find(Level::Study, &identifier);
    let mut candidate = study();
    assert!(!query.matches(&candidate));
    candidate.put(Tag(0x0023, 0x0020), text("Acme"));
    candidate.put(Tag(0x0023, 0x2001), text("x"));
    assert!(query.matches(&candidate));
    let answer = query.identifier_answer(&candidate);
    assert_eq!(answer.text(Tag(0x0023, 0x0020)).as_deref(), Some("Acme"));
    assert_eq!(answer.text(Tag(0x0023, 0x2001)).as_deref(), Some("x"));
}
