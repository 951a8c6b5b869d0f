//! C-STORE.

use dicom_ul::{
    Pdu,
    pdu::{PDataValue, PDataValueType},
};
use medvan_imaging::dimse::{Message, Operation, Request, Status};
use sqlx::{Connection as _, Row as _};

use super::{retrieve::got, *};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_comes_back_bit_for_bit() {
    let gateway = Gateway::open().await;
    let study = small(1, 3);
    gateway.holds(study.clone()).await;
    let back = got(&gateway, &study, &[EXPLICIT]).await;
    let sent: Vec<Vec<u8>> = study.files().map(|file| Part::of(&file).data_set).collect();
    assert_eq!(back.len(), 3);
    assert!(back == sent);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_a_success_and_another_content_is_as_its_sender_has_it() {
    let gateway = Gateway::open().await;
    let study = small(1, 1);
    gateway.holds(study.clone()).await;
    let part = Part::of(&study.file(1));
    let (same, uid) = (part.data_set.clone(), part.instance.clone());
    let mut other = part.data_set;
    *other.last_mut().unwrap() ^= 1;
    let expect = other.clone();
    let store = |calling: &'static str, bytes: &Vec<u8>| {
        let (bytes, uid) = (bytes.clone(), uid.clone());
        gateway.meanwhile(move |address| {
            let mut scu = Scu::call(address, calling, "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            let answer = scu.store(1, CT, &uid, &bytes);
            scu.release();
            (answer.status, answer.comment)
        })
    };
    assert_eq!(store("CT1", &same).await, (Status::SUCCESS, None));
    let reason = "another content is stored under this SOP Instance UID".to_owned();
    assert_eq!(store("CT1", &other).await, (Status::CONFLICT, Some(reason)));
    assert_eq!(store("KEEPER", &other).await, (Status::SUCCESS, None));
    assert!(got(&gateway, &study, &[EXPLICIT]).await == [same.clone()]);
    assert_eq!(store("MENDER", &other).await, (Status::SUCCESS, None));
    assert!(got(&gateway, &study, &[EXPLICIT]).await == [expect]);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why() {
    let gateway = Gateway::open().await;
    let part = Part::of(&small(1, 1).file(1));
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            let answer = scu.store(1, CT, &uid("1.2.3"), &part.data_set);
            assert_eq!(answer.status, Status::DATA_SET_MISMATCH);
            assert_eq!(answer.comment.as_deref(), Some("(0008,0018) is not that of the command"));
            assert_eq!(answer.offending, [medvan_imaging::Tag(0x0008, 0x0018)]);
            // The next one is not the worse for it.
            assert_eq!(scu.store(1, CT, &part.instance, &part.data_set).status, Status::SUCCESS);
            scu.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_cut_off_leaves_nothing_and_the_ones_before_it_stay() {
    let gateway = Gateway::open().await;
    let study = small(1, 2);
    let (first, second) = (Part::of(&study.file(1)), Part::of(&study.file(2)));
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(CT, &[EXPLICIT])]).unwrap();
            assert_eq!(scu.store(1, CT, &first.instance, &first.data_set).status, Status::SUCCESS);
            let operation =
                Operation::Store { instance: second.instance, priority: Default::default(), originator: None };
            let request = Request { message_id: 2, class: uid(CT), operation };
            let value =
                |value_type, is_last, data| PDataValue { presentation_context_id: 1, value_type, is_last, data };
            let command = Message::with_data_set(request.into()).write();
            let half = second.data_set[..second.data_set.len() / 2].to_vec();
            let data = vec![value(PDataValueType::Command, true, command), value(PDataValueType::Data, false, half)];
            scu.association.send(&Pdu::PData { data }).unwrap();
            // The connection ends here, without a word.
        })
        .await;
    soon("the end of the association", async || got(&gateway, &study, &[EXPLICIT]).await.len() == 1).await;
    gateway.holds(study.clone()).await;
    assert_eq!(got(&gateway, &study, &[EXPLICIT]).await.len(), 2);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_instance_came_from_is_kept() {
    let gateway = Gateway::open().await;
    let study = small(1, 1);
    gateway.holds(study).await;
    let file = gateway.app.config.data.join("medvan.sqlite");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let row = sqlx::query(
        "SELECT o.hospital, o.protocol, o.source, o.called, o.peer FROM instances i JOIN origins o ON o.id = i.origin",
    );
    let row = row.fetch_one(&mut db).await.unwrap();
    let told: Vec<String> = (0..5).map(|column| row.get(column)).collect();
    assert_eq!(told, ["kiku", "c-store", "CT1", "KIKU", "127.0.0.1"]);
    gateway.close().await;
}
