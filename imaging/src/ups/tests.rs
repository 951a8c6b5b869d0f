//! The life of a workitem.

use dicom_dictionary_std::tags;
use proptest::prelude::*;
use time::{OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    Tag, Uid,
    attributes::Attributes,
    dimse::{Operation, Priority},
};

const NOW: OffsetDateTime = datetime!(2026-11-23 9:00:00.5 +9);
const LATER: OffsetDateTime = datetime!(2026-11-23 9:01 +9);

fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

fn code(value: &str) -> Attributes {
    let mut code = Attributes::new();
    code.put_text(tags::CODE_VALUE, value);
    code.put_text(tags::CODING_SCHEME_DESIGNATOR, "99TEST");
    code.put_text(tags::CODE_MEANING, value);
    code
}

/// What must have a value, and nothing else.
fn least() -> Attributes {
    let mut given = Attributes::new();
    given.put_text(tags::PROCEDURE_STEP_STATE, "SCHEDULED");
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "MEDIUM");
    given.put_text(tags::PROCEDURE_STEP_LABEL, "Nodule detection");
    given.put_text(tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME, "20261123090000");
    given.put_text(tags::INPUT_READINESS_STATE, "READY");
    given
}

fn created(given: Attributes) -> Result<Created, Fault> {
    Workitem::create(uid("1.2.3"), given, "AI", NOW)
}

fn scheduled() -> Workitem {
    created(least()).unwrap().workitem
}

fn in_progress() -> Workitem {
    let mut workitem = scheduled();
    workitem.change_state(State::InProgress, Some(&uid("2.25.1")), NOW).unwrap();
    workitem
}

/// What a performer says before it says COMPLETED.
fn performed() -> Attributes {
    let mut item = Attributes::new();
    item.put_items(tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, vec![code("AI-1")]);
    item.put_items(tags::PERFORMED_WORKITEM_CODE_SEQUENCE, vec![code("NODULES")]);
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_START_DATE_TIME, "20261123090000");
    item.put_text(tags::PERFORMED_PROCEDURE_STEP_END_DATE_TIME, "20261123090030");
    item.put_empty(tags::OUTPUT_INFORMATION_SEQUENCE);
    let mut changes = Attributes::new();
    changes.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![item]);
    changes
}

/// What it says before it says CANCELED.
fn given_up() -> Attributes {
    let mut item = Attributes::new();
    item.put_items(tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE, vec![code("110513")]);
    item.put_text(tags::REASON_FOR_CANCELLATION, "no lungs");
    let mut changes = Attributes::new();
    changes.put_items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE, vec![item]);
    changes
}

fn ready() -> Workitem {
    let mut workitem = in_progress();
    workitem.update(Some(&uid("2.25.1")), performed(), NOW).unwrap();
    workitem.update(Some(&uid("2.25.1")), given_up(), NOW).unwrap();
    workitem
}

fn in_state(state: State) -> Workitem {
    match state {
        State::Scheduled => scheduled(),
        State::InProgress => ready(),
        state => {
            let mut workitem = ready();
            workitem.change_state(state, Some(&uid("2.25.1")), NOW).unwrap();
            workitem
        }
    }
}

const STATES: [State; 4] = [State::Scheduled, State::InProgress, State::Completed, State::Canceled];

#[test]
fn a_workitem_is_created_with_its_places_filled() {
    let Created { workitem, is_modified } = created(least()).unwrap();
    assert!(is_modified);
    let view = workitem.view();
    assert_eq!(view.text(tags::SOP_CLASS_UID).as_deref(), Some(UPS_PUSH));
    assert_eq!(view.text(tags::SOP_INSTANCE_UID).as_deref(), Some("1.2.3"));
    assert_eq!(view.text(tags::PROCEDURE_STEP_STATE).as_deref(), Some("SCHEDULED"));
    assert_eq!(view.text(tags::WORKLIST_LABEL).as_deref(), Some("AI"));
    let modified = view.text(tags::SCHEDULED_PROCEDURE_STEP_MODIFICATION_DATE_TIME);
    assert_eq!(modified.as_deref(), Some("20261123090000.500000+0900"));
    for place in [tags::PATIENT_NAME, tags::INPUT_INFORMATION_SEQUENCE, tags::STUDY_INSTANCE_UID, tags::PATIENT_ID] {
        assert!(view.get(place).unwrap().is_empty(), "{place}");
    }
    assert_eq!(workitem.events().iter().map(|event| event.kind).collect::<Vec<_>>(), [1]);
    // Complete as the table has it, nothing is modified.
    let whole = workitem.view();
    let again = created(whole).unwrap();
    assert!(!again.is_modified);
}

#[test]
fn what_must_be_given_and_what_may_not_is_told_all_at_once() {
    let with = |change: &dyn Fn(&mut Attributes)| {
        let mut given = least();
        change(&mut given);
        created(given).unwrap_err()
    };
    let flaws = |fault: Fault| match fault {
        Fault::Flaws(flaws) => flaws,
        other => panic!("{other:?}"),
    };
    let two = flaws(with(&|given| {
        given.remove(tags::PROCEDURE_STEP_LABEL);
        given.put_empty(tags::INPUT_READINESS_STATE);
    }));
    assert_eq!(two, [Flaw::Missing(tags::PROCEDURE_STEP_LABEL), Flaw::Empty(tags::INPUT_READINESS_STATE)]);
    let transaction = flaws(with(&|given| given.put_text(tags::TRANSACTION_UID, "2.25.1")));
    assert_eq!(transaction, [Flaw::Forbidden(tags::TRANSACTION_UID)]);
    let begun = flaws(with(&|given| performed().into_iter().for_each(|(tag, value)| given.put(tag, value))));
    assert_eq!(begun, [Flaw::Forbidden(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE)]);
    let priority = flaws(with(&|given| given.put_text(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "STAT")));
    assert_eq!(priority, [Flaw::Undefined(tags::SCHEDULED_PROCEDURE_STEP_PRIORITY)]);
    let performer =
        flaws(with(&|given| given.put_items(tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE, vec![Attributes::new()])));
    assert_eq!(performer.len(), 3);
    assert_eq!(with(&|given| given.put_text(tags::PROCEDURE_STEP_STATE, "IN PROGRESS")), Fault::NotScheduled);
    assert!(with(&|given| given.put_text(tags::PROCEDURE_STEP_LABEL, "")).to_string().contains("(0074,1204)"));
}

/// Table CC.1.1-2, row by row: with the right Transaction UID, then with another one, then without.
#[test]
fn states_change_as_the_table_says() {
    let outcome = |from: State, to: State, transaction: Option<&str>| {
        let mut workitem = in_state(from);
        let before = workitem.clone();
        let changed = workitem.change_state(to, transaction.map(uid).as_ref(), LATER);
        match changed {
            Ok(Transition::Done) => {
                let events = &workitem.events()[before.events().len()..];
                assert_eq!((workitem.state(), events.len()), (to, 1));
                assert_eq!(events[0].attributes.text(tags::PROCEDURE_STEP_STATE).as_deref(), Some(to.word()));
                0
            }
            Ok(already @ Transition::Already(_)) => {
                assert_eq!(workitem, before);
                assert!(already.warning().unwrap().ends_with(&format!("{to}.")));
                already.status()
            }
            Err(fault) => {
                assert_eq!(workitem, before);
                fault.status()
            }
        }
    };
    for (to, expected) in [
        (State::InProgress, [0, 0xC302, 0xC300, 0xC300]),
        (State::Scheduled, [0xC303; 4]),
        (State::Completed, [0xC310, 0, 0xB306, 0xC300]),
        (State::Canceled, [0xC310, 0, 0xC300, 0xB304]),
    ] {
        assert_eq!(STATES.map(|from| outcome(from, to, Some("2.25.1"))), expected, "{to}");
        let without = if to == State::Scheduled { 0xC303 } else { 0xC301 };
        assert_eq!(STATES.map(|from| outcome(from, to, None)), [without; 4], "{to}");
        if to != State::Scheduled {
            assert_eq!(
                STATES[1..].iter().map(|from| outcome(*from, to, Some("2.25.2"))).collect::<Vec<_>>(),
                [0xC301; 3]
            );
        }
    }
}

#[test]
fn nothing_ends_before_it_says_what_was_done() {
    let mut workitem = in_progress();
    let completed = workitem.change_state(State::Completed, Some(&uid("2.25.1")), NOW).unwrap_err();
    let mut hollow = performed();
    let mut item = hollow.items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE)[0].clone();
    item.put_items(tags::PERFORMED_STATION_NAME_CODE_SEQUENCE, vec![Attributes::new()]);
    hollow.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![item]);
    let mut empty = workitem.clone();
    empty.update(Some(&uid("2.25.1")), hollow, NOW).unwrap();
    let unfinished = empty.change_state(State::Completed, Some(&uid("2.25.1")), NOW);
    assert_eq!(unfinished, Err(Fault::Unfinished(vec![tags::PERFORMED_STATION_NAME_CODE_SEQUENCE])));
    let Fault::Unfinished(missing) = &completed else { panic!("{completed:?}") };
    assert!(missing.contains(&tags::PERFORMED_STATION_NAME_CODE_SEQUENCE), "{missing:?}");
    assert!(missing.contains(&tags::OUTPUT_INFORMATION_SEQUENCE));
    let canceled = workitem.change_state(State::Canceled, Some(&uid("2.25.1")), NOW).unwrap_err();
    assert_eq!(canceled, Fault::Unfinished(vec![tags::PROCEDURE_STEP_DISCONTINUATION_REASON_CODE_SEQUENCE]));
    // Neither asks for what the other does.
    let mut other = workitem.clone();
    workitem.update(Some(&uid("2.25.1")), performed(), NOW).unwrap();
    workitem.change_state(State::Completed, Some(&uid("2.25.1")), NOW).unwrap();
    other.update(Some(&uid("2.25.1")), given_up(), NOW).unwrap();
    other.change_state(State::Canceled, Some(&uid("2.25.1")), LATER).unwrap();
    let progress = &other.view().items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE)[0].clone();
    let at = progress.text(tags::PROCEDURE_STEP_CANCELLATION_DATE_TIME);
    assert_eq!(at.as_deref(), Some("20261123090100.000000+0900"));
}

#[test]
fn only_the_performer_changes_what_is_in_progress() {
    let mut readiness = Attributes::new();
    readiness.put_text(tags::INPUT_READINESS_STATE, "INCOMPLETE");
    for (state, transaction, expected) in [
        (State::Scheduled, None, Ok(())),
        (State::Scheduled, Some("2.25.1"), Err(Fault::NotInProgress)),
        (State::InProgress, None, Err(Fault::TransactionMissing)),
        (State::InProgress, Some("2.25.2"), Err(Fault::TransactionIncorrect)),
        (State::InProgress, Some("2.25.1"), Ok(())),
        (State::Completed, Some("2.25.1"), Err(Fault::Final)),
        (State::Canceled, Some("2.25.1"), Err(Fault::Final)),
        (State::Canceled, None, Err(Fault::Final)),
    ] {
        let found = in_state(state).update(transaction.map(uid).as_ref(), readiness.clone(), NOW);
        assert_eq!(found, expected, "{state} {transaction:?}");
    }
}

#[test]
fn what_may_not_be_changed_is_refused_and_changes_nothing() {
    let mut workitem = scheduled();
    let before = workitem.clone();
    for tag in [
        tags::PROCEDURE_STEP_STATE,
        tags::PATIENT_NAME,
        tags::REFERENCED_REQUEST_SEQUENCE,
        tags::TRANSACTION_UID,
        tags::SOP_INSTANCE_UID,
    ] {
        let mut changes = Attributes::new();
        changes.put_text(tags::COMMENTS_ON_THE_SCHEDULED_PROCEDURE_STEP, "more");
        changes.put_text(tag, "1");
        assert_eq!(workitem.update(None, changes, LATER), Err(Fault::Flaws(vec![Flaw::Forbidden(tag)])));
    }
    let mut emptied = Attributes::new();
    emptied.put_empty(tags::PROCEDURE_STEP_LABEL);
    let empty = Fault::Flaws(vec![Flaw::Empty(tags::PROCEDURE_STEP_LABEL)]);
    assert_eq!(workitem.update(None, emptied, LATER), Err(empty));
    assert_eq!(workitem, before);
}

#[test]
fn subscribers_hear_of_what_changed_and_of_nothing_else() {
    let mut workitem = in_progress();
    let mut kinds = |changes: Attributes| {
        let before = workitem.events().len();
        workitem.update(Some(&uid("2.25.1")), changes, NOW).unwrap();
        workitem.events()[before..].iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    let mut readiness = Attributes::new();
    readiness.put_text(tags::INPUT_READINESS_STATE, "UNAVAILABLE");
    assert_eq!(kinds(readiness.clone()), [1]);
    // Again the same: nothing happened.
    assert_eq!(kinds(readiness), [] as [u16; 0]);
    assert_eq!(kinds(given_up()), [3]);
    assert_eq!(kinds(performed()), [] as [u16; 0]);
    let mut station = Attributes::new();
    station.put_items(tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, vec![code("AI-2")]);
    assert_eq!(kinds(station), [5]);
    let changes = {
        let mut performer = Attributes::new();
        performer.put_items(tags::HUMAN_PERFORMER_CODE_SEQUENCE, vec![code("R1")]);
        performer.put_text(tags::HUMAN_PERFORMER_NAME, "Sato^Hana=佐藤^花");
        performer.put_text(tags::HUMAN_PERFORMER_ORGANIZATION, "Radiology");
        let mut changes = Attributes::new();
        changes.put_items(tags::SCHEDULED_HUMAN_PERFORMERS_SEQUENCE, vec![performer]);
        changes
    };
    workitem.update(Some(&uid("2.25.1")), changes, NOW).unwrap();
    let event = workitem.events().last().unwrap();
    let told = event.data_set(workitem.uid(), 7);
    assert_eq!(told.text(tags::EVENT_TYPE_ID).as_deref(), Some("5"));
    assert_eq!(told.text(tags::MESSAGE_ID).as_deref(), Some("7"));
    assert_eq!(told.text(tags::AFFECTED_SOP_INSTANCE_UID).as_deref(), Some("1.2.3"));
    assert_eq!(told.text(tags::HUMAN_PERFORMER_ORGANIZATION).as_deref(), Some("Radiology"));
    // A name is not part of the report.
    assert_eq!(told.get(tags::HUMAN_PERFORMER_NAME), None);
}

#[test]
fn cancellation_is_asked_for_in_every_state() {
    let mut request = Attributes::new();
    request.put_text(tags::REASON_FOR_CANCELLATION, "wrong patient");
    request.put_text(tags::CONTACT_URI, "tel:+81-3-0000-0000");
    request.put_text(tags::CONTACT_DISPLAY_NAME, "Radiology");
    let asked = |state| {
        let mut workitem = in_state(state);
        let outcome = workitem.request_cancel("EHR", &request, uid("2.25.9"), LATER);
        (workitem, outcome)
    };
    let (workitem, outcome) = asked(State::Scheduled);
    assert_eq!(outcome, Ok(Transition::Done));
    let events = &workitem.events()[1..];
    let states: Vec<_> =
        events.iter().map(|event| event.attributes.text(tags::PROCEDURE_STEP_STATE).unwrap()).collect();
    assert_eq!(states, ["IN PROGRESS", "CANCELED"]);
    assert_eq!(events[1].attributes.text(tags::REASON_FOR_CANCELLATION).as_deref(), Some("wrong patient"));
    assert_eq!(workitem.state(), State::Canceled);
    let (workitem, outcome) = asked(State::InProgress);
    assert_eq!(outcome, Ok(Transition::Done));
    let events = &workitem.events()[workitem.events().len() - 1..];
    assert_eq!((workitem.state(), events[0].kind), (State::InProgress, 2));
    assert_eq!(events[0].attributes.text(tags::REQUESTING_AE).as_deref(), Some("EHR"));
    assert_eq!(events[0].attributes.text(tags::CONTACT_URI).as_deref(), Some("tel:+81-3-0000-0000"));
    assert_eq!(asked(State::Canceled).1, Ok(Transition::Already(State::Canceled)));
    assert_eq!(asked(State::Completed).1.unwrap_err().status(), 0xC311);
}

#[test]
fn a_performer_that_grants_it_keeps_what_it_said_and_adds_the_reasons() {
    let mut request = Attributes::new();
    request.put_text(tags::REASON_FOR_CANCELLATION, "wrong patient");
    let mut workitem = in_progress();
    let mut progress = Attributes::new();
    progress.put_text(tags::PROCEDURE_STEP_PROGRESS_DESCRIPTION, "half of it");
    let mut changes = Attributes::new();
    changes.put_items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE, vec![progress]);
    workitem.update(Some(&uid("2.25.1")), changes, NOW).unwrap();
    assert_eq!(workitem.grant_cancel(&request, LATER), Ok(Transition::Done));
    let said = workitem.view().items(tags::PROCEDURE_STEP_PROGRESS_INFORMATION_SEQUENCE)[0].clone();
    assert_eq!(workitem.state(), State::Canceled);
    assert_eq!(said.text(tags::PROCEDURE_STEP_PROGRESS_DESCRIPTION).as_deref(), Some("half of it"));
    assert_eq!(said.text(tags::REASON_FOR_CANCELLATION).as_deref(), Some("wrong patient"));
    assert_eq!(workitem.events().last().unwrap().kind, 1);
    for (state, outcome) in [
        (State::Scheduled, Err(Fault::NotInProgress)),
        (State::Completed, Err(Fault::AlreadyCompleted)),
        (State::Canceled, Ok(Transition::Already(State::Canceled))),
    ] {
        let mut workitem = in_state(state);
        assert_eq!(workitem.grant_cancel(&request, LATER), outcome);
        assert_eq!(workitem.state(), state);
    }
}

#[test]
fn nobody_is_told_to_be_another_issuers_patient() {
    for tag in [tags::ISSUER_OF_PATIENT_ID, tags::PATIENT_ID, tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE] {
        let mut changes = Attributes::new();
        changes.put_empty(tag);
        assert_eq!(scheduled().update(None, changes, NOW), Err(Fault::Flaws(vec![Flaw::Forbidden(tag)])));
    }
}

#[test]
fn what_is_of_another_kind_than_its_tag_is_refused() {
    for (tag, key, text) in [
        (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "00741200", r#"{"vr": "CS", "BulkDataURI": "http://x"}"#),
        (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "00741200", r#"{"vr": "CS", "InlineBinary": "QUJD"}"#),
        (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "00741200", r#"{"vr": "CS", "Value": ["HIGH", "STAT"]}"#),
        (tags::SCHEDULED_PROCEDURE_STEP_PRIORITY, "00741200", r#"{"vr": "CS", "Value": [null, "HIGH"]}"#),
        (tags::REFERENCED_REQUEST_SEQUENCE, "0040A370", r#"{"vr": "LO", "Value": ["x"]}"#),
        (tags::PATIENT_NAME, "00100010", r#"{"vr": "LO", "Value": ["Yamada^Tarou"]}"#),
    ] {
        let mut given = least();
        let odd = crate::json::parse(format!(r#"{{"{key}": {text}}}"#).as_bytes()).unwrap();
        odd.into_iter().for_each(|(tag, attribute)| given.put(tag, attribute));
        assert_eq!(created(given).map(drop), Err(Fault::Flaws(vec![Flaw::Undefined(tag)])), "{text}");
    }
}

#[test]
fn a_workitem_has_an_end_in_length_and_depth() {
    let mut workitem = scheduled();
    let mut taken = 0;
    for number in 0..64 {
        let mut changes = Attributes::new();
        changes.put_text(Tag(0x0041, 0x1000 + number), "x".repeat(1 << 20));
        taken += u32::from(workitem.update(None, changes, NOW).is_ok());
    }
    assert!((10..16).contains(&taken), "{taken}");
    let mut deep = Attributes::new();
    for depth in 0..20 {
        let mut outer = Attributes::new();
        outer.put_items(tags::CONTENT_SEQUENCE, vec![deep]);
        deep = outer;
        let is_taken = scheduled().update(None, deep.clone(), NOW).is_ok();
        assert_eq!(is_taken, depth < 16, "{depth}");
    }
}

#[test]
fn names_keep_their_characters_whatever_a_later_part_says_of_its_own() {
    let mut given = least();
    given.put_text(tags::PATIENT_NAME, "Yamada^Tarou=山田^太郎");
    given.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO 2022 IR 87");
    let mut workitem = created(given).unwrap().workitem;
    let mut changes = Attributes::new();
    changes.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 100");
    workitem.update(None, changes, NOW).unwrap();
    assert_eq!(workitem.view().text(tags::SPECIFIC_CHARACTER_SET).as_deref(), Some("ISO_IR 192"));
}

proptest! {
    /// Whatever is done in whatever order: a final state stays, and nobody sees the Transaction UID.
    #[test]
    fn the_end_is_the_end_and_the_lock_stays_secret(steps in prop::collection::vec((0..7_usize, any::<bool>()), 0..24)) {
        let mut workitem = scheduled();
        for (step, is_performer) in steps {
            let before = workitem.clone();
            let transaction = uid(if is_performer { "2.25.1" } else { "2.25.2" });
            let _ = match step {
                0 => workitem.change_state(State::InProgress, Some(&transaction), LATER).map(drop),
                1 => workitem.change_state(State::Completed, Some(&transaction), LATER).map(drop),
                2 => workitem.change_state(State::Canceled, Some(&transaction), LATER).map(drop),
                3 => workitem.update(Some(&transaction), performed(), LATER),
                4 => workitem.update(Some(&transaction), given_up(), LATER),
                5 => workitem.grant_cancel(&Attributes::new(), LATER).map(drop),
                _ => workitem.request_cancel("EHR", &Attributes::new(), transaction, LATER).map(drop),
            };
            if before.state().is_final() {
                prop_assert_eq!(&workitem, &before);
            }
            prop_assert!(workitem.view().get(tags::TRANSACTION_UID).is_none());
            let text = serde_json::to_string(&workitem.view()).unwrap();
            prop_assert!(!text.contains("2.25."));
        }
    }
}

/// PS3.7 §10.1.5.1.6: what is missing, what is empty and what is wrong are told apart.
#[test]
fn flaws_have_the_status_of_the_worst() {
    let (missing, empty) = (Flaw::Missing(tags::PROCEDURE_STEP_LABEL), Flaw::Empty(tags::INPUT_READINESS_STATE));
    let (forbidden, undefined) = (Flaw::Forbidden(tags::PATIENT_NAME), Flaw::Undefined(tags::INPUT_READINESS_STATE));
    for (flaws, status) in [
        (vec![empty], 0x0121),
        (vec![missing], 0x0120),
        (vec![empty, missing], 0x0120),
        (vec![missing, forbidden], 0x0106),
        (vec![undefined], 0x0106),
    ] {
        assert_eq!(Fault::Flaws(flaws.clone()).status(), status, "{flaws:?}");
    }
}

/// Table CC.1.2-1: what the provider does, by SOP class: N-CREATE, N-GET, N-SET, C-FIND, then the actions 1 to 5.
#[test]
fn each_sop_class_has_its_services() {
    let instance = || uid("1.2.3");
    let operations = [
        Operation::Create { instance: None },
        Operation::GetAttributes { instance: instance(), attributes: Vec::new() },
        Operation::SetAttributes { instance: instance() },
        Operation::Find { priority: Priority::Medium },
    ];
    for (class, has) in [
        (SopClass::Push, "CG---2---"),
        (SopClass::Watch, "-G-F-2345"),
        (SopClass::Pull, "-GSF1----"),
        (SopClass::Event, "---------"),
        (SopClass::Query, "---F-----"),
    ] {
        let actions = (1..=5).map(|id| class.acts(Action::of(id).unwrap()));
        let all = operations.iter().map(|operation| class.has(operation)).chain(actions);
        let found: String = all.zip("CGSF12345".chars()).map(|(is, letter)| if is { letter } else { '-' }).collect();
        assert_eq!(found, has, "{class:?}");
        assert_eq!(SopClass::of(class.uid()), Some(class));
    }
    assert_eq!((Action::of(0), Action::of(6)), (None, None));
}

#[test]
fn whoever_asks_for_a_cancellation_has_a_name_that_an_ae_can_bear() {
    for (name, told) in
        [("RIS", "RIS"), ("radiology-information-system", "radiology-inform"), (" A\\B\u{7}C \u{533b} ", "ABC")]
    {
        let mut workitem = in_progress();
        workitem.request_cancel(name, &Attributes::new(), uid("2.25.9"), NOW).unwrap();
        let event = workitem.events().last().unwrap();
        assert_eq!((event.kind, event.attributes.text(tags::REQUESTING_AE).as_deref()), (2, Some(told)));
    }
}

/// An item with these texts; what is said to be nothing is there without a value.
fn item(said: &[(Tag, &str)]) -> Attributes {
    let mut item = Attributes::new();
    for (tag, text) in said {
        if text.is_empty() { item.put_empty(*tag) } else { item.put_text(*tag, *text) }
    }
    item
}

#[test]
fn items_say_what_their_macros_ask_for() {
    let (value, long, urn) = (tags::CODE_VALUE, tags::LONG_CODE_VALUE, tags::URN_CODE_VALUE);
    let (scheme, meaning) = (tags::CODING_SCHEME_DESIGNATOR, tags::CODE_MEANING);
    let (kind, study, series) = (tags::TYPE_OF_INSTANCES, tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID);
    let references = tags::REFERENCED_SOP_SEQUENCE;
    let (station, input) = (tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, tags::INPUT_INFORMATION_SEQUENCE);
    let (parameters, name) = (tags::SCHEDULED_PROCESSING_PARAMETERS_SEQUENCE, tags::CONCEPT_NAME_CODE_SEQUENCE);
    let parameter = |said: &[(Tag, &str)]| {
        let mut item = item(said);
        item.put_items(name, vec![code("A")]);
        item
    };
    let number = |unit: Option<Attributes>| {
        let mut item = parameter(&[(tags::VALUE_TYPE, "NUMERIC"), (tags::NUMERIC_VALUE, "5")]);
        item.put_items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, unit.into_iter().collect());
        item
    };
    let instances = |said: &[(Tag, &str)], reference: Attributes| {
        let mut item = item(said);
        item.put_items(references, vec![reference]);
        item
    };
    let (class, instance) = (tags::REFERENCED_SOP_CLASS_UID, tags::REFERENCED_SOP_INSTANCE_UID);
    let image = || item(&[(class, "1.2"), (instance, "1.3")]);
    let place = |sequence: Tag, place: Attributes| {
        let mut item = instances(&[(kind, "DICOM"), (study, "1.4"), (series, "1.5")], image());
        item.put_items(sequence, vec![place]);
        item
    };
    let flawed = |tags: &[Tag]| tags.iter().map(|tag| Flaw::Missing(*tag)).collect::<Vec<_>>();
    let rows = [
        (station, code("A"), vec![]),
        (station, Attributes::new(), vec![]), // it says nothing
        (station, item(&[(long, "A-LONG-CODE-OF-ITS-OWN"), (scheme, "99TEST"), (meaning, "A")]), vec![]),
        (station, item(&[(urn, "urn:oid:1.2.3"), (meaning, "A")]), vec![]),
        (station, item(&[(scheme, "99TEST"), (meaning, "A")]), flawed(&[value])),
        (station, item(&[(value, "A"), (meaning, "A")]), flawed(&[scheme])),
        (station, item(&[(long, "A-LONG-CODE-OF-ITS-OWN")]), flawed(&[scheme, meaning])),
        (station, item(&[(value, "A"), (scheme, "99TEST"), (meaning, "")]), vec![Flaw::Empty(meaning)]),
        (parameters, parameter(&[(tags::VALUE_TYPE, "TEXT"), (tags::TEXT_VALUE, "thin")]), vec![]),
        (parameters, parameter(&[(tags::VALUE_TYPE, "TEXT")]), flawed(&[tags::TEXT_VALUE])),
        (parameters, parameter(&[]), flawed(&[tags::VALUE_TYPE])),
        (parameters, item(&[(tags::VALUE_TYPE, "OTHER")]), flawed(&[name])),
        (parameters, number(Some(code("mm"))), vec![]),
        (parameters, number(Some(item(&[(value, "mm"), (scheme, "UCUM")]))), flawed(&[meaning])),
        (parameters, number(None), vec![Flaw::Empty(tags::MEASUREMENT_UNITS_CODE_SEQUENCE)]),
        (input, instances(&[(kind, "DICOM"), (study, "1.4"), (series, "1.5")], image()), vec![]),
        (input, instances(&[(kind, "CDA")], image()), vec![]),
        (input, instances(&[(kind, "DICOM")], image()), flawed(&[study, series])),
        (input, instances(&[(study, "1.4")], item(&[(instance, "1.3")])), flawed(&[kind, class])),
        (input, item(&[(kind, "CDA")]), flawed(&[references])),
        (input, place(tags::DICOM_RETRIEVAL_SEQUENCE, item(&[(tags::RETRIEVE_AE_TITLE, "KIKU")])), vec![]),
        (
            input,
            place(tags::DICOM_RETRIEVAL_SEQUENCE, item(&[(tags::RETRIEVE_URL, "https://a")])),
            flawed(&[tags::RETRIEVE_AE_TITLE]),
        ),
        (
            input,
            place(tags::WADORS_RETRIEVAL_SEQUENCE, item(&[(tags::RETRIEVE_URL, "")])),
            vec![Flaw::Empty(tags::RETRIEVE_URL)],
        ),
    ];
    for (sequence, item, flaws) in rows {
        let words = format!("{sequence} {item:?}");
        let expected = if flaws.is_empty() { Ok(()) } else { Err(Fault::Flaws(flaws)) };
        let mut given = least();
        given.put_items(sequence, vec![item.clone(), item.clone()]);
        assert_eq!(created(given).map(|_| ()), expected, "created: {words}");
        let mut changes = Attributes::new();
        changes.put_items(sequence, vec![item]);
        assert_eq!(scheduled().update(None, changes, NOW), expected, "changed: {words}");
    }
    // Also deep inside of what was performed.
    let mut changes = performed();
    let mut step = changes.items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE)[0].clone();
    step.put_items(tags::OUTPUT_INFORMATION_SEQUENCE, vec![instances(&[(kind, "CDA")], item(&[(class, "1.2")]))]);
    changes.put_items(tags::UNIFIED_PROCEDURE_STEP_PERFORMED_PROCEDURE_SEQUENCE, vec![step]);
    let fault = in_progress().update(Some(&uid("2.25.1")), changes, NOW).unwrap_err();
    assert_eq!((fault.status(), fault), (0x0120, Fault::Flaws(flawed(&[instance]))));
}
