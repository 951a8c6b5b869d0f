//! Documents of this program, of others and of nobody who means well.

use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::*;
use crate::{json, xml::write};

/// A document with these `DicomAttribute` elements.
fn document(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<NativeDicomModel \
         xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\" xml:space=\"preserve\">{inner}</NativeDicomModel>\n"
    )
}

fn read(inner: &str) -> Result<Attributes, XmlError> {
    parse(document(inner).as_bytes())
}

/// The texts of one attribute whose VR and content are these.
fn texts(vr: &str, content: &str) -> Vec<Option<String>> {
    let attributes = read(&format!(r#"<DicomAttribute tag="00091001" vr="{vr}">{content}</DicomAttribute>"#)).unwrap();
    attributes.get(Tag(9, 0x1001)).unwrap().texts()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

/// As dcmtk's dcm2xml writes it: a line for each element, empty values as elements, and references by UUID.
const DCMTK: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<NativeDicomModel xml:space="preserve" xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
<DicomAttribute tag="00080005" vr="CS" keyword="SpecificCharacterSet">
<Value number="1">ISO_IR 192</Value>
</DicomAttribute>
<DicomAttribute tag="00080008" vr="CS" keyword="ImageType">
<Value number="1">ORIGINAL</Value>
<Value number="2"></Value>
<Value number="3">AXIAL</Value>
</DicomAttribute>
<DicomAttribute tag="00080050" vr="SH" keyword="AccessionNumber">
</DicomAttribute>
<DicomAttribute tag="00090010" vr="LO">
<Value number="1">MAKER 1.0</Value>
</DicomAttribute>
<DicomAttribute tag="00090001" vr="LO" privateCreator="MAKER 1.0">
<Value number="1">A &amp; B &lt;&quot;x&quot;&gt;  y</Value>
</DicomAttribute>
<DicomAttribute tag="00100010" vr="PN" keyword="PatientName">
<PersonName number="1">
<Alphabetic>
<FamilyName>YAMADA</FamilyName>
<GivenName>TARO</GivenName>
</Alphabetic>
<Ideographic>
<FamilyName>山田</FamilyName>
<GivenName>太郎</GivenName>
</Ideographic>
<Phonetic>
<FamilyName>やまだ</FamilyName>
<GivenName>たろう</GivenName>
</Phonetic>
</PersonName>
</DicomAttribute>
<DicomAttribute tag="00280009" vr="AT" keyword="FrameIncrementPointer">
<Value number="1">00181063</Value>
</DicomAttribute>
<DicomAttribute tag="00280010" vr="US" keyword="Rows">
<Value number="1">2</Value>
</DicomAttribute>
<DicomAttribute tag="00281201" vr="OW" keyword="RedPaletteColorLookupTableData">
<InlineBinary>AAEAAgAD</InlineBinary>
</DicomAttribute>
<DicomAttribute tag="0040A730" vr="SQ" keyword="ContentSequence">
<Item number="1">
<DicomAttribute tag="00080100" vr="SH" keyword="CodeValue">
<Value number="1">T-1</Value>
</DicomAttribute>
</Item>
<Item number="2">
</Item>
</DicomAttribute>
<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData">
<BulkData uuid="f81d4fae-7dec-11d0-a765-00a0c91e6bf6"/>
</DicomAttribute>
</NativeDicomModel>
"#;

#[test]
fn a_document_of_dcmtk_is_read() {
    let expected = json::parse(
        r#"{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},
            "00080008":{"vr":"CS","Value":["ORIGINAL",null,"AXIAL"]},
            "00080050":{"vr":"SH"},
            "00090010":{"vr":"LO","Value":["MAKER 1.0"]},
            "00091001":{"vr":"LO","Value":["A & B <\"x\">  y"]},
            "00100010":{"vr":"PN","Value":[{"Alphabetic":"YAMADA^TARO","Ideographic":"山田^太郎","Phonetic":"やまだ^たろう"}]},
            "00280009":{"vr":"AT","Value":["00181063"]},
            "00280010":{"vr":"US","Value":[2]},
            "00281201":{"vr":"OW","InlineBinary":"AAEAAgAD"},
            "0040A730":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["T-1"]}},{}]},
            "7FE00010":{"vr":"OW","BulkDataURI":"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}}"#
            .as_bytes(),
    );
    assert_eq!(parse(DCMTK.as_bytes()).unwrap(), expected.unwrap());
}

#[test]
fn names_of_namespaces_marks_and_instructions_change_nothing() {
    let text = "\u{FEFF}<?xml version='1.0'?><!-- < & --><?pi?><n:NativeDicomModel xmlns:n='urn:x'>\
                <n:DicomAttribute vr='LO' tag='0010002a' keyword='x' new=''>\
                <n:Value>a<!-- b -->c<?d?></n:Value></n:DicomAttribute></n:NativeDicomModel><!-- end -->\n";
    let attributes = parse(text.as_bytes()).unwrap();
    assert_eq!(attributes.text(Tag(0x0010, 0x002A)).as_deref(), Some("ac"));
}

#[test]
fn text_is_kept_to_the_last_space() {
    for (content, expected) in [
        ("<Value number=\"1\">  a\tb \n</Value>", "  a\tb \n"),
        ("<Value number=\"1\">\u{3000}</Value>", "\u{3000}"),
        ("<Value number=\"1\"> </Value>", " "),
        ("<Value number=\"1\">a\r\nb&#13;&#10;&#x9;c</Value>", "a\nb\r\n\tc"),
        ("<Value number=\"1\">&lt;&gt;&amp;&quot;&apos;&#x5C71;&#30000;</Value>", "<>&\"'山田"),
        ("<Value number=\"1\">a<![CDATA[<b>&amp;]]]]><![CDATA[>]]></Value>", "a<b>&amp;]]>"),
    ] {
        assert_eq!(texts("LT", content), some(&[expected]), "{content:?}");
    }
}

#[test]
fn values_stand_at_the_place_that_their_number_says() {
    let holes = texts("CS", r#"<Value number="2">B</Value><Value number="4">D</Value>"#);
    assert_eq!(holes, [None, Some("B".to_owned()), None, Some("D".to_owned())]);
    assert_eq!(texts("CS", "<Value>A</Value><Value>B</Value>"), some(&["A", "B"]));
    assert_eq!(texts("CS", r#"<Value number="1"/><Value number="2"/>"#), []);
    assert_eq!(texts("US", r#"<Value number="2"> 7 </Value>"#), [None, Some("7".to_owned())]);
    let items = read(r#"<DicomAttribute tag="0040A730" vr="SQ"><Item number="3"/></DicomAttribute>"#).unwrap();
    assert_eq!(items.items(tags::CONTENT_SEQUENCE).len(), 3);
    for wrong in ["0", "-1", "one", "", "99999999999999999999"] {
        let content = format!(r#"<DicomAttribute tag="00080008" vr="CS"><Value number="{wrong}"/></DicomAttribute>"#);
        assert_eq!(read(&content), Err(XmlError::Value(tags::IMAGE_TYPE)), "{wrong}");
    }
    let again = r#"<Value number="2">B</Value><Value number="2">C</Value>"#;
    let again = format!(r#"<DicomAttribute tag="00080008" vr="CS">{again}</DicomAttribute>"#);
    assert_eq!(read(&again), Err(XmlError::Value(tags::IMAGE_TYPE)));
}

#[test]
fn numbers_are_what_their_vr_says() {
    for (vr, text, expected) in [
        ("FD", "INF", Some("inf")),
        ("FL", "-INF", Some("-inf")),
        ("FD", "NaN", Some("NaN")),
        ("FL", "0.1", Some("0.1")),
        ("SV", "-9007199254740993", Some("-9007199254740993")),
        ("UV", "18446744073709551615", Some("18446744073709551615")),
        ("DS", "1.50", Some("1.50")),
        ("US", "-1", None),
        ("US", "1.5", None),
        ("SL", "x", None),
        ("OW", "1", None),
        ("UN", "1", None),
        ("SQ", "1", None),
    ] {
        let content = format!(r#"<DicomAttribute tag="00091001" vr="{vr}"><Value>{text}</Value></DicomAttribute>"#);
        let found = read(&content).map(|attributes| attributes.text(Tag(9, 0x1001)));
        let expected = expected.map(|text| Some(text.to_owned())).ok_or(XmlError::Value(Tag(9, 0x1001)));
        assert_eq!(found, expected, "{vr} {text}");
    }
}

#[test]
fn a_name_has_three_groups_of_five_components() {
    let name = |inner: &str| texts("PN", &format!(r#"<PersonName number="1">{inner}</PersonName>"#));
    for (inner, expected) in [
        ("<Alphabetic><FamilyName>A</FamilyName><NameSuffix>MD</NameSuffix></Alphabetic>", "A^^^^MD"),
        ("<Alphabetic><GivenName>B</GivenName><FamilyName>A</FamilyName></Alphabetic>", "A^B"),
        ("<Ideographic><FamilyName>山田</FamilyName><GivenName/></Ideographic><Alphabetic/>", "=山田"),
        ("<Phonetic><FamilyName>やまだ </FamilyName></Phonetic>", "==やまだ"),
    ] {
        assert_eq!(name(inner), some(&[expected]), "{inner}");
    }
    assert_eq!(name(""), []);
    assert_eq!(texts("PN", "<Value>YAMADA^TARO=山田^太郎</Value>"), some(&["YAMADA^TARO=山田^太郎"]));
}

#[test]
fn without_a_vr_the_dictionary_tells_it() {
    let inner = r#"<DicomAttribute tag="00280010"><Value>512</Value></DicomAttribute>
        <DicomAttribute tag="0040A730"/>
        <DicomAttribute tag="00090001" privateCreator="MAKER"><InlineBinary>AA==</InlineBinary></DicomAttribute>
        <DicomAttribute tag="00090002" privateCreator="MAKER"><Item/></DicomAttribute>"#;
    let attributes = read(inner).unwrap();
    assert_eq!(attributes.get(tags::ROWS).unwrap().content, Content::Numbers(vec![Some(Number::Unsigned(512))]));
    let vrs: Vec<VR> = attributes.iter().map(|(_, attribute)| attribute.vr).collect();
    assert_eq!(vrs, [VR::LO, VR::UN, VR::SQ, VR::US, VR::SQ]);
}

#[test]
fn a_private_attribute_gets_a_block_of_its_creator() {
    let element = |tag: &str, creator: &str, value: &str| {
        format!(
            r#"<DicomAttribute tag="{tag}" vr="LO" privateCreator="{creator}"><Value>{value}</Value></DicomAttribute>"#
        )
    };
    let plain = |tag: &str, value: &str| {
        format!(r#"<DicomAttribute tag="{tag}" vr="LO"><Value>{value}</Value></DicomAttribute>"#)
    };
    for (what, inner, expected) in [
        ("the creator is there", plain("00090012", "A ") + &element("00090001", "A", "x"), "00090012=A  00091201=x"),
        ("it comes later", element("00090001", "A", "x") + &plain("00090012", "A"), "00090012=A 00091201=x"),
        ("it is not there", element("00090001", "A", "x"), "00090010=A 00091001=x"),
        (
            "blocks are taken",
            plain("00090010", "B") + &plain("00091101", "y") + &element("00090001", "A", "x"),
            "00090010=B 00090012=A 00091101=y 00091201=x",
        ),
        ("the tag has its block", element("00094401", "A", "x"), "00090044=A 00094401=x"),
        (
            "two groups",
            element("00090001", "A", "x") + &element("000B0001", "A", "y"),
            "00090010=A 00091001=x 000B0010=A 000B1001=y",
        ),
        (
            "two creators",
            element("00090001", "A", "x") + &element("00090001", "B", "y"),
            "00090010=A 00090011=B 00091001=x 00091101=y",
        ),
        (
            "one creator of two blocks",
            plain("00090010", "A")
                + &plain("00090011", "A")
                + &element("00090001", "A", "x")
                + &element("00090001", "A", "y"),
            "00090010=A 00090011=A 00091001=x 00091101=y",
        ),
    ] {
        let attributes = read(&inner).unwrap();
        let found = attributes.iter().map(|(tag, attribute)| {
            format!("{}={}", json::key(*tag), attribute.texts()[0].as_deref().unwrap_or_default())
        });
        assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{what}");
    }
    let even = element("00100001", "A", "x");
    assert_eq!(read(&even), Err(XmlError::Private(Tag(0x10, 1))));
    let twice = element("00090001", "A", "x").repeat(2);
    assert_eq!(read(&twice), Err(XmlError::Repeated(Tag(9, 1))));
    let all: String = (0x10..=0xFF).map(|block| plain(&format!("000900{block:02X}"), "B")).collect();
    assert_eq!(read(&(all + &element("00090001", "A", "x"))), Err(XmlError::Private(Tag(9, 1))));
}

/// Every kind of document that is refused, and what is said about it.
#[test]
fn what_is_no_native_model_is_refused_without_repeating_it() {
    let attribute = |content: &str| document(&format!(r#"<DicomAttribute tag="00100010" vr="PN">{content}"#));
    for (text, expected) in [
        (String::new(), "this is no XML: error near byte 0"),
        ("Yamada".to_owned(), "the Native DICOM Model has nothing like what stands before byte 6"),
        ("<NativeDicomModel>".to_owned(), "this is no XML: error near byte 18"),
        ("<NativeDicomModel/><x/>".to_owned(), "this is no XML: error near byte 23"),
        ("<NativeDicomModel/>Yamada".to_owned(), "this is no XML: error near byte 25"),
        ("<html/>".to_owned(), "the Native DICOM Model has nothing like what stands before byte 7"),
        ("<a/><?xml version='1.0'?>".to_owned(), "the Native DICOM Model has nothing like what stands before byte 4"),
        (" <?xml version='1.1'?><NativeDicomModel/>".to_owned(), "this is no XML: error near byte 22"),
        ("<?xml version='1.1'?><NativeDicomModel/>".to_owned(), "this is no XML: error near byte 21"),
        ("<?xml version='1.0' encoding='Shift_JIS'?><NativeDicomModel/>".to_owned(), "the XML must be in UTF-8"),
        (document("Yamada"), "the Native DICOM Model has nothing like what stands before byte 140"),
        (document("<Yamada/>"), "the Native DICOM Model has nothing like what stands before byte 143"),
        (
            document("<DicomAttribute vr=\"PN\"/>"),
            "the tag of the DicomAttribute before byte 159 is not eight hexadecimal digits",
        ),
        (
            document("<DicomAttribute tag=\"Yamada\"/>"),
            "the tag of the DicomAttribute before byte 164 is not eight hexadecimal digits",
        ),
        (
            document("<DicomAttribute tag=\"00100010\" vr=\"Yamada\"/>"),
            "(0010,0010) has no value representation of DICOM",
        ),
        (document("<DicomAttribute tag=\"00100010\" vr=\"XX\"/>"), "(0010,0010) has no value representation of DICOM"),
        (document(&"<DicomAttribute tag=\"00100010\" vr=\"PN\"/>".repeat(2)), "(0010,0010) comes twice"),
    ] {
        assert_eq!(parse(text.as_bytes()).map(|_| ()).unwrap_err().to_string(), expected, "{text}");
    }
    for content in [
        "<Value>A=B=C=D</Value><PersonName/>",
        "<InlineBinary>%</InlineBinary>",
        "<BulkData/>",
        "<Item/>",
        "<PersonName><Alphabetic><FamilyName>A=B</FamilyName></Alphabetic></PersonName>",
        "<PersonName><Alphabetic/><Alphabetic/></PersonName>",
        "<PersonName><Alphabetic><FamilyName/><FamilyName/></Alphabetic></PersonName>",
    ] {
        let text = attribute(&format!("{content}</DicomAttribute>"));
        assert_eq!(parse(text.as_bytes()), Err(XmlError::Value(tags::PATIENT_NAME)), "{content}");
    }
    for content in [
        "<PersonName>Yamada</PersonName>",
        "<PersonName><Other/></PersonName>",
        "<Value><b>x</b></Value>",
        "<Value/>Yamada",
        "<BulkData uri='a'>x</BulkData>",
        "<BulkData uri='a'/><Value/>",
        "<Other/>",
    ] {
        let text = attribute(&format!("{content}</DicomAttribute>"));
        assert!(matches!(parse(text.as_bytes()), Err(XmlError::NotNative { .. })), "{content}");
    }
    for content in [
        "<Value>\u{1}</Value>",
        "<Value>&#1;</Value>",
        "<Value>&#xD800;</Value>",
        "<Value>&yamada;</Value>",
        "<Value>&</Value>",
        "<Value number='&yamada;'/>",
        "<Value number='1' number='1'/>",
        "<Value></value>",
        "<?xml version='1.0'?>",
        "</NativeDicomModel>",
        "<!-- a -- b -->",
        "<Value a1='' a2='' a3='' a4='' a5='' a6='' a7='' a8='' a9='' b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' \
         c1='' c2='' c3='' c4='' c5='' c6='' c7='' c8='' c9='' d1='' d2='' d3='' d4='' d5='' d6=''/>",
    ] {
        let text = attribute(&format!("{content}</DicomAttribute>"));
        assert!(matches!(parse(text.as_bytes()), Err(XmlError::NotXml { .. })), "{content}");
    }
    let utf16: Vec<u8> = document("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse(&utf16).is_err());
    assert_eq!(parse(b"<NativeDicomModel>\xFF</NativeDicomModel>"), Err(XmlError::Encoding));
}

#[test]
fn a_document_type_is_never_taken() {
    let laughs: String =
        (1..10).map(|level| format!("<!ENTITY lol{level} \"{}\">", format!("&lol{};", level - 1).repeat(10))).collect();
    for text in [
        format!("<!DOCTYPE x [<!ENTITY lol0 \"lol\">{laughs}]><NativeDicomModel>&lol9;</NativeDicomModel>"),
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><NativeDicomModel/>".to_owned(),
        "<NativeDicomModel><!DOCTYPE x [<!ENTITY y SYSTEM 'http://example.org/'>]></NativeDicomModel>".to_owned(),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(XmlError::DocumentType));
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |levels: usize| {
        let open = r#"<DicomAttribute tag="0040A730" vr="SQ"><Item number="1">"#.repeat(levels);
        document(&(open + &"</Item></DicomAttribute>".repeat(levels)))
    };
    assert!(parse(nested(64).as_bytes()).is_ok());
    assert_eq!(parse(nested(65).as_bytes()), Err(XmlError::TooDeep));
    assert_eq!(parse(nested(20_000).as_bytes()), Err(XmlError::TooDeep));
    let hole = r#"<DicomAttribute tag="00080008" vr="CS"><Value number="4000000000">A</Value></DicomAttribute>"#;
    assert_eq!(read(hole), Err(XmlError::TooMuch));
    let items = r#"<DicomAttribute tag="0040A730" vr="SQ"><Item number="500001"/></DicomAttribute>"#;
    assert_eq!(read(items), Err(XmlError::TooMuch));
    assert!(parse("<NativeDicomModel>".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn a_document_that_is_cut_is_refused() {
    for at in 0..DCMTK.trim_end().len() {
        assert!(parse(&DCMTK.as_bytes()[..at]).is_err(), "{at}");
    }
}

/// Text that XML can write and that is no hole.
fn any_text() -> impl Strategy<Value = String> {
    "[ -~\\t\\n\\r\u{7F}\u{85}\u{3000}山ﾔ\u{2028}\u{FFFD}😀]{1,8}"
}

fn any_component() -> impl Strategy<Value = String> {
    "[A-Za-z' <&山田やまだ-]{0,6}"
}

fn any_name() -> impl Strategy<Value = PersonName> {
    prop::collection::vec(prop::collection::vec(any_component(), 1..6), 1..4).prop_map(|groups| {
        let group = |parts: &Vec<String>| parts.join("^").trim_end_matches(['^', ' ']).to_owned();
        PersonName::parse(&groups.iter().map(group).collect::<Vec<_>>().join("="))
    })
}

fn holed<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.8, value), 1..5)
}

fn any_attribute() -> impl Strategy<Value = Attribute> {
    let of = |vr, content| Attribute { vr, content };
    prop_oneof![
        Just(of(VR::SH, Content::Empty)),
        holed(any_text()).prop_map(move |texts| of(VR::UC, present(texts, Content::Text))),
        holed(any_name().prop_filter("a hole", |name| !name.is_empty()))
            .prop_map(move |names| of(VR::PN, present(names, Content::Names))),
        holed(any::<i64>()).prop_map(move |numbers| of(
            VR::SV,
            present(numbers.into_iter().map(|number| number.map(Number::Signed)).collect(), Content::Numbers),
        )),
        holed(any::<f32>()).prop_map(move |numbers| of(
            VR::FL,
            present(numbers.into_iter().map(|number| number.map(Number::Single)).collect(), Content::Numbers),
        )),
        holed(prop::num::f64::NORMAL | prop::num::f64::INFINITE | prop::num::f64::ZERO).prop_map(move |numbers| of(
            VR::FD,
            present(numbers.into_iter().map(|number| number.map(Number::Double)).collect(), Content::Numbers),
        )),
        prop::collection::vec(any::<u8>(), 1..40).prop_map(move |bytes| of(VR::UN, Content::Inline(bytes))),
        any_text().prop_map(move |uri| of(VR::OB, Content::Elsewhere(uri))),
    ]
}

/// Private attributes too, with their creators or without.
fn any_attributes() -> impl Strategy<Value = Attributes> {
    let any_tag = (prop::sample::select(vec![0x0008_u16, 0x0009, 0x0010, 0x0011]), 0x1000_u16..0x1300);
    let leaf = prop::collection::vec((any_tag, any_attribute()), 0..8).prop_map(|elements| {
        elements.into_iter().map(|((group, element), attribute)| (Tag(group, element), attribute)).collect()
    });
    let creators = prop::collection::btree_set((prop::sample::select(vec![9_u16, 0x11]), 0x10_u16..0x13), 0..4);
    let leaf = (leaf, creators).prop_map(|(mut attributes, creators): (Attributes, _)| {
        for (group, block) in creators {
            attributes.put_text(Tag(group, block), format!("MAKER & {block}"));
        }
        attributes
    });
    leaf.prop_recursive(3, 24, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner, 1..4)).prop_map(|(mut outer, items)| {
            outer.put_items(tags::CONTENT_SEQUENCE, items);
            outer
        })
    })
}

proptest! {
    #[test]
    fn what_was_written_reads_back_the_same(attributes in any_attributes()) {
        let read = parse(&write(&attributes));
        // Not a number is not equal to itself.
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, XmlError>(&attributes)));
        prop_assert_eq!(serde_json::to_string(&read.unwrap()).unwrap(), serde_json::to_string(&attributes).unwrap());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(<[/!?]?|NativeDicomModel|DicomAttribute|Value|tag=\"00100010\"|&#?|>|/>|[ -~]){0,30}") {
        let _ = parse(text.as_bytes());
        let _ = read(&text);
    }

    #[test]
    fn a_document_with_a_changed_byte_is_read_or_refused(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = DCMTK.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = parse(&bytes);
    }
}
