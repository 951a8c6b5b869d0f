//! What a data set means: decoded first and split after, in items as their character set says, and back again.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::*;
use crate::dataset::{Dataset, Element, Value};

fn nothing(_: &AttributePath) -> Option<String> {
    None
}

fn decoded(data_set: &Dataset) -> Attributes {
    read(data_set, &nothing)
}

fn encoded(attributes: &Attributes) -> Result<Dataset, NotWritable> {
    write(attributes, &mut |_| None)
}

#[test]
fn a_kanji_with_a_backslash_in_it_is_one_value() {
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, "\\ISO 2022 IR 87");
    // 宮本: the first kanji's second byte is 0x5C.
    let name = b"Miyamoto=\x1b$B5\\K\\\x1b(B^\x1b$B3X\x1b(B";
    data_set.put_bytes(tags::PATIENT_NAME, VR::PN, name.to_vec());
    data_set.put_bytes(tags::OTHER_PATIENT_NAMES, VR::PN, [&name[..], b"\\", name].concat());
    let attributes = decoded(&data_set);
    assert_eq!(attributes.text(tags::PATIENT_NAME).as_deref(), Some("Miyamoto=宮本^学"));
    assert_eq!(attributes.get(tags::OTHER_PATIENT_NAMES).unwrap().texts().len(), 2);
    let again = encoded(&attributes).unwrap();
    assert_eq!(decoded(&again), attributes);
}

#[test]
fn an_item_has_the_character_set_of_what_holds_it_unless_it_says_otherwise() {
    let text = |bytes: &[u8], charset: Option<&str>| {
        let mut item = Dataset::new();
        if let Some(charset) = charset {
            item.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, charset);
        }
        item.put_bytes(tags::CODE_MEANING, VR::LO, bytes);
        item
    };
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    let items = vec![text("肺".as_bytes(), None), text(b"\xE4\xF6", Some("ISO_IR 100"))];
    data_set.put(Element { tag: tags::CONCEPT_NAME_CODE_SEQUENCE, vr: VR::SQ, value: Value::Items(items) });
    let attributes = decoded(&data_set);
    let meanings = attributes.items(tags::CONCEPT_NAME_CODE_SEQUENCE).iter().map(|item| item.text(tags::CODE_MEANING));
    assert_eq!(meanings.flatten().collect::<Vec<_>>(), ["肺", "äö"]);
}

#[test]
fn what_nobody_can_fetch_is_left_out_and_the_rest_is_named_by_its_place() {
    let long = vec![0; 5_000];
    let mut item = Dataset::new();
    item.put_bytes(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, VR::OW, long.clone());
    let mut data_set = Dataset::new();
    data_set.put(Element { tag: tags::ICON_IMAGE_SEQUENCE, vr: VR::SQ, value: Value::Items(vec![item]) });
    data_set.put_bytes(tags::PIXEL_DATA, VR::OW, long);
    let named = read(&data_set, &|path: &AttributePath| Some(format!("bulk/{path}")));
    let at = |attributes: &Attributes, tag| match &attributes.get(tag).unwrap().content {
        Content::Elsewhere(uri) => uri.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(at(&named, tags::PIXEL_DATA), "bulk/7FE00010");
    let icon = &named.items(tags::ICON_IMAGE_SEQUENCE)[0];
    assert_eq!(at(icon, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA), "bulk/00880200.0.00281201");
    let path: AttributePath = "00880200.0.00281201".parse().unwrap();
    assert!(path.find(&data_set).is_some_and(|element| element.tag == tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA));
    assert!(decoded(&data_set).get(tags::PIXEL_DATA).is_none());
}

#[test]
fn only_paths_are_paths() {
    for wrong in
        ["", "7FE0001", "7FE000100", "PixelData", "7FE00010.0", "7FE00010.x.00280010", "../../etc", "7FE00010."]
    {
        assert_eq!(wrong.parse::<AttributePath>(), Err(NoSuchPath), "{wrong}");
    }
    assert!("00880200.0.".repeat(200).parse::<AttributePath>().is_err());
}

#[test]
fn what_the_dictionary_knows_is_read_although_it_was_written_as_unknown() {
    let mut data_set = Dataset::new();
    data_set.put_bytes(tags::ROWS, VR::UN, [0, 2]);
    data_set.put_bytes(Tag(0x0009, 0x1001), VR::UN, [1, 2, 3, 4]);
    let attributes = decoded(&data_set);
    assert_eq!(attributes.text(tags::ROWS).as_deref(), Some("512"));
    assert_eq!(attributes.get(Tag(0x0009, 0x1001)).unwrap().content, Content::Inline(vec![1, 2, 3, 4]));
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut latin = Attributes::new();
    latin.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 100");
    latin.put_text(tags::PATIENT_ID, "患者");
    assert_eq!(encoded(&latin), Err(NotWritable::Charset(tags::PATIENT_ID)));
    let mut large = Attributes::new();
    large.put_number(tags::ROWS, 70_000);
    assert_eq!(encoded(&large), Err(NotWritable::Kind(tags::ROWS)));
    let mut missing = Attributes::new();
    let content = Content::Elsewhere("bulk/1".to_owned());
    missing.put(tags::PIXEL_DATA, Attribute { vr: VR::OW, content });
    assert_eq!(encoded(&missing), Err(NotWritable::Elsewhere(tags::PIXEL_DATA)));
}

proptest! {
    #[test]
    fn what_is_written_means_the_same_when_it_is_read(
        texts in prop::collection::vec("[A-Za-z0-9山田太郎]{1,8}", 1..4),
        number: u16,
        signed: i16,
        real in -1e6_f64..1e6,
    ) {
        let mut attributes = Attributes::new();
        attributes.put_text(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
        attributes.put_texts(tags::PERFORMED_PROCEDURE_STEP_ID, texts);
        attributes.put_number(tags::ROWS, u64::from(number));
        let signed = Content::Numbers(vec![Some(Number::Signed(i64::from(signed)))]);
        attributes.put(tags::SMALLEST_IMAGE_PIXEL_VALUE, Attribute { vr: VR::SS, content: signed });
        let real = Content::Numbers(vec![Some(Number::Double(real))]);
        attributes.put(tags::REAL_WORLD_VALUE_SLOPE, Attribute { vr: VR::FD, content: real });
        prop_assert_eq!(decoded(&encoded(&attributes).unwrap()), attributes);
    }

    #[test]
    fn any_bytes_mean_something_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..60), charset in "[A-Z0-9 _\\\\]{0,24}") {
        let mut data_set = Dataset::new();
        data_set.put_bytes(tags::SPECIFIC_CHARACTER_SET, VR::CS, charset);
        let vrs = [VR::PN, VR::LO, VR::UT, VR::CS, VR::IS, VR::AT, VR::US, VR::FD, VR::UI, VR::UN];
        for (element, vr) in (0x1000..).zip(vrs) {
            data_set.put_bytes(Tag(0x0011, element), vr, bytes.clone());
        }
        let _ = serde_json::to_string(&decoded(&data_set)).unwrap();
    }
}
