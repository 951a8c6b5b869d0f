use medvan_imaging::dimse::{CommandField, Status};

use super::*;

#[test]
fn a_nodes_answer_decides_whether_another_try_can_help() {
    for (status, word) in [
        (0x0000, "reached"),
        (0xB000, "reached"),
        (0xB007, "reached"),
        (0xA700, "refused-for-now"),
        (0xA7FF, "refused-for-now"),
        (0x0110, "refused-for-now"),
        (0x0124, "refused-for-now"),
        (0x0213, "refused-for-now"),
        (0xA900, "refused"),
        (0xC000, "refused"),
        (0x0122, "refused"),
        (0x0117, "refused"),
    ] {
        let answer = Response::new(1, CommandField::CStore, Status(status));
        assert_eq!(Went::of(&answer).word(), word, "{status:04X}");
    }
}

#[test]
fn what_the_node_said_is_kept_in_its_own_words() {
    let answer = Response::new(1, CommandField::CStore, Status(0xA900)).because("no Patient ID");
    let words = "0xA900 (data set does not match SOP class): no Patient ID".to_owned();
    assert_eq!(Went::of(&answer), Went::Never(words));
}

#[test]
fn a_node_that_cannot_be_reached_is_no_refusal() {
    for (fault, word) in [
        (CallFault::Slow, "unreachable"),
        (CallFault::Ended(Ended::Aborted), "unreachable"),
        (CallFault::Unreachable(std::io::ErrorKind::ConnectionRefused.into()), "unreachable"),
        (CallFault::NothingAccepted, "refused-for-now"),
        (CallFault::NotAllowed, "refused-for-now"),
    ] {
        assert_eq!(Went::not_called(&fault).word(), word, "{fault}");
    }
}
