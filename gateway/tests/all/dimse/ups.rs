//! Workitems by DIMSE: the five SOP classes of Unified Procedure Steps (PS3.4 annex CC).

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag,
    attributes::{self, AttributePath, Attributes},
    dimse::{Operation, Priority, Response, Status, bytes_of},
    ups::{SopClass, State, UPS_PUSH},
};

use super::{
    peer::{Scp, parse},
    *,
};

const EVENT: &str = "1.2.840.10008.5.1.4.34.6.4";
const ALL: &str = "1.2.840.10008.5.1.4.34.5";
const MATCHING: &str = "1.2.840.10008.5.1.4.34.5.1";
/// The presentation contexts of [`Desk`].
const PUSH: u8 = 1;
const WATCH: u8 = 3;
const PULL: u8 = 5;
const QUERY: u8 = 9;

/// A system that asks about workitems, in any of the five classes.
struct Desk(Scu);

impl Desk {
    fn of(address: SocketAddr, calling: &str, called: &str) -> Self {
        let contexts = SopClass::ALL.map(|class| (class.uid(), &[EXPLICIT] as &[&str]));
        Self(Scu::call(address, calling, called, &contexts).unwrap())
    }

    fn asks(&mut self, context: u8, operation: Operation, given: Option<&Attributes>) -> (Response, Attributes) {
        // The peer here sends none at all for one without elements.
        let given = given.filter(|given| !given.is_empty());
        let bytes = given.map(|given| bytes_of(&attributes::write(given, &mut |_: &str| None).unwrap(), true));
        self.0.ask(context, UPS_PUSH, operation, bytes.as_deref());
        let (answer, told) = self.0.answer();
        (answer, told.map(|told| meaning(&told)).unwrap_or_default())
    }

    fn creates(&mut self, instance: &str, given: &Attributes) -> u16 {
        let operation = Operation::Create { instance: Some(uid(instance)) };
        let (answer, _) = self.asks(PUSH, operation, Some(given));
        assert_eq!((answer.class, answer.instance), (Some(uid(UPS_PUSH)), Some(uid(instance))));
        answer.status.0
    }

    fn sets(&mut self, instance: &str, changes: &Attributes) -> u16 {
        self.asks(PULL, Operation::SetAttributes { instance: uid(instance) }, Some(changes)).0.status.0
    }

    fn acts(&mut self, context: u8, action_type: u16, instance: &str, given: &Attributes) -> u16 {
        let operation = Operation::Action { instance: uid(instance), action_type };
        let (answer, _) = self.asks(context, operation, Some(given));
        assert_eq!(answer.type_id, Some(action_type));
        answer.status.0
    }

    fn becomes(&mut self, instance: &str, state: State, transaction: &str) -> u16 {
        self.acts(PULL, 1, instance, &to(state, transaction))
    }

    fn gets(&mut self, instance: &str, wanted: &[Tag]) -> (u16, Attributes) {
        let operation = Operation::GetAttributes { instance: uid(instance), attributes: wanted.to_vec() };
        let (answer, told) = self.asks(WATCH, operation, None);
        (answer.status.0, told)
    }

    /// What is found with these keys, in a context.
    fn finds(&mut self, context: u8, keys: &Attributes) -> (u16, Vec<Attributes>) {
        let identifier = bytes_of(&attributes::write(keys, &mut |_: &str| None).unwrap(), true);
        self.0.ask(context, UPS_PUSH, Operation::Find { priority: Priority::Medium }, Some(&identifier));
        let mut found = Vec::new();
        loop {
            let (answer, told) = self.0.answer();
            if answer.status != Status::PENDING {
                return (answer.status.0, found);
            }
            found.push(meaning(&told.unwrap()));
        }
    }
}

fn meaning(bytes: &[u8]) -> Attributes {
    attributes::read(&parse(bytes, true), &|_: &AttributePath| None)
}

fn code(value: &str) -> Attributes {
    texts(&[(tags::CODE_VALUE, value), (tags::CODING_SCHEME_DESIGNATOR, "99TEST"), (tags::CODE_MEANING, value)])
}

fn texts(values: &[(Tag, &str)]) -> Attributes {
    let mut attributes = Attributes::new();
    values.iter().for_each(|(tag, value)| attributes.put_text(*tag, *value));
    attributes
}

/// A new workitem for a station, with all that must be said.
fn scheduled(station: &str) -> Attributes {
    let mut given = texts(&[
        (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192"),
        (tags::PROCEDURE_STEP_STATE, "SCHEDULED"),
        (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "MEDIUM"),
        (tags::PROCEDURE_STEP_LABEL, "Nodule detection"),
        (tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, "20261123090000"),
        (tags::INPUT_READINESS_STATE, "READY"),
        (tags::PATIENT_NAME, "Miyamoto^Kiku=宮本^菊"),
        (tags::PATIENT_ID, "K-1"),
    ]);
    given.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![code(station)]);
    given
}

fn to(state: State, transaction: &str) -> Attributes {
    let mut asked = texts(&[(tags::PROCEDURE_STEP_STATE, state.word())]);
    if !transaction.is_empty() {
        asked.put_text(tags::TRANSACTION_UID, transaction);
    }
    asked
}

/// What a performer says before it completes a workitem that it holds by this.
fn performed(transaction: &str) -> Attributes {
    let mut item = texts(&[
        (tags::PERFORMED_PROCEDURE_STEP_START_DATE_TIME, "20261123090000"),
        (tags::PERFORMED_PROCEDURE_STEP_END_DATE_TIME, "20261123090100"),
    ]);
    item.put_items(tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, vec![code("AI-1")]);
    item.put_items(tags::PERFORMED_WORKITEM_CODE_SEQUENCE, vec![code("NODULES")]);
    item.put_items(tags::OUTPUT_INFORMATION_SEQUENCE, Vec::new());
    let mut changes = texts(&[(tags::TRANSACTION_UID, transaction)]);
    changes.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![item]);
    changes
}

/// The keys of a search for everything.
fn every() -> Attributes {
    texts(&[(tags::SOP_INSTANCE_UID, "")])
}

fn receiver(title: &str) -> Attributes {
    texts(&[(tags::RECEIVING_AE, title), (tags::DELETION_LOCK, "FALSE")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workitem_is_pushed_found_pulled_and_done() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let mut desk = Desk::of(address, "MANAGER", "KIKU");
            // With what the creator left out.
            assert_eq!(desk.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            assert_eq!(desk.creates("1.2.2", &scheduled("AI-2")), 0xB300);
            let mut keys = texts(&[(tags::PROCEDURE_STEP_STATE, "SCHEDULED"), (tags::SOP_INSTANCE_UID, "")]);
            keys.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![texts(&[(tags::CODE_VALUE, "AI-2")])]);
            keys.put_text(tags::TRANSACTION_UID, "");
            keys.put_text(tags::PATIENT_NAME, "");
            keys.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
            for context in [PULL, WATCH, QUERY] {
                let (status, found) = desk.finds(context, &keys);
                let uids: Vec<_> = found.iter().map(|found| found.text(tags::SOP_INSTANCE_UID).unwrap()).collect();
                assert_eq!((status, uids), (0, vec!["1.2.2".to_owned()]));
                assert_eq!(found[0].text(tags::PATIENT_NAME).as_deref(), Some("Miyamoto^Kiku=宮本^菊"));
                assert!(found[0].get(tags::QUERY_RETRIEVE_LEVEL).is_none());
            }

            assert_eq!(desk.becomes("1.2.2", State::InProgress, "2.25.7"), 0);
            assert_eq!(desk.finds(PULL, &keys).1.len(), 0, "it is taken");
            assert_eq!(desk.sets("1.2.2", &performed("2.25.7")), 0);
            assert_eq!(desk.becomes("1.2.2", State::Completed, "2.25.7"), 0);
            let (status, told) = desk.gets("1.2.2", &[]);
            assert_eq!((status, told.text(tags::PROCEDURE_STEP_STATE).as_deref()), (0, Some("COMPLETED")));
            assert_eq!(told.text(tags::PATIENT_NAME).as_deref(), Some("Miyamoto^Kiku=宮本^菊"));
            assert!(told.get(tags::TRANSACTION_UID).is_none(), "nobody is told who holds it");
            let (status, told) = desk.gets("1.2.2", &[tags::PATIENT_ID, tags::TRANSACTION_UID]);
            assert_eq!((status, told.len()), (0x0001, 1));
            let (status, told) = desk.gets("1.2.2", &[tags::PATIENT_ID, tags::WORKLIST_LABEL]);
            assert_eq!((status, told.len()), (0, 2));
            desk.0.release();
        })
        .await;
    let stored = gateway.app.store.workitem(&kiku(), &uid("1.2.2")).await.unwrap().unwrap();
    assert_eq!((stored.state(), stored.transaction()), (State::Completed, Some(&uid("2.25.7"))));
    gateway.close().await;
}

/// Tables CC.2.1-2, CC.2.2-2, CC.2.3-3, CC.2.5-4, CC.2.6-1 and CC.2.7-2.
#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_has_the_status_of_its_table() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let mut desk = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(creations(&mut desk), [0xB300, 0x0111, 0xC309, 0x0120, 0x0121, 0x0106, 0x0117]);
            states(&mut desk);
            subscriptions(&mut desk);
            desk.0.release();
        })
        .await;
    gateway.close().await;
}

/// A good one, the same again, one that is begun, without a label, with an empty one, with a priority that there is not, and one with
/// the UID that stands for all.
fn creations(desk: &mut Desk) -> [u16; 7] {
    let with = |tag: Tag, value: Option<&str>| {
        let mut given = scheduled("AI-1");
        given.remove(tag);
        if let Some(value) = value {
            given.put_text(tag, value);
        }
        given
    };
    [
        ("1.2.1", scheduled("AI-1")),
        ("1.2.1", scheduled("AI-1")),
        ("1.2.9", with(tags::PROCEDURE_STEP_STATE, Some("IN PROGRESS"))),
        ("1.2.9", with(tags::PROCEDURE_STEP_LABEL, None)),
        ("1.2.9", with(tags::PROCEDURE_STEP_LABEL, Some(""))),
        ("1.2.9", with(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, Some("STAT"))),
        (ALL, scheduled("AI-1")),
    ]
    .map(|(instance, given)| desk.creates(instance, &given))
}

fn states(desk: &mut Desk) {
    const MINE: &str = "2.25.7";
    let ready = |transaction: &str| {
        let mut changes = texts(&[(tags::INPUT_READINESS_STATE, "INCOMPLETE")]);
        if !transaction.is_empty() {
            changes.put_text(tags::TRANSACTION_UID, transaction);
        }
        changes
    };
    let none = Attributes::new();
    assert_eq!(desk.becomes("1.2.404", State::InProgress, MINE), 0xC307);
    assert_eq!(desk.becomes("1.2.1", State::Scheduled, MINE), 0xC303);
    assert_eq!(desk.becomes("1.2.1", State::Completed, MINE), 0xC310);
    assert_eq!(desk.becomes("1.2.1", State::InProgress, ""), 0xC301);
    assert_eq!(desk.acts(PULL, 1, "1.2.1", &none), 0x0115, "no state");
    assert_eq!(desk.sets("1.2.1", &ready(MINE)), 0xC310);
    assert_eq!(desk.sets("1.2.404", &ready("")), 0xC307);
    assert_eq!(desk.sets("1.2.1", &ready("")), 0);

    assert_eq!(desk.becomes("1.2.1", State::InProgress, MINE), 0);
    assert_eq!(desk.becomes("1.2.1", State::InProgress, MINE), 0xC302);
    assert_eq!(desk.becomes("1.2.1", State::Completed, MINE), 0xC304);
    assert_eq!(desk.becomes("1.2.1", State::Completed, "2.25.8"), 0xC301);
    assert_eq!(desk.sets("1.2.1", &ready("2.25.8")), 0xC301);
    assert_eq!(desk.sets("1.2.1", &ready("")), 0xC301);
    assert_eq!(desk.sets("1.2.1", &texts(&[(tags::TRANSACTION_UID, MINE), (tags::PATIENT_ID, "K-2")])), 0x0106);
    assert_eq!(desk.acts(PUSH, 2, "1.2.1", &none), 0xC312, "nobody listens");
    assert_eq!(desk.sets("1.2.1", &performed(MINE)), 0);
    assert_eq!(desk.becomes("1.2.1", State::Completed, MINE), 0);
    assert_eq!(desk.becomes("1.2.1", State::Completed, MINE), 0xB306);
    assert_eq!(desk.becomes("1.2.1", State::Canceled, MINE), 0xC300);
    assert_eq!(desk.sets("1.2.1", &ready(MINE)), 0xC300);
    assert_eq!(desk.acts(WATCH, 2, "1.2.1", &none), 0xC311);

    assert_eq!(desk.creates("1.2.2", &scheduled("AI-1")), 0xB300);
    assert_eq!(desk.acts(WATCH, 2, "1.2.404", &none), 0xC307);
    assert_eq!(desk.acts(WATCH, 2, "1.2.2", &none), 0);
    assert_eq!(desk.acts(PUSH, 2, "1.2.2", &none), 0xB304);
    assert_eq!(desk.gets("1.2.404", &[]), (0xC307, Attributes::new()));
    let (status, _) = desk.finds(QUERY, &texts(&[(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, "yesterday")]));
    assert_eq!(status, 0xA900);
}

fn subscriptions(desk: &mut Desk) {
    let (me, none) = (receiver("MANAGER"), Attributes::new());
    let mut locked = me.clone();
    locked.put_text(tags::DELETION_LOCK, "PERHAPS");
    let mut wrong = me.clone();
    wrong.put_text(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, "yesterday");
    for (action, instance, given, status) in [
        (3, "1.2.1", &me, 0),
        (3, ALL, &me, 0),
        (3, MATCHING, &me, 0),
        (3, MATCHING, &wrong, 0x0115),
        (3, "1.2.404", &me, 0xC307),
        (3, "1.2.1", &receiver("NOBODY"), 0xC308),
        (3, "1.2.1", &receiver("WATCHER"), 0x0124),
        (3, "1.2.1", &none, 0x0115),
        (3, "1.2.1", &locked, 0x0115),
        (5, "1.2.1", &me, 0xC314),
        (5, ALL, &me, 0),
        (4, "1.2.1", &me, 0),
        (4, "1.2.1", &me, 0),
        (4, "1.2.404", &me, 0xC307),
        (4, MATCHING, &me, 0),
        (4, MATCHING, &receiver("NOBODY"), 0xC308),
    ] {
        assert_eq!(desk.acts(WATCH, action, instance, given), status, "{action} {instance} {given:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_takes_what_its_class_has_and_nothing_else() {
    let gateway = Gateway::open().await;
    gateway
        .meanwhile(|address| {
            let mut desk = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(desk.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            let claim = to(State::InProgress, "2.25.7");
            for (context, action, status) in
                [(PUSH, 1, 0x0123), (WATCH, 1, 0x0123), (PULL, 2, 0x0123), (PULL, 3, 0x0123)]
            {
                assert_eq!(desk.acts(context, action, "1.2.1", &claim), status, "{context} {action}");
            }
            assert_eq!(desk.acts(QUERY, 1, "1.2.1", &claim), 0x0211);
            assert_eq!(desk.acts(WATCH, 6, "1.2.1", &claim), 0x0123);
            let create = || Operation::Create { instance: Some(uid("1.2.2")) };
            let set = || Operation::SetAttributes { instance: uid("1.2.1") };
            for (context, operation) in [(PULL, create()), (PUSH, set()), (7, create()), (QUERY, set())] {
                let (answer, _) = desk.asks(context, operation, Some(&scheduled("AI-1")));
                assert_eq!(answer.status, Status::UNRECOGNIZED_OPERATION);
            }
            assert_eq!(desk.finds(PUSH, &every()).0, 0x0211);

            // An instance of UPS Pull there is none; a search may be for either.
            let pull = SopClass::Pull.uid();
            let get = Operation::GetAttributes { instance: uid("1.2.1"), attributes: Vec::new() };
            desk.0.ask(PULL, pull, get, None);
            assert_eq!(desk.0.answer().0.status, Status::CLASS_INSTANCE_CONFLICT);
            let (answer, found) = desk.0.find(PULL, pull, &attributes::write(&every(), &mut |_: &str| None).unwrap());
            assert_eq!((answer.status, answer.class, found.len()), (Status::SUCCESS, Some(uid(pull)), 1));

            // What is no data set, and what is one of more than a megabyte.
            for (bytes, status) in [(b"garbage that is no data set".to_vec(), 0x0110), (vec![0; (1 << 20) + 2], 0x0213)]
            {
                desk.0.ask(PUSH, UPS_PUSH, create(), Some(&bytes));
                assert_eq!(desk.0.answer().0.status.0, status);
            }
            assert_eq!(desk.gets("1.2.2", &[]).0, 0xC307, "none of all that made anything");
            desk.0.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_gets_no_context_and_no_hospital_sees_anothers() {
    let gateway = Gateway::open().await;
    let nodes = json!([{"aeTitle": "MANAGER", "host": "127.0.0.1", "workitems": true}]);
    gateway.put("hagi", "HAGI", &nodes).await;
    gateway
        .meanwhile(|address| {
            let five = SopClass::ALL.map(|class| (class.uid(), &[EXPLICIT] as &[&str]));
            for calling in ["CT1", "VIEWER"] {
                let mut contexts = vec![(VERIFICATION, &[EXPLICIT] as &[&str])];
                contexts.extend(five);
                let scu = Scu::call(address, calling, "KIKU", &contexts).unwrap();
                let held: Vec<u8> = scu.contexts().into_iter().map(|(id, _)| id).collect();
                assert_eq!(held, [1], "{calling}");
                scu.release();
            }
            let mut own = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(own.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            let mut other = Desk::of(address, "MANAGER", "HAGI");
            assert_eq!(other.gets("1.2.1", &[]).0, 0xC307);
            assert_eq!(other.becomes("1.2.1", State::InProgress, "2.25.7"), 0xC307);
            assert_eq!(other.sets("1.2.1", &texts(&[(tags::INPUT_READINESS_STATE, "READY")])), 0xC307);
            for action in 2..=4 {
                assert_eq!(other.acts(WATCH, action, "1.2.1", &receiver("MANAGER")), 0xC307, "{action}");
            }
            assert_eq!(other.finds(QUERY, &every()), (0, vec![]));
            assert_eq!(other.creates("1.2.1", &scheduled("AI-1")), 0xB300, "each has its own");
            other.0.release();
            own.0.release();
        })
        .await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_without_room_is_told_so() {
    let gateway = Gateway::configured(Dimse::default(), 9, |config| {
        config.limits.workitems_per_hospital = 1;
        config.limits.workitem_bytes_per_hospital = 8_000;
    });
    let gateway = gateway.await;
    gateway
        .meanwhile(|address| {
            let mut desk = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(desk.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            assert_eq!(desk.creates("1.2.2", &scheduled("AI-1")), 0x0213);
            let long = "x".repeat(18_000);
            let comment = |text: &str| texts(&[(tags::COMMENTS_ON_THE_SCHEDULED_PROCEDURE_STEP, text)]);
            assert_eq!(desk.sets("1.2.1", &comment(&long)), 0, "there was room when it was asked for");
            assert_eq!(desk.sets("1.2.1", &comment("more")), 0x0213);
            let mut filter = receiver("MANAGER");
            filter.put_text(tags::PATIENT_ID, long);
            assert_eq!(desk.acts(WATCH, 3, MATCHING, &filter), 0x0213);
            desk.0.release();
        })
        .await;
    gateway.close().await;
}

/// What waits for WATCHER.
async fn waits(gateway: &Gateway) -> usize {
    gateway.app.store.workitem_notices(&kiku(), &title("WATCHER"), 99).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_are_called_with_what_happens() {
    let watcher = Scp::listening(3, &[EVENT], EXPLICIT, vec![0, 0, 0, 0xC000]);
    let gateway = Gateway::with_pacs(watcher.port).await;
    gateway
        .meanwhile(|address| {
            let mut manager = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(manager.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            assert_eq!(manager.creates("1.2.2", &scheduled("AI-2")), 0xB300);
            manager.0.release();
            let mut watcher = Desk::of(address, "WATCHER", "KIKU");
            assert_eq!(watcher.acts(WATCH, 3, "1.2.1", &receiver("WATCHER")), 0);
            let mut filter = receiver("WATCHER");
            filter.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![texts(&[(tags::CODE_VALUE, "AI-3")])]);
            assert_eq!(watcher.acts(WATCH, 3, MATCHING, &filter), 0);
            watcher.0.release();
        })
        .await;
    soon("the first event", async || waits(&gateway).await == 0).await;
    gateway
        .meanwhile(|address| {
            let mut manager = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(manager.creates("1.2.3", &scheduled("AI-3")), 0xB300, "which matches");
            manager.0.release();
        })
        .await;
    soon("the events of a new one", async || waits(&gateway).await == 0).await;
    gateway
        .meanwhile(|address| {
            let mut manager = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(manager.becomes("1.2.1", State::InProgress, "2.25.7"), 0);
            assert_eq!(manager.becomes("1.2.2", State::InProgress, "2.25.7"), 0, "which it did not ask for");
            manager.0.release();
        })
        .await;
    soon("the last event", async || waits(&gateway).await == 0).await;
    let heard = tokio::task::spawn_blocking(move || watcher.heard()).await.unwrap();
    let told: Vec<(Operation, Option<String>)> = heard
        .iter()
        .map(|asked| (asked.request.operation.clone(), meaning(&asked.data_set).text(tags::PROCEDURE_STEP_STATE)))
        .collect();
    let report = |instance, event_type| Operation::EventReport { instance: uid(instance), event_type };
    let state = |word: &str| Some(word.to_owned());
    assert_eq!(
        told,
        [
            (report("1.2.1", 1), state("SCHEDULED")),
            (report("1.2.3", 1), state("SCHEDULED")),
            (report("1.2.3", 5), None),
            (report("1.2.1", 1), state("IN PROGRESS")),
        ]
    );
    assert!(heard.iter().all(|asked| asked.calling == "KIKU" && asked.request.class == uid(UPS_PUSH)));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_cancellation_reaches_the_performer_that_listens() {
    let performer = Scp::listening(2, &[EVENT], EXPLICIT, vec![]);
    let gateway = Gateway::with_pacs(performer.port).await;
    gateway
        .meanwhile(|address| {
            let mut watcher = Desk::of(address, "WATCHER", "KIKU");
            assert_eq!(watcher.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            assert_eq!(watcher.becomes("1.2.1", State::InProgress, "2.25.7"), 0);
            assert_eq!(watcher.acts(WATCH, 3, "1.2.1", &receiver("WATCHER")), 0);
            assert_eq!(watcher.acts(WATCH, 2, "1.2.1", &Attributes::new()), 0xC312, "it would hear itself only");
            watcher.0.release();
        })
        .await;
    soon("the first event", async || waits(&gateway).await == 0).await;
    gateway
        .meanwhile(|address| {
            let mut manager = Desk::of(address, "MANAGER", "KIKU");
            let why = texts(&[(tags::REASON_FOR_CANCELLATION, "the patient left")]);
            assert_eq!(manager.acts(PUSH, 2, "1.2.1", &why), 0);
            manager.0.release();
        })
        .await;
    let heard = tokio::task::spawn_blocking(move || performer.heard()).await.unwrap();
    let last = heard.last().unwrap();
    assert_eq!(last.request.operation, Operation::EventReport { instance: uid("1.2.1"), event_type: 2 });
    let event = meaning(&last.data_set);
    assert_eq!(event.text(tags::REQUESTING_AE).as_deref(), Some("MANAGER"));
    assert_eq!(event.text(tags::REASON_FOR_CANCELLATION).as_deref(), Some("the patient left"));
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_away_is_left_alone_after_a_while_and_loses_nothing() {
    // Whoever bound a port knows that nobody else listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gateway = Gateway::with_pacs(port).await;
    gateway
        .meanwhile(|address| {
            let mut watcher = Desk::of(address, "WATCHER", "KIKU");
            assert_eq!(watcher.acts(WATCH, 3, ALL, &receiver("WATCHER")), 0);
            watcher.0.release();
            let mut manager = Desk::of(address, "MANAGER", "KIKU");
            assert_eq!(manager.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            manager.0.release();
        })
        .await;
    let far = gateway.app.clock.now() + time::Duration::days(1);
    let due = async || gateway.app.store.due_subscribers(far, 4).await.unwrap().len();
    soon("the end of the calls", async || due().await == 0).await;
    assert_eq!(waits(&gateway).await, 2);

    // It is there again, and says so by asking for anything at all.
    let watcher = Scp::listening_on(port, 1, &[EVENT], EXPLICIT);
    gateway
        .meanwhile(|address| {
            let mut watcher = Desk::of(address, "WATCHER", "KIKU");
            assert_eq!(watcher.gets("1.2.1", &[]).0, 0);
            watcher.0.release();
        })
        .await;
    let heard = tokio::task::spawn_blocking(move || watcher.heard()).await.unwrap();
    assert_eq!(heard.len(), 2);
    soon("the end of what waited", async || waits(&gateway).await == 0).await;
    gateway.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_subscriber_cannot_take_now_it_is_told_again() {
    // Out of resources once, then all is well.
    let watcher = Scp::listening(2, &[EVENT], EXPLICIT, vec![0x0213]);
    let gateway = Gateway::with_pacs(watcher.port).await;
    gateway
        .meanwhile(|address| {
            let mut watcher = Desk::of(address, "WATCHER", "KIKU");
            assert_eq!(watcher.creates("1.2.1", &scheduled("AI-1")), 0xB300);
            assert_eq!(watcher.acts(WATCH, 3, "1.2.1", &receiver("WATCHER")), 0);
            watcher.0.release();
        })
        .await;
    let heard = tokio::task::spawn_blocking(move || watcher.heard()).await.unwrap();
    let told: Vec<_> = heard.iter().map(|asked| (&asked.request.operation, &asked.data_set)).collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], told[1]);
    soon("the end of the event", async || waits(&gateway).await == 0).await;
    gateway.close().await;
}
