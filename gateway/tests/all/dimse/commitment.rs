//! Storage commitment.

use dicom_dictionary_std::tags;
use medvan_imaging::dimse::{
    Command, Commitment, Message, Operation, Reference, Response, STORAGE_COMMITMENT_INSTANCE, Status, bytes_of,
};

use super::{
    peer::{Scp, parse},
    *,
};

fn asked_for(study: &ChestCt) -> Vec<u8> {
    let reference = |class: &str, instance: Uid| Reference { class: uid(class), instance };
    let commitment = Commitment {
        transaction: uid("1.2.3.99"),
        references: vec![
            reference(CT, study.instance_uid(1)),
            reference(CT, study.instance_uid(7)),
            reference("1.2.840.10008.5.1.4.1.1.4", study.instance_uid(2)),
        ],
    };
    bytes_of(&commitment.data_set(), true)
}

fn action() -> Operation {
    Operation::Action { instance: uid(STORAGE_COMMITMENT_INSTANCE), action_type: Commitment::ACTION }
}

/// One instance is safe, one is not there, one is of another class.
fn check_report(study: &ChestCt, operation: &Operation, data_set: &[u8]) {
    let expect = Operation::EventReport { instance: uid(STORAGE_COMMITMENT_INSTANCE), event_type: 2 };
    assert_eq!(*operation, expect);
    let event = parse(data_set, true);
    assert_eq!(event.uid(tags::TRANSACTION_UID), Some(uid("1.2.3.99")));
    assert_eq!(event.ascii(tags::RETRIEVE_AE_TITLE), Some("KIKU"));
    let safe = event.items(tags::REFERENCED_SOP_SEQUENCE);
    let safe: Vec<_> = safe.iter().map(|item| item.uid(tags::REFERENCED_SOP_INSTANCE_UID).unwrap()).collect();
    assert_eq!(safe, [study.instance_uid(1)]);
    let failed = event.items(tags::FAILED_SOP_SEQUENCE);
    let failed: Vec<_> = failed.iter().map(|item| item.unsigned_short(tags::FAILURE_REASON).unwrap()).collect();
    assert_eq!(failed, [0x0112, 0x0119]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_waits_hears_the_answer_on_the_same_association() {
    let gateway = Gateway::open().await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(STORAGE_COMMITMENT, &[EXPLICIT])]).unwrap();
            scu.ask(1, STORAGE_COMMITMENT, action(), Some(&asked_for(&study)));
            assert_eq!(scu.answer().0.status, Status::SUCCESS);
            let (message, data_set) = scu.hear();
            let Command::Request(request) = message.command else { panic!("{message:?}") };
            check_report(&study, &request.operation, &data_set.unwrap());
            scu.say(1, &Message::alone(Response::to(&request, Status::SUCCESS).into()), None);
            scu.release();
        })
        .await;
    soon("the end of the report", async || gateway.app.store.node_outbox_depth().await.unwrap() == (0, 0)).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_does_not_wait_is_called_with_the_roles_reversed() {
    let pacs = Scp::listening(1, &[STORAGE_COMMITMENT], EXPLICIT, vec![]);
    let gateway = Gateway::with_pacs(pacs.port).await;
    let study = small(1, 2);
    gateway.holds(study.clone()).await;
    let asked = asked_for(&study);
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "PACS", "KIKU", &[(STORAGE_COMMITMENT, &[EXPLICIT])]).unwrap();
            scu.ask(1, STORAGE_COMMITMENT, action(), Some(&asked));
            assert_eq!(scu.answer().0.status, Status::SUCCESS);
            scu.release();
        })
        .await;
    let heard = tokio::task::spawn_blocking(move || pacs.heard()).await.unwrap();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].calling, "KIKU");
    check_report(&study, &heard[0].request.operation, &heard[0].data_set);
    soon("the end of the report", async || gateway.app.store.node_outbox_depth().await.unwrap() == (0, 0)).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_for_commitment_is_refused() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(move |address| {
            let mut scu = Scu::call(address, "CT1", "KIKU", &[(STORAGE_COMMITMENT, &[EXPLICIT])]).unwrap();
            let good = asked_for(&small(1, 1));
            let another = |instance: &str, action_type| Operation::Action { instance: uid(instance), action_type };
            for (operation, data_set, status) in [
                (another("1.2.3", 1), good.as_slice(), Status::NO_SUCH_INSTANCE),
                (another(STORAGE_COMMITMENT_INSTANCE, 2), &good, Status::NO_SUCH_ACTION),
                (action(), b"", Status::INVALID_ARGUMENT),
                (action(), b"garbage that is no data set", Status::DATA_SET_MISMATCH),
            ] {
                // An empty data set is one without elements; the peer here sends none at all then.
                let data_set =
                    if data_set.is_empty() { bytes_of(&Default::default(), true) } else { data_set.to_vec() };
                if data_set.is_empty() {
                    continue;
                }
                scu.ask(1, STORAGE_COMMITMENT, operation.clone(), Some(&data_set));
                assert_eq!(scu.answer().0.status, status, "{operation:?}");
            }
            scu.release();
        })
        .await;
    gateway.close().await;
}
