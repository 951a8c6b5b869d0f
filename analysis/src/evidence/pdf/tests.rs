use dicom_dictionary_std::tags;
use medvan_imaging::Uid;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::tests::{FIRST, JOB, algorithm, context, example, inputs, read_back},
    PAGES, author, content,
    font::{Font, shown, width},
    page::{Line, MARGIN, Style, WIDTH, lines},
    written,
};
use crate::{
    evidence::{Algorithm, Completion, Context, Qualification, Reference},
    finding::{CheckedFindings, Findings},
    inputs::Inputs,
};

fn read(answer: &Value, inputs: &Inputs) -> CheckedFindings {
    Findings::read(answer.to_string().as_bytes(), inputs, JOB).unwrap()
}

fn told(context: &Context<'_>, findings: &CheckedFindings) -> Vec<Vec<String>> {
    let pages = content::pages(context, findings);
    pages.into_iter().map(|page| page.into_iter().map(|line| line.text).collect()).collect()
}

#[test]
fn it_says_what_was_found() {
    let mut inputs = inputs();
    inputs.study.put_text(tags::STUDY_DATE, "20261120");
    let algorithm = Algorithm { regulatory_number: Some("30500BZX00000000".to_owned()), ..algorithm() };
    insta::assert_json_snapshot!(told(&context(&inputs, &algorithm), &example(&inputs)));
}

#[test]
fn it_says_whose_and_what_it_is_on_every_page() {
    let mut inputs = inputs();
    inputs.study.put_text(tags::STUDY_DATE, "20261120");
    let algorithm = algorithm();
    let running = content::running(&context(&inputs, &algorithm));
    assert_eq!(running.above, "患者ID Patient ID: SYN-1   検査日 Study date: 2026-11-20");
    assert!(running.below.contains("これだけで診断しないでください") && running.below.contains("Not for diagnosis"));
    let bytes = written(&context(&inputs, &algorithm), &example(&inputs));
    let name: Vec<u8> = "山田".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(has(b"SYN-1") && !has(b"Yamada") && !has(&name), "the ID, never the name");
}

#[test]
fn without_findings_it_says_so_and_in_whose_hands_it_belongs() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let none = read(&json!({"format": "1", "findings": []}), &inputs);
    for (qualification, completion, expected) in [
        (Qualification::Product, Completion::Complete, [false, false]),
        (Qualification::Research, Completion::Complete, [true, false]),
        (Qualification::Product, Completion::Partial, [false, true]),
    ] {
        let context = Context { qualification, completion, ..context(&inputs, &algorithm) };
        let page = told(&context, &none).concat().join("\n");
        assert!(page.contains("The service reports no findings.") && page.contains("所見なし"));
        assert_eq!(["Research only", "Partial:"].map(|words| page.contains(words)), expected);
    }
}

#[test]
fn the_object_holds_the_file_and_names_its_sources() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let context = context(&inputs, &algorithm);
    let findings = example(&inputs);
    let report = Reference { series: Uid::known("2.25.50"), instance: Uid::known("2.25.51"), class: Uid::known("1.2") };
    for (sources, expected) in
        [(&[report][..], &["2.25.51"][..]), (&[], &[FIRST, "2.25.100000000000000000000000000000000002"])]
    {
        let object = author(&context, &findings, sources).unwrap();
        let said = read_back(&object);
        let named = said.items(tags::SOURCE_INSTANCE_SEQUENCE).iter();
        let named: Vec<String> = named.filter_map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID)).collect();
        assert_eq!(named, expected);
        let file = written(&context, &findings);
        let begin = object.bytes.windows(5).position(|window| window == b"%PDF-").unwrap();
        let length: usize = said.text(tags::ENCAPSULATED_DOCUMENT_LENGTH).unwrap().parse().unwrap();
        assert_eq!(length, file.len());
        assert_eq!(object.bytes[begin..][..length], file);
        for (tag, expected) in [
            (tags::MODALITY, "DOC"),
            (tags::BURNED_IN_ANNOTATION, "YES"),
            (tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, "application/pdf"),
            (tags::CONVERSION_TYPE, "WSD"),
            (tags::DOCUMENT_TITLE, "AI解析結果 / AI result"),
        ] {
            assert_eq!(said.text(tag).as_deref(), Some(expected), "{tag}");
        }
    }
}

/// As much as an answer may have: whatever does not fit is counted.
#[test]
fn what_is_too_much_for_twenty_pages_is_counted() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let code = json!({"scheme": "SCT", "code": "1", "meaning": "結節".repeat(32)});
    let words = json!({"ja": "長い文。".repeat(256), "en": "A long one. ".repeat(80)});
    let measured: Vec<Value> = (0..100).map(|_| json!({"code": code, "value": 1.5, "unit": "mm"})).collect();
    let finding = |at: usize| json!({"id": at.to_string(), "code": code, "measurements": measured, "text": words});
    for (count, is_cut) in [(3, false), (100, true)] {
        let findings: Vec<Value> = (0..count).map(finding).collect();
        let limitations = vec![words.clone(); 50];
        let answer = json!({"format": "1", "summary": words, "limitations": limitations, "findings": findings});
        let pages = told(&context(&inputs, &algorithm), &read(&answer, &inputs));
        assert!(pages.len() <= PAGES && pages.iter().all(|page| !page.is_empty()));
        let all = pages.concat().join("\n");
        assert_eq!(all.contains("more findings are not shown here"), is_cut);
        assert!(all.contains("他に40件 and 40 more") && all.contains("more lines"));
        assert!(pages.last().unwrap().last().unwrap().contains("DICOM SR"), "the last words have their room");
    }
}

#[test]
fn lines_end_where_they_may() {
    let long = "い".repeat(48);
    for (text, expected) in [
        ("", &[][..]),
        ("one", &["one"]),
        ("first\nsecond", &["first", "second"]),
        // 49 squares of 10 points fit: no line begins with a full stop.
        (&format!("{long}う。あ"), &[long.as_str(), "う。あ"]),
        (&format!("{} word", "x".repeat(98)), &[&"x".repeat(98), "word"]),
    ] {
        let lines: Vec<String> = lines(Style::Body, text, 9).into_iter().map(|line| line.text).collect();
        assert_eq!(lines, expected, "{text}");
    }
    assert_eq!(lines(Style::Body, "1\n2\n3", 2).last().map(|line| line.text.as_str()), Some("…"));
}

#[test]
fn what_the_fonts_have_not_is_seen_to_be_missing() {
    for (character, expected) in [
        ('a', Some('a')),
        ('µ', Some('µ')),
        ('鷗', Some('鷗')),
        ('𠮷', Some('𠮷')),
        ('\t', Some(' ')),
        ('\u{200B}', None),
        ('한', Some('〓')),
        ('😀', Some('〓')),
    ] {
        assert_eq!(shown(character), expected, "{character}");
    }
    assert_eq!(
        Font::Japanese.encoded("鷗𠮷"),
        [0x9D, 0xD7, 0x30, 0x13],
        "a rare kanji is a sign that can be copied as it is"
    );
}

#[test]
fn what_is_written_can_be_copied() {
    let (inputs, algorithm) = (inputs(), algorithm());
    let words = json!({"ja": "鷗と𠮷", "en": "A gull"});
    let findings = read(&json!({"format": "1", "summary": words, "findings": []}), &inputs);
    let file = written(&context(&inputs, &algorithm), &findings);
    let has = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(has("<9DD7> <9DD7>".as_bytes()), "by the table");
    assert!(has(b"/ActualText") && !has(b"<D842"), "beyond the table as it stands");
}

/// How wide a line is, in points.
fn breadth(line: &Line) -> f32 {
    let thousandths: u32 = line.text.chars().map(width).sum();
    thousandths as f32 / 1000.0 * line.style.size()
}

proptest! {
    /// No line leaves the page, no text takes more lines than it may, and nothing that can be seen is lost.
    #[test]
    fn any_text_fits(text in "(\\PC|[あ-ん。「」 a-zA-Z]|\n){0,400}", most in 1_usize..12) {
        let style = Style::Detail;
        let all = lines(style, &text, usize::MAX);
        for line in &all {
            prop_assert!(breadth(line) <= WIDTH - MARGIN - style.left() + 0.1, "{}", line.text);
        }
        let visible = |text: &str| text.chars().filter_map(shown).filter(|shown| !shown.is_whitespace()).collect::<String>();
        let told: String = all.iter().map(|line| line.text.as_str()).collect();
        prop_assert_eq!(visible(&told), visible(&text));
        prop_assert!(lines(style, &text, most).len() <= most);
    }

    /// Whatever an answer says, it becomes the same file twice, with as many pages as it may have.
    #[test]
    fn any_findings_become_a_file(
        words in "\\PC{1,200}",
        count in 0_usize..40,
        confidence in 0.0..=1.0,
        value in any::<f64>().prop_filter("finite", |value| value.is_finite()),
    ) {
        let (inputs, algorithm) = (inputs(), algorithm());
        let code = json!({"scheme": "SCT", "code": "1", "meaning": "m"});
        let measured = json!({"code": code, "value": value, "unit": "mm"});
        let words = json!({"ja": words, "en": words});
        let finding = |at: usize| {
            json!({"id": at.to_string(), "code": code, "confidence": confidence, "measurements": [measured], "text": words})
        };
        let findings: Vec<Value> = (0..count).map(finding).collect();
        let answer = json!({"format": "1", "findings": findings}).to_string();
        // Some words no finding may have.
        if let Ok(findings) = Findings::read(answer.as_bytes(), &inputs, JOB) {
            let context = context(&inputs, &algorithm);
            prop_assert!(told(&context, &findings).len() <= PAGES);
            prop_assert_eq!(written(&context, &findings), written(&context, &findings));
        }
    }
}
