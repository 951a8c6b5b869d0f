use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::{attributes, instance, query, series, study};
use crate::{
    attributes::{Attribute, Attributes, Content, Number},
    query::{Level, Wildcard},
};

fn check(candidate: &Attributes, level: Level, table: &[(&str, bool)]) {
    for (text, expected) in table {
        let query = query(level, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(query.matches(candidate), *expected, "{text}");
    }
}

#[test]
fn texts_match_with_their_case_and_without_spaces_around_them() {
    check(
        &study(),
        Level::Study,
        &[
            ("", true),
            ("PatientID=0012345", true),
            ("PatientID= 0012345 ", true),
            ("PatientID=12345", false),
            ("PatientID=*", true),
            ("PatientID=", true),
            ("PatientID=00123??", true),
            ("PatientID=00123?", false),
            ("PatientID=*345", true),
            ("PatientID=*9*", false),
            ("AccessionNumber=a-17", false),
            ("00080050=A-17", true),
            ("StudyDescription=胸?CT", true),
            ("PatientBirthDate=19800101", false),
            ("PatientBirthDate=*", true),
            ("PatientID=0012345&StudyID=17", true),
            ("PatientID=0012345&StudyID=18", false),
        ],
    );
}

#[test]
fn one_value_of_several_is_enough_unless_all_are_asked_for() {
    check(
        &study(),
        Level::Study,
        &[
            ("ModalitiesInStudy=SR", true),
            ("ModalitiesInStudy=MR", false),
            ("ModalitiesInStudy=MR,CT", true),
            ("ModalitiesInStudy=MR\\CT", true),
            ("ModalitiesInStudy=MR\\US", false),
            ("ModalitiesInStudy=CT\\MR&multiplevaluematching=true", false),
            ("multiplevaluematching=true&ModalitiesInStudy=SR\\CT", true),
            ("ModalitiesInStudy=SR&multiplevaluematching=true", true),
            ("Modality=SR", true),
            ("Modality=MR", false),
        ],
    );
}

#[test]
fn names_match_in_any_writing_and_fuzzily_where_that_was_asked_for() {
    check(
        &study(),
        Level::Study,
        &[
            ("PatientName=yamada*", true),
            ("PatientName=山田^太郎", true),
            ("PatientName=*=*=やまだ*", true),
            ("PatientName=Taro", false),
            ("PatientName=Taro&fuzzymatching=true", true),
            ("PatientName=ヤマダ&fuzzymatching=true", true),
            ("PatientName=Suzuki&fuzzymatching=true", false),
            ("PatientName=Suzuki\\Yamada*", true),
            ("ReferringPhysicianName=A*", false),
            ("ReferringPhysicianName=＊", true),
        ],
    );
}

#[test]
fn an_empty_value_is_matched_where_that_was_asked_for() {
    check(
        &study(),
        Level::Study,
        &[
            ("PatientBirthDate=\"\"&emptyvaluematching=true", true),
            ("PatientID=\"\"&emptyvaluematching=true", false),
            ("PatientID=\"\"&emptyvaluematching=false", false),
            ("ProcedureCodeSequence=\"\"&emptyvaluematching=true", true),
        ],
    );
}

#[test]
fn lists_of_uids_have_commas_or_backslashes() {
    check(
        &study(),
        Level::Study,
        &[
            ("StudyInstanceUID=1.2.392.1", true),
            ("StudyInstanceUID=1.2.3,1.2.392.1", true),
            ("StudyInstanceUID=1.2.3\\1.2.392.1\\1.2.4", true),
            ("StudyInstanceUID=1.2.3,1.2.392", false),
        ],
    );
}

#[test]
fn dates_and_times_lie_in_ranges() {
    check(
        &study(),
        Level::Study,
        &[
            ("StudyDate=20260704", true),
            ("StudyDate=2026.07.04", true),
            ("StudyDate=202607", true),
            ("StudyDate=20260701-20260704", true),
            ("StudyDate=20260705-", false),
            ("StudyDate=-20260704", true),
            ("StudyTime=10", true),
            ("StudyTime=1015", true),
            ("StudyTime=101530.5", true),
            ("StudyTime=101530.500000", true),
            ("StudyTime=101530.4", false),
            ("StudyTime=1000-101530", true),
            ("StudyTime=-1015", true),
            ("StudyTime=-1014", false),
            ("StudyTime=101531-", false),
        ],
    );
    let mut legacy = attributes(&[(tags::STUDY_DATE, "2026.07.04"), (tags::STUDY_TIME, "10:15:30")]);
    check(&legacy, Level::Study, &[("StudyDate=20260704&StudyTime=101530", true)]);
    legacy.put_text(tags::STUDY_DATE, "unknown");
    check(&legacy, Level::Study, &[("StudyDate=19000101-", false), ("StudyDate=", true)]);
}

#[test]
fn a_range_of_dates_and_one_of_times_are_one_range_of_moments() {
    check(
        &study(),
        Level::Study,
        &[
            // From the evening of the third to noon of the fourth: the times alone would be none.
            ("StudyDate=20260703-20260704&StudyTime=1800-1200", true),
            ("StudyDate=20260703-20260704&StudyTime=1800-1015", true),
            ("StudyDate=20260703-20260704&StudyTime=1800-1014", false),
            ("StudyDate=20260704-20260705&StudyTime=1016-0900", false),
            ("StudyDate=20260703-&StudyTime=2300-", true),
            ("StudyDate=-20260705&StudyTime=-0000", true),
            // Of different forms each counts alone.
            ("StudyDate=20260703-20260705&StudyTime=1100-", false),
            ("StudyDate=20260704&StudyTime=1000-1100", true),
        ],
    );
}

#[test]
fn a_time_zone_of_the_query_holds_for_its_dates_and_times() {
    // 10:15 in Tokyo is 21:15 of the day before in New York.
    check(
        &study(),
        Level::Study,
        &[
            ("StudyDate=20260703&TimezoneOffsetFromUTC=-0400", true),
            ("StudyDate=20260704&TimezoneOffsetFromUTC=-0400", false),
            ("StudyTime=2115&TimezoneOffsetFromUTC=-0400", true),
            ("StudyDate=20260704&StudyTime=1015&TimezoneOffsetFromUTC= 0900", true),
            ("StudyDate=20260703-20260703&StudyTime=2100-2130&TimezoneOffsetFromUTC=-0400", true),
            ("TimezoneOffsetFromUTC=", true),
        ],
    );
    let moment = attributes(&[(tags::ACQUISITION_DATE_TIME, "20260704101530+0900")]);
    check(
        &moment,
        Level::Instance,
        &[
            ("AcquisitionDateTime=20260704011530+0000", true),
            ("AcquisitionDateTime=20260703211500-0400-20260703211600-0400", true),
            ("AcquisitionDateTime=202607041015", true),
            ("AcquisitionDateTime=202607041015&TimezoneOffsetFromUTC=+0000", false),
            ("AcquisitionDateTime=-20260704", true),
        ],
    );
}

#[test]
fn numbers_match_however_they_are_written() {
    let mut candidate = instance();
    candidate
        .put(Tag(0x0018, 0x9073), Attribute { vr: VR::FD, content: Content::Numbers(vec![Some(Number::Double(0.1))]) });
    candidate
        .put(Tag(0x0018, 0x6028), Attribute { vr: VR::FL, content: Content::Numbers(vec![Some(Number::Single(0.1))]) });
    check(
        &candidate,
        Level::Instance,
        &[
            ("SeriesNumber=7", true),
            ("SeriesNumber=007", true),
            ("SeriesNumber=%2B7".replace("%2B", "+").as_str(), true),
            ("SeriesNumber=70", false),
            ("SliceThickness=1", true),
            ("SliceThickness=1.00", true),
            ("SliceThickness=1e0", true),
            ("SliceThickness=1.5", false),
            ("Rows=512", true),
            ("Rows=512.5", false),
            ("Rows=256\\512", true),
            ("AcquisitionDuration=0.1", true),
            ("00186028=0.1", true),
            ("00186028=0.2", false),
        ],
    );
}

#[test]
fn keys_of_one_sequence_must_match_in_one_item() {
    check(
        &series(),
        Level::Series,
        &[
            ("RequestAttributesSequence.ScheduledProcedureStepID=S2", true),
            ("00400275.00400009=S2", true),
            ("RequestAttributesSequence.00400009=S?", true),
            ("RequestAttributesSequence.ScheduledProcedureStepID=S3", false),
            ("00400275.00400009=S1&RequestAttributesSequence.RequestedProcedureID=R1", true),
            ("00400275.00400009=S1&RequestAttributesSequence.RequestedProcedureID=R2", false),
            ("RequestAttributesSequence=", true),
            ("ReferencedPerformedProcedureStepSequence.ReferencedSOPInstanceUID=1.2", false),
            ("ReferencedPerformedProcedureStepSequence.ReferencedSOPInstanceUID=", true),
        ],
    );
}

#[test]
fn private_attributes_are_found_by_their_creator_in_any_block() {
    let mut candidate = study();
    let text = |text: &str| Attribute { vr: VR::LO, content: Content::Text(vec![Some(text.to_owned())]) };
    candidate.put(Tag(0x0023, 0x0010), text("Other"));
    candidate.put(Tag(0x0023, 0x0011), text("AcmeCompany"));
    candidate.put(Tag(0x0023, 0x1001), text("not it"));
    candidate.put(Tag(0x0023, 0x1101), text("001239"));
    candidate.put(Tag(0x0023, 0x1102), Attribute { vr: VR::UN, content: Content::Inline(b"raw ".to_vec()) });
    check(
        &candidate,
        Level::Study,
        &[
            ("00230010=AcmeCompany&00231001=001239", true),
            ("00230010=AcmeCompany&00231001=not it", false),
            ("00230010=AcmeCompany&00231002=raw", true),
            ("00230010=Nobody&00231001=001239", false),
            ("00230010=AcmeCompany&includefield=00231002", true),
            ("00230010=Nobody&includefield=00231002", true),
            ("00230012=AcmeCompany", true),
            ("00230010=Nobody", false),
        ],
    );
}

/// What `*` and `?` mean, said once more and slowly.
fn slowly(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|skipped| slowly(rest, &text[skipped..])),
        Some((p, rest)) => text.split_first().is_some_and(|(c, after)| (*p == '?' || p == c) && slowly(rest, after)),
    }
}

proptest! {
    #[test]
    fn wild_cards_mean_what_the_standard_says(pattern in "[ab?*山]{0,10}", text in "[ab山]{0,10}") {
        let wildcard = Wildcard::new(&pattern).unwrap();
        let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(wildcard.matches(&text), slowly(&p, &t));
        prop_assert!(!wildcard.matches(&text) || text.starts_with(&wildcard.prefix()));
    }
}

#[test]
fn a_hostile_pattern_ends_soon() {
    let wildcard = Wildcard::new(&"*a".repeat(512)).unwrap();
    assert!(!wildcard.matches(&"a".repeat(511)));
    assert!(wildcard.matches(&"a".repeat(64 * 1024)));
    assert_eq!(Wildcard::new(&"?".repeat(1025)), None);
}
