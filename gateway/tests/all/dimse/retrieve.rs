//! C-GET and C-MOVE.

use std::io::Write as _;

use dicom_dictionary_std::tags;
use flate2::{Compression, write::DeflateEncoder};
use medvan_imaging::{
    VR,
    dataset::{Dataset, Value as Bytes, word_size},
    dimse::{Command, Message, Operation, Priority, Response, Status, bytes_of},
};

use super::{
    peer::{Asked, Scp, parse},
    *,
};

fn study_level(study: &ChestCt) -> Dataset {
    let mut identifier = Dataset::new();
    identifier.put_bytes(tags::QUERY_RETRIEVE_LEVEL, VR::CS, "STUDY");
    identifier.put_bytes(tags::STUDY_INSTANCE_UID, VR::UI, study.study_uid().as_str());
    identifier
}

/// The data sets of a study by C-GET, for one who takes CT images in these transfer syntaxes.
pub(super) async fn got(gateway: &Gateway, study: &ChestCt, syntaxes: &'static [&'static str]) -> Vec<Vec<u8>> {
    get(gateway, study, syntaxes, 0).await.1
}

/// The last answer too, and the data sets. The one who gets answers each with this status.
async fn get(
    gateway: &Gateway,
    study: &ChestCt,
    syntaxes: &'static [&'static str],
    status: u16,
) -> (Response, Vec<Vec<u8>>) {
    let identifier = bytes_of(&study_level(study), true);
    gateway
        .meanwhile(move |address| {
            let mut contexts: Vec<(&str, &[&str])> = vec![(STUDY_GET, &[EXPLICIT])];
            contexts.extend(syntaxes.iter().map(|syntax| (CT, std::slice::from_ref(syntax))));
            let mut scu = Scu::call_with(address, "VIEWER", "KIKU", &contexts, |options| {
                options.with_role_selection(CT, false, true)
            })
            .unwrap();
            scu.ask(1, STUDY_GET, Operation::Get { priority: Priority::Medium }, Some(&identifier));
            let mut data_sets = Vec::new();
            loop {
                let (message, data_set) = scu.hear();
                match message.command {
                    Command::Request(request) => {
                        data_sets.push(data_set.unwrap());
                        let context = scu.context_of(&request);
                        let answer = Response::to(&request, Status(status));
                        scu.say(context, &Message::alone(answer.into()), None);
                    }
                    Command::Response(answer) if answer.status == Status::PENDING => {}
                    Command::Response(answer) => {
                        scu.release();
                        return (answer, data_sets);
                    }
                    other => panic!("{other:?}"),
                }
            }
        })
        .await
}

/// Asks for a C-MOVE; gives the last answer, and the data set with it.
async fn moved(gateway: &Gateway, identifier: &Dataset, destination: &str) -> (Response, Option<Dataset>) {
    let (identifier, destination) = (bytes_of(identifier, true), title(destination));
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "VIEWER", "KIKU", &[(STUDY_MOVE, &[EXPLICIT])]).unwrap();
            let operation = Operation::Move { priority: Priority::Medium, destination: Some(destination) };
            scu.ask(1, STUDY_MOVE, operation, Some(&identifier));
            loop {
                let (answer, data_set) = scu.answer();
                if answer.status != Status::PENDING {
                    scu.release();
                    return (answer, data_set.map(|bytes| parse(&bytes, true)));
                }
            }
        })
        .await
}

fn counts(answer: &Response) -> (u16, u16, u16) {
    let counts = answer.sub_operations.unwrap();
    (counts.completed, counts.failed, counts.warning)
}

/// Big endian, as old machines write.
fn big_endian(data_set: &Dataset) -> Vec<u8> {
    let mut bytes = Vec::new();
    for element in data_set {
        let Bytes::Bytes(value) = &element.value else { panic!() };
        bytes.extend(element.tag.group().to_be_bytes());
        bytes.extend(element.tag.element().to_be_bytes());
        bytes.extend(element.vr.to_bytes());
        if matches!(element.vr, VR::OW | VR::OB) {
            bytes.extend([0, 0]);
            bytes.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        } else {
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        }
        let word = usize::from(word_size(element.vr));
        value.chunks(word).for_each(|number| bytes.extend(number.iter().rev()));
    }
    bytes
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Holds the slices of a study, each in another transfer syntax: explicit, big endian, deflated, JPEG 2000 (so called).
async fn holds_all_kinds(gateway: &Gateway, study: &ChestCt) -> Vec<Vec<u8>> {
    let plain: Vec<Part> = study.files().map(|file| Part::of(&file)).collect();
    let whole = |part: &Part| {
        let limits = medvan_imaging::dataset::Limits { binary: 1 << 20, ..Default::default() };
        let mut source = medvan_imaging::dataset::Seekable::new(std::io::Cursor::new(part.data_set.clone())).unwrap();
        medvan_imaging::dataset::read(&mut source, medvan_imaging::transfer_syntax::Encoding::ExplicitLittle, &limits)
            .unwrap()
    };
    let stored = vec![
        plain[0].data_set.clone(),
        big_endian(&whole(&plain[1])),
        deflated(&plain[2].data_set),
        plain[3].data_set.clone(),
    ];
    let (uids, sent): (Vec<Uid>, Vec<Vec<u8>>) =
        (plain.into_iter().map(|part| part.instance).collect(), stored.clone());
    gateway
        .meanwhile(move |address| {
            let contexts: Vec<(&str, &[&str])> =
                vec![(CT, &[EXPLICIT]), (CT, &[BIG]), (CT, &[DEFLATED]), (CT, &[JPEG_2000])];
            let mut scu = Scu::call(address, "CT1", "KIKU", &contexts).unwrap();
            for (context, (uid, data_set)) in [1, 3, 5, 7].into_iter().zip(uids.iter().zip(&sent)) {
                assert_eq!(scu.store(context, CT, uid, data_set).status, Status::SUCCESS, "context {context}");
            }
            scu.release();
        })
        .await;
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transfer_syntax_comes_back_as_it_came() {
    let gateway = Gateway::open().await;
    let study = small(1, 4);
    let stored = holds_all_kinds(&gateway, &study).await;
    let back = got(&gateway, &study, &[IMPLICIT, EXPLICIT, BIG, DEFLATED, JPEG_2000]).await;
    assert!(back == stored);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_takes_less_gets_what_can_be_written_so_and_hears_what_cannot() {
    let gateway = Gateway::open().await;
    let study = small(1, 4);
    let stored = holds_all_kinds(&gateway, &study).await;
    let (answer, back) = get(&gateway, &study, &[EXPLICIT], 0).await;
    assert_eq!((answer.status, counts(&answer)), (Status::SUB_OPERATIONS_INCOMPLETE, (3, 1, 0)));
    let comment = answer.comment.unwrap();
    assert!(comment.starts_with("the node accepts neither 1.2.840.10008.1.2.4.90"), "{comment}");
    assert!(back[0] == stored[0]);
    // The same elements, whichever way they were written: each slice by itself differs from the others only in what it is.
    for (number, data_set) in (1..).zip(&back) {
        let expect = Part::of(&study.file(number)).data_set;
        assert!(*data_set == expect, "slice {number}");
    }
    let (answer, back) = get(&gateway, &study, &[IMPLICIT], 0).await;
    assert_eq!(counts(&answer), (3, 1, 0));
    for (number, data_set) in (1..).zip(&back) {
        let read = parse(data_set, false);
        assert_eq!(read.uid(tags::SOP_INSTANCE_UID), Some(study.instance_uid(number)));
        assert_eq!(read.unsigned_short(tags::ROWS), Some(16));
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_own_answers_are_counted() {
    let gateway = Gateway::open().await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    for (status, expect) in [
        (0x0000, (Status::SUCCESS, (2, 0, 0))),
        (0xB007, (Status::SUB_OPERATIONS_INCOMPLETE, (0, 0, 2))),
        (0xA700, (Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, (0, 2, 0))),
    ] {
        let (answer, _) = get(&gateway, &study, &[EXPLICIT], status).await;
        assert_eq!((answer.status, counts(&answer)), expect, "{status:04X}");
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_goes_to_a_node_of_the_hospital_in_a_form_that_it_takes() {
    let pacs = Scp::listening(1, &[CT], IMPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 4);
    holds_all_kinds(&gateway, &study).await;
    let (answer, failed) = moved(&gateway, &study_level(&study), "PACS").await;
    assert_eq!((answer.status, counts(&answer)), (Status::SUB_OPERATIONS_INCOMPLETE, (3, 1, 0)));
    let failed = failed.unwrap();
    assert_eq!(failed.uid(tags::FAILED_SOP_INSTANCE_UID_LIST), Some(study.instance_uid(4)));
    let heard = pacs.heard();
    assert_eq!(heard.len(), 3);
    for (number, Asked { calling, request, data_set }) in (1..).zip(&heard) {
        assert_eq!(calling, "KIKU");
        let Operation::Store { instance, originator: Some(originator), .. } = &request.operation else {
            panic!("{request:?}")
        };
        assert_eq!((originator.ae_title.as_str(), originator.message_id), ("VIEWER", 1));
        assert_eq!(*instance, study.instance_uid(number));
        assert_eq!(parse(data_set, false).unsigned_short(tags::COLUMNS), Some(16));
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_nobody_or_to_one_who_is_not_there_says_so() {
    let gateway = Gateway::open().await;
    let other = json!([{"aeTitle": "THEIRS", "host": "127.0.0.1", "port": 11112, "store": true}]);
    gateway.put("ume", "UME", &other).await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    for (destination, status) in [
        ("NOBODY", Status::MOVE_DESTINATION_UNKNOWN),
        // A node of another hospital.
        ("THEIRS", Status::MOVE_DESTINATION_UNKNOWN),
        // It listens nowhere.
        ("CT1", Status::MOVE_DESTINATION_UNKNOWN),
    ] {
        assert_eq!(moved(&gateway, &study_level(&study), destination).await.0.status, status, "{destination}");
    }
    // Port 9 is none that DICOM may be on, and nothing listens there.
    let (answer, failed) = moved(&gateway, &study_level(&study), "PACS").await;
    assert_eq!((answer.status, counts(&answer)), (Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, (0, 2, 0)));
    assert!(answer.comment.is_some());
    assert!(failed.is_some());
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_and_images_are_selected_within_their_study() {
    let gateway = Gateway::open().await;
    let study = small(1, 3);
    gateway.holds(study.clone()).await;
    gateway.holds(small(2, 1)).await;
    let level = |text: &str| {
        let mut identifier = study_level(&study);
        identifier.put_bytes(tags::QUERY_RETRIEVE_LEVEL, VR::CS, text);
        identifier
    };
    let series = |mut identifier: Dataset| {
        identifier.put_bytes(tags::SERIES_INSTANCE_UID, VR::UI, study.series_uid().as_str());
        identifier
    };
    let images = |mut identifier: Dataset| {
        let uids = format!("{}\\{}", study.instance_uid(1), study.instance_uid(3));
        identifier.put_bytes(tags::SOP_INSTANCE_UID, VR::UI, uids);
        identifier
    };
    for (identifier, status, remaining) in [
        (level("STUDY"), Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, 3),
        (series(level("SERIES")), Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, 3),
        (images(series(level("IMAGE"))), Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, 2),
    ] {
        // Nothing listens there: what would have been sent is counted as failed.
        let (answer, _) = moved(&gateway, &identifier, "PACS").await;
        assert_eq!((answer.status, counts(&answer)), (status, (0, remaining, 0)));
    }
    for (identifier, reason) in [
        (level("PATIENT"), "QueryRetrieveLevel is missing or not one of this model"),
        (images(level("IMAGE")), "(0020,000E) must have one value at this level"),
    ] {
        let (answer, _) = moved(&gateway, &identifier, "PACS").await;
        assert_eq!((answer.status, answer.comment.as_deref()), (Status::DATA_SET_MISMATCH, Some(reason)));
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_nobody_wants_any_more_ends() {
    let gateway = Gateway::open().await;
    let study = small(1, 5);
    gateway.holds(study.clone()).await;
    let identifier = bytes_of(&study_level(&study), true);
    gateway
        .meanwhile(move |address| {
            let contexts: &[(&str, &[&str])] = &[(STUDY_GET, &[EXPLICIT]), (CT, &[EXPLICIT])];
            let mut scu = Scu::call_with(address, "VIEWER", "KIKU", contexts, |options| {
                options.with_role_selection(CT, false, true)
            })
            .unwrap();
            let id = scu.ask(1, STUDY_GET, Operation::Get { priority: Priority::Medium }, Some(&identifier));
            let (message, _) = scu.hear();
            let Command::Request(store) = message.command else { panic!("{message:?}") };
            scu.say(1, &Message::alone(Command::Cancel { to: id }), None);
            scu.say(3, &Message::alone(Response::to(&store, Status::SUCCESS).into()), None);
            let (answer, _) = scu.answer();
            assert_eq!((answer.status, counts(&answer)), (Status::CANCEL, (1, 0, 0)));
            assert_eq!(answer.sub_operations.unwrap().remaining, Some(4));
            scu.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_nobody_wants_any_more_ends() {
    let pacs = Scp::listening(1, &[CT], EXPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 30);
    gateway.holds(study.clone()).await;
    let identifier = bytes_of(&study_level(&study), true);
    let remaining = gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "VIEWER", "KIKU", &[(STUDY_MOVE, &[EXPLICIT])]).unwrap();
            let operation = Operation::Move { priority: Priority::Medium, destination: Some(title("PACS")) };
            let id = scu.ask(1, STUDY_MOVE, operation, Some(&identifier));
            scu.say(1, &Message::alone(Command::Cancel { to: id }), None);
            loop {
                let (answer, _) = scu.answer();
                if answer.status != Status::PENDING {
                    assert_eq!(answer.status, Status::CANCEL);
                    scu.release();
                    return answer.sub_operations.unwrap().remaining.unwrap();
                }
            }
        })
        .await;
    assert!(remaining > 0);
    assert_eq!(pacs.heard().len(), 30 - usize::from(remaining));
    gateway.close().await;
}
