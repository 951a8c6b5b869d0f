//! The steps in which AI services work on images: nobody touches anything between a study's arrival and the doctor's card.

use std::time::Duration;

use dicom_dictionary_std::tags;
use medvan_fixtures::studies::{self, DensitySpheres, GramStain};

use super::{
    Seen, Stage, cards,
    images::{get, results, store},
};
use crate::store::{Job, JobFilter, JobState};

/// SOP classes of what services' findings become, and what they are called.
const KINDS: &[(&str, &str)] = &[
    ("1.2.840.10008.5.1.4.1.1.88.34", "report (TID 1500)"),
    ("1.2.840.10008.5.1.4.1.1.66.4", "segmentation"),
    ("1.2.840.10008.5.1.4.1.1.7", "picture with findings drawn in"),
    ("1.2.840.10008.5.1.4.1.1.11.1", "presentation state (GSPS)"),
    ("1.2.840.10008.5.1.4.1.1.104.1", "page for people (PDF)"),
];
const PICTURE: usize = 2;

/// Of Suzuki Hanako, whom the EHR knows by the same number.
fn smear() -> GramStain {
    GramStain {
        patient_id: studies::HANAKO_ID.to_owned(),
        patient_name: studies::HANAKO_NAME.to_owned(),
        ..GramStain::default()
    }
}

fn spheres() -> DensitySpheres {
    let GramStain { patient_id, patient_name, .. } = smear();
    DensitySpheres { patient_id, patient_name, ..DensitySpheres::default() }
}

/// Two studies are stored; each service finds what it is made for.
pub(super) async fn found(stage: &Stage) -> Seen {
    for files in [vec![smear().file()], spheres().files().collect()] {
        match store(stage, "kaede", files.into_iter()).await {
            Ok(200) => {}
            Ok(status) => return Seen::failed(format!("STOW-RS: status {status}")),
            Err(error) => return Seen::failed(error),
        }
    }
    let Some(jobs) = done(stage, 2).await else { return Seen::failed("nothing was found within a minute") };
    let told = jobs.iter().map(|job| {
        let images: usize = job.inputs.iter().map(|series| series.instances.len()).sum();
        let took = (job.changed_at - job.created_at).whole_milliseconds();
        format!("{} {}: {images} images, done after {took} ms", job.service, job.version)
    });
    Seen { told: told.collect(), holds: jobs.len() == 2 }
}

/// What lies in the archive now, and what FHIR says of it.
pub(super) async fn evidence(stage: &Stage) -> Seen {
    let mut told = Vec::new();
    let mut holds = true;
    for study in [smear().study_uid(), spheres().study_uid()] {
        let url = format!("{}/studies/{study}/instances", stage.images_of("kaede"));
        let found = match results(stage, &url).await {
            Ok(found) => found,
            Err(error) => return Seen::failed(error),
        };
        for (at, (class, name)) in KINDS.iter().enumerate() {
            let of_class: Vec<_> =
                found.iter().filter(|one| one.text(tags::SOP_CLASS_UID).as_deref() == Some(class)).collect();
            let Some(first) = of_class.first() else { continue };
            told.push(format!("{} × {name}", of_class.len()));
            if at == PICTURE {
                let uid = |tag| first.text(tag).unwrap_or_default();
                let path =
                    format!("series/{}/instances/{}", uid(tags::SERIES_INSTANCE_UID), uid(tags::SOP_INSTANCE_UID));
                let url = format!("{}/studies/{study}/{path}/rendered", stage.images_of("kaede"));
                let picture = get(stage, &url, "image/png").await;
                holds &= picture.is_some_and(|bytes| bytes.starts_with(b"\x89PNG"));
                told.push(format!("    {url}"));
            }
        }
        holds &= found.iter().any(|one| one.text(tags::MODALITY).as_deref() == Some("SR"));
    }
    let url = format!("{}/fhir/DiagnosticReport?patient=0000000101", stage.base_url());
    let reports = get(stage, &url, "application/fhir+json").await.unwrap_or_default();
    let reports: serde_json::Value = serde_json::from_slice(&reports).unwrap_or_default();
    let count = reports["entry"].as_array().map_or(0, Vec::len);
    told.push(format!("FHIR: {count} DiagnosticReports, preliminary"));
    Seen { told, holds: holds && count == 2 }
}

/// The doctor opens the chart.
pub(super) async fn told(stage: &Stage) -> Seen {
    let firing = stage.ehr.fires("patient-view").on("hanako");
    match firing.at(&stage.base_url(), "van-patient-view").await {
        Err(error) => Seen::failed(error),
        Ok(answer) => {
            let links: Vec<String> = answer
                .cards
                .iter()
                .filter_map(|card| card.value["links"][0]["url"].as_str())
                .filter(|url| url.contains("/viewer?"))
                .map(str::to_owned)
                .collect();
            let of_images = links.len() == 2;
            let seen = cards(&answer, answer.cards.len());
            let seen = links.into_iter().fold(seen, |seen, link| seen.told(format!("    → {link}")));
            Seen { holds: seen.holds && of_images, ..seen }
        }
    }
}

/// The jobs of the hospital, once so many are done.
async fn done(stage: &Stage, count: usize) -> Option<Vec<Job>> {
    let hospital = "kaede".parse().ok()?;
    for _ in 0..600 {
        let page = crate::store::Page { after: "", limit: 100 };
        let jobs = stage.app.store.jobs(&hospital, &JobFilter::default(), page).await.ok()?;
        if jobs.iter().filter(|job| job.state == JobState::Done).count() >= count {
            return Some(jobs);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}
