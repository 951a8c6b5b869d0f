//! How the parameters of a search are read.

use medvan_authoring::Release;
use time::macros::{date, datetime};

use super::{Kind, Question, Refusal, parameters::Parameters};

fn read(kind: Kind, query: &str, is_lenient: bool) -> Result<Question, Refusal> {
    let mut parameters = Parameters::default();
    parameters.take(query.as_bytes())?;
    let release = if kind == Kind::ImagingSelection { Release::R5 } else { Release::R4 };
    Question::read(kind, release, &parameters, is_lenient)
}

#[track_caller]
fn question(query: &str) -> Question {
    read(Kind::Observation, query, false).unwrap()
}

#[test]
fn a_patient_is_named_in_every_way_that_clients_use() {
    for query in [
        "patient=K-1",
        "patient=Patient/K-1",
        "subject=Patient/K-1",
        "patient:Patient=K-1",
        "patient=https://ehr.example/fhir/Patient/K-1",
        "patient.identifier=K-1",
        "patient.identifier=urn:oid:1.2|K-1",
        "patient:identifier=urn:oid:1.2%7CK-1",
        "subject:Patient.identifier=|K-1",
    ] {
        assert_eq!(question(query).patient.as_deref(), Some("K-1"), "{query}");
    }
}

#[test]
fn a_study_is_named_in_every_way_that_clients_use() {
    for query in
        ["study=1.2.3", "study=urn:oid:1.2.3", "study=urn:dicom:uid|urn:oid:1.2.3", "derived-from=ImagingStudy/1.2.3"]
    {
        assert_eq!(question(query).study.unwrap().as_str(), "1.2.3", "{query}");
    }
    let by_identifier = |query| read(Kind::ImagingStudy, query, false).unwrap();
    assert_eq!(by_identifier("identifier=urn:oid:1.2.3").study.unwrap().as_str(), "1.2.3");
    assert_eq!(by_identifier("identifier=20261101").accession.as_deref(), Some("20261101"));
}

/// Passed over, each of these would give more than was asked for: perhaps everybody's.
#[test]
fn what_cannot_be_read_is_refused() {
    for query in [
        "pateint=K-1",
        "patient=",
        "patient=K-1,K-2",
        "patient=K-1&patient=K-2",
        "patient=K-1&subject=K-1",
        "patient:missing=true",
        "patient:Group=K-1",
        "patient.name=Miyamoto",
        "study=abc",
        "date=yesterday",
        "date=2026-13",
        "date=2026-11-1",
        "date=-2026",
        "date=ne2026",
        "date=2026-11-30-01",
        "_lastUpdated=",
        "_lastUpdated=9999-12-31",
        "_count=0",
        "_count=many",
        "_include=Observation:subject",
        "service=nobody",
        "device=Device/1",
    ] {
        assert!(matches!(read(Kind::Observation, query, false), Err(Refusal::BadRequest(_))), "{query}");
    }
    // Of another type.
    assert!(read(Kind::Device, "code=1", false).is_err());
}

#[test]
fn a_refusal_repeats_nothing_that_was_asked() {
    for query in ["patient=K-1,SECRET", "SECRET=1", "patient:SECRET=1", "_after=1&_after=SECRET"] {
        let refusal = read(Kind::Observation, query, false).unwrap_err();
        assert!(!refusal.to_string().contains("SECRET"), "{refusal}");
    }
}

#[test]
fn what_is_not_known_is_passed_over_by_whoever_says_so_and_not_told_as_understood() {
    let question = read(Kind::Observation, "patient=K-1&_elements=id&_count=7", true).unwrap();
    assert_eq!((question.count, question.understood(Some("x.1"))), (7, "patient=K-1&_count=7&_after=x.1".to_owned()));
    assert!(read(Kind::Observation, "patient=K-1,K-2", true).is_err(), "what is known is still checked");
}

#[test]
fn days_are_periods_with_prefixes() {
    let (first, last) = (Some(date!(2026 - 11 - 01)), Some(date!(2026 - 11 - 30)));
    for (query, days) in [
        ("date=2026-11", (first, last)),
        ("date=ge2026-11", (first, None)),
        ("date=gt2026-10", (first, None)),
        ("date=le2026-11", (None, last)),
        ("date=lt2026-12-01", (None, last)),
        ("date=ge2026-10&date=gt2026-10-31&date=le2026-11-30&date=lt2027", (first, last)),
        ("date=ge2026-11-01T10:00:00Z", (first, None)),
        ("date=gt2026-11-01T10:00:00Z", (first, None)),
        ("date=lt2026-11-30T10:00:00Z", (None, last)),
    ] {
        assert_eq!(question(query).days, days, "{query}");
    }
    assert_eq!(question("date=2028-02").days.1, Some(date!(2028 - 02 - 29)));
}

#[test]
fn times_are_periods_with_prefixes() {
    let (first, end) = (Some(datetime!(2026-11-23 0:00 UTC)), Some(datetime!(2026-11-24 0:00 UTC)));
    for (query, at) in [
        ("_lastUpdated=2026-11-23", (first, end)),
        ("_lastUpdated=ge2026-11-23T09:00:00%2B09:00", (first, None)),
        ("_lastUpdated=gt2026-11-22", (first, None)),
        ("_lastUpdated=lt2026-11-24", (None, end)),
        ("_lastUpdated=le2026-11-23", (None, end)),
    ] {
        assert_eq!(question(query).at, at, "{query}");
    }
}

#[test]
fn another_status_than_ours_is_of_nothing() {
    assert!(question("status=final").is_of_nothing);
    assert!(!question("status=final,preliminary").is_of_nothing);
    assert!(!question("status=http://hl7.org/fhir/observation-status|preliminary").is_of_nothing);
}
