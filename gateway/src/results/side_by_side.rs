//! `/hospitals/{hospital}/findings?study=…`: what every service found in a study, side by side, as the services said it and with
//! everything that a viewer needs to draw it.
//!
//! What lies in the patient is also told in the pixels of each image that shows it ([`super::places`]).
//!
//! Nothing is merged. Where services say different things about the same, the answer names it ([`disagreement`]).

use axum::{Json, extract::State};
use medvan_analysis::{
    disagreement::{self, Disagreement},
    evidence::WARNING,
    finding::Findings,
    projection::{Projection, Projector},
};
use medvan_imaging::Uid;
use medvan_profiles::descriptor::Words;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Ask, Refusal, places};
use crate::{
    App,
    catalog::{HospitalView, ServiceName, VersionNumber},
    store::{JobSeries, PublishedAnalysis, PublishedNarrow},
};

/// Analyses of one study.
const MOST: usize = 20;
/// Bytes of what they found, all together.
const BYTES: usize = 32 << 20;

/// What was found in a study.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SideBySide {
    study: Uid,
    /// What must stand beside all of it.
    warning: &'static str,
    /// Each service's own, by name.
    services: Vec<Analysis>,
    /// Where they say different things; services by their places in the list.
    disagreements: Vec<Disagreement>,
    /// Analyses that are left out, because it would be too much.
    omitted: usize,
    /// Places in the patient that are in nobody's `projections`, because it would be too much.
    omitted_places: usize,
    /// Whether places in the patient were not looked for in all images of the study.
    more_images: bool,
}

/// What one service found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Analysis {
    job: Uuid,
    service: ServiceName,
    version: VersionNumber,
    name: Words,
    maker: Words,
    /// `live` or `trial`.
    mode: String,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    /// The series and images that it was given.
    inputs: Vec<JobSeries>,
    /// As `/schemas/findings.json` describes.
    findings: Findings,
    /// The findings that lie in the patient, in the pixels of the study's images that show them.
    projections: Vec<Projection>,
}

/// `GET /hospitals/{hospital}/findings?study={StudyInstanceUID}`
pub(super) async fn read(State(app): State<App>, ask: Ask) -> Result<Json<SideBySide>, Refusal> {
    let named = ask.parameters.iter().find(|(name, _)| *name == "study");
    let study = named.and_then(|(_, uid)| Uid::parse(uid).ok());
    let study = study.ok_or_else(|| Refusal::BadRequest("study is the StudyInstanceUID".to_owned()))?;
    // Each may take a hundred megabytes for a moment: a hospital that asks for many at once waits for itself.
    let _place = app.side_by_side.wait(ask.hospital()).await.ok_or(Refusal::Busy)?;
    let narrow = PublishedNarrow { study: Some(study.clone()), ..PublishedNarrow::default() };
    let mut from = None;
    let (mut services, mut bytes, mut omitted): (Vec<Analysis>, usize, usize) = (Vec::new(), 0, 0);
    // One after the other: each may hold large masks.
    loop {
        let found = app.store.published_analyses(ask.hospital(), &narrow, from, 2).await?;
        let mut found = found.into_iter().skip_while(|published| Some(published.analysis.job) == from);
        let Some(published) = found.next() else { break };
        from = Some(published.analysis.job);
        bytes += published.analysis.findings.len();
        if services.len() == MOST || bytes > BYTES {
            omitted += 1;
            if omitted == MOST {
                break;
            }
            continue;
        }
        services.push(Analysis::of(ask.view(), published)?);
    }
    services.sort_by(|one, other| (&one.service, &one.job).cmp(&(&other.service, &other.job)));
    let findings: Vec<&Findings> = services.iter().map(|analysis| &analysis.findings).collect();
    let disagreements = disagreement::disagreements(&findings);
    let (images, more_images) = places::images(&app, ask.hospital(), &study, &findings).await;
    let project = move || {
        let mut projector = Projector::new(&images);
        for analysis in &mut services {
            analysis.projections = projector.project(&analysis.findings);
        }
        (services, projector.omitted())
    };
    let (services, omitted_places) = tokio::task::spawn_blocking(project).await.map_err(|_| Refusal::Internal)?;
    Ok(Json(SideBySide { study, warning: WARNING, services, disagreements, omitted, omitted_places, more_images }))
}

impl Analysis {
    fn of(view: &HospitalView, published: PublishedAnalysis) -> Result<Self, Refusal> {
        let PublishedAnalysis { analysis, inputs, .. } = published;
        let findings = serde_json::from_str(&analysis.findings).map_err(|_| {
            tracing::error!(job = %analysis.job, "stored findings cannot be read");
            Refusal::Internal
        })?;
        // A service that the hospital left is known by its name in the catalog only.
        let member = view.analyzers.iter().find(|member| member.name == analysis.service);
        let same = || Words { ja: analysis.service.to_string(), en: analysis.service.to_string() };
        Ok(Self {
            job: analysis.job,
            version: analysis.version.clone(),
            name: member.map_or_else(same, |member| member.descriptor.name.clone()),
            maker: member.map_or_else(same, |member| member.descriptor.maker.clone()),
            mode: analysis.mode.clone(),
            at: analysis.at,
            inputs,
            findings,
            projections: Vec::new(),
            service: analysis.service.clone(),
        })
    }
}
