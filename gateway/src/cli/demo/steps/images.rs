//! The steps that are about images: a synthetic CT in by both doors and out by all.

use std::time::Duration;

use dicom_dictionary_std::tags;
use medvan_fixtures::studies::ChestCt;
use medvan_imaging::{
    AeTitle,
    attributes::Attributes,
    json,
    multipart::{Boundary, ContentType, PartHead, Writer},
};

use super::{Seen, Stage};
use crate::dimse;

/// Small, so that it is drawn in no time.
fn study() -> ChestCt {
    ChestCt { slices: 6, size: 128, ..ChestCt::default() }
}

/// The PACS stores a series in one request and finds the study by the patient's kana.
pub(super) async fn by_web(stage: &Stage) -> Seen {
    let study = study();
    let stored = match store(stage, "sumire", study.files()).await {
        Err(error) => return Seen::failed(error),
        Ok(status) => status,
    };
    let (found, name) = match find(stage, "sumire").await {
        Ok(found) => found,
        Err(error) => return Seen::failed(error),
    };
    let told = vec![
        format!("STOW-RS of {} slices: {stored}", study.slices),
        format!("QIDO-RS for みやもと*: {found} study, {name}"),
    ];
    Seen { told, holds: stored == 200 && found == 1 && name == study.patient_name }
}

/// STOW-RS of files in one request: its status.
pub(super) async fn store(
    stage: &Stage,
    hospital: &str,
    files: impl Iterator<Item = Vec<u8>>,
) -> Result<u16, reqwest::Error> {
    let media = || ContentType::of("application/dicom");
    let mut writer = Writer::new(Boundary::random(uuid::Uuid::new_v4().as_u128()), &media());
    let content_type = writer.content_type();
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(&writer.part(&PartHead::of(media())));
        body.extend_from_slice(&file);
    }
    body.extend_from_slice(&writer.end());
    let url = format!("{}/studies", stage.images_of(hospital));
    let posted = stage.http().post(url).header("Content-Type", content_type).body(body);
    Ok(posted.send().await?.status().as_u16())
}

/// The gateway sends the study to another hospital's AE title, which finds it under the same name.
pub(super) async fn by_network(stage: &Stage) -> Seen {
    let study = study();
    let uids: Vec<_> = (1..=study.slices).map(|slice| study.instance_uid(slice)).collect();
    let (Ok(sumire), Ok(tsubaki)) = ("sumire".parse(), AeTitle::parse("TSUBAKI")) else {
        return Seen::failed("the demo's names are not what they should be");
    };
    if let Err(error) = dimse::send(&stage.app, &sumire, &tsubaki, &uids).await {
        return Seen::failed(error);
    }
    for _ in 0..100 {
        if let Ok((1, name)) = find(stage, "tsubaki").await
            && count(stage, "tsubaki").await == Some(study.slices as usize)
        {
            let told = vec![format!("SUMIRE → TSUBAKI: {} instances, {name}", study.slices)];
            return Seen { told, holds: name == study.patient_name };
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Seen::failed("the study did not arrive in ten seconds")
}

/// WADO-RS gives the stored bytes, WADO-URI the same instance, the rendered resource a PNG.
pub(super) async fn out(stage: &Stage) -> Seen {
    let study = study();
    let (root, slice) = (stage.images_of("tsubaki"), study.instance_uid(3));
    let instance = format!("{root}/studies/{}/series/{}/instances/{slice}", study.study_uid(), study.series_uid());
    let uri = format!(
        "{}?requestType=WADO&studyUID={}&seriesUID={}&objectUID={slice}&contentType=application/dicom",
        root.replace("dicom-web", "wado"),
        study.study_uid(),
        study.series_uid()
    );
    let whole = get(stage, &instance, "application/dicom").await;
    let by_uri = get(stage, &uri, "*/*").await;
    let picture = get(stage, &format!("{instance}/rendered?window=-400,1500,linear"), "image/png").await;
    let is_png = picture.as_deref().is_some_and(|bytes| bytes.starts_with(b"\x89PNG"));
    let same = |bytes: &Option<Vec<u8>>| ends_alike(bytes.as_deref(), &study.file(3));
    let told = vec![
        format!("WADO-RS: data set {} byte for byte", if same(&whole) { "identical" } else { "NOT identical" }),
        format!("WADO-URI: data set {} byte for byte", if same(&by_uri) { "identical" } else { "NOT identical" }),
        format!("rendered: {} bytes of PNG", picture.as_ref().map_or(0, Vec::len)),
    ];
    Seen { told, holds: same(&whole) && same(&by_uri) && is_png }
}

/// Whoever receives by C-STORE writes a file head of its own (PS3.10 §7.1); the data set behind it is the same.
fn ends_alike(received: Option<&[u8]>, sent: &[u8]) -> bool {
    /// The first element behind the head: SpecificCharacterSet.
    const BEGIN: &[u8] = &[0x08, 0x00, 0x05, 0x00, b'C', b'S'];
    let data_set =
        |file: &[u8]| file.windows(BEGIN.len()).position(|window| window == BEGIN).map(|at| file[at..].to_vec());
    received.and_then(data_set).is_some_and(|received| Some(received) == data_set(sent))
}

async fn find(stage: &Stage, hospital: &str) -> Result<(usize, String), String> {
    let url = format!("{}/studies?PatientName=%E3%81%BF%E3%82%84%E3%82%82%E3%81%A8*", stage.images_of(hospital));
    let found = results(stage, &url).await?;
    let name = found.first().and_then(|study| study.text(tags::PATIENT_NAME)).unwrap_or_default();
    Ok((found.len(), name))
}

async fn count(stage: &Stage, hospital: &str) -> Option<usize> {
    results(stage, &format!("{}/instances", stage.images_of(hospital))).await.ok().map(|found| found.len())
}

pub(super) async fn results(stage: &Stage, url: &str) -> Result<Vec<Attributes>, String> {
    let text = get(stage, url, "application/dicom+json").await.ok_or("no answer")?;
    json::parse_many(&text).map_err(|error| error.to_string())
}

pub(super) async fn get(stage: &Stage, url: &str, accept: &str) -> Option<Vec<u8>> {
    let response = stage.http().get(url).header("Accept", accept).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    response.bytes().await.ok().map(|bytes| bytes.to_vec())
}
