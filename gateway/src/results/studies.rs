//! ImagingStudies: written from the index of images.

use dicom_dictionary_std::tags;
use medvan_analysis::fhir;
use medvan_authoring::{Coded, Concept, Header, ImagingStudy, Named, Series, Written};
use medvan_imaging::{
    Tag, Uid,
    attributes::Attributes,
    query::{Level, Query, QueryError},
};

use super::{
    Ask, Page, Question, Refusal,
    analyses::{compact, day},
};
use crate::App;

/// Series that are told of one study.
const MOST_SERIES: usize = 1_000;
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// What means more than itself in a search of DICOM (PS3.4 §C.2.2.2).
const WILD: [char; 3] = ['*', '?', '\\'];

pub(super) async fn read(app: &App, ask: &Ask, id: &str) -> Result<Option<Written>, Refusal> {
    let Ok(uid) = Uid::parse(id) else { return Ok(None) };
    let mut found = app.archive.search(ask.hospital(), query(Level::Study, &[("StudyInstanceUID", uid.to_string())])?);
    match found.next().await? {
        Some(attributes) => written(app, ask, &uid, &attributes).await.map(Some),
        None => Ok(None),
    }
}

/// Those that are meant, in the order in which they came to the archive.
pub(super) async fn search(app: &App, ask: &Ask, question: &Question) -> Result<Page, Refusal> {
    let mut page = Page { found: Vec::new(), next: None };
    let Some(keys) = keys(question) else { return Ok(page) };
    let offset = question.after.as_deref().map_or(Ok(0), str::parse::<usize>);
    let offset = offset.map_err(|_| Refusal::BadRequest("_after is not from a link of ours".to_owned()))?;
    let mut found = app.archive.search(ask.hospital(), query(Level::Study, &keys)?);
    let mut passed = 0;
    while let Some(attributes) = found.next().await? {
        passed += 1;
        if passed <= offset {
            continue;
        }
        if page.found.len() == question.count {
            page.next = Some((passed - 1).to_string());
            break;
        }
        let Some(uid) = text(&attributes, tags::STUDY_INSTANCE_UID).and_then(|uid| Uid::parse(&uid).ok()) else {
            continue;
        };
        let study = written(app, ask, &uid, &attributes).await?;
        page.found.push((uid.to_string(), study));
    }
    Ok(page)
}

/// The question as DICOM asks it; nothing where nothing can match.
fn keys(question: &Question) -> Option<Vec<(&'static str, String)>> {
    let mut keys = Vec::new();
    let texts = [
        ("PatientID", &question.patient),
        ("AccessionNumber", &question.accession),
        ("ModalitiesInStudy", &question.modality),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            if value.contains(WILD) {
                return None;
            }
            keys.push((key, value.clone()));
        }
    }
    let mut uids: Option<Vec<Uid>> =
        question.ids.as_ref().map(|ids| ids.iter().filter_map(|id| Uid::parse(id).ok()).collect());
    if let Some(study) = &question.study {
        let is_meant = uids.as_ref().is_none_or(|uids| uids.contains(study));
        uids = Some(if is_meant { vec![study.clone()] } else { Vec::new() });
    }
    if let Some(uids) = uids {
        if uids.is_empty() {
            return None;
        }
        keys.push(("StudyInstanceUID", uids.iter().map(Uid::as_str).collect::<Vec<_>>().join(",")));
    }
    match question.days {
        (None, None) => {}
        (Some(from), Some(to)) if from > to => return None,
        (from, to) => {
            let [from, to] = [from, to].map(|day| day.map(compact).unwrap_or_default());
            keys.push(("StudyDate", format!("{from}-{to}")));
        }
    }
    Some(keys)
}

fn query(level: Level, keys: &[(&'static str, String)]) -> Result<Query, Refusal> {
    let pairs = keys.iter().map(|(key, value)| (*key, value.as_str()));
    let wrong = |_: QueryError| Refusal::BadRequest("the index of images cannot be asked so".to_owned());
    Query::from_parameters(level, pairs).map(|(query, _)| query).map_err(wrong)
}

async fn written(app: &App, ask: &Ask, uid: &Uid, study: &Attributes) -> Result<Written, Refusal> {
    let mut found = app.archive.search(ask.hospital(), query(Level::Series, &[("StudyInstanceUID", uid.to_string())])?);
    let mut all = Vec::new();
    while all.len() < MOST_SERIES {
        let Some(attributes) = found.next().await? else { break };
        all.extend(series(&attributes));
    }
    let accession = text(study, tags::ACCESSION_NUMBER).map(|value| {
        let kind = Coded::of("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", "Accession ID");
        Named { kind: Some(Concept::from(kind)), system: None, value }
    });
    let study = ImagingStudy {
        header: Header { id: uid.to_string(), changed_at: None },
        identifiers: std::iter::once(fhir::study_identifier(uid)).chain(accession).collect(),
        modalities: modalities(study),
        subject: fhir::patient(&text(study, tags::PATIENT_ID).unwrap_or_default()),
        started: text(study, tags::STUDY_DATE).and_then(|date| day(&date)),
        description: text(study, tags::STUDY_DESCRIPTION),
        number_of_series: number(study, tags::NUMBER_OF_STUDY_RELATED_SERIES).unwrap_or_default(),
        number_of_instances: number(study, tags::NUMBER_OF_STUDY_RELATED_INSTANCES).unwrap_or_default(),
        series: all,
        dicom_web: ask.dicom_web.clone(),
    };
    Ok(study.written(ask.release))
}

fn series(attributes: &Attributes) -> Option<Series> {
    Some(Series {
        uid: text(attributes, tags::SERIES_INSTANCE_UID)?,
        number: number(attributes, tags::SERIES_NUMBER),
        modality: modality(text(attributes, tags::MODALITY).unwrap_or_else(|| "OT".to_owned())),
        description: text(attributes, tags::SERIES_DESCRIPTION),
        number_of_instances: number(attributes, tags::NUMBER_OF_SERIES_RELATED_INSTANCES).unwrap_or_default(),
    })
}

fn modalities(study: &Attributes) -> Vec<Coded> {
    let texts = study.get(tags::MODALITIES_IN_STUDY).map(|attribute| attribute.texts()).unwrap_or_default();
    texts.into_iter().flatten().map(modality).collect()
}

fn modality(code: String) -> Coded {
    Coded { system: Some(DCM.to_owned()), code, display: String::new() }
}

fn text(attributes: &Attributes, tag: Tag) -> Option<String> {
    attributes.text(tag).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(attributes: &Attributes, tag: Tag) -> Option<u32> {
    text(attributes, tag)?.parse().ok()
}
