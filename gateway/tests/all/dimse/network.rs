//! Who is let in, what is agreed on, and what becomes of those who do not keep to it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use dicom_ul::{
    Pdu,
    association::{Association as _, Error},
    pdu::{AbortRQSource, PDataValue, PDataValueType, RequestorRoles},
};
use medvan::config::Dimse;
use medvan_imaging::dimse::{Command, Message, Operation, Status};

use super::*;

const ECHO: &[(&str, &[&str])] = &[(VERIFICATION, &[IMPLICIT])];

fn rejection(called: Result<Scu, Error>) -> String {
    match called {
        Err(Error::Rejected { association_rj, .. }) => format!("{:?} {}", association_rj.result, association_rj.source),
        Err(other) => other.to_string(),
        Ok(_) => "accepted".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_called_title_names_the_hospital_and_the_calling_one_its_node_at_its_own_address() {
    let gateway = Gateway::open().await;
    gateway.put("ume", "UME", &json!([{"aeTitle": "OTHER", "host": "127.0.0.1"}])).await;
    let table = [
        ("CT1", "KIKU", "accepted"),
        ("MENDER", "KIKU", "accepted"),
        ("ROAMER", "KIKU", "accepted"),
        ("OTHER", "UME", "accepted"),
        ("CT1", "NOBODY", "Permanent called AE title not recognized"),
        ("CT1", "UME", "Permanent calling AE title not recognized"),
        ("STRANGER", "KIKU", "Permanent calling AE title not recognized"),
        ("FAR", "KIKU", "Permanent calling AE title not recognized"),
    ];
    for (calling, called, expect) in table {
        let said = gateway.meanwhile(move |address| rejection(Scu::call(address, calling, called, ECHO))).await;
        assert_eq!(said, expect, "{calling} to {called}");
    }
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_associations_than_there_may_be_are_sent_away_for_now() {
    let gateway = Gateway::with(Dimse { associations: 3, associations_per_node: 2, ..Dimse::default() }, 9).await;
    gateway
        .meanwhile(|address| {
            let call = |calling| Scu::call(address, calling, "KIKU", ECHO);
            let (first, _second) = (call("CT1").unwrap(), call("CT1").unwrap());
            assert_eq!(rejection(call("CT1")), "Transient local limit exceeded", "two of one node");
            let _third = call("PACS").unwrap();
            assert_eq!(rejection(call("VIEWER")), "Transient local limit exceeded", "three in all");
            first.release();
            let begun = Instant::now();
            while call("VIEWER").is_err() {
                assert!(begun.elapsed() < Duration::from_secs(10), "the place is free again");
                std::thread::sleep(Duration::from_millis(20));
            }
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_is_answered_and_an_association_ends_in_peace() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let mut scu = Scu::call(address, "VIEWER", "KIKU", ECHO).unwrap();
            for _ in 0..2 {
                let id = scu.ask(1, VERIFICATION, Operation::Echo, None);
                let (answer, _) = scu.answer();
                assert_eq!((answer.to, answer.status, answer.class), (id, Status::SUCCESS, Some(uid(VERIFICATION))));
            }
            scu.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_gets_the_contexts_that_it_may_have() {
    let gateway = Gateway::open().await;
    let asked: &[(&str, &[&str])] = &[
        (VERIFICATION, &[IMPLICIT]),
        (CT, &[JPEG_2000, EXPLICIT]),
        (STUDY_FIND, &[IMPLICIT, EXPLICIT]),
        (STUDY_GET, &[IMPLICIT]),
        ("1.2.840.10008.5.1.4.31", &[IMPLICIT]),
        (CT, &["1.2.3.4"]),
    ];
    let (ct, viewer) = gateway
        .meanwhile(move |address| {
            let contexts = |calling| Scu::call(address, calling, "KIKU", asked).unwrap().contexts();
            (contexts("CT1"), contexts("VIEWER"))
        })
        .await;
    let own = |id, text: &str| (id, text.to_owned());
    assert_eq!(ct, [own(1, IMPLICIT), own(3, JPEG_2000)]);
    assert_eq!(viewer, [own(1, IMPLICIT), own(5, EXPLICIT), own(7, IMPLICIT)]);
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_extended_behaviour_are_agreed_on() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let contexts: &[(&str, &[&str])] =
                &[(STUDY_FIND, &[EXPLICIT]), (STUDY_GET, &[EXPLICIT]), (CT, &[EXPLICIT])];
            let scu = Scu::call_with(address, "VIEWER", "KIKU", contexts, |options| {
                options
                    .with_role_selection(CT, true, true)
                    .with_extended_negotiation(STUDY_FIND, vec![1, 1, 0, 1, 1, 1, 1, 1])
                    .with_extended_negotiation(STUDY_GET, vec![1])
            })
            .unwrap();
            let agreed = |class| scu.association.extended_negotiation_for(class).map(<[u8]>::to_vec);
            assert_eq!(agreed(STUDY_FIND), Some(vec![1, 1, 0, 1, 0, 1, 1]));
            assert_eq!(agreed(STUDY_GET), Some(vec![1]));
            let roles = scu.association.requestor_roles_for(CT);
            assert_eq!(roles, RequestorRoles { scu: false, scp: true });
            scu.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_answered_and_the_association_goes_on() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let contexts: &[(&str, &[&str])] = &[(VERIFICATION, &[IMPLICIT]), (CT, &[EXPLICIT])];
            let mut scu = Scu::call(address, "CT1", "KIKU", contexts).unwrap();
            let store = || Operation::Store { instance: uid("1.2"), priority: Default::default(), originator: None };
            let other = || Operation::Other(medvan_imaging::dimse::CommandField::NDelete);
            let get = || Operation::GetAttributes { instance: uid("1.2"), attributes: Vec::new() };
            let table = [
                (1, VERIFICATION, other(), None, Status::UNRECOGNIZED_OPERATION),
                (1, VERIFICATION, get(), None, Status::UNRECOGNIZED_OPERATION),
                (1, VERIFICATION, store(), Some("x"), Status::UNRECOGNIZED_OPERATION),
                (3, CT, Operation::Echo, None, Status::UNRECOGNIZED_OPERATION),
                (3, "1.2.840.10008.5.1.4.1.1.4", store(), Some("x"), Status::SOP_CLASS_NOT_SUPPORTED),
                (3, CT, store(), None, Status::MISTYPED_ARGUMENT),
                (3, CT, store(), Some("no data set"), Status::CANNOT_UNDERSTAND),
            ];
            for (context, class, operation, data_set, expect) in table {
                scu.ask(context, class, operation.clone(), data_set.map(str::as_bytes));
                assert_eq!(scu.answer().0.status, expect, "{operation:?} for {class}");
            }
            // What comes too late means nothing.
            scu.say(1, &Message::alone(Command::Cancel { to: 1 }), None);
            scu.ask(1, VERIFICATION, Operation::Echo, None);
            assert_eq!(scu.answer().0.status, Status::SUCCESS);
            scu.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_breaks_the_protocol_is_aborted() {
    let gateway = Gateway::open().await;
    let value = |context, value_type, is_last, data: &[u8]| PDataValue {
        presentation_context_id: context,
        value_type,
        is_last,
        data: data.to_vec(),
    };
    let echo = Message::read(&{
        let request =
            medvan_imaging::dimse::Request { message_id: 1, class: uid(VERIFICATION), operation: Operation::Echo };
        Message::alone(request.into()).write()
    });
    let echo = echo.unwrap().write();
    let table = [
        ("a context that was not accepted", vec![value(9, PDataValueType::Command, true, &echo)]),
        ("a data set without a command", vec![value(1, PDataValueType::Data, true, b"data")]),
        ("a command that is none", vec![value(1, PDataValueType::Command, true, b"garbage!")]),
        (
            "a command in two contexts",
            vec![
                value(1, PDataValueType::Command, false, &echo[..8]),
                value(3, PDataValueType::Command, true, &echo[8..]),
            ],
        ),
        ("a command without end", vec![value(1, PDataValueType::Command, false, &[0; 70_000])]),
    ];
    for (what, values) in table {
        let end = gateway
            .meanwhile(move |address| {
                let mut scu = Scu::call(address, "CT1", "KIKU", ECHO).unwrap();
                scu.association.send(&Pdu::PData { data: values }).unwrap();
                scu.ends_by()
            })
            .await;
        assert!(matches!(end, Some(Pdu::AbortRQ { source: AbortRQSource::ServiceProvider(_) })), "{what}: {end:?}");
    }
    gateway.close().await;
}

/// What the gateway says to these bytes before it hangs up.
fn said_to(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_no_association_is_let_go_in_time() {
    let gateway = Gateway::with(Dimse { artim_seconds: 1, ..Dimse::default() }, 9).await;
    gateway
        .meanwhile(|address| {
            let begun = Instant::now();
            assert_eq!(said_to(address, b""), b"", "one who says nothing");
            assert_eq!(said_to(address, &[1, 0, 0, 0, 1, 0]), b"", "one who stops in the middle");
            assert_eq!(said_to(address, b"GET / HTTP/1.1\r\n\r\n")[..1], [7], "one who speaks HTTP");
            assert_eq!(said_to(address, &[5, 0, 0, 0, 0, 4, 0, 0, 0, 0])[..1], [7], "one who only wants to end it");
            assert!(begun.elapsed() < Duration::from_secs(15));
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_association_is_ended_and_so_is_every_one_when_the_gateway_stops() {
    let gateway = Gateway::with(Dimse { idle_seconds: 1, ..Dimse::default() }, 9).await;
    let end = gateway.meanwhile(|address| Scu::call(address, "CT1", "KIKU", ECHO).unwrap().ends_by()).await;
    assert!(matches!(end, Some(Pdu::AbortRQ { .. })), "{end:?}");
    gateway.close().await;

    let gateway = Gateway::open().await;
    let mut scu = gateway.meanwhile(|address| Scu::call(address, "CT1", "KIKU", ECHO).unwrap()).await;
    let waiting = tokio::task::spawn_blocking(move || scu.ends_by());
    gateway.close().await;
    assert!(matches!(waiting.await.unwrap(), Some(Pdu::AbortRQ { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_taken_out_is_out_at_once() {
    let gateway = Gateway::open().await;
    let mut scu = gateway
        .meanwhile(|address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", ECHO).unwrap();
            scu.ask(1, VERIFICATION, Operation::Echo, None);
            assert_eq!(scu.answer().0.status, Status::SUCCESS);
            scu
        })
        .await;
    gateway.put("kiku", "KIKU", &json!([])).await;
    let end = gateway.meanwhile(move |_| {
        scu.ask(1, VERIFICATION, Operation::Echo, None);
        scu.ends_by()
    });
    assert!(matches!(end.await, Some(Pdu::AbortRQ { .. })));
    gateway.close().await;
}
