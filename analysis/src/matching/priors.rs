//! Which earlier study of a patient a service is given to compare with, and why the others not.
//!
//! A prior is context and never in the way: where none is comparable, the work is done without one.

use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::{Needs, SeriesNeed, SeriesRules};
use serde::Serialize;
use time::{Date, Month};

use super::{
    Facts, Match, NeedMatch, Refusal, SeriesFacts, choose,
    facts::date,
    rules::{self, Held, RuleName},
};

/// What an index tells of a study before anybody has looked at its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFacts {
    /// StudyInstanceUID.
    pub uid: Uid,
    /// PatientID, or nothing.
    pub patient_id: String,
    /// IssuerOfPatientID, or nothing.
    pub issuer: String,
    /// StudyDate, `YYYYMMDD`, or nothing.
    pub date: String,
    /// Modalities in Study (0008,0061).
    pub modalities: Vec<String>,
}

/// What an archive tells of a series before anybody has its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesTold {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Modality, or nothing.
    pub modality: String,
    /// BodyPartExamined, or nothing.
    pub body_part: String,
    /// SeriesDescription, or nothing.
    pub description: String,
    /// Number of Series Related Instances (0020,1209), where it is told.
    pub instances: Option<u64>,
}

/// What a prior is looked for: a study at hand that fits, and what was chosen of it.
#[derive(Debug)]
pub struct Wanted<'a> {
    study: &'a StudyFacts,
    day: Date,
    /// The earliest day of a prior.
    since: Date,
    narrowing: &'a [SeriesRules],
    /// Each need with the series that was chosen for it.
    chosen: Vec<(&'a SeriesNeed, &'a SeriesFacts)>,
    /// Images that the service takes besides those that were chosen.
    room: u64,
}

/// What was found among the earlier studies of a patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriorMatch {
    /// The study that is given too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Uid>,
    /// The studies that were looked at, the latest first, until one was comparable.
    pub studies: Vec<PriorVerdict>,
}

/// What an earlier study is as a prior.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriorVerdict {
    /// StudyInstanceUID.
    pub study: Uid,
    /// StudyDate, `YYYYMMDD`, or nothing.
    pub date: String,
    /// Whether it is comparable.
    pub fits: bool,
    /// How far the study, and the best series for each need, meet their rules: the mean, in percent.
    pub score: u8,
    /// What of the study as a whole stands in the way.
    pub refusals: Vec<Refusal>,
    /// Its series for each need; none where the study as a whole is refused before its images are looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<NeedMatch>,
}

impl<'a> Wanted<'a> {
    /// What a prior must be for a service that takes so many images at most, frames counted. Nothing where it asks for none, where
    /// the study at hand does not fit, or does not say whose or of when it is.
    pub fn of(
        needs: &'a Needs,
        narrowing: &'a [SeriesRules],
        (study, facts): (&'a StudyFacts, &'a Facts),
        found: &Match,
        most: u32,
    ) -> Option<Self> {
        let months = needs.prior?.within_months;
        let day = date(&study.date)?;
        if !found.fits || study.patient_id.is_empty() {
            return None;
        }
        let series = |uid: &Uid| facts.series.iter().find(|series| series.uid == *uid);
        let pairs = needs.series.iter().zip(&found.needs);
        let chosen: Vec<_> = pairs.filter_map(|(need, found)| Some((need, series(found.chosen.as_ref()?)?))).collect();
        let images = chosen.iter().map(|(_, series)| series.images).sum();
        let room = u64::from(most).saturating_sub(images);
        Some(Self { study, day, since: months_before(day, months), narrowing, chosen, room })
    }

    /// The days of which a prior may be, the first and the last one, `YYYYMMDD`.
    pub fn days(&self) -> (String, String) {
        (key(self.since), key(self.day.previous_day().unwrap_or(self.day)))
    }

    /// Images that a prior may have, frames counted.
    pub fn room(&self) -> u64 {
        self.room
    }

    /// Which series of an earlier study are worth being fetched, by what an archive tells of them: for each need one in the first
    /// list, the next best in the second, and so on. What is not told stands in nobody's way; the images decide.
    pub fn promising(&self, told: &[SeriesTold]) -> Vec<Vec<Uid>> {
        let by_need: Vec<Vec<&SeriesTold>> =
            self.chosen.iter().map(|(need, at_hand)| self.promising_for(need, at_hand, told)).collect();
        let longest = by_need.iter().map(Vec::len).max().unwrap_or_default();
        let round = |number: usize| {
            let mut round: Vec<Uid> = Vec::new();
            for series in by_need.iter().filter_map(|series| series.get(number)) {
                if !round.contains(&series.uid) {
                    round.push(series.uid.clone());
                }
            }
            round
        };
        (0..longest).map(round).collect()
    }

    fn promising_for<'t>(
        &self,
        need: &SeriesNeed,
        at_hand: &SeriesFacts,
        told: &'t [SeriesTold],
    ) -> Vec<&'t SeriesTold> {
        let all_rules = || std::iter::once(&need.rules).chain(self.narrowing);
        let may_fit = |series: &&SeriesTold| {
            let own = need.rules.localizers != Some(true) && rules::is_told_a_scout(series);
            let is_refused = own || all_rules().any(|rules| rules::is_told_otherwise(rules, series));
            !is_refused && rules::is_told_alike(at_hand, series) && series.instances.is_none_or(|n| n <= self.room)
        };
        let mut found: Vec<&SeriesTold> = told.iter().filter(may_fit).collect();
        let rank = |series: &SeriesTold| {
            let is_same = series.description.trim() == at_hand.description.trim();
            (!is_same, series.instances.map_or(u64::MAX, |number| number.abs_diff(at_hand.images)))
        };
        found.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.uid.cmp(&b.uid)));
        found
    }

    /// What can be said of an earlier study without its images. One that fits so far is worth being looked at.
    pub fn outline(&self, candidate: &StudyFacts) -> PriorVerdict {
        let held = self.hold_study(candidate);
        let refusals: Vec<Refusal> = held.iter().filter_map(|held| held.clone().err()).collect();
        PriorVerdict {
            study: candidate.uid.clone(),
            date: candidate.date.clone(),
            fits: refusals.is_empty(),
            score: percent(held.len() - refusals.len(), held.len()),
            refusals,
            needs: Vec::new(),
        }
    }

    /// What an earlier study is, with its images. Its series are chosen by the rules of the needs, and must be like those of the study
    /// at hand.
    pub fn judge(&self, candidate: &StudyFacts, facts: &Facts) -> PriorVerdict {
        let mut verdict = self.outline(candidate);
        verdict.needs = self.choose(facts);
        let best = verdict.needs.iter().map(|need| need.series.first().map_or(0, |series| usize::from(series.score)));
        let scores: Vec<usize> = std::iter::once(usize::from(verdict.score)).chain(best).collect();
        verdict.score = u8::try_from(scores.iter().sum::<usize>() / scores.len()).unwrap_or(100);
        let chosen: Vec<&Uid> = verdict.needs.iter().filter_map(|need| need.chosen.as_ref()).collect();
        let images =
            facts.series.iter().filter(|series| chosen.contains(&&series.uid)).map(|series| series.images).sum();
        // All of it computed from images: there is nothing in it that was seen.
        let is_derived = !facts.series.is_empty() && facts.series.iter().all(|series| series.original == Some(false));
        let whole = [rules::is(RuleName::Original, true, Some(!is_derived)), rules::limit(self.room, images)];
        verdict.refusals.extend(whole.into_iter().filter_map(Result::err));
        let is_there = |need: &NeedMatch| need.optional || need.chosen.is_some();
        verdict.fits = verdict.refusals.is_empty() && !chosen.is_empty() && verdict.needs.iter().all(is_there);
        verdict
    }

    fn choose(&self, facts: &Facts) -> Vec<NeedMatch> {
        let mut taken: Vec<Uid> = Vec::new();
        let needs = self.chosen.iter().map(|(need, at_hand)| {
            let found = choose(need, self.narrowing, facts, &taken, &|series| rules::hold_like(at_hand, series));
            taken.extend(found.chosen.clone());
            found
        });
        needs.collect()
    }

    fn hold_study(&self, candidate: &StudyFacts) -> Vec<Held> {
        let (own, day) = (self.study, date(&candidate.date));
        let is_same = own.patient_id == candidate.patient_id && own.issuer == candidate.issuer;
        let modalities = self.chosen.iter().map(|(_, series)| series.modality.as_str());
        let mut wanted: Vec<&str> = modalities.collect();
        wanted.sort_unstable();
        wanted.dedup();
        let has_one = wanted.iter().any(|wanted| candidate.modalities.iter().any(|found| found == wanted));
        let found = || candidate.date.clone();
        vec![
            // No id is repeated: the explanation of one patient's study tells nothing of another's.
            rules::is(RuleName::Patient, true, Some(is_same)),
            rules::held(
                day.is_some_and(|day| day < self.day) && candidate.uid != own.uid,
                RuleName::Earlier,
                format!("before {}", own.date),
                found(),
            ),
            rules::held(
                day.is_some_and(|day| day >= self.since),
                RuleName::WithinMonths,
                format!("from {}", key(self.since)),
                found(),
            ),
            rules::held(has_one, RuleName::Modality, wanted.join(" | "), candidate.modalities.join(", ")),
        ]
    }
}

/// The same day of an earlier month, or the last one of it.
fn months_before(day: Date, months: u32) -> Date {
    let month = i64::from(day.year()) * 12 + i64::from(u8::from(day.month())) - 1 - i64::from(months);
    let year = i32::try_from(month.div_euclid(12)).unwrap_or(i32::MIN);
    let month = u8::try_from(month.rem_euclid(12) + 1).ok().and_then(|month| Month::try_from(month).ok());
    let found = month.and_then(|month| {
        let last = month.length(year);
        Date::from_calendar_date(year, month, day.day().min(last)).ok()
    });
    found.unwrap_or(Date::MIN)
}

fn key(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), u8::from(day.month()), day.day())
}

fn percent(part: usize, whole: usize) -> u8 {
    u8::try_from((part * 100).checked_div(whole).unwrap_or(100)).unwrap_or(100)
}
