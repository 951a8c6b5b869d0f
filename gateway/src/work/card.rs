//! What a doctor's EHR is told of an analysis: one sentence, and the findings in a few lines, in Japanese and English.
//!
//! It is written once, when the evidence is, so that a call reads a few lines and never an answer of megabytes. Everything that
//! a vendor wrote is text: Markdown in it is escaped.

use std::fmt::Write as _;

use medvan_analysis::finding::{Answer, Code, Finding, Findings, Presence};
use medvan_hooks::markdown::escape;
use medvan_profiles::descriptor::Words;

use crate::{catalog::ImageMember, store::CardText};

/// Characters of a summary: fewer than 140 (CDS Hooks "Card Attributes").
const SUMMARY: usize = 139;
/// Of these, of the service's name.
const NAME: usize = 40;
/// Findings that are told one by one.
const TOLD: usize = 10;
/// Evaluations, and measurements, that are told of one.
const STATEMENTS: usize = 5;

/// The card of what a service found.
pub(super) fn text(findings: &Findings, member: &ImageMember, on_trial: bool) -> CardText {
    let said = findings.summary.clone().unwrap_or_else(|| counted(findings));
    CardText {
        summary: shortened(&format!("AI解析（{}）: {}", name(&member.descriptor.name.ja), said.ja)),
        detail: detail(findings, &said, member, on_trial),
        finding: findings.findings.iter().find_map(|finding| finding.tracking_uid.clone()),
    }
}

fn counted(findings: &Findings) -> Words {
    let present = findings.findings.iter().filter(|finding| finding.presence.is_present()).count();
    match present {
        0 => Words { ja: "指摘なし".to_owned(), en: "nothing found".to_owned() },
        1 => Words { ja: "1件の指摘".to_owned(), en: "1 finding".to_owned() },
        more => Words { ja: format!("{more}件の指摘"), en: format!("{more} findings") },
    }
}

/// A long name leaves room for what was found.
fn name(name: &str) -> String {
    if name.chars().count() <= NAME { name.to_owned() } else { name.chars().take(NAME - 1).chain(['…']).collect() }
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SUMMARY {
        return line;
    }
    line.chars().take(SUMMARY - 1).chain(['…']).collect()
}

fn detail(findings: &Findings, said: &Words, member: &ImageMember, on_trial: bool) -> String {
    let mut detail = format!("{}\n\n{}\n", escape(&said.ja), escape(&said.en));
    let (told, more) = findings.findings.split_at(findings.findings.len().min(TOLD));
    if !told.is_empty() {
        detail.push('\n');
    }
    for finding in told {
        // Writing to a string cannot fail.
        let _ = writeln!(detail, "- {}", line(finding));
    }
    if !more.is_empty() {
        let _ = writeln!(detail, "- ほか{0}件 / and {0} more", more.len());
    }
    for limitation in findings.limitations.iter().take(STATEMENTS) {
        let _ = write!(detail, "\n限界: {} / Limitation: {}\n", escape(&limitation.ja), escape(&limitation.en));
    }
    let Words { ja, en } = &member.descriptor.name;
    let version = &member.version;
    let _ = write!(detail, "\n{} {version} / {} {version}\n", escape(ja), escape(en));
    if on_trial {
        detail.push_str("\n試用中・研究用です。 / On trial, for research.\n");
    }
    detail.push_str("\nAI による解析結果であり、診断ではありません。 / Found by AI; not a diagnosis.");
    detail
}

fn line(finding: &Finding) -> String {
    let mut parts = vec![meaning(&finding.code)];
    parts.extend(match finding.presence {
        Presence::Present => None,
        Presence::Absent => Some("なし / absent".to_owned()),
        Presence::Indeterminate => Some("判定不能 / indeterminate".to_owned()),
    });
    parts.extend(finding.site.iter().chain(&finding.laterality).map(meaning));
    parts.extend(finding.evaluations.iter().take(STATEMENTS).map(|evaluation| {
        let answer = match &evaluation.answer {
            Answer::Code(code) => meaning(code),
            Answer::Text(text) => escape(text),
        };
        format!("{}: {answer}", meaning(&evaluation.question))
    }));
    parts.extend(finding.measurements.iter().take(STATEMENTS).map(|measured| {
        let unit = if measured.unit == "1" { String::new() } else { format!(" {}", escape(&measured.unit)) };
        format!("{} {}{unit}", meaning(&measured.code), rounded(measured.value))
    }));
    parts.extend(finding.confidence.map(|confidence| format!("確信度 / confidence {:.0} %", confidence * 100.0)));
    parts.join(", ")
}

fn meaning(code: &Code) -> String {
    escape(&code.meaning)
}

/// Four digits that count: more would claim what nobody measured.
fn rounded(value: f64) -> String {
    let digits = 3 - value.abs().log10().floor().clamp(-6.0, 3.0) as i32;
    let factor = 10_f64.powi(digits);
    let rounded = (value * factor).round() / factor;
    if rounded.is_finite() { rounded.to_string() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_count() {
        let table = [
            (0.0, "0"),
            (1.0, "1"),
            (12.3456, "12.35"),
            (1234.56, "1235"),
            (123_456.7, "123457"),
            (0.001_234_56, "0.001235"),
            (-2.5, "-2.5"),
            (f64::MAX, &f64::MAX.to_string()),
        ];
        for (value, text) in table {
            assert_eq!(rounded(value), text);
        }
    }

    #[test]
    fn a_summary_is_one_line_of_fewer_than_140_characters() {
        assert_eq!(shortened("AI解析: \n 2件\tの指摘"), "AI解析: 2件 の指摘");
        let long = shortened(&"長".repeat(500));
        assert_eq!((long.chars().count(), long.chars().last()), (139, Some('…')));
    }
}
