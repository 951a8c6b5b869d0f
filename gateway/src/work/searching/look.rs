//! One search: what the store and the archive have of the patient, the latest first; and of what is promising, the series that are
//! wanted and not here.

use std::collections::{HashMap, HashSet};

use medvan_analysis::matching::{Facts, SeriesTold, StudyFacts, Wanted};
use medvan_imaging::Uid;

use super::report::{Fetched, Looked, Report};
use crate::{
    App,
    catalog::ImageMember,
    store::{PriorSearch, Selection, StoreError},
    work::{
        Explained, Priors, StudyImages, WorkFault,
        pacs::{Pacs, PacsFault, STUDIES, ToldInstance, ToldStudy},
        priors::{READ, wants_one},
    },
};

/// Series of one study that are tried for each need, one after the other.
const ROUNDS: usize = 3;
/// Instances of one series that are fetched.
const INSTANCES: usize = 4_000;
/// What a node sends so long after the time is over is still part of what was asked for.
const AFTER: time::Duration = time::Duration::minutes(10);

/// A search under way.
struct Look<'a> {
    app: &'a App,
    search: &'a PriorSearch,
    pacs: Pacs<'a>,
    priors: Priors<'a>,
    candidates: Vec<Candidate>,
    /// What the archive told of the series of a study.
    told: HashMap<Uid, Vec<SeriesTold>>,
    /// Series that were asked for.
    asked: HashSet<Uid>,
    report: &'a mut Report,
}

/// An earlier study, in the store or in the archive or in both.
struct Candidate {
    facts: StudyFacts,
    is_stored: bool,
    is_in_pacs: bool,
}

/// Why a search ends before its end.
enum Stop {
    Pacs(PacsFault),
    Here(WorkFault),
}

/// Looks for priors for every service that wants one, and fetches them. Tells what it does in the report as it goes on.
pub(super) async fn look(app: &App, search: &PriorSearch, report: &mut Report) -> Result<(), PacsFault> {
    match look_for_all(app, search, report).await {
        Ok(()) => Ok(()),
        Err(Stop::Pacs(fault)) => Err(fault),
        Err(Stop::Here(fault)) => {
            tracing::error!(error = &fault as &dyn std::error::Error, "priors cannot be looked for");
            Err(PacsFault::ours())
        }
    }
}

async fn look_for_all(app: &App, search: &PriorSearch, report: &mut Report) -> Result<(), Stop> {
    let snapshot = app.catalog.current();
    let view = snapshot.hospital(&search.hospital).ok_or_else(PacsFault::no_archive)?;
    let imaging = view.hospital.imaging.as_ref().ok_or_else(PacsFault::no_archive)?;
    let pacs = Pacs::of(app, &search.hospital, imaging)?;
    let Some(images) = StudyImages::read(&app.store, &app.archive, &search.hospital, &search.study).await? else {
        return Ok(());
    };
    let explained = view.analyzers.iter().map(|member| (&**member, images.explain(member, None)));
    let explained: Vec<(&ImageMember, Explained)> =
        explained.filter(|(member, explained)| wants_one(member, &explained.found)).collect();
    let mut priors = Priors::new(&app.store, &app.archive, &search.hospital, &images);
    let (study, stored) = priors.known().await?;
    let wanted = explained.iter().filter_map(|(member, explained)| {
        let (needs, narrowing) = (&member.entry.needs, std::slice::from_ref(&member.terms.rules));
        let at_hand = (&study, &images.facts);
        let wanted = Wanted::of(needs, narrowing, at_hand, &explained.found, member.entry.limits.images)?;
        Some((*member, wanted))
    });
    let wanted: Vec<(&ImageMember, Wanted<'_>)> = wanted.collect();
    let Some((first, last)) = days(&wanted) else { return Ok(()) };
    let (told, is_all) = pacs.studies(&study.patient_id, (&first, &last)).await?;
    report.is_cut = !is_all;
    let candidates = together(&study, stored, told);
    let mut look = Look { app, search, pacs, priors, candidates, told: HashMap::new(), asked: HashSet::new(), report };
    look.begin();
    for (member, wanted) in &wanted {
        look.look_for(member, wanted).await?;
    }
    Ok(())
}

/// The days of which a prior for any of these may be.
fn days(wanted: &[(&ImageMember, Wanted<'_>)]) -> Option<(String, String)> {
    let days = wanted.iter().map(|(_, wanted)| wanted.days());
    days.reduce(|(first, last), (other_first, other_last)| (first.min(other_first), last.max(other_last)))
}

/// What is stored and what the archive tells of, the latest first. What is stored is known by its own images.
fn together(at_hand: &StudyFacts, stored: Vec<StudyFacts>, told: Vec<ToldStudy>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> =
        stored.into_iter().map(|facts| Candidate { facts, is_stored: true, is_in_pacs: false }).collect();
    for ToldStudy { mut facts, says_no_issuer } in told {
        if says_no_issuer {
            // Many archives do not tell it. What the images say decides, when they are here.
            facts.issuer.clone_from(&at_hand.issuer);
        }
        match candidates.iter_mut().find(|known| known.facts.uid == facts.uid) {
            Some(known) => known.is_in_pacs = true,
            None => candidates.push(Candidate { facts, is_stored: false, is_in_pacs: true }),
        }
    }
    candidates.retain(|candidate| candidate.facts.uid != at_hand.uid);
    candidates.sort_by(|a, b| b.facts.date.cmp(&a.facts.date));
    candidates.truncate(STUDIES);
    candidates
}

impl Look<'_> {
    fn begin(&mut self) {
        let places = |candidate: &Candidate| {
            let stored = candidate.is_stored.then_some("store");
            stored.into_iter().chain(candidate.is_in_pacs.then_some("pacs")).collect()
        };
        let looked = self.candidates.iter().map(|candidate| Looked::of(&candidate.facts, places(candidate)));
        self.report.studies = looked.collect();
    }

    /// The latest comparable study for one service, fetched as far as it is not here.
    async fn look_for(&mut self, member: &ImageMember, wanted: &Wanted<'_>) -> Result<(), Stop> {
        let mut looked_at = 0;
        for at in 0..self.candidates.len() {
            self.learn_modalities(at).await?;
            let Some(candidate) = self.candidates.get(at) else { break };
            let (study, is_in_pacs) = (candidate.facts.uid.clone(), candidate.is_in_pacs);
            let outline = wanted.outline(&candidate.facts);
            self.tell(at, |looked| looked.is_for(&member.name, &member.entry.id, &outline));
            if !outline.fits {
                continue;
            }
            if looked_at == READ {
                break;
            }
            looked_at += 1;
            let brought = if is_in_pacs { self.bring(at, &study, wanted).await } else { Ok(()) };
            match brought {
                Err(Stop::Pacs(fault)) if !fault.is_failure => self.tell(at, |looked| looked.not_fetched = Some(fault)),
                brought => brought?,
            }
            if self.is_comparable(at, &study, member, wanted).await? {
                break;
            }
        }
        Ok(())
    }

    /// An archive need not tell modalities at the level of studies (PS3.4 table C.6-5): its series do.
    async fn learn_modalities(&mut self, at: usize) -> Result<(), Stop> {
        let Some(candidate) = self.candidates.get(at) else { return Ok(()) };
        if candidate.is_stored || !candidate.facts.modalities.is_empty() {
            return Ok(());
        }
        let study = candidate.facts.uid.clone();
        let mut modalities: Vec<String> = self.series_of(&study).await?.into_iter().map(|told| told.modality).collect();
        modalities.sort_unstable();
        modalities.dedup();
        if let Some(candidate) = self.candidates.get_mut(at) {
            candidate.facts.modalities = modalities;
        }
        Ok(())
    }

    async fn series_of(&mut self, study: &Uid) -> Result<Vec<SeriesTold>, Stop> {
        if let Some(told) = self.told.get(study) {
            return Ok(told.clone());
        }
        let told = self.pacs.series(study).await?;
        self.told.insert(study.clone(), told.clone());
        Ok(told)
    }

    /// Fetches what is promising of a study, until it is comparable by its images.
    async fn bring(&mut self, at: usize, study: &Uid, wanted: &Wanted<'_>) -> Result<(), Stop> {
        let told = self.series_of(study).await?;
        for round in wanted.promising(&told).into_iter().take(ROUNDS) {
            for series in told.iter().filter(|told| round.contains(&told.uid)) {
                if self.asked.insert(series.uid.clone()) {
                    self.fetch(at, study, series, wanted.room()).await?;
                }
            }
            if self.verdict(study, wanted).await?.is_some_and(|verdict| verdict.fits) {
                break;
            }
        }
        Ok(())
    }

    /// Fetches the instances of a series that are not here. That it was asked for is safe before it is: what arrives is no new study,
    /// and what does not arrive is missed.
    async fn fetch(&mut self, at: usize, study: &Uid, told: &SeriesTold, room: u64) -> Result<(), Stop> {
        let before = self.stored(study, &told.uid).await?;
        // Some archives do not count and tell 0.
        if told.instances.is_some_and(|told| told > 0 && before.len() as u64 >= told) {
            return Ok(());
        }
        let listed = self.pacs.instances(study, &told.uid).await?;
        let (of_all, is_listed) = (listed.len(), !listed.is_empty());
        let missing: Vec<ToldInstance> = listed.into_iter().filter(|told| !before.contains(&told.uid)).collect();
        if is_listed && missing.is_empty() {
            return Ok(());
        }
        let most = usize::try_from(room).unwrap_or(INSTANCES).min(INSTANCES);
        if of_all > most {
            return Err(PacsFault::too_many().into());
        }
        let expected = if is_listed { Some(of_all as u64) } else { told.instances };
        let (now, until) = (self.app.clock.now(), self.search.until + AFTER);
        let named = (&self.search.hospital, study, &told.uid);
        self.app.store.expect_prior(named, expected, self.pacs.sender(), now, until).await?;
        let whole = (missing.len() == of_all).then_some(if is_listed { of_all } else { most });
        let fetched = self.pacs.fetch(study, &told.uid, &missing, whole).await;
        let came = self.stored(study, &told.uid).await?.difference(&before).count();
        if came > 0 {
            let series = told.uid.clone();
            self.tell(at, |looked| looked.fetched.push(Fetched { series, instances: came }));
        }
        fetched?;
        if came == 0 {
            return Err(PacsFault::nothing_came().into());
        }
        if expected.is_none() {
            self.app.store.prior_is_whole(&self.search.hospital, study, &told.uid).await?;
        }
        Ok(())
    }

    async fn stored(&self, study: &Uid, series: &Uid) -> Result<HashSet<Uid>, StoreError> {
        let selection = Selection { study: study.clone(), series: Some(series.clone()), instance: None };
        let most = u32::try_from(2 * INSTANCES).unwrap_or(u32::MAX);
        let found = self.app.store.select_instances(&self.search.hospital, &selection, 0, most).await?;
        Ok(found.into_iter().map(|found| found.uid).collect())
    }

    /// What a study is by its own images; nothing where none are stored.
    async fn verdict(
        &mut self,
        study: &Uid,
        wanted: &Wanted<'_>,
    ) -> Result<Option<medvan_analysis::matching::PriorVerdict>, Stop> {
        let Some(facts) = self.priors.anew(study).await? else { return Ok(None) };
        let images = self.priors.images(study).await?;
        Ok(Some(wanted.judge(&facts, images.map_or(&Facts::default(), |images| &images.facts))))
    }

    async fn is_comparable(
        &mut self,
        at: usize,
        study: &Uid,
        member: &ImageMember,
        wanted: &Wanted<'_>,
    ) -> Result<bool, Stop> {
        let Some(verdict) = self.verdict(study, wanted).await? else { return Ok(false) };
        self.tell(at, |looked| looked.is_for(&member.name, &member.entry.id, &verdict));
        Ok(verdict.fits)
    }

    fn tell(&mut self, at: usize, what: impl FnOnce(&mut Looked)) {
        if let Some(looked) = self.report.studies.get_mut(at) {
            what(looked);
        }
    }
}

impl From<PacsFault> for Stop {
    fn from(fault: PacsFault) -> Self {
        Self::Pacs(fault)
    }
}

impl From<WorkFault> for Stop {
    fn from(fault: WorkFault) -> Self {
        Self::Here(fault)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Here(error.into())
    }
}
