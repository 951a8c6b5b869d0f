//! Each rule by itself: a name, what it wants, and what is there.

use medvan_imaging::query::Wildcard;
use medvan_profiles::descriptor::images::{Needs, Range, SeriesRules};
use serde::Serialize;

use super::{
    SeriesTold,
    facts::{Facts, SeriesFacts, is_scout},
};

/// The rules' names, as descriptors write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RuleName {
    /// Age of the patient.
    AgeYears,
    /// Sex of the patient.
    Sex,
    /// Modality.
    Modality,
    /// Body part.
    BodyPart,
    /// SOP class.
    SopClass,
    /// Original or derived.
    Original,
    /// Plane.
    Orientation,
    /// Number of images.
    Images,
    /// Distance of slices.
    SpacingMm,
    /// Thickness of slices.
    ThicknessMm,
    /// Missing slices.
    Gaps,
    /// Kernel.
    Kernel,
    /// Contrast agent.
    Contrast,
    /// Side.
    Laterality,
    /// Burned-in texts.
    BurnedIn,
    /// Description.
    Description,
    /// Description that is not wanted.
    NotDescription,
    /// Scouts.
    Localizers,
    /// Phantoms.
    Phantoms,
    /// Every instance can be read.
    Readable,
    /// Images that the service takes at most, of all series together.
    Limit,
    /// Of a prior: it is of the same patient.
    Patient,
    /// Of a prior: it is earlier.
    Earlier,
    /// Of a prior: it is not too old.
    WithinMonths,
}

/// A rule that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Which.
    pub rule: RuleName,
    /// What it wants.
    pub wanted: String,
    /// What is there; nothing where nothing is said.
    pub found: String,
    /// For people, in English.
    pub en: String,
    /// For people, in Japanese.
    pub ja: String,
}

/// One rule held against one series.
pub(super) type Held = Result<(), Refusal>;

/// A service's own rules, held against a series: scouts and phantoms are refused unless they say otherwise.
pub(super) fn hold_own(rules: &SeriesRules, series: &SeriesFacts) -> Vec<Held> {
    let told = SeriesRules {
        localizers: rules.localizers.or(Some(false)),
        phantoms: rules.phantoms.or(Some(false)),
        ..rules.clone()
    };
    let mut held = hold(&told, series);
    if series.is_unreadable {
        // A series is given as a whole or not at all.
        held.push(is(RuleName::Readable, true, Some(false)));
    }
    held
}

/// What all series together may be.
pub(super) fn limit(most: u64, images: u64) -> Held {
    within(RuleName::Limit, Range { min: None, max: Some(most as f64) }, Some(images as f64))
}

/// Every rule that is set, held against a series.
pub(super) fn hold(rules: &SeriesRules, series: &SeriesFacts) -> Vec<Held> {
    use RuleName as R;
    let one = std::slice::from_ref;
    let classes: Vec<String> = series.classes.iter().cloned().collect();
    let held = [
        any_of(R::Modality, &rules.modality, one(&series.modality)),
        any_of(R::BodyPart, &rules.body_part, one(&series.body_part)),
        any_of(R::SopClass, &rules.sop_class, &classes),
        rules.original.map(|wanted| is(R::Original, wanted, series.original)),
        plane(rules, series),
        rules.images.map(|range| within(R::Images, range, Some(series.images as f64))),
        rules.spacing_mm.map(|range| within(R::SpacingMm, range, series.spacing)),
        rules.thickness_mm.map(|range| within(R::ThicknessMm, range, series.thickness)),
        rules.gaps.filter(|allowed| !allowed).map(|_| is(R::Gaps, false, series.gaps)),
        any_of(R::Kernel, &rules.kernel, one(&series.kernel)),
        rules.contrast.map(|wanted| is(R::Contrast, wanted, Some(series.contrast))),
        any_of(R::Laterality, &rules.laterality, one(&series.laterality)),
        rules.burned_in.filter(|allowed| !allowed).map(|_| is(R::BurnedIn, false, Some(series.burned_in))),
        any_of(R::Description, &rules.description, one(&series.description)),
        none_of(R::NotDescription, &rules.not_description, &series.description),
        (rules.localizers == Some(false)).then(|| is(R::Localizers, false, Some(series.localizer))),
        (rules.phantoms == Some(false)).then(|| is(R::Phantoms, false, Some(series.phantom))),
    ];
    held.into_iter().flatten().collect()
}

/// What a series of a prior must have in common with the one that it is compared with: the modality, and the body part where both say
/// one.
pub(super) fn hold_like(at_hand: &SeriesFacts, series: &SeriesFacts) -> Vec<Held> {
    let alike = |rule, wanted: &str, found: &str| {
        let is_met = wanted.trim().eq_ignore_ascii_case(found.trim());
        held(is_met, rule, wanted.to_owned(), found.to_owned())
    };
    let mut held = vec![alike(RuleName::Modality, &at_hand.modality, &series.modality)];
    if !at_hand.body_part.trim().is_empty() && !series.body_part.trim().is_empty() {
        held.push(alike(RuleName::BodyPart, &at_hand.body_part, &series.body_part));
    }
    held
}

/// Whether what an archive tells of a series contradicts a rule. Instances are no images: an enhanced one has many frames.
pub(super) fn is_told_otherwise(rules: &SeriesRules, told: &SeriesTold) -> bool {
    use RuleName as R;
    let said = |rule, wanted: &[String], found: &String| {
        any_of(rule, wanted, std::slice::from_ref(found)).filter(|_| !found.trim().is_empty())
    };
    let most = rules.images.and_then(|range| range.max);
    let held = [
        said(R::Modality, &rules.modality, &told.modality),
        said(R::BodyPart, &rules.body_part, &told.body_part),
        said(R::Description, &rules.description, &told.description),
        none_of(R::NotDescription, &rules.not_description, &told.description),
        most.zip(told.instances)
            .map(|(most, told)| within(R::Images, Range { min: None, max: Some(most) }, Some(told as f64))),
        (rules.localizers == Some(false)).then(|| is(R::Localizers, false, Some(is_told_a_scout(told)))),
    ];
    held.into_iter().flatten().any(|held| held.is_err())
}

/// Whether a series is a scout by its description.
pub(super) fn is_told_a_scout(told: &SeriesTold) -> bool {
    is_scout(&told.description)
}

/// Whether a series is like the one that it is to be compared with, as far as it is told.
pub(super) fn is_told_alike(at_hand: &SeriesFacts, told: &SeriesTold) -> bool {
    let alike = |wanted: &str, found: &str| {
        let (wanted, found) = (wanted.trim(), found.trim());
        wanted.is_empty() || found.is_empty() || wanted.eq_ignore_ascii_case(found)
    };
    alike(&at_hand.modality, &told.modality) && alike(&at_hand.body_part, &told.body_part)
}

/// What of the patient stands in the way. Whose age or sex is not known is not taken for somebody who fits.
pub(super) fn of_patient(needs: &Needs, facts: &Facts) -> Vec<Refusal> {
    let age = needs.age_years.map(|range| within(RuleName::AgeYears, range, facts.age_years));
    let sex = facts.sex.clone().unwrap_or_default();
    let sex = any_of(RuleName::Sex, &needs.sex, std::slice::from_ref(&sex));
    age.into_iter().chain(sex).filter_map(Result::err).collect()
}

fn any_of(rule: RuleName, wanted: &[String], found: &[String]) -> Option<Held> {
    let is_met = wanted.iter().any(|pattern| found.iter().any(|text| has_form(text, pattern)));
    (!wanted.is_empty()).then(|| held(is_met, rule, wanted.join(" | "), found.join(", ")))
}

fn none_of(rule: RuleName, unwanted: &[String], found: &str) -> Option<Held> {
    let is_met = !unwanted.iter().any(|pattern| has_form(found, pattern));
    (!unwanted.is_empty()).then(|| held(is_met, rule, format!("not {}", unwanted.join(" | ")), found.to_owned()))
}

fn has_form(text: &str, pattern: &str) -> bool {
    Wildcard::new(&pattern.to_uppercase()).is_some_and(|pattern| pattern.matches(&text.trim().to_uppercase()))
}

pub(super) fn is(rule: RuleName, wanted: bool, found: Option<bool>) -> Held {
    let word = |yes: bool| if yes { "yes" } else { "no" };
    held(found == Some(wanted), rule, word(wanted).to_owned(), found.map(word).unwrap_or_default().to_owned())
}

fn within(rule: RuleName, range: Range, found: Option<f64>) -> Held {
    let wanted = match (range.min, range.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any".to_owned(),
    };
    let rounded = |number: f64| (number * 100.0).round() / 100.0;
    let is_met = found.is_some_and(|number| range.holds(rounded(number)));
    held(is_met, rule, wanted, found.map(|number| rounded(number).to_string()).unwrap_or_default())
}

fn plane(rules: &SeriesRules, series: &SeriesFacts) -> Option<Held> {
    let word = |plane: &medvan_profiles::descriptor::images::Orientation| format!("{plane:?}").to_lowercase();
    let wanted: Vec<String> = rules.orientation.iter().map(word).collect();
    let found: Vec<String> = series.orientation.iter().map(word).collect();
    any_of(RuleName::Orientation, &wanted, &found)
}

pub(super) fn held(is_met: bool, rule: RuleName, wanted: String, found: String) -> Held {
    if is_met {
        return Ok(());
    }
    let (en, ja) = rule.words();
    let (told, told_ja) =
        if found.is_empty() { ("not said", "記載なし") } else { (found.as_str(), found.as_str()) };
    let en = format!("{en}: wanted {wanted}, found {told}");
    let ja = format!("{ja}: 条件は {wanted}、実際は {told_ja}");
    Err(Refusal { rule, wanted, found, en, ja })
}

impl RuleName {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::AgeYears => ("age in years", "年齢"),
            Self::Sex => ("sex", "性別"),
            Self::Modality => ("modality", "モダリティ"),
            Self::BodyPart => ("body part", "検査部位"),
            Self::SopClass => ("SOP class", "SOPクラス"),
            Self::Original => ("original images", "原画像"),
            Self::Orientation => ("plane", "断面"),
            Self::Images => ("number of images", "画像数"),
            Self::SpacingMm => ("distance of slices in mm", "スライス間隔 (mm)"),
            Self::ThicknessMm => ("thickness of slices in mm", "スライス厚 (mm)"),
            Self::Gaps => ("missing slices", "スライスの欠け"),
            Self::Kernel => ("kernel", "再構成関数"),
            Self::Contrast => ("contrast agent", "造影剤"),
            Self::Laterality => ("side", "左右"),
            Self::BurnedIn => ("burned-in texts", "焼き込み文字"),
            Self::Description => ("description", "シリーズ記述"),
            Self::NotDescription => ("unwanted description", "除外するシリーズ記述"),
            Self::Localizers => ("scout", "位置決め画像"),
            Self::Phantoms => ("phantom", "ファントム"),
            Self::Readable => ("readable as a whole", "全画像が読めること"),
            Self::Limit => ("images of all series", "全シリーズの画像数"),
            Self::Patient => ("same patient", "同一患者"),
            Self::Earlier => ("date of the earlier study", "過去検査の日付"),
            Self::WithinMonths => ("age of the earlier study", "過去検査の時期"),
        }
    }
}
