use dicom_core::Tag;
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::{attributes, query};
use crate::{
    attributes::Attributes,
    query::{Level, Narrow, Query, TextBound},
};

#[test]
fn an_index_is_asked_what_it_can_answer() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (text, expected) in [
        ("PatientID=17", vec![Narrow::PatientId(TextBound::Exact(texts(&["17"])))]),
        ("PatientID=17*", vec![Narrow::PatientId(TextBound::Prefix("17".to_owned()))]),
        ("PatientID=*17", vec![]),
        ("PatientID=1\\2*", vec![]),
        ("AccessionNumber=1\\2", vec![Narrow::AccessionNumber(TextBound::Exact(texts(&["1", "2"])))]),
        ("StudyInstanceUID=1.2,1.3", vec![Narrow::StudyInstanceUid(texts(&["1.2", "1.3"]))]),
        ("StudyDate=20260101-&StudyTime=12-", vec![Narrow::StudyDate { from: Some("20260101".to_owned()), to: None }]),
        (
            "StudyDate=20260101&TimezoneOffsetFromUTC=+0900",
            vec![Narrow::StudyDate { from: Some("20251230".to_owned()), to: Some("20260103".to_owned()) }],
        ),
        (
            "ModalitiesInStudy=CT\\SR&multiplevaluematching=true",
            vec![Narrow::ModalitiesInStudy(texts(&["CT"])), Narrow::ModalitiesInStudy(texts(&["SR"]))],
        ),
        ("PatientID=\"\"&emptyvaluematching=true", vec![]),
        ("StudyDescription=CT", vec![]),
        ("PatientName=Yamada*", vec![Narrow::PatientNameWord(texts(&["yamada"]))]),
        ("PatientName=*da", vec![]),
    ] {
        assert_eq!(query(Level::Study, text).unwrap().narrow(), expected, "{text}");
    }
}

const SEARCHED: [Tag; 9] = [
    tags::STUDY_INSTANCE_UID,
    tags::PATIENT_ID,
    tags::ACCESSION_NUMBER,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::MODALITIES_IN_STUDY,
    tags::STUDY_ID,
    tags::PATIENT_NAME,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// Values that often meet, as keys and as stored.
fn value(tag: Tag, key: bool) -> BoxedStrategy<String> {
    let pattern = match (tag, key) {
        (tags::STUDY_INSTANCE_UID, false) => "1\\.[1-3]",
        (tags::STUDY_INSTANCE_UID, true) => "1\\.[1-3](,1\\.[1-3])?",
        (tags::STUDY_DATE, false) => "2026070[1-4]|2026\\.07\\.0[1-4]",
        (tags::STUDY_DATE, true) => "2026070[1-4]|2026070[12]-2026070[34]|2026070[1-4]-|-2026070[1-4]|202607",
        (tags::STUDY_TIME, false) => "[012][0-3]0000",
        (tags::STUDY_TIME, true) => "[012][0-3]|0[0-3]-1[0-3]|[01][0-3]-|-[01][0-3]",
        (tags::TIMEZONE_OFFSET_FROM_UTC, _) => "[+-]1[01]00",
        (tags::PATIENT_NAME, false) => "[AB]{1,2}\\^[AB]{1,2}|ヤマダ\\^タロウ=山田\\^太郎|ﾔﾏﾀﾞ\\^ﾀﾛｳ",
        (tags::PATIENT_NAME, true) => "[ABab*?]{1,2}\\^?[AB*]{0,2}|山田.太郎|やまだ|山田*",
        (_, false) => "[ab]{1,2}(\\\\[ab]{1,2})?",
        (_, true) => "[ab]{1,2}[*?]?|[*?][ab]|[ab]\\\\[ab]|\"\"",
    };
    pattern.prop_map(String::from).boxed()
}

fn values(key: bool) -> impl Strategy<Value = Vec<Option<String>>> {
    SEARCHED.map(|tag| prop::option::weighted(0.5, value(tag, key))).to_vec()
}

fn candidate(values: &[Option<String>]) -> Attributes {
    let present = SEARCHED.iter().zip(values).filter_map(|(tag, value)| Some((*tag, value.as_deref()?)));
    attributes(&present.collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn an_index_never_leaves_out_a_result(
        keys in values(true),
        stored in values(false),
        flags in prop::array::uniform3(any::<bool>()),
    ) {
        let names = SEARCHED.map(|tag| format!("{:04X}{:04X}", tag.group(), tag.element()));
        let pairs = names.iter().zip(&keys).filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        let switches = ["fuzzymatching", "emptyvaluematching", "multiplevaluematching"].into_iter().zip(flags);
        let switches = switches.map(|(name, on)| (name, if on { "true" } else { "false" }));
        let Ok((query, _)) = Query::from_parameters(Level::Study, pairs.chain(switches)) else { return Ok(()) };
        let candidate = candidate(&stored);
        if query.matches(&candidate) {
            for condition in query.narrow() {
                prop_assert!(condition.admits(&candidate), "{condition:?}");
            }
        }
    }
}
