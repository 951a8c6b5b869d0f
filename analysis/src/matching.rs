//! Which series of a study a service gets, and why the others not.
//!
//! One pure function, [`evaluate`], decides when a study arrives, explains afterwards, and tries out rules over what is stored
//! before they are switched on: there is no second opinion. Every series is held against every rule, so an explanation names
//! all that stands in the way and not only the first.

mod facts;
mod plane;
mod priors;
mod rules;
#[cfg(test)]
mod tests;

use medvan_imaging::Uid;
use medvan_profiles::descriptor::images::{Needs, Preference, SeriesNeed, SeriesRules};
use serde::Serialize;

pub use facts::{Facts, SeriesFacts};
pub use priors::{PriorMatch, PriorVerdict, SeriesTold, StudyFacts, Wanted};
pub use rules::{Refusal, RuleName};

/// What a study is for one kind of work.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Whether the work can be done.
    pub fits: bool,
    /// What of the patient or of the whole stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What became of each series that is needed.
    pub needs: Vec<NeedMatch>,
}

/// What a study has for one series that is needed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeedMatch {
    /// The need's name.
    pub need: String,
    /// Whether the work is done without it too.
    pub optional: bool,
    /// The series that is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Uid>,
    /// Every series, the best first.
    pub series: Vec<Verdict>,
}

/// What one series is for one need.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// Modality.
    pub modality: String,
    /// SeriesDescription.
    pub description: String,
    /// Images, frames counted.
    pub images: u64,
    /// Share of the rules that it meets, in percent.
    pub score: u8,
    /// The rules that it does not meet.
    pub refusals: Vec<Refusal>,
    /// It fits and another need took it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
}

/// Chooses a series for each need, in their order; `narrowing` are the hospital's own rules, which hold for every one of them.
/// The order in which the series come does not matter.
pub fn evaluate(needs: &Needs, narrowing: &[SeriesRules], facts: &Facts) -> Match {
    let refusals = rules::of_patient(needs, facts);
    let mut chosen: Vec<Uid> = Vec::new();
    let needs: Vec<NeedMatch> = needs
        .series
        .iter()
        .map(|need| {
            let found = choose(need, narrowing, facts, &chosen, &|_| Vec::new());
            chosen.extend(found.chosen.clone());
            found
        })
        .collect();
    let is_there = |need: &NeedMatch| need.optional || need.chosen.is_some();
    // Needs of which each is optional are met by one at least: of nothing nothing can be found.
    let fits = refusals.is_empty() && needs.iter().all(is_there) && !chosen.is_empty();
    Match { fits, refusals, needs }
}

impl Match {
    /// The same for a service that takes so many images at most, frames counted.
    #[must_use]
    pub fn within(mut self, most: u32) -> Self {
        let chosen = self.needs.iter().filter_map(|need| Some((need.chosen.as_ref()?, &need.series)));
        let images: u64 = chosen
            .filter_map(|(uid, series)| series.iter().find(|verdict| verdict.series == *uid))
            .map(|verdict| verdict.images)
            .sum();
        if let Err(refusal) = rules::limit(most.into(), images) {
            self.refusals.push(refusal);
            self.fits = false;
        }
        self
    }
}

/// The best series for a need; `more` holds what else is asked of each.
fn choose(
    need: &SeriesNeed,
    narrowing: &[SeriesRules],
    facts: &Facts,
    taken: &[Uid],
    more: &dyn Fn(&SeriesFacts) -> Vec<rules::Held>,
) -> NeedMatch {
    let mut judged: Vec<(&SeriesFacts, Verdict)> = facts
        .series
        .iter()
        .map(|series| {
            let mut held = rules::hold_own(&need.rules, series);
            held.extend(narrowing.iter().flat_map(|rules| rules::hold(rules, series)));
            held.extend(more(series));
            (series, Verdict::of(series, &held, taken.contains(&series.uid)))
        })
        .collect();
    judged.sort_by(|(a, a_verdict), (b, b_verdict)| {
        let by_verdict = a_verdict.rank().cmp(&b_verdict.rank());
        let by_preference = || {
            let told_apart = need.prefer.iter().map(|preference| compare(*preference, a, b));
            told_apart.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        };
        by_verdict.then_with(by_preference).then_with(|| b.images.cmp(&a.images)).then_with(|| a.uid.cmp(&b.uid))
    });
    let best = judged.first().filter(|(_, verdict)| verdict.refusals.is_empty() && !verdict.taken);
    NeedMatch {
        need: need.name.clone(),
        optional: need.optional,
        chosen: best.map(|(series, _)| series.uid.clone()),
        series: judged.into_iter().map(|(_, verdict)| verdict).collect(),
    }
}

/// Which of two is preferred: the lesser one. What does not say how it is comes last.
fn compare(preference: Preference, a: &SeriesFacts, b: &SeriesFacts) -> std::cmp::Ordering {
    let thinness = |series: &SeriesFacts| series.thickness.or(series.spacing).unwrap_or(f64::INFINITY);
    match preference {
        Preference::Thin => thinness(a).total_cmp(&thinness(b)),
        Preference::Many => b.images.cmp(&a.images),
        Preference::Original => (b.original == Some(true)).cmp(&(a.original == Some(true))),
        Preference::Late => b.number.cmp(&a.number),
    }
}

impl Verdict {
    fn of(series: &SeriesFacts, held: &[rules::Held], taken: bool) -> Self {
        let refusals: Vec<Refusal> = held.iter().filter_map(|held| held.clone().err()).collect();
        let met = held.len() - refusals.len();
        Self {
            series: series.uid.clone(),
            modality: series.modality.clone(),
            description: series.description.clone(),
            images: series.images,
            score: u8::try_from((met * 100).checked_div(held.len()).unwrap_or(100)).unwrap_or(100),
            refusals,
            taken,
        }
    }

    /// What fits comes first, then what lacks least.
    fn rank(&self) -> (bool, bool, std::cmp::Reverse<u8>) {
        (!self.refusals.is_empty(), self.taken, std::cmp::Reverse(self.score))
    }
}
