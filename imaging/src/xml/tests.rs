use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::write;
use crate::{
    attributes::{Attribute, Attributes, Content, Number},
    person_name::PersonName,
};

fn put(attributes: &mut Attributes, tag: Tag, vr: VR, content: Content) {
    attributes.put(tag, Attribute { vr, content });
}

/// 山田 太郎, with one value of every kind.
fn patient() -> Attributes {
    let mut patient = Attributes::new();
    patient.put_texts(tags::SPECIFIC_CHARACTER_SET, ["", "ISO 2022 IR 87"].map(str::to_owned));
    patient.put_text(tags::STUDY_DATE, "20260704");
    patient.put_empty(tags::ACCESSION_NUMBER);
    patient.put_text(tags::INSTITUTION_NAME, "東京 <病院> & \"\u{1}\"");
    patient.put_text(tags::PATIENT_NAME, "YAMADA^TARO^^DR=山田^太郎=やまだ^たろう");
    patient.put_text(tags::PATIENT_ID, "0012345");
    put(&mut patient, tags::PATIENT_WEIGHT, VR::DS, Content::Text(vec![Some("63.50".to_owned())]));
    let names = vec![Some(PersonName::parse("=山田")), None, Some(PersonName::parse("YAMADA^T"))];
    put(&mut patient, tags::OTHER_PATIENT_NAMES, VR::PN, Content::Names(names));
    let mut item = Attributes::new();
    item.put_text(tags::PATIENT_ID, "X1");
    patient.put_items(tags::OTHER_PATIENT_I_DS_SEQUENCE, vec![item, Attributes::new()]);
    put(&mut patient, Tag(0x0011, 0x0010), VR::LO, Content::Text(vec![Some("A&B".to_owned())]));
    put(&mut patient, Tag(0x0011, 0x1002), VR::UN, Content::Inline(vec![1, 2, 3]));
    put(&mut patient, Tag(0x0011, 0x2002), VR::LO, Content::Text(vec![Some("no creator".to_owned())]));
    patient.put_number(tags::ROWS, 512);
    let offsets = vec![Some(Number::Double(f64::NEG_INFINITY)), Some(Number::Double(0.1))];
    put(&mut patient, tags::GRID_FRAME_OFFSET_VECTOR, VR::FD, Content::Numbers(offsets));
    put(&mut patient, tags::PIXEL_DATA, VR::OW, Content::Elsewhere("../bulk?a=1&b=2".to_owned()));
    patient
}

#[test]
fn a_japanese_patient_as_xml() {
    let text = String::from_utf8(write(&patient())).unwrap().replace("><", ">\n<");
    insta::assert_snapshot!(text);
}

#[test]
fn the_same_patient_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&patient()).unwrap());
}

#[test]
fn nothing_is_a_document_too() {
    let text = String::from_utf8(write(&Attributes::new())).unwrap();
    assert!(text.ends_with(r#"xml:space="preserve"></NativeDicomModel>"#), "{text}");
}

#[test]
fn a_name_has_five_components_at_most() {
    let mut patient = Attributes::new();
    patient.put_text(tags::PATIENT_NAME, "A^B^C^D^E^F");
    let text = String::from_utf8(write(&patient)).unwrap();
    assert!(text.contains("<NamePrefix>D</NamePrefix><NameSuffix>E^F</NameSuffix></Alphabetic>"), "{text}");
}

proptest! {
    #[test]
    fn no_text_breaks_out_of_its_element(text in "[\\x00-\\x7F\u{FFFE}\u{85}山<&\"'\\]>-]{0,40}") {
        let mut attributes = Attributes::new();
        put(&mut attributes, tags::PATIENT_COMMENTS, VR::LT, Content::Text(vec![Some(text.clone())]));
        let xml = String::from_utf8(write(&attributes)).unwrap();
        let (_, rest) = xml.split_once(r#"<Value number="1">"#).unwrap();
        let (value, after) = rest.split_once('<').unwrap();
        prop_assert_eq!(after, "/Value></DicomAttribute></NativeDicomModel>");
        let written = value.chars().all(|c| c >= ' ' && c != '\u{FFFE}' && c != '"');
        prop_assert!(written, "{}", value);
        let unescaped = ["&#9;\t", "&#10;\n", "&#13;\r", "&lt;<", "&gt;>", "&quot;\"", "&amp;&"].iter().fold(
            value.to_owned(),
            |value, pair| { let at = pair.find(';').unwrap() + 1; value.replace(&pair[..at], &pair[at..]) },
        );
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && c != '\u{FFFE}');
        prop_assert_eq!(unescaped, text.chars().map(|c| if legal(c) { c } else { '\u{FFFD}' }).collect::<String>());
    }
}
