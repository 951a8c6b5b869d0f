//! The earlier study that a service is given to compare with: looked for in the index when a job is put in.
//!
//! A prior is context. Work never waits for one: where none is comparable, or where it is gone when the job is done, the service gets
//! the study at hand alone.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_analysis::{
    inputs::Inputs,
    matching::{Facts, Match, PriorMatch, StudyFacts, Wanted},
};
use medvan_imaging::{
    Uid, json,
    query::{Narrow, date_key},
};
use medvan_profiles::descriptor::images::ImageWay;

use super::{StudyImages, WorkFault, images};
use crate::{
    App,
    archive::Archive,
    catalog::{HospitalId, ImageMember},
    store::{FoundInstance, FoundStudy, Job, JobPrior, JobSeries, Store, StoreError},
};

/// Earlier studies of a patient that are looked at, the latest first.
const STUDIES: u32 = 16;
/// Of these, whose images are read.
pub(super) const READ: usize = 4;

/// The earlier studies of one patient, for all services that want to compare with one.
pub(crate) struct Priors<'a> {
    store: &'a Store,
    archive: &'a Archive,
    hospital: &'a HospitalId,
    at_hand: &'a StudyImages,
    /// The study at hand as the index has it, and those before it; once somebody asked.
    known: Option<(StudyFacts, Vec<StudyFacts>)>,
    read: HashMap<Uid, Option<StudyImages>>,
}

/// The images of a prior, as they are stored now.
pub(super) struct PriorImages {
    pub(super) study: Uid,
    pub(super) inputs: Inputs,
    pub(super) images: Vec<FoundInstance>,
}

impl<'a> Priors<'a> {
    /// Nothing is looked for yet.
    pub(crate) fn new(
        store: &'a Store,
        archive: &'a Archive,
        hospital: &'a HospitalId,
        at_hand: &'a StudyImages,
    ) -> Self {
        Self { store, archive, hospital, at_hand, known: None, read: HashMap::new() }
    }

    /// What there is for a service that asks for a prior and gets the study at hand; nothing for others.
    ///
    /// # Errors
    /// The index does not answer, or an instance cannot be read now.
    pub(crate) async fn find(&mut self, member: &ImageMember, found: &Match) -> Result<Option<PriorMatch>, WorkFault> {
        if !wants_one(member, found) {
            return Ok(None);
        }
        let needs = &member.entry.needs;
        let (study, candidates) = self.known().await?;
        let narrowing = std::slice::from_ref(&member.terms.rules);
        let at_hand = (&study, &self.at_hand.facts);
        let mut told = PriorMatch::default();
        let Some(wanted) = Wanted::of(needs, narrowing, at_hand, found, member.entry.limits.images) else {
            return Ok(Some(told));
        };
        let mut looked_at = 0;
        for candidate in candidates {
            let mut verdict = wanted.outline(&candidate);
            if verdict.fits {
                if looked_at == READ {
                    break;
                }
                looked_at += 1;
                let images = self.images(&candidate.uid).await?;
                verdict = wanted.judge(&candidate, images.map_or(&Facts::default(), |images| &images.facts));
            }
            let is_comparable = verdict.fits;
            told.studies.push(verdict);
            if is_comparable {
                told.chosen = Some(candidate.uid);
                break;
            }
        }
        Ok(Some(told))
    }

    /// The images that were chosen, with a digest of everything that they hold.
    pub(crate) fn chosen(&self, found: &PriorMatch) -> Option<(JobPrior, Vec<Vec<u8>>)> {
        let study = found.chosen.clone()?;
        let images = self.read.get(&study)?.as_ref()?;
        let verdict = found.studies.iter().find(|verdict| verdict.study == study)?;
        let (series, digests): (Vec<JobSeries>, Vec<_>) = images.chosen_for(&verdict.needs).into_iter().unzip();
        Some((JobPrior { study, series }, digests.concat()))
    }

    /// The study at hand, and those stored before it, the latest first.
    pub(super) async fn known(&mut self) -> Result<(StudyFacts, Vec<StudyFacts>), WorkFault> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let narrow = [Narrow::StudyInstanceUid(vec![self.at_hand.study.to_string()])];
        let found = self.store.find_studies(self.hospital, &narrow, 0, 1).await?;
        let study = found.first().map(facts).ok_or(WorkFault::ImagesGone)?;
        let earlier = if study.patient_id.is_empty() || study.date.is_empty() {
            Vec::new()
        } else {
            self.store.earlier_studies(self.hospital, &study.patient_id, &study.date, STUDIES).await?
        };
        let known = (study, earlier.iter().map(facts).collect());
        self.known = Some(known.clone());
        Ok(known)
    }

    /// The originals of an earlier study; nothing where none are stored, or too many to be looked at.
    pub(super) async fn images(&mut self, study: &Uid) -> Result<Option<&StudyImages>, WorkFault> {
        if !self.read.contains_key(study) {
            let mut read = match StudyImages::read(self.store, self.archive, self.hospital, study).await {
                Err(WorkFault::StudyTooLarge(_)) => None,
                read => read?,
            };
            // Half a series, of which the other half did not come, would be compared with as if nothing were there.
            let lacking = self.store.lacking_series(self.hospital, study).await?;
            let series = read.iter_mut().flat_map(|images| &mut images.facts.series);
            for series in series.filter(|series| lacking.contains(&series.uid)) {
                series.is_unreadable = true;
            }
            self.read.insert(study.clone(), read);
        }
        Ok(self.read.get(study).and_then(Option::as_ref))
    }

    /// A study as the index has it now; something of it came meanwhile.
    pub(super) async fn anew(&mut self, study: &Uid) -> Result<Option<StudyFacts>, WorkFault> {
        self.read.remove(study);
        let narrow = [Narrow::StudyInstanceUid(vec![study.to_string()])];
        Ok(self.store.find_studies(self.hospital, &narrow, 0, 1).await?.first().map(facts))
    }
}

/// Whether a service that gets this asks for a prior and can be given one. A bare model knows no studies: its tensors are made of the
/// study at hand.
pub(super) fn wants_one(member: &ImageMember, found: &Match) -> bool {
    member.entry.needs.prior.is_some() && found.fits && !matches!(member.entry.way, ImageWay::Inference(_))
}

/// What the index tells of a study.
fn facts(found: &FoundStudy) -> StudyFacts {
    let said = json::parse(found.attributes.as_bytes()).unwrap_or_default();
    let text = |tag| said.text(tag).unwrap_or_default().trim().to_owned();
    StudyFacts {
        uid: found.uid.clone(),
        patient_id: text(tags::PATIENT_ID),
        issuer: text(tags::ISSUER_OF_PATIENT_ID),
        date: date_key(&text(tags::STUDY_DATE)).unwrap_or_default(),
        modalities: found.modalities.clone(),
    }
}

/// The images of a job's prior; nothing where it has none, where they are not stored any more, or where one of the two studies was
/// corrected to be another patient's since.
pub(super) async fn of_job(app: &App, job: &Job) -> Result<Option<PriorImages>, WorkFault> {
    let Some(JobPrior { study, series }) = &job.prior else { return Ok(None) };
    if !is_of_same_patient(&app.store, job, study).await? {
        return Ok(None);
    }
    match images::of_job(&app.store, &app.archive, &job.hospital, study, series).await {
        Ok((inputs, images)) => Ok(Some(PriorImages { study: study.clone(), inputs, images })),
        Err(WorkFault::ImagesGone) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether the index still has the job's study and its prior as one patient's.
pub(super) async fn is_of_same_patient(store: &Store, job: &Job, prior: &Uid) -> Result<bool, StoreError> {
    store.are_of_one_patient(&job.hospital, &job.study, prior).await
}
