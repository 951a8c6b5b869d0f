use medvan_imaging::dimse::{CommandField, Operation, Priority};
use uuid::Uuid;

use super::*;
use crate::store::Place;

fn instance(number: usize) -> FoundInstance {
    let uid = |text: String| Uid::parse(&text).unwrap();
    FoundInstance {
        id: 1,
        series: 1,
        study_uid: uid("1.1".to_owned()),
        series_uid: uid("1.2".to_owned()),
        uid: uid(format!("1.2.{number}")),
        class: uid("1.2.840.10008.5.1.4.1.1.2".to_owned()),
        syntax: TransferSyntax::explicit_little(),
        number: None,
        frames: None,
        rows: None,
        columns: None,
        bits: None,
        place: Place { pack: Uuid::nil(), offset: 0, length: 0 },
        digest: Vec::new(),
        is_original: true,
    }
}

/// The last answer after these: `+` done, `!` warned, `-` failed, `.` not begun.
fn ends(went: &str, is_cancelled: bool) -> (Status, SubOperations) {
    let mut progress = Progress::of(went.len());
    for (number, how) in went.chars().enumerate() {
        let answer = |status| Response::new(1, CommandField::CStore, Status(status));
        match how {
            '+' => progress.count(&instance(number), &answer(0)),
            '!' => progress.count(&instance(number), &answer(0xB007)),
            '-' => progress.count(&instance(number), &answer(0xA700).because("full")),
            _ => {}
        }
    }
    let class = Uid::known("1.2.840.10008.5.1.4.1.2.2.2");
    let operation = Operation::Get { priority: Priority::Medium };
    let answer = progress.answer(&Request { message_id: 1, class, operation }, is_cancelled);
    (answer.status, answer.sub_operations.unwrap())
}

#[test]
fn the_last_answer_says_how_all_of_it_went() {
    let counts = |remaining, completed, failed, warning| SubOperations { remaining, completed, failed, warning };
    for (went, is_cancelled, status, sub_operations) in [
        ("", false, Status::SUCCESS, counts(None, 0, 0, 0)),
        ("+++", false, Status::SUCCESS, counts(None, 3, 0, 0)),
        ("+!+", false, Status::SUB_OPERATIONS_INCOMPLETE, counts(None, 2, 0, 1)),
        ("+-+", false, Status::SUB_OPERATIONS_INCOMPLETE, counts(None, 2, 1, 0)),
        ("!!", false, Status::SUB_OPERATIONS_INCOMPLETE, counts(None, 0, 0, 2)),
        ("--", false, Status::UNABLE_TO_PERFORM_SUB_OPERATIONS, counts(None, 0, 2, 0)),
        ("+...", true, Status::CANCEL, counts(Some(3), 1, 0, 0)),
    ] {
        assert_eq!(ends(went, is_cancelled), (status, sub_operations), "{went}");
    }
}

#[test]
fn what_failed_is_named_as_far_as_one_value_holds_it() {
    let implicit = TransferSyntax::implicit_little();
    let explicit = TransferSyntax::explicit_little();
    let mut progress = Progress::of(3_000);
    assert_eq!(progress.failed_list(&implicit), None);
    for number in 0..3_000 {
        progress.fail(&instance(number), &"the disk broke");
    }
    let list = progress.failed_list(&implicit).unwrap();
    assert_eq!(list.iter().filter(|byte| **byte == b'\\').count(), 2_999);
    let list = progress.failed_list(&explicit).unwrap();
    assert_eq!(list.iter().filter(|byte| **byte == b'\\').count(), 999);
}
