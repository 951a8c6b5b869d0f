use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{attributes, series, study};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, Content},
    query::{Extended, Level, Query, QueryError, parameters_of},
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

/// What is subscribed to by an identifier matches what a search by it would find.
#[test]
fn an_identifier_is_kept_as_the_parameters_of_a_search() {
    let mut station = attributes(&[(tags::CODE_VALUE, "AI-1"), (tags::CODE_MEANING, "")]);
    station.put(Tag(0x0023, 0x0010), Attribute { vr: VR::LO, content: Content::Text(vec![Some("Acme".to_owned())]) });
    station.put(Tag(0x0023, 0x1001), Attribute { vr: VR::LO, content: Content::Text(vec![Some("x".to_owned())]) });
    let mut identifier = attributes(&[
        (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192"),
        (tags::PATIENT_NAME, "*=山田*"),
        (tags::PATIENT_ID, ""),
        (tags::PROCEDURE_STEP_STATE, "SCHEDULED"),
    ]);
    identifier.put_texts(tags::SOP_INSTANCE_UID, ["1.2.1".to_owned(), "1.2.2".to_owned()]);
    identifier.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![station]);
    let pairs = parameters_of(&identifier).unwrap();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        pairs,
        [
            ("00404025.00230010", "Acme"),
            ("00080018", "1.2.1\\1.2.2"),
            ("00100010", "*=山田*"),
            ("00404025.00080100", "AI-1"),
            ("00404025.00231001", "x"),
            ("00741000", "SCHEDULED"),
        ]
    );
    let (query, warnings) = Query::from_parameters(Level::Workitem, pairs).unwrap();
    assert!(warnings.is_empty());
    let constrains = |query: &Query| query.keys().iter().filter(|key| !key.matching.is_universal()).count();
    assert_eq!(constrains(&query), constrains(&find(Level::Workitem, &identifier)));
    let two = vec![Attributes::new(), Attributes::new()];
    identifier.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, two);
    assert!(matches!(parameters_of(&identifier), Err(QueryError::Items { .. })));
}
