use dicom_core::VR;

use crate::query::{
    Range, date_key,
    moment::{DAY, MINUTE, offset, read},
};

#[test]
fn a_time_that_leaves_out_its_end_means_the_whole_stretch() {
    const SECOND: i64 = MINUTE / 60;
    for (text, earliest, length) in [
        ("10", 600 * MINUTE, 60 * MINUTE),
        ("1015", 615 * MINUTE, MINUTE),
        ("101530", 615 * MINUTE + 30 * SECOND, SECOND),
        ("10:15:30", 615 * MINUTE + 30 * SECOND, SECOND),
        ("10:15", 615 * MINUTE, MINUTE),
        ("101530.5", 615 * MINUTE + 30 * SECOND + SECOND / 2, SECOND / 10),
        ("101530.000001", 615 * MINUTE + 30 * SECOND + 1, 1),
        ("235960", DAY - SECOND, SECOND),
    ] {
        let written = read(VR::TM, text).expect(text);
        assert_eq!((written.earliest, written.latest), (earliest, earliest + length - 1), "{text}");
    }
    let day = read(VR::DA, "20240229").unwrap();
    assert_eq!(day.latest - day.earliest, DAY - 1);
    assert_eq!(read(VR::DA, "2024.02.29").unwrap(), day);
    assert_eq!(read(VR::DA, "2024").unwrap().latest - read(VR::DA, "2024").unwrap().earliest, 366 * DAY - 1);
    assert_eq!(read(VR::DA, "202402").unwrap().latest, day.latest);
}

#[test]
fn what_is_no_date_or_time_is_not_read() {
    for (vr, texts) in [
        (VR::DA, ["", "20230229", "2023-01-01", "202301011", "00000000", "２０２３0101", "2023010é"].as_slice()),
        (VR::TM, &["", "24", "1060", "101", "1015.5", "101530.", "101530.1234567", "10:1530", "101561", "é0"]),
        (VR::DT, &["", "20230101+09", "20230101+1500", "2023010124", "2023.01.01", "2023010110:15", "é0200101+0900"]),
    ] {
        for text in texts {
            assert_eq!(read(vr, text), None, "{vr} {text}");
        }
    }
}

#[test]
fn offsets_are_signed_and_bounded() {
    for (text, minutes) in [("+0900", Some(540)), (" 0900", Some(540)), ("-0330", Some(-210)), ("+0000", Some(0))] {
        assert_eq!(offset(text), minutes.map(|minutes: i64| minutes * MINUTE), "{text}");
    }
    for wrong in ["0900", "+900", "+1401", "-1201", "+0960", "+é9", "+09:00", ""] {
        assert_eq!(offset(wrong), None, "{wrong}");
    }
}

#[test]
fn ranges_have_at_most_one_hyphen_that_is_not_an_offset() {
    for (vr, right) in [
        (VR::DA, ["20260101", "20260101-20260131", "20260101-", "-20260131", "20260101 - 20260131"].as_slice()),
        (VR::TM, &["1000-1100", "10-", "-235959.999999"]),
        (VR::DT, &["20260101-0500", "20260101-0500-20260201-0500", "2026-2027", "20260101+0900-", "-20260101-0500"]),
    ] {
        for text in right {
            assert!(Range::parse(vr, text).is_some(), "{vr} {text}");
        }
    }
    for (vr, wrong) in [
        (VR::DA, ["-", "--", "2020-2021-", "20260101-20260131-", "20260230", "today"].as_slice()),
        (VR::TM, &["-", "10-11-12", "noon"]),
        (VR::DT, &["-", "20260101-20260102-20260103", "2026-13"]),
    ] {
        for text in wrong {
            assert_eq!(Range::parse(vr, text), None, "{vr} {text}");
        }
    }
}

#[test]
fn a_date_has_one_form_in_an_index() {
    assert_eq!(date_key("2026.07.04").as_deref(), Some("20260704"));
    assert_eq!(date_key("20260704 ").as_deref(), Some("20260704"));
    assert_eq!(date_key("July"), None);
}

proptest::proptest! {
    #[test]
    fn reading_any_text_as_a_date_or_range_ends(text in "\\PC{0,40}|[0-9.:+ -]{0,40}") {
        for vr in [VR::DA, VR::TM, VR::DT] {
            let _ = read(vr, &text);
            let _ = Range::parse(vr, &text);
        }
        let _ = offset(&text);
    }
}
