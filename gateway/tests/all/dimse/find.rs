//! C-FIND.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, VR,
    dataset::Dataset,
    dimse::{Command, Message, Operation, Priority, Response, Status, bytes_of},
};

use super::*;

fn identifier(level: &str, keys: &[(Tag, VR, &[u8])]) -> Dataset {
    let mut identifier = Dataset::new();
    identifier.put_bytes(tags::QUERY_RETRIEVE_LEVEL, VR::CS, level);
    for (tag, vr, value) in keys {
        identifier.put_bytes(*tag, *vr, *value);
    }
    identifier
}

async fn find(gateway: &Gateway, class: &'static str, identifier: Dataset) -> (Response, Vec<Dataset>) {
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "VIEWER", "KIKU", &[(class, &[EXPLICIT])]).unwrap();
            let found = scu.find(1, class, &identifier);
            scu.release();
            found
        })
        .await
}

fn texts(found: &[Dataset], tag: Tag) -> Vec<&str> {
    found.iter().map(|found| found.ascii(tag).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn studies_series_and_images_are_found_at_their_levels() {
    let gateway = Gateway::open().await;
    let (first, second) = (small(1, 3), ChestCt { patient_id: "K-9".to_owned(), ..small(2, 1) });
    gateway.holds(first.clone()).await;
    gateway.holds(second.clone()).await;

    let all = identifier("STUDY", &[(tags::STUDY_INSTANCE_UID, VR::UI, b""), (tags::PATIENT_ID, VR::LO, b"")]);
    let (answer, found) = find(&gateway, STUDY_FIND, all).await;
    assert_eq!((answer.status, answer.class), (Status::SUCCESS, Some(uid(STUDY_FIND))));
    assert_eq!(texts(&found, tags::PATIENT_ID), ["K-000123", "K-9"]);
    assert_eq!(texts(&found, tags::RETRIEVE_AE_TITLE), ["KIKU", "KIKU"]);
    assert_eq!(texts(&found, tags::QUERY_RETRIEVE_LEVEL), ["STUDY", "STUDY"]);

    let study = first.study_uid();
    let in_study = (tags::STUDY_INSTANCE_UID, VR::UI, study.as_str().as_bytes());
    let series = [in_study, (tags::SERIES_INSTANCE_UID, VR::UI, b""), (tags::MODALITY, VR::CS, b"CT")];
    let (_, found) = find(&gateway, STUDY_FIND, identifier("SERIES", &series)).await;
    assert_eq!(texts(&found, tags::SERIES_INSTANCE_UID), [first.series_uid().as_str()]);

    let uid_of_series = first.series_uid();
    let in_series = (tags::SERIES_INSTANCE_UID, VR::UI, uid_of_series.as_str().as_bytes());
    let images = [in_study, in_series, (tags::SOP_INSTANCE_UID, VR::UI, b""), (tags::INSTANCE_NUMBER, VR::IS, b"")];
    let (_, found) = find(&gateway, STUDY_FIND, identifier("IMAGE", &images)).await;
    assert_eq!(texts(&found, tags::INSTANCE_NUMBER), ["1", "2", "3"]);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_one_result_however_many_studies_there_are() {
    let gateway = Gateway::open().await;
    gateway.holds(small(1, 1)).await;
    gateway.holds(small(2, 1)).await;
    gateway.holds(ChestCt { patient_id: "K-9".to_owned(), ..small(3, 1) }).await;
    let patients = identifier("PATIENT", &[(tags::PATIENT_ID, VR::LO, b"K-*"), (tags::PATIENT_NAME, VR::PN, b"")]);
    let (answer, found) = find(&gateway, PATIENT_FIND, patients.clone()).await;
    assert_eq!(answer.status, Status::SUCCESS);
    assert_eq!(texts(&found, tags::PATIENT_ID), ["K-000123", "K-9"]);
    assert_eq!(texts(&found, tags::QUERY_RETRIEVE_LEVEL), ["PATIENT", "PATIENT"]);
    let (answer, _) = find(&gateway, STUDY_FIND, patients).await;
    assert_eq!(answer.status, Status::DATA_SET_MISMATCH);
    gateway.close().await;
}

/// 宮本 in ISO 2022 IR 87; the second byte of 宮 is a backslash.
const MIYAMOTO: &[u8] = b"\x1b$B5\x5cK\x5c\x1b(B";

#[tokio::test(flavor = "multi_thread")]
async fn japanese_names_are_asked_and_told_in_the_askers_character_set() {
    let gateway = Gateway::open().await;
    gateway.holds(small(1, 1)).await;
    let mut kanji = b"*=".to_vec();
    kanji.extend(MIYAMOTO);
    kanji.push(b'*');
    let ask = |charset: &[u8], name: &[u8]| {
        identifier("STUDY", &[(tags::SPECIFIC_CHARACTER_SET, VR::CS, charset), (tags::PATIENT_NAME, VR::PN, name)])
    };
    for (charset, name, has) in [
        (&b"\\ISO 2022 IR 87"[..], kanji.as_slice(), Some(MIYAMOTO)),
        (b"ISO_IR 192", "*=宮本*".as_bytes(), Some("宮本".as_bytes())),
        (b"ISO_IR 192", "*=宮下*".as_bytes(), None),
        // One who names no character set has only ASCII: the answer names its own.
        (b"", b"MIYAMOTO*", Some(MIYAMOTO)),
    ] {
        let (answer, found) = find(&gateway, STUDY_FIND, ask(charset, name)).await;
        assert_eq!(answer.status, Status::SUCCESS);
        let told = found.first().map(|found| found.bytes(tags::PATIENT_NAME).unwrap().to_vec());
        let is_there = |told: &Vec<u8>| has.is_some_and(|has| told.windows(has.len()).any(|window| window == has));
        assert_eq!(told.as_ref().is_some_and(is_there), has.is_some(), "{charset:?} {told:?}");
        if let (Some(found), false) = (found.first(), charset.is_empty()) {
            assert_eq!(found.bytes(tags::SPECIFIC_CHARACTER_SET).unwrap().trim_ascii_end(), charset);
        }
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_identifier_is_refused_with_the_reason() {
    let gateway = Gateway::open().await;
    for (level, keys) in [
        ("STUDY", vec![(tags::STUDY_DATE, VR::DA, &b"2026-11-01"[..])]),
        ("STUDY", vec![(tags::SOP_INSTANCE_UID, VR::UI, b"1.2")]),
        ("FRAME", vec![]),
        ("", vec![]),
    ] {
        let (answer, found) = find(&gateway, STUDY_FIND, identifier(level, &keys)).await;
        assert_eq!(answer.status, Status::DATA_SET_MISMATCH, "{level} {keys:?}");
        assert!(answer.comment.is_some() && found.is_empty());
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_nobody_wants_any_more_ends() {
    let gateway = Gateway::open().await;
    gateway.holds(small(1, 20)).await;
    gateway
        .meanwhile(|address| {
            let mut scu = Scu::call(address, "VIEWER", "KIKU", &[(STUDY_FIND, &[EXPLICIT])]).unwrap();
            let all = bytes_of(&identifier("IMAGE", &[(tags::SOP_INSTANCE_UID, VR::UI, b"")]), true);
            // The request and its end come together, so that the end is there before any result.
            let request = Operation::Find { priority: Priority::Medium };
            let id = scu.ask(1, STUDY_FIND, request, Some(&all));
            scu.say(1, &Message::alone(Command::Cancel { to: id }), None);
            let mut told = 0;
            let last = loop {
                let (answer, _) = scu.answer();
                if answer.status != Status::PENDING {
                    break answer;
                }
                told += 1;
            };
            assert!(last.status == Status::CANCEL || told == 20, "{last:?} after {told}");
            scu.ask(1, STUDY_FIND, Operation::Find { priority: Priority::Medium }, Some(&all));
            assert_eq!(scu.answer().0.status, Status::PENDING);
        })
        .await;
    gateway.close().await;
}
