//! Reports of people, of nobody, and of somebody who means harm.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::*;

use super::{Language, html, is_report, moments, text};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, Content, Number},
};

/// Attributes with these texts; a backslash stands between several values.
fn attributes<const N: usize>(pairs: [(dicom_core::Tag, &str); N]) -> Attributes {
    let mut attributes = Attributes::new();
    for (tag, text) in pairs {
        attributes.put_texts(tag, text.split('\\').map(str::to_owned));
    }
    attributes
}

/// A code of a scheme of our own, which is known by its meaning.
fn code(meaning: &str) -> Vec<Attributes> {
    vec![attributes([
        (tags::CODE_VALUE, "1"),
        (tags::CODING_SCHEME_DESIGNATOR, "99MEDVAN"),
        (tags::CODE_MEANING, meaning),
    ])]
}

/// A content item: relation, value type, concept.
fn item(relation: &str, kind: &str, concept: &str) -> Attributes {
    let mut item = attributes([(tags::RELATIONSHIP_TYPE, relation), (tags::VALUE_TYPE, kind)]);
    item.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, code(concept));
    item
}

fn valued(relation: &str, kind: &str, concept: &str, tag: dicom_core::Tag, value: &str) -> Attributes {
    let mut item = item(relation, kind, concept);
    item.put_texts(tag, [value.to_owned()]);
    item
}

fn coded(relation: &str, concept: &str, meaning: &str) -> Attributes {
    let mut item = item(relation, "CODE", concept);
    item.put_items(tags::CONCEPT_CODE_SEQUENCE, code(meaning));
    item
}

fn measured(concept: &str, value: &str, unit: &str, meaning: &str) -> Attributes {
    let mut measured = attributes([(tags::NUMERIC_VALUE, value)]);
    let units = [(tags::CODE_VALUE, unit), (tags::CODING_SCHEME_DESIGNATOR, "UCUM"), (tags::CODE_MEANING, meaning)];
    measured.put_items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE, vec![attributes(units)]);
    let mut item = item("CONTAINS", "NUM", concept);
    item.put_items(tags::MEASURED_VALUE_SEQUENCE, vec![measured]);
    item
}

fn holding(mut item: Attributes, items: Vec<Attributes>) -> Attributes {
    item.put_items(tags::CONTENT_SEQUENCE, items);
    item
}

fn graphic(
    relation: &str,
    kind: &str,
    concept: &str,
    graphic: &str,
    points: impl IntoIterator<Item = f32>,
) -> Attributes {
    let mut item = valued(relation, kind, concept, tags::GRAPHIC_TYPE, graphic);
    let numbers = points.into_iter().map(|number| Some(Number::Single(number))).collect();
    item.put(tags::GRAPHIC_DATA, Attribute { vr: VR::FL, content: Content::Numbers(numbers) });
    item
}

fn referring(relation: &str, kind: &str, class: &str, instance: &str, frames: &str) -> Attributes {
    let mut reference = attributes([
        (tags::REFERENCED_SOP_CLASS_UID, class),
        (tags::REFERENCED_SOP_INSTANCE_UID, instance),
        (tags::REFERENCED_FRAME_NUMBER, frames),
    ]);
    if frames.is_empty() {
        reference.remove(tags::REFERENCED_FRAME_NUMBER);
    }
    let mut item = attributes([(tags::RELATIONSHIP_TYPE, relation), (tags::VALUE_TYPE, kind)]);
    item.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
    item
}

/// A nodule and what was measured of it, much like TID 1500 (PS3.16).
fn nodule() -> Attributes {
    let mut again = attributes([(tags::RELATIONSHIP_TYPE, "INFERRED FROM")]);
    let place = [1, 4, 1, 5].map(|number| Some(Number::Unsigned(number))).to_vec();
    again.put(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER, Attribute { vr: VR::UL, content: Content::Numbers(place) });
    let mut missing = item("CONTAINS", "NUM", "密度");
    missing.put_items(tags::NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE, code("Measurement not attempted"));
    let image = referring("SELECTED FROM", "IMAGE", uids::CT_IMAGE_STORAGE, "1.2.392.1.1.1", "1\\2");
    let mut segment = referring("CONTAINS", "IMAGE", uids::SEGMENTATION_STORAGE, "1.2.392.1.9.1", "");
    let mut reference = segment.items(tags::REFERENCED_SOP_SEQUENCE)[0].clone();
    reference.put_number(tags::REFERENCED_SEGMENT_NUMBER, 3);
    segment.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
    let mut diameter = measured("直径", "12.50", "mm", "millimeter");
    diameter.put_text(tags::OBSERVATION_DATE_TIME, "20260704111000+0900");
    holding(
        item("CONTAINS", "CONTAINER", "Measurement Group"),
        vec![
            valued("HAS OBS CONTEXT", "TEXT", "Tracking Identifier", tags::TEXT_VALUE, "結節 1 <右上葉>"),
            valued("HAS OBS CONTEXT", "UIDREF", "Tracking Unique Identifier", tags::UID, "1.2.392.7"),
            holding(coded("CONTAINS", "Finding", "Nodule"), vec![coded("HAS CONCEPT MOD", "Laterality", "Right")]),
            holding(diameter, vec![again]),
            holding(
                graphic("CONTAINS", "SCOORD", "Outline", "POLYLINE", (0_i16..24).map(|at| f32::from(at) / 2.0)),
                vec![image],
            ),
            measured("個数", "1", "{nodules}", "nodules"),
            measured("円形度", "0.9", "1", "no units"),
            missing,
            segment,
        ],
    )
}

/// 山田 太郎's report.
fn report() -> Attributes {
    let mut report = attributes([
        (tags::SOP_CLASS_UID, uids::COMPREHENSIVE3_DSR_STORAGE),
        (tags::STUDY_DATE, "20260704"),
        (tags::STUDY_TIME, "101530.000"),
        (tags::CONTENT_DATE, "20260704"),
        (tags::CONTENT_TIME, "1120"),
        (tags::ACCESSION_NUMBER, "A-17"),
        (tags::PATIENT_NAME, "YAMADA^TARO^^DR=山田^太郎=やまだ^たろう"),
        (tags::PATIENT_ID, "0012345"),
        (tags::PATIENT_BIRTH_DATE, "19560229"),
        (tags::PATIENT_SEX, "M"),
        (tags::VALUE_TYPE, "CONTAINER"),
        (tags::COMPLETION_FLAG, "COMPLETE"),
        (tags::PRELIMINARY_FLAG, "FINAL"),
        (tags::VERIFICATION_FLAG, "VERIFIED"),
    ]);
    report.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, code("Imaging Measurement Report"));
    let verifier = attributes([
        (tags::VERIFYING_OBSERVER_NAME, "SUZUKI^HANAKO=鈴木^花子=すずき^はなこ"),
        (tags::VERIFYING_ORGANIZATION, "東京病院"),
        (tags::VERIFICATION_DATE_TIME, "20260704113000+0900"),
    ]);
    report.put_items(tags::VERIFYING_OBSERVER_SEQUENCE, vec![verifier]);
    let mut phase = valued("CONTAINS", "TCOORD", "Phase", tags::TEMPORAL_RANGE_TYPE, "MULTIPOINT");
    phase.put_texts(tags::REFERENCED_TIME_OFFSETS, ["0.5".to_owned(), "1.25".to_owned()]);
    let mut space = graphic("CONTAINS", "SCOORD3D", "Centre", "POINT", [1.0, 2.5, -3.0]);
    space.put_text(tags::REFERENCED_FRAME_OF_REFERENCE_UID, "1.2.392.4");
    let other = vec![
        valued("CONTAINS", "TEXT", "Impression", tags::TEXT_VALUE, "右上葉に結節。\r\n経過観察を勧める。"),
        valued("CONTAINS", "DATE", "Date of comparison", tags::DATE, "20250401"),
        valued("CONTAINS", "TIME", "Time", tags::TIME, "101530.50"),
        valued("CONTAINS", "DATETIME", "Next", tags::DATE_TIME, "202610"),
        phase,
        space,
        referring("CONTAINS", "WAVEFORM", uids::GENERAL_ECG_WAVEFORM_STORAGE, "1.2.392.5", ""),
        referring("CONTAINS", "COMPOSITE", "1.2.3", "1.2.392.6", ""),
        valued("CONTAINS", "TABLE", "Table", tags::TEXT_VALUE, "x"),
    ];
    let items = vec![
        coded("HAS CONCEPT MOD", "Language of Content Item and Descendants", "Japanese"),
        valued("HAS OBS CONTEXT", "PNAME", "Person Observer Name", tags::PERSON_NAME, "SATO^JIRO=佐藤^二郎"),
        referring("CONTAINS", "IMAGE", uids::CT_IMAGE_STORAGE, "1.2.392.1.1.1", ""),
        holding(item("CONTAINS", "CONTAINER", "Imaging Measurements"), vec![nodule()]),
        holding(item("CONTAINS", "CONTAINER", "Findings"), other),
    ];
    holding(report, items)
}

#[test]
fn a_report_as_plain_text() {
    insta::assert_snapshot!(text(&report(), Language::English));
}

#[test]
fn a_report_as_a_page() {
    insta::assert_snapshot!(html(&report(), Language::English));
}

#[test]
fn a_report_with_japanese_labels() {
    insta::assert_snapshot!(text(&report(), Language::Japanese));
    assert!(html(&report(), Language::Japanese).contains("<html lang=\"ja\">"));
}

#[test]
fn an_empty_report_says_so() {
    assert_eq!(text(&Attributes::new(), Language::English), "Structured report\n\n\nThe report has no content.\n");
    let page = html(&Attributes::new(), Language::Japanese);
    assert!(page.contains("<h1>構造化レポート</h1>\n<p class=\"note\">レポートに内容がありません。</p>"), "{page}");
}

#[test]
fn a_container_without_a_name_holds_its_items_together() {
    let nameless = attributes([(tags::RELATIONSHIP_TYPE, "CONTAINS"), (tags::VALUE_TYPE, "CONTAINER")]);
    let inner = vec![valued("CONTAINS", "TEXT", "Size", tags::TEXT_VALUE, "3 cm")];
    let report = holding(Attributes::new(), vec![holding(nameless.clone(), inner), nameless, Attributes::new()]);
    let shown = text(&report, Language::English);
    assert_eq!(shown, "Structured report\n\n—\n  Size: 3 cm\n");
    assert!(html(&report, Language::English).contains("<li>\n<ul>\n<li>Size: "));
}

#[test]
fn names_are_read_as_they_are_spoken() {
    for (name, expected) in [
        ("YAMADA^TARO=山田^太郎=やまだ^たろう", "山田 太郎 (やまだ たろう) YAMADA TARO"),
        ("=山田^太郎=やまだ^たろう", "山田 太郎 (やまだ たろう)"),
        ("YAMADA^TARO=山田^太郎", "山田 太郎 YAMADA TARO"),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ==やまだ^たろう", "やまだ たろう ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("Adams^John Robert^Quincy^Rev.^B.A.", "Adams John Robert Quincy Rev. B.A."),
        ("^^^^", ""),
    ] {
        assert_eq!(super::document::readable(&crate::person_name::PersonName::parse(name)), expected, "{name}");
    }
}

#[test]
fn moments_are_shown_as_they_are_where_they_are_none() {
    for (text, expected) in [
        ("20260704", "2026-07-04"),
        ("20260704101530.123400+0900", "2026-07-04 10:15:30.1234 +0900"),
        ("2026-0500", "2026 -0500"),
        ("202607041015", "2026-07-04 10:15"),
        ("2026070410", "2026070410"),
        ("昨日", "昨日"),
        ("", ""),
        ("-", "-"),
    ] {
        assert_eq!(moments::date_time(text), expected, "{text}");
    }
    assert_eq!(moments::date("2026.07.04"), "2026.07.04");
    assert_eq!(moments::date("2026"), "2026");
    assert_eq!(moments::time("10"), "10");
    assert_eq!(moments::time("10:15"), "10:15");
}

/// A report whose every text is this.
fn full_of(text: &str, depth: usize) -> Attributes {
    let everywhere = |holder: &mut Attributes| {
        for tag in [
            tags::VALUE_TYPE,
            tags::RELATIONSHIP_TYPE,
            tags::TEXT_VALUE,
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::PATIENT_BIRTH_DATE,
            tags::PATIENT_SEX,
            tags::STUDY_DATE,
            tags::COMPLETION_FLAG,
            tags::VERIFICATION_FLAG,
            tags::OBSERVATION_DATE_TIME,
        ] {
            holder.put_texts(tag, [text.to_owned()]);
        }
        let meaning = attributes([(tags::CODE_VALUE, text), (tags::CODE_MEANING, text)]);
        holder.put_items(tags::CONCEPT_NAME_CODE_SEQUENCE, vec![meaning.clone()]);
        holder.put_items(tags::CONCEPT_CODE_SEQUENCE, vec![meaning]);
        let place = Content::Text(vec![Some(text.to_owned())]);
        let mut reference = Attributes::new();
        reference.put(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER, Attribute { vr: VR::UL, content: place });
        holder.put_items(tags::CONTENT_SEQUENCE, vec![reference]);
    };
    let mut report = Attributes::new();
    everywhere(&mut report);
    for kind in ["TEXT", "CODE", "IMAGE", "SCOORD", "TCOORD", "PNAME", "DATE"].into_iter().cycle().take(depth) {
        let mut outer = Attributes::new();
        everywhere(&mut outer);
        outer.put_text(tags::GRAPHIC_TYPE, text);
        outer.put_text(tags::TEMPORAL_RANGE_TYPE, text);
        outer.put_text(tags::PERSON_NAME, text);
        outer.put_text(tags::DATE, text);
        let uids = [(tags::REFERENCED_SOP_CLASS_UID, text), (tags::REFERENCED_SOP_INSTANCE_UID, text)];
        outer.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![attributes(uids)]);
        let mut items = outer.items(tags::CONTENT_SEQUENCE).to_vec();
        items.push(report);
        report = holding(outer, items);
        report.put_text(tags::VALUE_TYPE, kind);
    }
    report
}

#[test]
fn no_text_becomes_markup() {
    let script = "<script src='//evil.example'>alert(\"1\")</script>&lt;";
    let page = html(&full_of(script, 1_000), Language::English);
    assert!(!page.contains("<script") && !page.contains("'//evil") && !page.contains("&lt;&"), "{page}");
    assert!(page.contains("&lt;script src=&#39;//evil.example&#39;&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;lt;"));
    // What is left are the elements of the page itself, each closed.
    for element in ["html", "body", "ul", "li", "dl", "title", "style"] {
        let count = |tag: String| page.matches(tag.as_str()).count();
        let open = count(format!("<{element}>")) + count(format!("<{element} "));
        assert_eq!(open, count(format!("</{element}>")), "{element}");
    }
    assert!(page.contains(super::words::Word::Cut.of(Language::English)), "a thousand levels are not shown");
}

#[test]
fn no_text_forges_a_line_or_moves_the_cursor() {
    let shown = text(&full_of("a\r\nPatient ID: 7\u{1B}[2J\u{202E}\0\u{7F}", 2), Language::English);
    assert!(
        !shown.lines().skip(1).any(|line| line.trim_start().starts_with("Patient ID: 7") && !line.starts_with("    "))
    );
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202E}'), "{shown:?}");
}

#[test]
fn what_is_shown_is_bounded() {
    let cut = super::words::Word::Cut.of(Language::English);
    let long =
        holding(Attributes::new(), vec![valued("CONTAINS", "TEXT", "Long", tags::TEXT_VALUE, &"\"\n".repeat(4 << 20))]);
    let many = holding(Attributes::new(), vec![valued("CONTAINS", "TEXT", "n", tags::TEXT_VALUE, "x"); 30_000]);
    let deep = full_of("x", 1_000);
    let points = graphic("CONTAINS", "SCOORD", "Area", "POLYLINE", std::iter::repeat_n(1.0, 100_000));
    for (what, report) in [("long", &long), ("many", &many), ("deep", &deep)] {
        for shown in [html(report, Language::English), text(report, Language::English)] {
            assert!(shown.len() < 16 << 20, "{what}: {} bytes", shown.len());
            assert!(shown.contains(cut), "{what}");
        }
    }
    let shown = text(&holding(Attributes::new(), vec![points]), Language::English);
    assert!(shown.len() < 200 && shown.contains("… 50000 points") && !shown.contains(cut), "{shown}");
}

#[test]
fn what_was_left_in_the_file_is_told_of() {
    let mut long = item("CONTAINS", "TEXT", "Impression");
    long.put(tags::TEXT_VALUE, Attribute { vr: VR::UT, content: Content::Elsewhere("bulk/1".to_owned()) });
    let shown = text(&holding(Attributes::new(), vec![long]), Language::English);
    assert!(shown.contains("Impression: [too long to be shown here]"), "{shown}");
}

#[test]
fn reports_are_known_by_their_class() {
    for (class, expected) in [
        (uids::BASIC_TEXT_SR_STORAGE, true),
        (uids::COMPREHENSIVE3_DSR_STORAGE, true),
        (uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE, true),
        (uids::CT_IMAGE_STORAGE, false),
        (uids::ENCAPSULATED_PDF_STORAGE, false),
        ("1.2.840.10008.5.1.4.1.1.881", false),
    ] {
        assert_eq!(is_report(&Uid::known(class)), expected, "{class}");
    }
}

proptest! {
    #[test]
    fn any_text_is_shown_as_text(text in "[\\x00-\\x7F\u{202E}山<&>\"']{0,60}", depth in 0_usize..12) {
        let report = full_of(&text, depth);
        let page = html(&report, Language::English);
        let (_, body) = page.split_once("<body>").unwrap();
        let known = ["/", "h1>", "h2>", "h3>", "h4>", "h5>", "h6>", "dl>", "dt>", "dd>", "ul>", "li>", "li id=\"item-", "span class=\"", "a href=\"#item-", "p class=\"note\">"];
        prop_assert!(body.split('<').skip(1).all(|tag| known.iter().any(|known| tag.starts_with(known))), "{}", body);
        let plain = super::text(&report, Language::Japanese);
        prop_assert!(plain.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
    }
}
