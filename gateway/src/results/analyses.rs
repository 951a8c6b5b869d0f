//! Observations, reports and provenances: written from what services found.

use medvan_analysis::{fhir::Told, finding::Findings};
use medvan_authoring::{Observation, Written};
use medvan_imaging::Uid;
use time::{Date, macros::format_description};
use uuid::Uuid;

use super::{Ask, Kind, Page, Question, Refusal, devices};
use crate::{
    App,
    store::{PublishedAnalysis, PublishedNarrow},
};

/// Analyses that are read at once: each may hold large masks.
const BATCH: u32 = 4;
/// Analyses that are looked at for one page; the next page goes on behind them.
const MOST: usize = 400;

/// A resource, by its id.
pub(super) async fn read(app: &App, ask: &Ask, kind: Kind, id: &str) -> Result<Option<Written>, Refusal> {
    let Some((job, place)) = position(kind, id) else { return Ok(None) };
    let Some(published) = app.store.published_analysis(ask.hospital(), job).await? else { return Ok(None) };
    let known = Known::of(app, ask, kind, &published).await?;
    let told = known.told();
    Ok(match kind {
        Kind::Provenance => Some(told.provenance().written()),
        Kind::Observation => told.observation(place).map(|observation| observation.written()),
        _ => Some(told.report().written()),
    })
}

/// Those that are meant, the newest first.
pub(super) async fn search(app: &App, ask: &Ask, kind: Kind, question: &Question) -> Result<Page, Refusal> {
    let mut page = Page { found: Vec::new(), next: None };
    let after = match &question.after {
        Some(after) => Some(position(kind, after).ok_or_else(|| Refusal::BadRequest("_after is no id".to_owned()))?),
        None => None,
    };
    let Some(narrow) = narrow(app, ask, kind, question).await? else { return Ok(page) };
    let mut from = after.map(|(job, _)| job);
    let mut looked = 0;
    loop {
        let batch = app.store.published_analyses(ask.hospital(), &narrow, from, BATCH).await?;
        for published in &batch {
            let job = published.analysis.job;
            // The next batch begins with the last one of this.
            if looked > 0 && from == Some(job) {
                continue;
            }
            let passed = after.filter(|(passed, _)| *passed == job).map(|(_, place)| place);
            let known = Known::of(app, ask, kind, published).await?;
            for (id, resource) in resources(kind, &known.told(), question, passed) {
                if page.found.len() == question.count {
                    page.next = page.found.last().map(|(id, _)| id.clone());
                    return Ok(page);
                }
                page.found.push((id, resource));
            }
            looked += 1;
        }
        let Some(last) = batch.last().filter(|_| batch.len() == BATCH as usize) else { return Ok(page) };
        if looked >= MOST {
            page.next = Some(end(kind, last));
            return Ok(page);
        }
        from = Some(last.analysis.job);
    }
}

/// What an id names: a job, and for an observation the place of its finding, counted from 0.
fn position(kind: Kind, id: &str) -> Option<(Uuid, usize)> {
    let (job, place) = match kind {
        Kind::Observation => id.split_once('.')?,
        _ => (id, "1"),
    };
    let job = Uuid::try_parse(job).ok().filter(|parsed| parsed.to_string() == job)?;
    let number: usize = place.parse().ok().filter(|number: &usize| number.to_string() == place)?;
    Some((job, number.checked_sub(1)?))
}

/// An id behind everything that was made of an analysis.
fn end(kind: Kind, last: &PublishedAnalysis) -> String {
    match kind {
        Kind::Observation => format!("{}.{}", last.analysis.job, u32::MAX),
        _ => last.analysis.job.to_string(),
    }
}

/// Nothing where nothing can match.
async fn narrow(app: &App, ask: &Ask, kind: Kind, question: &Question) -> Result<Option<PublishedNarrow>, Refusal> {
    if question.is_of_nothing {
        return Ok(None);
    }
    let mut narrow = PublishedNarrow {
        patient_id: question.patient.clone(),
        study: question.study.clone(),
        service: question.service.clone(),
        study_dates: (question.days.0.map(compact), question.days.1.map(compact)),
        at: question.at,
        ..PublishedNarrow::default()
    };
    if let Some(ids) = &question.ids {
        narrow.jobs = Some(ids.iter().filter_map(|id| position(kind, id)).map(|(job, _)| job).collect());
    }
    if let Some(target) = question.target {
        let is_meant = narrow.jobs.as_ref().is_none_or(|jobs| jobs.contains(&target));
        narrow.jobs = Some(if is_meant { vec![target] } else { Vec::new() });
    }
    if let Some(device) = question.device {
        let known = app.store.published_services(ask.hospital()).await?;
        let meant = known.into_iter().find(|(service, version)| devices::id_of(service, version) == device.to_string());
        let Some((service, version)) = meant else { return Ok(None) };
        if narrow.service.replace(service.clone()).is_some_and(|asked| asked != service) {
            return Ok(None);
        }
        narrow.version = Some(version);
    }
    Ok(Some(narrow))
}

/// The resources of one analysis that are meant, behind those that an earlier page had.
fn resources(kind: Kind, told: &Told<'_>, question: &Question, passed: Option<usize>) -> Vec<(String, Written)> {
    match kind {
        Kind::Observation => {
            let rest = told.observations().enumerate().filter(|(place, _)| passed.is_none_or(|passed| *place > passed));
            let meant = rest.map(|(_, observation)| observation).filter(|observation| is_meant(observation, question));
            meant.map(|observation| (observation.header.id.clone(), observation.written())).collect()
        }
        _ if passed.is_some() => Vec::new(),
        Kind::Provenance => vec![(told.job.to_string(), told.provenance().written())],
        _ => vec![(told.job.to_string(), told.report().written())],
    }
}

fn is_meant(observation: &Observation, question: &Question) -> bool {
    let has_id = question.ids.as_ref().is_none_or(|ids| ids.contains(&observation.header.id));
    has_id && question.codes.as_ref().is_none_or(|asked| asked.iter().any(|asked| has_code(observation, asked)))
}

/// `code`, `system|code`, `system|` or `|code` (FHIR R4 §3.1.1.4.10).
fn has_code(observation: &Observation, asked: &str) -> bool {
    observation.code.codes.iter().any(|code| match asked.split_once('|') {
        None => code.code == asked,
        Some(("", value)) => code.system.is_none() && code.code == value,
        Some((system, value)) => code.system.as_deref() == Some(system) && (value.is_empty() || code.code == value),
    })
}

/// An analysis, and what is told with it.
struct Known<'a> {
    published: &'a PublishedAnalysis,
    findings: Findings,
    service: String,
    version: String,
    supersedes: Vec<Uuid>,
    inputs: Vec<(Uid, usize)>,
    evidence: Vec<(Uid, Uid, String)>,
}

impl<'a> Known<'a> {
    async fn of(app: &App, ask: &Ask, kind: Kind, published: &'a PublishedAnalysis) -> Result<Self, Refusal> {
        let analysis = &published.analysis;
        let findings = serde_json::from_str(&analysis.findings).map_err(|_| {
            tracing::error!(job = %analysis.job, "stored findings cannot be read");
            Refusal::Internal
        })?;
        let supersedes = match kind {
            Kind::Provenance => app.store.superseded(ask.hospital(), &analysis.study, analysis.job).await?,
            _ => Vec::new(),
        };
        let study = format!("{}/studies/{}", ask.dicom_web, analysis.study);
        let evidence = analysis.evidence.iter().map(|object| {
            let url = format!("{study}/series/{}/instances/{}", object.series, object.instance);
            (object.class.clone(), object.instance.clone(), url)
        });
        Ok(Self {
            published,
            findings,
            service: analysis.service.to_string(),
            version: analysis.version.to_string(),
            supersedes,
            inputs: published.inputs.iter().map(|series| (series.uid.clone(), series.instances.len())).collect(),
            evidence: evidence.collect(),
        })
    }

    fn told(&self) -> Told<'_> {
        let analysis = &self.published.analysis;
        Told {
            job: analysis.job,
            at: analysis.at,
            is_superseded: analysis.superseded_by.is_some(),
            supersedes: &self.supersedes,
            patient_id: &analysis.patient_id,
            study: &analysis.study,
            study_date: day(&self.published.study_date),
            service: &self.service,
            version: &self.version,
            findings: &self.findings,
            inputs: &self.inputs,
            evidence: &self.evidence,
        }
    }
}

/// A day as DICOM writes it.
pub(super) fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), u8::from(day.month()), day.day())
}

/// A day as DICOM writes it, if it is one.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year][month][day]")).ok()
}
