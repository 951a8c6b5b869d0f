//! Observations, reports, provenances and imaging selections: written from what services found.

use std::collections::HashMap;

use medvan_analysis::{
    evidence::Reference,
    fhir::{Image, Part, Told},
    finding::Findings,
};
use medvan_authoring::{Concept, ImagingSelection, Named, Observation, Release, Written};
use medvan_imaging::{Uid, query::Narrow};
use time::{Date, macros::format_description};
use uuid::Uuid;

use super::{Ask, Kind, Page, Question, Refusal, devices, stored};
use crate::{
    App,
    store::{EvidenceObject, PublishedAnalysis, PublishedNarrow},
};

/// Analyses that are read at once: each may hold large masks.
const BATCH: u32 = 4;
/// Analyses that are looked at for one page; the next page goes on behind them.
const MOST: usize = 400;
/// Bytes of imaging selections after which a page ends: one of a mask names all its images.
const PAGE_BYTES: usize = 4 << 20;
/// Instances that are looked up at once.
const INSTANCES: usize = 500;

/// The place of a finding, counted from 0, and for an imaging selection which part of it.
type Spot = (usize, Part);

/// A resource, by its id.
pub(super) async fn read(app: &App, ask: &Ask, kind: Kind, id: &str) -> Result<Option<Written>, Refusal> {
    let _place = app.side_by_side.wait(ask.hospital()).await.ok_or(Refusal::Busy)?;
    let Some((job, (place, part))) = position(kind, id) else { return Ok(None) };
    let Some(published) = app.store.published_analysis(ask.hospital(), job).await? else { return Ok(None) };
    let mut known = Known::of(app, ask, kind, &published).await?;
    if kind == Kind::ImagingSelection {
        known.images = images(app, ask, &known.findings, &[(place, part)]).await?;
    }
    let told = known.told();
    Ok(match kind {
        Kind::Provenance => Some(told.provenance().written()),
        Kind::Observation => told.observation(place).map(|observation| observation.written()),
        Kind::ImagingSelection => told.selector().and_then(|selector| Some(selector.selection(place, part)?.written())),
        _ => Some(told.report().written(ask.release)),
    })
}

/// Those that are meant, the newest first.
pub(super) async fn search(app: &App, ask: &Ask, kind: Kind, question: &Question) -> Result<Page, Refusal> {
    // Large masks take memory and time: a hospital that asks for many at once waits for itself.
    let _place = app.side_by_side.wait(ask.hospital()).await.ok_or(Refusal::Busy)?;
    let mut page = Page { found: Vec::new(), next: None };
    let after = match &question.after {
        Some(after) => Some(position(kind, after).ok_or_else(|| Refusal::BadRequest("_after is no id".to_owned()))?),
        None => None,
    };
    let Some(narrow) = narrow(app, ask, kind, question).await? else { return Ok(page) };
    let mut from = after.map(|(job, _)| job);
    let (mut looked, mut bytes) = (0, 0);
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
            let room =
                Room { resources: question.count + 1 - page.found.len(), bytes: PAGE_BYTES.saturating_sub(bytes) };
            let found = match kind {
                Kind::ImagingSelection => selections(app, ask, known, question, passed, room).await?,
                _ => resources(kind, &known.told(), question, passed),
            };
            for (id, resource) in found {
                if page.found.len() == question.count || (kind == Kind::ImagingSelection && bytes >= PAGE_BYTES) {
                    page.next = page.found.last().map(|(id, _)| id.clone());
                    return Ok(page);
                }
                bytes += resource.get().len();
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

/// What an id names: a job, and where in what was found; ids count from 1.
fn position(kind: Kind, id: &str) -> Option<(Uuid, Spot)> {
    let mut parts = id.splitn(3, '.');
    let job = parts.next()?;
    let (place, part) = match kind {
        Kind::Observation => (parts.next()?, Part::Place),
        Kind::ImagingSelection => (parts.next()?, parts.next()?.parse().ok()?),
        _ => ("1", Part::Place),
    };
    let job = Uuid::try_parse(job).ok().filter(|parsed| parsed.to_string() == job)?;
    let number: usize = place.parse().ok().filter(|number: &usize| number.to_string() == place)?;
    parts.next().is_none().then_some((job, (number.checked_sub(1)?, part)))
}

/// An id behind everything that was made of an analysis.
fn end(kind: Kind, last: &PublishedAnalysis) -> String {
    match kind {
        Kind::Observation => format!("{}.{}", last.analysis.job, u32::MAX),
        Kind::ImagingSelection => format!("{}.{}.{}", last.analysis.job, u32::MAX, Part::Report),
        _ => last.analysis.job.to_string(),
    }
}

/// Nothing where nothing can match.
async fn narrow(app: &App, ask: &Ask, kind: Kind, question: &Question) -> Result<Option<PublishedNarrow>, Refusal> {
    if question.is_of_nothing {
        return Ok(None);
    }
    let mut narrow = question.narrow();
    if let Some(ids) = &question.ids {
        narrow.jobs = Some(ids.iter().filter_map(|id| position(kind, id)).map(|(job, _)| job).collect());
    }
    let derived = question.derived.as_deref().map(|id| position(Kind::Observation, id).map(|(job, _)| job));
    for target in [question.target.map(Some), derived].into_iter().flatten() {
        let target = target.filter(|target| narrow.jobs.as_ref().is_none_or(|jobs| jobs.contains(target)));
        narrow.jobs = Some(target.into_iter().collect());
    }
    if let Some(device) = question.device {
        let known = app.store.published_services(ask.hospital(), &PublishedNarrow::default()).await?;
        let meant = known.into_iter().find(|(service, version)| devices::id_of(service, version) == device.to_string());
        let Some((service, version)) = meant else { return Ok(None) };
        if narrow.service.replace(service.clone()).is_some_and(|asked| asked != service) {
            return Ok(None);
        }
        narrow.version = Some(version);
    }
    Ok(Some(narrow))
}

/// What still goes onto a page.
#[derive(Clone, Copy)]
struct Room {
    resources: usize,
    bytes: usize,
}

/// The resources of one analysis that are meant, behind those that an earlier page had.
fn resources(kind: Kind, told: &Told<'_>, question: &Question, passed: Option<Spot>) -> Vec<(String, Written)> {
    match kind {
        Kind::Observation => {
            let rest = told.observations().enumerate();
            let rest = rest.filter(|(place, _)| passed.is_none_or(|(passed, _)| *place > passed));
            let meant = rest.map(|(_, observation)| observation).filter(|observation| is_meant(observation, question));
            meant.map(|observation| (observation.header.id.clone(), observation.written())).collect()
        }
        _ if passed.is_some() => Vec::new(),
        Kind::Provenance => vec![(told.job.to_string(), told.provenance().written())],
        _ => {
            let report = Some(told.report()).filter(|report| has(&report.code, &question.codes));
            report.map(|report| (told.job.to_string(), report.written(told.release))).into_iter().collect()
        }
    }
}

/// The imaging selections of one analysis, alike; one more than there is room for, where there are more.
async fn selections(
    app: &App,
    ask: &Ask,
    mut known: Known<'_>,
    question: &Question,
    passed: Option<Spot>,
    room: Room,
) -> Result<Vec<(String, Written)>, Refusal> {
    let spots = meant(&known.told(), question, passed, room.resources);
    known.images = images(app, ask, &known.findings, &spots).await?;
    let told = known.told();
    let Some(selector) = told.selector() else { return Ok(Vec::new()) };
    let (mut found, mut bytes) = (Vec::new(), 0);
    for selection in spots.into_iter().filter_map(|(place, part)| selector.selection(place, part)) {
        let (is_full, written) = (bytes >= room.bytes, selection.written());
        bytes += written.get().len();
        found.push((selection.header.id, written));
        if is_full {
            break;
        }
    }
    Ok(found)
}

/// Which of them, before more is looked up about them.
fn meant(told: &Told<'_>, question: &Question, passed: Option<Spot>, most: usize) -> Vec<Spot> {
    let Some(selector) = told.selector() else { return Vec::new() };
    let rest = selector.parts().filter(|spot| passed.is_none_or(|passed| *spot > passed));
    let is_meant = |(place, part): &Spot| {
        selector.selection(*place, *part).is_some_and(|selection| is_selected(&selection, question))
    };
    rest.filter(is_meant).take(most).collect()
}

fn is_meant(observation: &Observation, question: &Question) -> bool {
    let id = &observation.header.id;
    let has_id = question.ids.as_ref().is_none_or(|ids| ids.contains(id));
    has_id && question.derived.as_ref().is_none_or(|derived| derived == id) && has(&observation.code, &question.codes)
}

fn is_selected(selection: &ImagingSelection, question: &Question) -> bool {
    let is_site = |sites| selection.body_site.as_ref().is_some_and(|site| has(site, sites));
    question.ids.as_ref().is_none_or(|ids| ids.contains(&selection.header.id))
        && has(&selection.code, &question.codes)
        && (question.sites.is_none() || is_site(&question.sites))
        && question.identifiers.as_ref().is_none_or(|asked| {
            selection
                .identifiers
                .iter()
                .any(|name: &Named| asked.iter().any(|asked| is_token(asked, name.system.as_deref(), &name.value)))
        })
}

/// Whether a concept has one of these codes.
fn has(concept: &Concept, asked: &Option<Vec<String>>) -> bool {
    let is_one = |asked: &String| concept.codes.iter().any(|code| is_token(asked, code.system.as_deref(), &code.code));
    asked.as_ref().is_none_or(|asked| asked.iter().any(is_one))
}

/// `value`, `system|value`, `system|` or `|value` (FHIR R4 §3.1.1.4.10).
fn is_token(asked: &str, system: Option<&str>, value: &str) -> bool {
    match asked.split_once('|') {
        None => value == asked,
        Some(("", asked)) => system.is_none() && value == asked,
        Some((asked, wanted)) => system == Some(asked) && (wanted.is_empty() || value == wanted),
    }
}

/// An analysis, and what is told with it.
struct Known<'a> {
    published: &'a PublishedAnalysis,
    findings: Findings,
    service: String,
    version: String,
    supersedes: Vec<Uuid>,
    release: Release,
    inputs: Vec<(Uid, Vec<Uid>)>,
    /// Of those that imaging selections name, when they are told.
    images: HashMap<Uid, Image>,
    evidence: Vec<(Reference, String)>,
}

impl<'a> Known<'a> {
    async fn of(app: &App, ask: &Ask, kind: Kind, published: &'a PublishedAnalysis) -> Result<Self, Refusal> {
        let analysis = &published.analysis;
        let findings = stored::findings(analysis).await?;
        let supersedes = match kind {
            Kind::Provenance => app.store.superseded(ask.hospital(), &analysis.study, analysis.job).await?,
            _ => Vec::new(),
        };
        let study = format!("{}/studies/{}", ask.dicom_web, analysis.study);
        let evidence = analysis.evidence.iter().map(|object| {
            let EvidenceObject { series, instance, class } = object.clone();
            let url = format!("{study}/series/{series}/instances/{instance}");
            (Reference { series, instance, class }, url)
        });
        Ok(Self {
            published,
            findings,
            service: analysis.service.to_string(),
            version: analysis.version.to_string(),
            supersedes,
            release: ask.release,
            inputs: published.inputs.iter().map(|series| (series.uid.clone(), series.instances.clone())).collect(),
            images: HashMap::new(),
            evidence: evidence.collect(),
        })
    }

    fn told(&self) -> Told<'_> {
        let analysis = &self.published.analysis;
        Told {
            release: self.release,
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
            images: &self.images,
            evidence: &self.evidence,
        }
    }
}

/// What the index says of the images in which findings are. What is no longer stored is not in it.
async fn images(app: &App, ask: &Ask, findings: &Findings, spots: &[Spot]) -> Result<HashMap<Uid, Image>, Refusal> {
    let places = spots.iter().filter(|(_, part)| *part == Part::Place);
    let mut named: Vec<&Uid> =
        places.flat_map(|(place, _)| findings.images_of(*place)).map(|image| &image.instance).collect();
    named.sort_unstable();
    named.dedup();
    let mut images = HashMap::new();
    for some in named.chunks(INSTANCES) {
        let narrow = Narrow::SopInstanceUid(some.iter().map(ToString::to_string).collect());
        for found in app.store.find_instances(ask.hospital(), &[narrow], 0, some.len() as u32).await? {
            let is_multi_frame = found.frames.is_some_and(|frames| frames > 1);
            images.insert(found.uid, Image { class: found.class, is_multi_frame });
        }
    }
    Ok(images)
}

/// A day as DICOM writes it.
pub(super) fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), u8::from(day.month()), day.day())
}

/// A day as DICOM writes it, if it is one.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year][month][day]")).ok()
}
