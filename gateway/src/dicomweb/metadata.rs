//! WADO-RS metadata: data sets without their bulk data (PS3.18 §10.4.1.1.2).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use medvan_imaging::{
    accept::Offer,
    attributes::{self, AttributePath, Attributes},
    multipart::{ContentType, PartHead, Writer},
};

use super::{
    ask::Ask,
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
};
use crate::{
    App,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

const PAGE: u32 = 500;
const HAVE: &str = "application/dicom+json, or multipart/related; type=\"application/dicom+xml\"";

/// `GET …/metadata` of a study, a series or an instance.
pub(crate) async fn metadata(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let offers = [
        Offer::single("application/dicom+json"),
        Offer::related("application/dicom+xml"),
        Offer::single("application/json"),
    ];
    let choice = negotiation::choose(&ask.acceptable, &offers, HAVE)?;
    let selection = ask.resource.selection()?;
    let found = app.store.select_instances(ask.hospital(), &selection, 0, PAGE).await?;
    if found.is_empty() {
        return Err(Refusal::NotFound);
    }
    let tag = etag(&app, &ask, &selection, offers[choice.offer].media).await?;
    if is_known(&ask.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let all = All { root: ask.root.clone(), app, hospital: ask.hospital().clone() };
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let tagged = [(header::ETAG, tag), cache];
    let tasks = all.app.tasks.clone();
    if choice.offer == 1 {
        let writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom+xml"));
        let content_type = writer.content_type();
        let body = Outgoing::body(&tasks, |out| all.xml(selection, found, writer, out));
        return Ok((tagged, [(header::CONTENT_TYPE, content_type)], body).into_response());
    }
    let body = Outgoing::body(&tasks, |out| all.json(selection, found, out));
    Ok((tagged, [(header::CONTENT_TYPE, offers[choice.offer].media)], body).into_response())
}

/// What the answer depends on: which bytes there are, its form, and the root of the URLs in it.
async fn etag(app: &App, ask: &Ask, selection: &Selection, media: &str) -> Result<HeaderValue, Refusal> {
    let (count, newest) = app.store.version_of(ask.hospital(), selection).await?;
    let text = format!("W/\"{count}-{newest:x}-{}-{}\"", media.len(), ask.root);
    HeaderValue::try_from(text).map_err(|_| Refusal::Internal)
}

fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).any(|known| known.trim() == "*" || known.trim().as_bytes() == tag.as_bytes())
}

struct All {
    app: App,
    hospital: HospitalId,
    root: String,
}

impl All {
    async fn json(self, selection: Selection, found: Vec<FoundInstance>, out: Outgoing) -> Result<(), Ended> {
        let mut separator = "[";
        let mut page = found;
        while let Some(last) = page.last().map(|found| found.id) {
            for found in &page {
                let Some(attributes) = self.attributes(found).await else { continue };
                let mut text = separator.as_bytes().to_vec();
                serde_json::to_writer(&mut text, &attributes).map_err(|_| Ended)?;
                out.send(text).await?;
                separator = ",\n";
            }
            page = self.next(&selection, last, page.len()).await?;
        }
        out.send(Bytes::from_static(if separator == "[" { b"[]" } else { b"]" })).await
    }

    async fn xml(
        self,
        selection: Selection,
        found: Vec<FoundInstance>,
        mut writer: Writer,
        out: Outgoing,
    ) -> Result<(), Ended> {
        let mut page = found;
        while let Some(last) = page.last().map(|found| found.id) {
            for found in &page {
                let Some(attributes) = self.attributes(found).await else { continue };
                let head = PartHead::of(ContentType::of("application/dicom+xml"));
                out.send(writer.part(&head)).await?;
                out.send(medvan_imaging::xml::write(&attributes)).await?;
            }
            page = self.next(&selection, last, page.len()).await?;
        }
        out.send(writer.end()).await
    }

    async fn next(&self, selection: &Selection, last: i64, length: usize) -> Result<Vec<FoundInstance>, Ended> {
        if length < PAGE as usize {
            return Ok(Vec::new());
        }
        self.app.store.select_instances(&self.hospital, selection, last, PAGE).await.map_err(|_| Ended)
    }

    /// Of one that cannot be read any more there is nothing to say; the others must not be lost with it.
    async fn attributes(&self, found: &FoundInstance) -> Option<Attributes> {
        let file = self.app.archive.data_set(&self.hospital, found.place).await;
        let file = file
            .inspect_err(|error| {
                tracing::error!(error = error as &dyn std::error::Error, "a stored instance cannot be read");
            })
            .ok()?;
        let url = format!(
            "{}/studies/{}/series/{}/instances/{}/bulkdata",
            self.root, found.study_uid, found.series_uid, found.uid
        );
        Some(attributes::read(&file.data_set, &|path: &AttributePath| Some(format!("{url}/{path}"))))
    }
}
