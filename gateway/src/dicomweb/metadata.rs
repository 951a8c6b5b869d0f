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
    xml,
};

use super::{
    ask::Ask,
    bulkdata, negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
    walk::Walk,
};
use crate::{
    App,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

/// Instances that are read in one step.
const AT_ONCE: usize = 32;
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
    let walk = Walk::begin(&app, ask.hospital(), selection.clone()).await?;
    let tag = etag(&app, &ask, &selection, offers[choice.offer].media).await?;
    if is_known(&ask.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let reading = Reading { app, hospital: ask.hospital().clone(), root: ask.root.clone() };
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let tagged = [(header::ETAG, tag), cache];
    let tasks = reading.app.tasks.clone();
    if choice.offer == 1 {
        let writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom+xml"));
        let content_type = writer.content_type();
        let body = Outgoing::body(&tasks, |out| reading.xml(walk, writer, out));
        return Ok((tagged, [(header::CONTENT_TYPE, content_type)], body).into_response());
    }
    let body = Outgoing::body(&tasks, |out| reading.json(walk, out));
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

#[derive(Clone)]
struct Reading {
    app: App,
    hospital: HospitalId,
    root: String,
}

impl Reading {
    async fn json(self, mut walk: Walk, out: Outgoing) -> Result<(), Ended> {
        let mut separator = "[";
        loop {
            let some = walk.some(AT_ONCE).await?;
            if some.is_empty() {
                return out.send(Bytes::from_static(if separator == "[" { b"[]" } else { b"]" })).await;
            }
            let text = self.read(some, move |reading, some| reading.json_of(some, separator)).await?;
            if !text.is_empty() {
                separator = ",\n";
            }
            out.send(text).await?;
        }
    }

    async fn xml(self, mut walk: Walk, mut writer: Writer, out: Outgoing) -> Result<(), Ended> {
        loop {
            let some = walk.some(AT_ONCE).await?;
            if some.is_empty() {
                return out.send(writer.end()).await;
            }
            for document in self.read(some, Self::xml_of).await? {
                let head = PartHead::of(ContentType::of("application/dicom+xml"));
                out.send(writer.part(&head)).await?;
                out.send(document).await?;
            }
        }
    }

    /// Reads some instances on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        some: Vec<FoundInstance>,
        read: impl FnOnce(&Self, &[FoundInstance]) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let reading = self.clone();
        tokio::task::spawn_blocking(move || read(&reading, &some)).await.map_err(|_| Ended)
    }

    /// Objects of an array, each behind its separator.
    fn json_of(&self, some: &[FoundInstance], mut separator: &str) -> Vec<u8> {
        let mut text = Vec::new();
        for attributes in some.iter().filter_map(|found| self.attributes(found)) {
            text.extend_from_slice(separator.as_bytes());
            separator = ",\n";
            // A map of strings: writing it into memory cannot fail.
            let _ = serde_json::to_writer(&mut text, &attributes);
        }
        text
    }

    fn xml_of(&self, some: &[FoundInstance]) -> Vec<Vec<u8>> {
        some.iter().filter_map(|found| self.attributes(found)).map(|attributes| xml::write(&attributes)).collect()
    }

    /// Of one that cannot be read any more there is nothing to say; the others must not be lost with it.
    fn attributes(&self, found: &FoundInstance) -> Option<Attributes> {
        let file = self.app.archive.data_set_now(&self.hospital, found.place);
        let file = file
            .inspect_err(|error| {
                tracing::error!(error = error as &dyn std::error::Error, "a stored instance cannot be read");
            })
            .ok()?;
        Some(attributes::read(&file.data_set, &|path: &AttributePath| Some(bulkdata::url(&self.root, found, path))))
    }
}
