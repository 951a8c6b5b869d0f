//! WADO-RS metadata: data sets without their bulk data (PS3.18 §10.4.1.1.2).

use std::io;

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
    archive::{ReadFault, indexed},
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
    // Before anything is read: what is stored meanwhile is another version.
    let tag = etag(&app, &ask, &selection, offers[choice.offer].media).await?;
    let mut walk = Walk::begin(&app, ask.hospital(), selection).await?;
    if is_known(&ask.headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let write = if choice.offer == 1 { xml::write } else { json };
    let tasks = app.tasks.clone();
    let reading = Reading { app, hospital: ask.hospital().clone(), root: ask.root.clone(), write };
    let first = reading.documents(walk.some(AT_ONCE).await?).await?;
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    // What is broken may be mended from a copy, and the index would not know.
    let tagged = ([cache], first.is_whole.then_some([(header::ETAG, tag)]));
    if choice.offer == 1 {
        let writer = Writer::new(negotiation::boundary(), &ContentType::of("application/dicom+xml"));
        let content_type = writer.content_type();
        let body = Outgoing::body(&tasks, |out| reading.parts(first.documents, walk, writer, out));
        return Ok((tagged, [(header::CONTENT_TYPE, content_type)], body).into_response());
    }
    let body = Outgoing::body(&tasks, |out| reading.array(first.documents, walk, out));
    Ok((tagged, [(header::CONTENT_TYPE, offers[choice.offer].media)], body).into_response())
}

fn json(attributes: &Attributes) -> Vec<u8> {
    // A map of strings: writing it into memory cannot fail.
    serde_json::to_vec(attributes).unwrap_or_default()
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

/// Some instances, written.
struct Documents {
    documents: Vec<Vec<u8>>,
    /// Whether every one could be read.
    is_whole: bool,
}

#[derive(Clone)]
struct Reading {
    app: App,
    hospital: HospitalId,
    root: String,
    write: fn(&Attributes) -> Vec<u8>,
}

impl Reading {
    async fn array(self, first: Vec<Vec<u8>>, mut walk: Walk, out: Outgoing) -> Result<(), Ended> {
        let (mut documents, mut separator) = (first, &b"["[..]);
        while !documents.is_empty() {
            let mut text = Vec::new();
            for document in documents {
                text.extend_from_slice(separator);
                text.extend_from_slice(&document);
                separator = b",\n";
            }
            out.send(text).await?;
            documents = self.next(&mut walk).await?;
        }
        out.send(Bytes::from_static(b"]")).await
    }

    async fn parts(self, first: Vec<Vec<u8>>, mut walk: Walk, mut writer: Writer, out: Outgoing) -> Result<(), Ended> {
        let mut documents = first;
        while !documents.is_empty() {
            for document in documents {
                let head = PartHead::of(ContentType::of("application/dicom+xml"));
                out.send(writer.part(&head)).await?;
                out.send(document).await?;
            }
            documents = self.next(&mut walk).await?;
        }
        out.send(writer.end()).await
    }

    async fn next(&self, walk: &mut Walk) -> Result<Vec<Vec<u8>>, Ended> {
        let read = self.documents(walk.some(AT_ONCE).await?).await.map_err(|fault| {
            tracing::error!(
                error = &fault as &dyn std::error::Error,
                "stored instances cannot be read; the answer was cut off"
            );
            Ended
        })?;
        Ok(read.documents)
    }

    /// Reads some instances on a thread that may wait for the disk, each a document.
    async fn documents(&self, some: Vec<FoundInstance>) -> Result<Documents, ReadFault> {
        let reading = self.clone();
        let read = move || {
            let mut is_whole = true;
            let documents =
                some.iter().map(|found| reading.document(found, &mut is_whole)).collect::<Result<_, _>>()?;
            Ok(Documents { documents, is_whole })
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|_| Err(io::Error::other("a reading thread was lost").into()))
    }

    /// An instance must not be missing in what looks like all of them: of one whose bytes are broken there is what the index
    /// knows, and while the disk gives nothing there is no answer.
    fn document(&self, found: &FoundInstance, is_whole: &mut bool) -> Result<Vec<u8>, ReadFault> {
        let url = |path: &AttributePath| Some(bulkdata::url(&self.root, found, path));
        let attributes = match self.app.archive.data_set_now(&self.hospital, found.place) {
            Ok(file) => attributes::read(&file.data_set, &url),
            Err(error @ ReadFault::Instance(_)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a stored instance cannot be read any more");
                *is_whole = false;
                indexed(found)
            }
            Err(fault) => return Err(fault),
        };
        Ok((self.write)(&attributes))
    }
}
