//! What the document says, in the order in which it is read.

use dicom_dictionary_std::tags;
use medvan_profiles::descriptor::Words;
use time::{format_description::BorrowedFormatItem, macros::format_description};

use super::{
    TITLE,
    file::Running,
    page::{Line, Pages, Style, lines},
};
use crate::{
    evidence::{Completion, Context, Qualification, content::decimal},
    finding::{Answer, CheckedFindings, Code, Evaluation, Finding, ImageName, Measurement, Place, Presence},
    inputs::InputSeries,
};

/// Series and limitations that are listed.
const SERIES: usize = 20;
const LIMITATIONS: usize = 10;
/// Lines of a text, of a finding's one, and of a finding in all.
const TEXT: usize = 40;
const WORDS: usize = 10;
const FINDING: usize = 40;
/// Lines of what is one line as a rule.
const SHORT: usize = 3;
/// Characters of the patient's ID and the like in the line above every page.
const ID: usize = 40;

const NOT_FOR_DIAGNOSIS: [&str; 2] =
    ["これはAIによる結果です。これだけで診断しないでください。", "AI result. Not for diagnosis by itself."];
const MINUTES: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]");

/// The lines of every page: who it is about, and what kind of thing it is.
pub(super) fn running(context: &Context<'_>) -> Running {
    let id = said(context, tags::PATIENT_ID).chars().take(ID).collect::<String>();
    let above = format!("患者ID Patient ID: {id}   検査日 Study date: {}", study_date(context));
    Running { above, below: NOT_FOR_DIAGNOSIS.join(" ") }
}

/// Everything, on as many pages as it takes or may take.
pub(super) fn pages(context: &Context<'_>, findings: &CheckedFindings) -> Vec<Vec<Line>> {
    let mut pages = Pages::default();
    for block in [head(context), about(context), looked_at(&context.inputs.series)] {
        pages.put(block);
    }
    if let Some(summary) = &findings.summary {
        let mut block = heading("要約 Summary");
        block.extend(words(Style::Body, summary, TEXT));
        pages.put(block);
    }
    pages.put(limitations(&findings.limitations));
    let count = findings.findings.len();
    let mut block = heading(&format!("所見 Findings: {count}"));
    if count == 0 {
        block.extend(lines(Style::Body, "サービスは所見なしと報告しました。 The service reports no findings.", SHORT));
    }
    pages.put(block);
    let told = findings.findings.iter().enumerate();
    let told = told.take_while(|(at, found)| pages.put(finding(context, *at, found))).count();
    pages.close(end(count - told))
}

fn head(context: &Context<'_>) -> Vec<Line> {
    let mut head = lines(Style::Title, TITLE, 1);
    for warning in NOT_FOR_DIAGNOSIS {
        head.extend(lines(Style::Warning, warning, SHORT));
    }
    if context.qualification == Qualification::Research {
        head.extend(lines(
            Style::Warning,
            "研究用。診療に用いないでください。 Research only: not for patient care.",
            SHORT,
        ));
    }
    if context.completion == Completion::Partial {
        let partial = "一部の結果です。まだ全てを見ていません。 Partial: not everything has been looked at.";
        head.extend(lines(Style::Warning, partial, SHORT));
    }
    if context.predecessor.is_some() {
        head.extend(lines(Style::Body, "以前の報告に代わるものです。 It replaces an earlier report.", SHORT));
    }
    head
}

/// Who is meant, and who found.
fn about(context: &Context<'_>) -> Vec<Line> {
    let algorithm = context.algorithm;
    let rows = [
        ("患者ID Patient ID", said(context, tags::PATIENT_ID)),
        ("検査日 Study date", study_date(context)),
        ("受付番号 Accession number", said(context, tags::ACCESSION_NUMBER)),
        ("サービス Service", format!("{} {}", algorithm.name, algorithm.version)),
        ("サービスID Service ID", algorithm.service_id.clone()),
        ("製造業者 Manufacturer", algorithm.manufacturer.clone()),
        ("型式 Model", algorithm.manufacturer_model.clone()),
        ("医療機器の番号 Medical device number", algorithm.regulatory_number.clone().unwrap_or_default()),
        ("結果の日時 Date of the result", context.at.format(MINUTES).unwrap_or_default()),
    ];
    let given = rows.into_iter().filter(|(_, value)| !value.trim().is_empty());
    let mut about = heading("対象 About");
    about.extend(given.flat_map(|(name, value)| lines(Style::Body, &format!("{name}: {}", value.trim()), SHORT)));
    about
}

fn looked_at(series: &[InputSeries]) -> Vec<Line> {
    let mut block = heading("対象画像 Images");
    for (number, series) in (1..).zip(series.iter().take(SERIES)) {
        let InputSeries { uid, modality, images } = series;
        let line = format!("{number}. {modality} {}枚 {} images: {uid}", images.len(), images.len());
        block.extend(lines(Style::Body, &line, SHORT));
    }
    block.extend(more(series.len().saturating_sub(SERIES)));
    block
}

fn limitations(limitations: &[Words]) -> Vec<Line> {
    if limitations.is_empty() {
        return Vec::new();
    }
    let mut block = heading("制約 Limitations");
    block.extend(limitations.iter().take(LIMITATIONS).flat_map(|limitation| words(Style::Body, limitation, WORDS)));
    block.extend(more(limitations.len().saturating_sub(LIMITATIONS)));
    block
}

/// One finding: what it is, then what is said of it.
fn finding(context: &Context<'_>, at: usize, finding: &Finding) -> Vec<Line> {
    let Code { scheme, code, meaning } = &finding.code;
    let mut block = lines(Style::Body, &format!("{}. {meaning} ({scheme} {code})", at + 1), SHORT);
    let mut detail = |text: &str| block.extend(lines(Style::Detail, text, SHORT));
    match finding.presence {
        Presence::Present => {}
        Presence::Absent => detail("有無 Presence: なし absent"),
        Presence::Indeterminate => detail("有無 Presence: 判定できず indeterminate"),
    }
    if let Some(confidence) = finding.confidence {
        detail(&format!("確信度 Confidence: {:.0}%", confidence * 100.0));
    }
    if let Some(site) = &finding.site {
        let side = finding.laterality.iter().map(|side| format!(", {}", side.meaning)).collect::<String>();
        detail(&format!("部位 Site: {}{side}", site.meaning));
    }
    if let Some(place) = place(context, finding) {
        detail(&format!("位置 Place: {place}"));
    }
    finding.measurements.iter().for_each(|measured| detail(&measurement(measured)));
    finding.evaluations.iter().for_each(|evaluated| detail(&evaluation(evaluated)));
    if let Some(text) = &finding.text {
        block.extend(words(Style::Detail, text, WORDS));
    }
    if block.len() > FINDING {
        let cut = block.split_off(FINDING - 1).len();
        block.extend(lines(Style::Detail, &format!("… 他に{cut}行 {cut} more lines"), 1));
    }
    block
}

fn measurement(Measurement { code, value, unit }: &Measurement) -> String {
    let unit = if unit == "1" { "" } else { unit };
    format!("{}: {} {unit}", code.meaning, decimal(*value))
}

fn evaluation(Evaluation { question, answer }: &Evaluation) -> String {
    let answer = match answer {
        Answer::Code(code) => &code.meaning,
        Answer::Text(text) => text,
    };
    format!("{}: {answer}", question.meaning)
}

/// In which image, as the list of series counts them; of several the first.
fn place(context: &Context<'_>, finding: &Finding) -> Option<String> {
    let (kind, name, more) = match finding.place.as_ref()? {
        Place::Image { image } => ("画像 image", image, 0),
        Place::Point { image, .. } => ("点 point", image, 0),
        Place::Polyline { image, .. } => ("線 line", image, 0),
        Place::Box { image, .. } => ("枠 box", image, 0),
        Place::Mask { frames } => ("領域 region", &frames.first()?.image, frames.len() - 1),
        Place::PatientPoint { .. } => return Some("患者座標の点 point in the patient".to_owned()),
        Place::PatientPolyline { .. } => return Some("患者座標の線 line in the patient".to_owned()),
        Place::HeatMap { .. } => return Some("ヒートマップ heat map".to_owned()),
    };
    let image = image(context, name)?;
    let more = if more > 0 { format!(" 他{more}枚 and {more} more") } else { String::new() };
    Some(format!("{kind}, {image}{more}"))
}

/// By its own number, which viewers show; by its place among those of the job where it has none.
fn image(context: &Context<'_>, name: &ImageName) -> Option<String> {
    let (series, at, image) = (1..).zip(&context.inputs.series).find_map(|(number, series)| {
        let at = series.images.iter().position(|image| image.instance == name.instance)?;
        Some((number, at, &series.images[at]))
    })?;
    let number = match image.number {
        Some(number) => format!("画像番号 image number {number}"),
        None => format!("{0}枚目の画像 image {0} in order", at + 1),
    };
    let frame = name.frame.map(|frame| format!(" フレーム frame {frame}")).unwrap_or_default();
    Some(format!("系列 series {series}, {number}{frame}"))
}

fn end(left_out: usize) -> Vec<Line> {
    let mut end = Vec::new();
    if left_out > 0 {
        let words = format!("他に{left_out}件の所見があります。 {left_out} more findings are not shown here.");
        end.extend(lines(Style::Warning, &words, 1));
    }
    let whole = "完全な結果は構造化報告(DICOM SR)にあります。 The structured report (DICOM SR) is the whole result.";
    end.extend(lines(Style::Body, whole, 1));
    end
}

fn heading(text: &str) -> Vec<Line> {
    lines(Style::Heading, text, 1)
}

fn words(style: Style, words: &Words, most: usize) -> Vec<Line> {
    [&words.ja, &words.en].into_iter().flat_map(|text| lines(style, text, most)).collect()
}

fn more(count: usize) -> Vec<Line> {
    if count == 0 { Vec::new() } else { lines(Style::Body, &format!("他に{count}件 and {count} more"), 1) }
}

fn said(context: &Context<'_>, tag: medvan_imaging::Tag) -> String {
    context.inputs.study.text(tag).unwrap_or_default().trim().to_owned()
}

/// A date of DICOM with hyphens; whatever is none as it is.
fn study_date(context: &Context<'_>) -> String {
    let date = said(context, tags::STUDY_DATE);
    let is_date = date.len() == 8 && date.bytes().all(|digit| digit.is_ascii_digit());
    if is_date { format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]) } else { date }
}
