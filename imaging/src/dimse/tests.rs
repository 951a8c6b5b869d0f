use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::{
    negotiation::{Negotiated, Permissions, Proposal, Reason, Roles, negotiate},
    sending::{Accepted, Form, context_for, proposals},
    *,
};
use crate::{
    AeTitle, TransferSyntax, Uid,
    dataset::{Dataset, Limits, Seekable, read},
    transfer_syntax::{DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE},
    ups::{SopClass, UPS_PUSH},
};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
const STUDY_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const STUDY_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn title(text: &str) -> AeTitle {
    AeTitle::parse(text).unwrap()
}

/// PS3.7 §9.3.5.1 (C-ECHO-RQ), byte for byte.
const ECHO: &[u8] = b"\0\0\0\0\x04\0\0\0\x38\0\0\0\
    \0\0\x02\0\x12\0\0\x001.2.840.10008.1.1\0\
    \0\0\0\x01\x02\0\0\0\x30\0\
    \0\0\x10\x01\x02\0\0\0\x07\0\
    \0\0\0\x08\x02\0\0\0\x01\x01";

#[test]
fn an_echo_request_is_these_bytes() {
    let request = Request { message_id: 7, class: uid(VERIFICATION), operation: Operation::Echo };
    let message = Message::alone(request.into());
    assert_eq!(Message::read(ECHO).unwrap(), message);
    assert_eq!(message.write(), ECHO);
}

fn every_kind_of_message() -> Vec<Message> {
    let request = |class: &str, operation| Request { message_id: 9, class: uid(class), operation }.into();
    let priority = Priority::High;
    let store = |originator| Operation::Store { instance: uid("1.2.3"), priority: Priority::Low, originator };
    let originator = MoveOriginator { ae_title: title("VIEWER"), message_id: 4 };
    let get = Response {
        sub_operations: Some(SubOperations { remaining: Some(3), completed: 2, failed: 1, warning: 0 }),
        ..Response::new(9, CommandField::CGet, Status::PENDING)
    };
    let refusal = Response {
        offending: vec![tags::STUDY_INSTANCE_UID, tags::SOP_INSTANCE_UID],
        ..Response::new(9, CommandField::CStore, Status::DATA_SET_MISMATCH).because("no study")
    };
    let action = Request {
        message_id: 2,
        class: uid(STORAGE_COMMITMENT),
        operation: Operation::Action { instance: uid(STORAGE_COMMITMENT_INSTANCE), action_type: 1 },
    };
    let attributes = vec![tags::PROCEDURE_STEP_STATE, tags::PATIENT_ID];
    let event = Operation::EventReport { instance: uid(STORAGE_COMMITMENT_INSTANCE), event_type: 2 };
    vec![
        Message::alone(request(VERIFICATION, Operation::Echo)),
        Message::with_data_set(request(CT, store(None))),
        Message::with_data_set(request(CT, store(Some(originator)))),
        Message::with_data_set(request(STUDY_FIND, Operation::Find { priority })),
        Message::with_data_set(request(STUDY_GET, Operation::Get { priority })),
        Message::with_data_set(request(MR, Operation::Move { priority, destination: Some(title("PACS")) })),
        Message::with_data_set(action.clone().into()),
        Message::with_data_set(request(STORAGE_COMMITMENT, event)),
        Message::alone(request(CT, Operation::Other(CommandField::NDelete))),
        Message::alone(request(UPS_PUSH, Operation::GetAttributes { instance: uid("1.2.3"), attributes: vec![] })),
        Message::alone(request(UPS_PUSH, Operation::GetAttributes { instance: uid("1.2.3"), attributes })),
        Message::with_data_set(request(UPS_PUSH, Operation::SetAttributes { instance: uid("1.2.3") })),
        Message::with_data_set(request(UPS_PUSH, Operation::Create { instance: None })),
        Message::with_data_set(request(UPS_PUSH, Operation::Create { instance: Some(uid("1.2.3")) })),
        Message::alone(Command::Cancel { to: 3 }),
        Message::alone(Response::to(&action, Status::SUCCESS).into()),
        Message::alone(get.into()),
        Message::alone(refusal.into()),
    ]
}

#[test]
fn every_kind_of_message_reads_as_it_was_written() {
    for message in every_kind_of_message() {
        let mut read = Message::read(&message.write()).unwrap();
        // A response to an N-ACTION names its instance as affected (PS3.7 §10.3.4).
        if let (Command::Response(read), Command::Response(written)) = (&mut read.command, &message.command) {
            assert_eq!(read.instance, written.instance);
        }
        assert_eq!(read, message);
    }
}

#[test]
fn a_request_that_lacks_something_can_still_be_answered() {
    for (missing, tag) in [
        (tags::AFFECTED_SOP_INSTANCE_UID, tags::AFFECTED_SOP_INSTANCE_UID),
        (tags::AFFECTED_SOP_CLASS_UID, tags::AFFECTED_SOP_CLASS_UID),
    ] {
        let store = &every_kind_of_message()[1];
        let mut set = command_set(&store.write());
        set.remove(missing);
        let message = Message::read(&bytes_of(&set, false)).unwrap();
        assert_eq!(message.command, Command::Mistyped { message_id: 9, field: CommandField::CStore, tag });
        assert!(message.has_data_set);
    }
}

fn command_set(bytes: &[u8]) -> Dataset {
    let mut source = Seekable::new(std::io::Cursor::new(bytes)).unwrap();
    read(&mut source, Encoding::ImplicitLittle, &Limits::default()).unwrap()
}

#[test]
fn a_comment_is_one_line_of_64_ascii_characters() {
    let reason = format!("a\\b 菊病院 {}", "x".repeat(100));
    let response = Response::new(1, CommandField::CStore, Status::PROCESSING_FAILURE).because(reason);
    let read = Message::read(&Message::alone(response.into()).write()).unwrap();
    let Command::Response(read) = read.command else { panic!("{read:?}") };
    assert_eq!(read.comment.unwrap(), format!("ab  {}", "x".repeat(60)));
}

#[test]
fn statuses_say_what_they_mean() {
    for (code, outcome, words) in [
        (0x0000, Outcome::Success, "success"),
        (0xA700, Outcome::Failure, "refused: out of resources"),
        (0xA7FF, Outcome::Failure, "refused: out of resources"),
        (0xA702, Outcome::Failure, "refused: out of resources, cannot perform sub-operations"),
        (0xA900, Outcome::Failure, "data set does not match SOP class"),
        (0xB007, Outcome::Warning, "warning: data set does not match SOP class"),
        (0xB123, Outcome::Warning, "warning"),
        (0xC111, Outcome::Failure, "cannot understand or unable to process"),
        (0xFE00, Outcome::Cancel, "cancelled"),
        (0xFF01, Outcome::Pending, "pending, optional keys not supported"),
        (0x0122, Outcome::Failure, "refused: SOP class not supported"),
        (0x7777, Outcome::Failure, "unknown status"),
    ] {
        assert_eq!((Status(code).outcome(), Status(code).meaning()), (outcome, words), "{code:04X}");
    }
}

#[test]
fn a_sop_class_is_of_one_service_or_of_none() {
    for (class, service) in [
        (VERIFICATION, Some(Service::Verification)),
        (CT, Some(Service::Storage)),
        ("1.2.840.10008.5.1.4.1.1.88.33", Some(Service::Storage)),
        ("1.2.840.10008.5.1.4.1.1.66.4", Some(Service::Storage)),
        // retired
        ("1.2.840.10008.5.1.4.1.1.3", Some(Service::Storage)),
        ("1.2.840.10008.5.1.4.34.7", Some(Service::Storage)),
        ("1.2.840.10008.5.1.4.34.6.3", Some(Service::Workitems(SopClass::Pull))),
        // newer than the dictionary
        ("1.2.840.10008.5.1.4.1.1.999.1", Some(Service::Storage)),
        // private: Siemens CSA Non-Image, Philips private MR
        ("1.3.12.2.1107.5.9.1", Some(Service::Storage)),
        ("1.3.46.670589.11.0.0.12.1", Some(Service::Storage)),
        (STUDY_FIND, Some(Service::Find(Root::Study))),
        ("1.2.840.10008.5.1.4.1.2.1.2", Some(Service::Move(Root::Patient))),
        (STUDY_GET, Some(Service::Get(Root::Study))),
        (STORAGE_COMMITMENT, Some(Service::StorageCommitment)),
        // storage commitment pull, worklist, MPPS, print, hanging protocols, DICOMDIR, inventory find, patient/study only
        ("1.2.840.10008.1.20.2", None),
        ("1.2.840.10008.5.1.4.31", None),
        ("1.2.840.10008.3.1.2.3.3", None),
        ("1.2.840.10008.5.1.1.9", None),
        ("1.2.840.10008.5.1.4.38.1", None),
        ("1.2.840.10008.1.3.10", None),
        ("1.2.840.10008.5.1.4.1.1.201.2", None),
        ("1.2.840.10008.5.1.4.1.2.3.1", None),
        (EXPLICIT_LITTLE, None),
    ] {
        assert_eq!(Service::of(&uid(class)), service, "{class}");
    }
}

const ALL: Permissions = Permissions { store: true, query: true, retrieve: true, workitems: true };

fn proposal(id: u8, abstract_syntax: &str, transfer_syntaxes: &[&str]) -> Proposal {
    Proposal {
        id,
        abstract_syntax: abstract_syntax.to_owned(),
        transfer_syntaxes: transfer_syntaxes.iter().map(|&text| text.to_owned()).collect(),
    }
}

/// Id and transfer syntax, or the reason against it.
type Decided<'a> = Result<(u8, &'a str), (u8, Reason)>;

fn decided(negotiated: &Negotiated) -> Vec<Decided<'_>> {
    let contexts = negotiated.contexts.iter();
    contexts.map(|context| context.as_ref().map(|of| (of.id, of.syntax.uid().as_str())).map_err(|no| *no)).collect()
}

#[test]
fn images_come_as_the_peer_likes_and_queries_explicitly() {
    let asked = [
        proposal(1, CT, &[JPEG_2000, EXPLICIT_LITTLE]),
        proposal(3, CT, &["1.2.840.113619.5.2", HTJ2K]),
        proposal(5, STUDY_FIND, &[IMPLICIT_LITTLE, EXPLICIT_LITTLE]),
        proposal(7, STUDY_FIND, &[DEFLATED, IMPLICIT_LITTLE]),
        proposal(9, STUDY_FIND, &[EXPLICIT_BIG]),
        proposal(11, "1.2.840.10008.5.1.4.31", &[IMPLICIT_LITTLE]),
        proposal(13, "garbage", &[IMPLICIT_LITTLE]),
        proposal(15, CT, &["1.2.840.113619.5.2"]),
        proposal(17, MR, &[EXPLICIT_BIG]),
        proposal(19, MR, &[]),
    ];
    let negotiated = negotiate(&asked, &[], ALL).unwrap();
    assert_eq!(
        decided(&negotiated),
        [
            Ok((1, JPEG_2000)),
            Ok((3, HTJ2K)),
            Ok((5, EXPLICIT_LITTLE)),
            Ok((7, IMPLICIT_LITTLE)),
            Err((9, Reason::TransferSyntaxes)),
            Err((11, Reason::AbstractSyntax)),
            Err((13, Reason::AbstractSyntax)),
            Err((15, Reason::TransferSyntaxes)),
            Ok((17, EXPLICIT_BIG)),
            Err((19, Reason::TransferSyntaxes)),
        ]
    );
}

#[test]
fn what_a_node_may_not_do_is_refused_and_anybody_may_ask_whether_we_are_there() {
    let asked = [
        proposal(1, VERIFICATION, &[IMPLICIT_LITTLE]),
        proposal(3, CT, &[IMPLICIT_LITTLE]),
        proposal(5, STUDY_FIND, &[IMPLICIT_LITTLE]),
        proposal(7, STUDY_GET, &[IMPLICIT_LITTLE]),
        proposal(9, STORAGE_COMMITMENT, &[IMPLICIT_LITTLE]),
        proposal(11, SopClass::Watch.uid(), &[IMPLICIT_LITTLE]),
    ];
    let none = Permissions::default();
    for (permissions, held) in [
        (none, vec![1]),
        (Permissions { store: true, ..none }, vec![1, 3, 9]),
        (Permissions { query: true, ..none }, vec![1, 5]),
        (Permissions { retrieve: true, ..none }, vec![1, 7]),
        (Permissions { workitems: true, ..none }, vec![1, 11]),
        (ALL, vec![1, 3, 5, 7, 9, 11]),
    ] {
        let negotiated = negotiate(&asked, &[], permissions).unwrap();
        let ids: Vec<u8> = negotiated.contexts.iter().flatten().map(|context| context.id).collect();
        assert_eq!(ids, held, "{permissions:?}");
        let refusals = negotiated.contexts.iter().filter_map(|context| context.as_ref().err());
        assert!(refusals.clone().all(|(_, reason)| *reason == Reason::NotPermitted));
    }
}

#[test]
fn a_c_get_makes_the_peer_the_one_who_is_asked_to_store() {
    let roles = |scu, scp| Roles { scu, scp };
    let retrieve = Permissions { retrieve: true, ..Permissions::default() };
    let store = Permissions { store: true, ..Permissions::default() };
    for (asked, permissions, granted) in [
        (roles(false, true), ALL, Some(roles(false, true))),
        (roles(true, true), ALL, Some(roles(true, true))),
        (roles(true, true), store, Some(roles(true, false))),
        (roles(true, true), retrieve, Some(roles(false, true))),
        (roles(false, true), store, None),
        (roles(false, false), ALL, None),
    ] {
        let asked = [(uid(CT), asked)];
        let negotiated = negotiate(&[proposal(1, CT, &[IMPLICIT_LITTLE])], &asked, permissions).unwrap();
        let context = negotiated.contexts[0].as_ref().ok();
        assert_eq!(context.map(|context| context.roles), granted, "{asked:?} {permissions:?}");
        assert_eq!(negotiated.roles[0].1, granted.unwrap_or(roles(false, false)));
    }
    let asked = [(uid(STUDY_FIND), roles(true, true)), (uid("1.2.840.10008.5.1.4.31"), roles(true, true))];
    assert_eq!(negotiate(&[], &asked, ALL).unwrap().roles, [(uid(STUDY_FIND), roles(true, false))]);
}

#[test]
fn ids_of_presentation_contexts_are_odd_and_there_once() {
    for ids in [&[2][..], &[0], &[1, 3, 1]] {
        let asked: Vec<Proposal> = ids.iter().map(|id| proposal(*id, CT, &[IMPLICIT_LITTLE])).collect();
        assert!(negotiate(&asked, &[], ALL).is_err(), "{ids:?}");
    }
}

fn syntax(text: &str) -> TransferSyntax {
    TransferSyntax::of(uid(text))
}

#[test]
fn what_is_sent_is_proposed_as_it_is_stored_and_where_that_is_possible_plain() {
    let stored = [
        (uid(CT), syntax(JPEG_2000)),
        (uid(CT), syntax(EXPLICIT_BIG)),
        (uid(CT), syntax(JPEG_2000)),
        (uid(MR), syntax(HTJ2K)),
    ];
    let lists = proposals(&stored);
    let list: Vec<(u8, &str, Vec<&str>)> = lists[0]
        .iter()
        .map(|of| (of.id, of.abstract_syntax.as_str(), of.transfer_syntaxes.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(lists.len(), 1);
    assert_eq!(
        list,
        [
            (1, CT, vec![JPEG_2000]),
            (3, CT, vec![EXPLICIT_BIG]),
            (5, CT, vec![EXPLICIT_LITTLE, IMPLICIT_LITTLE]),
            (7, MR, vec![HTJ2K]),
        ]
    );
}

#[test]
fn more_classes_than_one_association_can_have_go_in_several() {
    let classes: Vec<(Uid, TransferSyntax)> =
        (0..100).map(|number| (uid(&format!("1.2.3.{number}")), syntax(DEFLATED))).collect();
    let lists = proposals(&classes);
    let sizes: Vec<usize> = lists.iter().map(Vec::len).collect();
    assert_eq!(sizes, [128, 72]);
    assert!(lists.iter().all(|list| list.iter().all(|proposal| proposal.id % 2 == 1)));
    assert!(proposals(&[]).is_empty());
}

#[test]
fn an_instance_goes_as_it_is_stored_or_rewritten_or_not_at_all() {
    let accepted = |id, class: &str, text: &str| Accepted { id, class: uid(class), syntax: syntax(text) };
    let peer = [
        accepted(1, CT, IMPLICIT_LITTLE),
        accepted(3, CT, EXPLICIT_LITTLE),
        accepted(5, CT, JPEG_2000),
        accepted(7, MR, IMPLICIT_LITTLE),
    ];
    for (class, stored, expect) in [
        (CT, JPEG_2000, Some((5, Form::AsStored))),
        (CT, IMPLICIT_LITTLE, Some((1, Form::AsStored))),
        (CT, EXPLICIT_BIG, Some((3, Form::Rewritten { explicit: true }))),
        (CT, DEFLATED, Some((3, Form::Rewritten { explicit: true }))),
        (CT, HTJ2K, None),
        (MR, EXPLICIT_LITTLE, Some((7, Form::Rewritten { explicit: false }))),
        (MR, JPEG_2000, None),
        ("1.2.3", EXPLICIT_LITTLE, None),
    ] {
        let context = context_for(&peer, &uid(class), &syntax(stored)).map(|(context, form)| (context.id, form));
        assert_eq!(context, expect, "{class} {stored}");
    }
}

fn identifier(elements: &[(Tag, VR, &str)]) -> Dataset {
    let mut identifier = Dataset::new();
    for (tag, vr, text) in elements {
        identifier.put_bytes(*tag, *vr, *text);
    }
    identifier
}

#[test]
fn a_selection_names_one_of_each_level_above_and_any_number_of_its_own() {
    let level = |text| (tags::QUERY_RETRIEVE_LEVEL, VR::CS, text);
    let patient = (tags::PATIENT_ID, VR::LO, "P-1");
    let study = (tags::STUDY_INSTANCE_UID, VR::UI, "1.2");
    let studies = (tags::STUDY_INSTANCE_UID, VR::UI, "1.2\\1.3");
    let series = (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.1\\1.2.2");
    let instance = (tags::SOP_INSTANCE_UID, VR::UI, "1.2.1.1");
    let one_series = (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.1");
    let wrong = (tags::STUDY_INSTANCE_UID, VR::UI, "1.2.*");
    for (root, elements, expect) in [
        (Root::Patient, vec![level("PATIENT"), patient], Ok((1, 0, 0, 0))),
        (Root::Patient, vec![level("STUDY"), patient, studies], Ok((1, 2, 0, 0))),
        (Root::Patient, vec![level("STUDY"), studies], Err(NotASelection::One(tags::PATIENT_ID))),
        (Root::Study, vec![level("STUDY"), studies], Ok((0, 2, 0, 0))),
        (Root::Study, vec![level("SERIES"), study, series], Ok((0, 1, 2, 0))),
        (Root::Study, vec![level("IMAGE"), study, one_series, instance], Ok((0, 1, 1, 1))),
        // Keys below the level say nothing.
        (Root::Study, vec![level("STUDY"), study, series], Ok((0, 1, 0, 0))),
        (Root::Study, vec![level("PATIENT"), patient], Err(NotASelection::Level)),
        (Root::Study, vec![study], Err(NotASelection::Level)),
        (Root::Study, vec![level("FRAME"), study], Err(NotASelection::Level)),
        (Root::Study, vec![level("STUDY")], Err(NotASelection::Missing(tags::STUDY_INSTANCE_UID))),
        (Root::Study, vec![level("SERIES"), series], Err(NotASelection::One(tags::STUDY_INSTANCE_UID))),
        (Root::Study, vec![level("SERIES"), studies, series], Err(NotASelection::One(tags::STUDY_INSTANCE_UID))),
        (Root::Study, vec![level("STUDY"), wrong], Err(NotASelection::NotAUid(tags::STUDY_INSTANCE_UID))),
    ] {
        let selected = Selection::read(&identifier(&elements), root, false).map(|found| {
            let patients = usize::from(found.patient.is_some());
            (patients, found.studies.len(), found.series.len(), found.instances.len())
        });
        assert_eq!(selected, expect, "{elements:?}");
    }
}

#[test]
fn a_relational_selection_may_lack_the_levels_above() {
    let level = (tags::QUERY_RETRIEVE_LEVEL, VR::CS, "IMAGE");
    let instance = (tags::SOP_INSTANCE_UID, VR::UI, "1.2.1.1");
    let no_series = (tags::SERIES_INSTANCE_UID, VR::UI, "");
    for root in [Root::Patient, Root::Study] {
        let found = Selection::read(&identifier(&[level, no_series, instance]), root, true).unwrap();
        assert_eq!((found.studies.len(), found.series.len(), found.instances.len()), (0, 0, 1));
    }
    let refused = Selection::read(&identifier(&[level]), Root::Study, true);
    assert_eq!(refused, Err(NotASelection::Missing(tags::SOP_INSTANCE_UID)));
}

#[test]
fn a_list_without_end_is_refused() {
    let many = vec!["1.2"; 10_001].join("\\");
    let elements = [(tags::QUERY_RETRIEVE_LEVEL, VR::CS, "STUDY"), (tags::STUDY_INSTANCE_UID, VR::UI, many.as_str())];
    let refused = Selection::read(&identifier(&elements), Root::Study, false);
    assert_eq!(refused, Err(NotASelection::TooMany(tags::STUDY_INSTANCE_UID)));
}

#[test]
fn a_commitment_report_names_what_is_safe_and_what_is_not() {
    let reference = |class: &str, instance: &str| Reference { class: uid(class), instance: uid(instance) };
    let asked = Commitment {
        transaction: uid("1.2.9"),
        references: vec![reference(CT, "1.1"), reference(CT, "1.2"), reference(MR, "1.3")],
    };
    assert_eq!(Commitment::read(&asked.data_set()).unwrap(), asked);

    let stored = [Some(uid(CT)), None, Some(uid(CT))];
    let mut report = CommitmentReport {
        transaction: asked.transaction.clone(),
        retrieve: title("MEDVAN"),
        committed: Vec::new(),
        failed: Vec::new(),
    };
    for (reference, stored) in asked.references.into_iter().zip(&stored) {
        report.add(reference, stored.as_ref());
    }
    assert_eq!(report.event_type(), 2);
    let event = report.data_set();
    assert_eq!(event.items(tags::REFERENCED_SOP_SEQUENCE).len(), 1);
    let failed = event.items(tags::FAILED_SOP_SEQUENCE);
    let reasons: Vec<_> = failed.iter().map(|item| item.unsigned_short(tags::FAILURE_REASON).unwrap()).collect();
    assert_eq!(reasons, [0x0112, 0x0119]);
    assert_eq!(event.ascii(tags::RETRIEVE_AE_TITLE), Some("MEDVAN"));

    report.failed.clear();
    assert_eq!(report.event_type(), 1);
    assert!(report.data_set().get(tags::FAILED_SOP_SEQUENCE).is_none());
}

#[test]
fn a_commitment_of_nothing_is_none() {
    let mut action = Dataset::new();
    assert_eq!(Commitment::read(&action), Err(tags::TRANSACTION_UID));
    action.put_bytes(tags::TRANSACTION_UID, VR::UI, "1.2.9");
    assert_eq!(Commitment::read(&action), Err(tags::REFERENCED_SOP_SEQUENCE));
}

fn some_uid() -> impl Strategy<Value = Uid> {
    "[1-2](\\.[1-9][0-9]{0,5}){1,9}".prop_map(|text| uid(&text))
}

fn some_response() -> impl Strategy<Value = Response> {
    let counts = (any::<Option<u16>>(), any::<[u16; 3]>());
    let counts = counts.prop_map(|(remaining, [completed, failed, warning])| SubOperations {
        remaining,
        completed,
        failed,
        warning,
    });
    let field = prop::sample::select(CommandField::ALL.to_vec());
    let parts =
        (any::<u16>(), field, any::<u16>(), prop::option::of(some_uid()), "[a-z]{0,20}", prop::option::of(counts));
    parts.prop_map(|(to, field, status, class, comment, sub_operations)| Response {
        class,
        comment: (!comment.is_empty()).then_some(comment),
        sub_operations,
        ..Response::new(to, field, Status(status))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_command_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::read(&bytes);
    }

    #[test]
    fn a_broken_command_is_a_command_or_none(
        which in 0_usize..18, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = every_kind_of_message()[which].write();
        *at.get_mut(&mut bytes) = byte;
        let _ = Message::read(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = Message::read(&bytes);
    }

    #[test]
    fn any_response_reads_as_it_was_written(response in some_response(), has_data_set: bool) {
        let message = Message { command: response.into(), has_data_set };
        prop_assert_eq!(Message::read(&message.write()).unwrap(), message);
    }

    #[test]
    fn every_proposal_is_answered_once_and_with_a_syntax_that_was_proposed(
        asked in prop::collection::vec((prop::sample::select(vec![CT, MR, STUDY_FIND, STUDY_GET, VERIFICATION, "x"]),
            prop::collection::vec(prop::sample::select(vec![EXPLICIT_LITTLE, IMPLICIT_LITTLE, JPEG_2000, DEFLATED, "y"]), 0..5)), 0..20),
        store: bool, query: bool, retrieve: bool,
    ) {
        let asked: Vec<Proposal> = (1..=255).step_by(2).zip(&asked)
            .map(|(id, (class, syntaxes))| proposal(id, class, syntaxes)).collect();
        let negotiated = negotiate(&asked, &[], Permissions { store, query, retrieve, workitems: store }).unwrap();
        prop_assert_eq!(negotiated.contexts.len(), asked.len());
        for (proposal, decided) in asked.iter().zip(&negotiated.contexts) {
            match decided {
                Ok(context) => {
                    prop_assert_eq!(context.id, proposal.id);
                    prop_assert!(proposal.transfer_syntaxes.iter().any(|text| text == context.syntax.uid().as_str()));
                }
                Err((id, _)) => prop_assert_eq!(*id, proposal.id),
            }
        }
    }
}
