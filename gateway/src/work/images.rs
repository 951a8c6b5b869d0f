//! The images of a study or a job, and what is known of them.

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use medvan_analysis::{
    inputs::Inputs,
    matching::{Facts, Match, NeedMatch, PriorMatch, evaluate},
};
use medvan_imaging::{
    Uid,
    attributes::{self, AttributePath, Attributes},
};
use medvan_profiles::descriptor::images::SeriesRules;
use serde::Serialize;

use super::WorkFault;
use crate::{
    archive::{Archive, ReadFault},
    catalog::{HospitalId, ImageMember, ServiceName, VersionNumber},
    store::{FoundInstance, Job, JobSeries, Selection, Store},
};

/// Instances of one look at the index.
const PAGE: u32 = 500;
/// Instances of a study that are looked at. A larger one fits nobody.
const MOST: usize = 20_000;

/// The originals of a study.
pub(crate) struct StudyImages {
    /// StudyInstanceUID.
    pub(crate) study: Uid,
    /// What rules look at.
    pub(crate) facts: Facts,
    /// Its instances with pixels by series, in the order of arrival.
    series: HashMap<Uid, Vec<FoundInstance>>,
    /// PatientID, or nothing.
    pub(crate) patient_id: String,
    /// Number of Study Related Instances (0020,1208), where an instance says so.
    pub(crate) expected: Option<u64>,
    /// Instances, also those without pixels.
    pub(crate) instances: u64,
}

/// What a study is for one service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    /// The service.
    pub(crate) service: ServiceName,
    /// Its version.
    pub(crate) version: VersionNumber,
    /// Which of its kinds of work.
    pub(crate) entry: String,
    /// `live`, `shadow` or `trial`.
    pub(crate) mode: &'static str,
    /// What was decided, and why.
    #[serde(flatten)]
    pub(crate) found: Match,
    /// The earlier study that it gets too, where it asks for one and fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prior: Option<PriorMatch>,
}

impl StudyImages {
    /// Reads what is known of a study's originals; nothing where none are stored. A series with an instance that cannot be read
    /// any more fits nobody.
    ///
    /// # Errors
    /// The index does not answer, or an instance cannot be read now.
    pub(crate) async fn read(
        store: &Store,
        archive: &Archive,
        hospital: &HospitalId,
        study: &Uid,
    ) -> Result<Option<Self>, WorkFault> {
        let selection = Selection { study: study.clone(), series: None, instance: None };
        let mut images = Self {
            study: study.clone(),
            facts: Facts::new(),
            series: HashMap::new(),
            patient_id: String::new(),
            expected: None,
            instances: 0,
        };
        for found in all(store, hospital, &selection).await?.into_iter().filter(|found| found.is_original) {
            match read(archive, hospital, &found).await? {
                Some(instance) => images.take(&instance, found),
                None => images.facts.push_unreadable(&found.series_uid),
            }
        }
        images.facts = images.facts.whole();
        Ok((images.instances > 0).then_some(images))
    }

    fn take(&mut self, instance: &Attributes, found: FoundInstance) {
        self.instances += 1;
        self.facts.push(instance);
        if self.patient_id.is_empty() {
            self.patient_id = instance.text(tags::PATIENT_ID).unwrap_or_default();
        }
        let announced = instance.text(tags::NUMBER_OF_STUDY_RELATED_INSTANCES);
        self.expected = self.expected.max(announced.and_then(|number| number.trim().parse().ok()));
        if found.rows.is_some() {
            self.series.entry(found.series_uid.clone()).or_default().push(found);
        }
    }

    /// What this study is for a service, under its own rules and the hospital's; or under others that the hospital tries out.
    pub(crate) fn explain(&self, member: &ImageMember, instead: Option<&SeriesRules>) -> Explained {
        let narrowing = std::slice::from_ref(instead.unwrap_or(&member.terms.rules));
        Explained {
            service: member.name.clone(),
            version: member.version.clone(),
            entry: member.entry.id.clone(),
            mode: member.mode.word(),
            found: evaluate(&member.entry.needs, narrowing, &self.facts).within(member.entry.limits.images),
            prior: None,
        }
    }

    /// The series that were chosen, with their instances and a digest of everything that they hold.
    pub(crate) fn chosen_for(&self, needs: &[NeedMatch]) -> Vec<(JobSeries, Vec<Vec<u8>>)> {
        let chosen = needs.iter().filter_map(|need| need.chosen.as_ref());
        chosen
            .filter_map(|uid| {
                let mut instances: Vec<&FoundInstance> = self.series.get(uid)?.iter().collect();
                instances.sort_by(|a, b| (a.number, &a.uid).cmp(&(b.number, &b.uid)));
                let digests = instances.iter().map(|found| found.digest.clone()).collect();
                let instances = instances.into_iter().map(|found| found.uid.clone()).collect();
                Some((JobSeries { uid: uid.clone(), instances }, digests))
            })
            .collect()
    }
}

/// The images of a job, as they are stored now, and what evidence takes over from them.
pub(super) async fn of_job(
    store: &Store,
    archive: &Archive,
    hospital: &HospitalId,
    study: &Uid,
    series: &[JobSeries],
) -> Result<(Inputs, Vec<FoundInstance>), WorkFault> {
    let (mut inputs, mut images) = (Inputs::default(), Vec::new());
    for JobSeries { uid, instances } in series {
        let selection = Selection { study: study.clone(), series: Some(uid.clone()), instance: None };
        let found = all(store, hospital, &selection).await?;
        let mut by_uid: HashMap<Uid, FoundInstance> =
            found.into_iter().map(|found| (found.uid.clone(), found)).collect();
        for instance in instances {
            let found = by_uid.remove(instance).ok_or(WorkFault::ImagesGone)?;
            let attributes = read(archive, hospital, &found).await?.ok_or(WorkFault::ImagesGone)?;
            inputs.add(&attributes);
            images.push(found);
        }
    }
    Ok((inputs, images))
}

/// The SOP classes of a job's images, also of its prior's, as far as they are stored.
pub(super) async fn classes(store: &Store, job: &Job) -> Result<HashMap<Uid, Uid>, WorkFault> {
    let mut classes = HashMap::new();
    let prior = job.prior.iter().flat_map(|prior| prior.series.iter().map(|series| (&prior.study, series)));
    let named = job.inputs.iter().map(|series| (&job.study, series)).chain(prior);
    let selections: Vec<Selection> = named
        .map(|(study, JobSeries { uid, .. })| Selection {
            study: study.clone(),
            series: Some(uid.clone()),
            instance: None,
        })
        .collect();
    for selection in selections {
        let found = all(store, &job.hospital, &selection).await?;
        classes.extend(found.into_iter().map(|found| (found.uid, found.class)));
    }
    Ok(classes)
}

async fn all(store: &Store, hospital: &HospitalId, selection: &Selection) -> Result<Vec<FoundInstance>, WorkFault> {
    let mut all: Vec<FoundInstance> = Vec::new();
    loop {
        let after = all.last().map_or(0, |found| found.id);
        let page = store.select_instances(hospital, selection, after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if all.len() > MOST {
            return Err(WorkFault::StudyTooLarge(MOST));
        }
        if is_last {
            return Ok(all);
        }
    }
}

async fn read(
    archive: &Archive,
    hospital: &HospitalId,
    found: &FoundInstance,
) -> Result<Option<Attributes>, WorkFault> {
    match archive.data_set(hospital, found.place).await {
        Ok(file) => Ok(Some(attributes::read(&file.data_set, &|_: &AttributePath| None))),
        Err(ReadFault::Instance(_)) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}
