//! DICOM JSON as it is found and as it must be.

use dicom_dictionary_std::tags;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{attributes, dataset::Dataset, person_name::PersonName};

fn written(attributes: &Attributes) -> Value {
    serde_json::from_str(&serde_json::to_string(attributes).unwrap()).unwrap()
}

fn read(value: &Value) -> Attributes {
    parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn a_japanese_patient_is_written_by_the_book() {
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    data_set.put_bytes(tags::PATIENT_NAME, VR::PN, "Miyamoto^Manabu=宮本^學=みやもと^まなぶ");
    data_set.put_bytes(tags::PATIENT_ID, VR::LO, "");
    data_set.put_bytes(tags::PATIENT_WEIGHT, VR::DS, "60.50");
    data_set.put_bytes(tags::PATIENT_SIZE, VR::DS, "1.7");
    data_set.put_bytes(tags::INSTANCE_NUMBER, VR::IS, " 7");
    data_set.put_bytes(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\\\AXIAL");
    data_set.put_bytes(tags::ROWS, VR::US, [0, 2]);
    data_set.put_bytes(tags::FRAME_INCREMENT_POINTER, VR::AT, [0x18, 0, 0x63, 0x10]);
    data_set.put_bytes(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, VR::OW, [1, 2, 3, 4]);
    data_set.put_bytes(dicom_core::Tag(0x0008, 0), VR::UL, [1, 0, 0, 0]);
    let attributes = attributes::read(&data_set, &|_: &attributes::AttributePath| None);
    let expected = concat!(
        r#"{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"#,
        r#""00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},"#,
        r#""00100010":{"vr":"PN","Value":[{"Alphabetic":"Miyamoto^Manabu","Ideographic":"宮本^學","#,
        r#""Phonetic":"みやもと^まなぶ"}]},"#,
        r#""00100020":{"vr":"LO"},"#,
        r#""00101020":{"vr":"DS","Value":[1.7]},"#,
        r#""00101030":{"vr":"DS","Value":["60.50"]},"#,
        r#""00200013":{"vr":"IS","Value":[7]},"#,
        r#""00280009":{"vr":"AT","Value":["00181063"]},"#,
        r#""00280010":{"vr":"US","Value":[512]},"#,
        r#""00281201":{"vr":"OW","InlineBinary":"AQIDBA=="}}"#,
    );
    assert_eq!(serde_json::to_string(&attributes).unwrap(), expected);
}

#[test]
fn real_writers_are_understood() {
    let odd = json!({
        "00080050": {"vr": "SH", "Value": "ACSN-235813"},
        "00100010": {"vr": "PN", "Value": ["Yamada^Tarou"]},
        "00100020": {"vr": "LO", "Value": [""]},
        "0020000d": {"vr": "UI", "Value": ["1.2.3"]},
        "00200013": {"vr": "IS", "Value": ["7"]},
        "00280010": {"vr": "US", "Value": ["512"]},
        "00081030": {"vr": "LO", "Value": null},
    });
    let attributes = read(&odd);
    assert_eq!(attributes.text(tags::ACCESSION_NUMBER).as_deref(), Some("ACSN-235813"));
    assert_eq!(attributes.name(tags::PATIENT_NAME), Some(&PersonName::parse("Yamada^Tarou")));
    assert_eq!(attributes.text(tags::STUDY_INSTANCE_UID).as_deref(), Some("1.2.3"));
    assert_eq!(attributes.text(tags::INSTANCE_NUMBER).as_deref(), Some("7"));
    assert_eq!(attributes.text(tags::ROWS).as_deref(), Some("512"));
    for empty in [tags::PATIENT_ID, tags::STUDY_DESCRIPTION] {
        assert!(attributes.get(empty).unwrap().is_empty(), "{empty}");
    }
    assert_eq!(written(&attributes)["00100020"], json!({"vr": "LO"}));
}

#[test]
fn what_is_no_dicom_json_is_refused_without_repeating_it() {
    for (text, expected) in [
        ("[", "this is no JSON, is nested too deep or has a key twice: error at line 1, column 1"),
        ("7", "a data set must be a JSON object"),
        ("[{},{}]", "a data set must be a JSON object"),
        (r#"{"PatientName": {"vr": "PN"}}"#, "a key is not eight hexadecimal digits"),
        (r#"{"00100010": "Yamada"}"#, "(0010,0010) is not an attribute with a value representation"),
        (r#"{"00100010": {"vr": "XX"}}"#, "(0010,0010) is not an attribute with a value representation"),
        (
            r#"{"00280010": {"vr": "US", "Value": ["Yamada"]}}"#,
            "a value of (0028,0010) does not fit its value representation",
        ),
        (
            r#"{"7FE00010": {"vr": "OW", "InlineBinary": "%"}}"#,
            "a value of (7FE0,0010) does not fit its value representation",
        ),
        (r#"{"0040A730": {"vr": "SQ", "Value": [7]}}"#, "a data set must be a JSON object"),
        // Two readers would see two patients.
        (
            r#"{"00100020": {"vr": "LO", "Value": ["1"]}, "00100020": {"vr": "LO", "Value": ["2"]}}"#,
            "this is no JSON, is nested too deep or has a key twice: error at line 1, column 84",
        ),
        (r#"{"0010001A": {"vr": "LO"}, "0010001a": {"vr": "LO"}}"#, "(0010,001A) comes twice"),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
    }
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(parse("\u{FEFF}{}".as_bytes()).unwrap().len(), 0);
}

#[test]
fn numbers_keep_every_digit() {
    let number = |vr: &str, value: Value| {
        written(&read(&json!({"00091001": {"vr": vr, "Value": [value]}})))["00091001"]["Value"][0].clone()
    };
    assert_eq!(number("SV", json!("-9007199254740993")), json!("-9007199254740993"));
    assert_eq!(number("UV", json!(18_446_744_073_709_551_615_u64)), json!("18446744073709551615"));
    assert_eq!(number("DS", json!("1.10")), json!("1.10"));
    assert_eq!(number("DS", json!("1.5")), json!(1.5));
    assert_eq!(number("IS", json!("007")), json!("007"));
    assert_eq!(number("IS", json!("1A")), json!("1A"));
    assert_eq!(number("FL", json!(0.1)), json!(0.1));
    assert_eq!(number("FD", json!("NaN")), json!("NaN"));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_many(&bytes);
    }

    #[test]
    fn what_was_written_reads_back_the_same(texts in prop::collection::vec("[A-Za-z0-9 山田]{1,8}", 1..4), number: i32, inline in prop::collection::vec(any::<u8>(), 1..40)) {
        let mut attributes = Attributes::new();
        attributes.put_texts(tags::PATIENT_ID, texts.iter().cloned());
        attributes.put_text(tags::INSTANCE_NUMBER, number.to_string());
        attributes.put(tags::PIXEL_DATA, Attribute { vr: VR::OW, content: Content::Inline(inline) });
        let mut outer = Attributes::new();
        outer.put_items(tags::CONTENT_SEQUENCE, vec![attributes.clone(), Attributes::new()]);
        prop_assert_eq!(&read(&written(&outer)), &outer);
    }
}
