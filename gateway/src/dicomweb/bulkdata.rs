//! WADO-RS bulk data: the long values that metadata only names (PS3.18 §10.4.1.1.5).

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use dicom_dictionary_std::tags;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use medvan_imaging::{
    Tag,
    accept::{Acceptable, Offer},
    attributes::{self, AttributePath},
    dataset::{Left, Span, Value},
    file::File,
    frames,
    multipart::{ContentType, PartHead, Writer},
    transfer_syntax::Pixels,
};

use super::{
    ask::{Ask, Asked},
    each::{self, Giving},
    frames::{Image, Ready},
    instance::copy,
    negotiation,
    outgoing::{Ended, Outgoing},
    range::{self, Ranged},
    refusal::Refusal,
    walk::Walk,
};
use crate::{
    App,
    archive::{Held, Open},
    catalog::HospitalId,
    store::FoundInstance,
};

/// Bytes of a value that is held in memory, sent at once.
const CHUNK: usize = 512 * 1024;
const OCTETS: &str = "application/octet-stream";
const HAVE: &str =
    "application/octet-stream, or multipart/related of it; for an encapsulated document its own media type";

/// `GET …/instances/{instance}/bulkdata/{path}`: one value.
pub(crate) async fn one(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let Asked { resource, acceptable, headers, root, .. } = &ask.asked;
    let path: AttributePath = resource.rest().parse().map_err(|_| Refusal::NotFound)?;
    let found = app.store.select_instances(ask.hospital(), &resource.selection()?, 0, 1).await?;
    let found = found.first().ok_or(Refusal::NotFound)?;
    let file = Arc::new(app.archive.data_set(ask.hospital(), found.place).await?);
    let element = path.find(&file.data_set).ok_or(Refusal::NotFound)?;
    if matches!(element.value, Value::Fragments(_)) && video(&file, &path).is_none() {
        let image = Image::of(&app, ask.hospital(), found.clone()).await?;
        return image.all(&app, acceptable, root).await?.answer(&app);
    }
    let media = media(&file, &path);
    let offers = [Offer::single(media), Offer::single(OCTETS), Offer::related(media), Offer::related(OCTETS)];
    let choice = negotiation::choose(acceptable, &offers, HAVE)?;
    let chosen = &offers[choice.offer];
    let bulk = Bulk::of(&file, &path, app.archive.open_place(ask.hospital(), found.place).await?)?;
    if !chosen.related {
        return single(&app, bulk, chosen.media, headers);
    }
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of(chosen.media));
    let content_type = writer.content_type();
    let head = PartHead::of(ContentType::of(chosen.media)).located(url(root, found, &path));
    let body = Outgoing::body(&app.tasks, |out| async move {
        out.send(writer.part(&head)).await?;
        let whole = bulk.whole();
        bulk.write(whole, &out).await?;
        out.send(writer.end()).await
    });
    Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
}

/// `GET …/bulkdata` of a study, a series or an instance: every value that its metadata only names.
pub(crate) async fn all(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    negotiation::choose(&ask.acceptable, &[Offer::related(OCTETS)], HAVE)?;
    let walk = Walk::begin(&app, ask.hospital(), ask.resource.selection()?).await?;
    let giving =
        BulkData { app, hospital: ask.hospital().clone(), acceptable: ask.asked.acceptable, root: ask.asked.root };
    each::parts(giving, walk, OCTETS).await
}

/// An encapsulated document or a video in its own media type, as it is.
pub(super) async fn document(
    app: &App,
    ask: &Ask,
    found: &FoundInstance,
    file: Held,
    tag: Tag,
) -> Result<Response, Refusal> {
    let (file, path) = (Arc::new(file), AttributePath::to(tag));
    let media = media(&file, &path);
    negotiation::choose(&ask.acceptable, &[Offer::single(media)], HAVE)?;
    let open = app.archive.open_place(ask.hospital(), found.place).await?;
    single(app, Bulk::of(&file, &path, open)?, media, &ask.headers)
}

/// The URL of a value, as metadata gives it.
pub(super) fn url(root: &str, found: &FoundInstance, path: &AttributePath) -> String {
    let FoundInstance { study_uid, series_uid, uid, .. } = found;
    format!("{root}/studies/{study_uid}/series/{series_uid}/instances/{uid}/bulkdata/{path}")
}

/// Every long value of each instance.
struct BulkData {
    app: App,
    hospital: HospitalId,
    acceptable: Acceptable,
    root: String,
}

/// Long values of an instance, ready to leave.
struct Values {
    values: Vec<(PartHead, Bulk)>,
    /// Pixels in fragments are parts of their own.
    frames: Option<Ready>,
}

impl Giving for BulkData {
    type Ready = Values;

    async fn prepare(&self, found: FoundInstance) -> Result<Option<Values>, Refusal> {
        let file = Arc::new(self.app.archive.data_set(&self.hospital, found.place).await?);
        let open = self.app.archive.open_place(&self.hospital, found.place).await?;
        let (mut values, mut frames) = (Vec::new(), None);
        for path in attributes::bulk_paths(&file.data_set) {
            let Some(element) = path.find(&file.data_set) else { continue };
            if matches!(element.value, Value::Fragments(_)) && video(&file, &path).is_none() {
                let image = Image::of(&self.app, &self.hospital, found.clone()).await?;
                frames = Some(image.all(&self.app, &self.acceptable, &self.root).await?);
            } else {
                let media = ContentType::of(media(&file, &path));
                let head = PartHead::of(media).located(url(&self.root, &found, &path));
                values.push((head, Bulk::of(&file, &path, open.clone())?));
            }
        }
        Ok((!values.is_empty() || frames.is_some()).then_some(Values { values, frames }))
    }

    async fn write(&self, ready: Values, writer: &mut Writer, out: &Outgoing) -> Result<(), Ended> {
        for (head, bulk) in ready.values {
            out.send(writer.part(&head)).await?;
            let whole = bulk.whole();
            bulk.write(whole, out).await?;
        }
        match ready.frames {
            Some(frames) => frames.parts(writer, out).await,
            None => Ok(()),
        }
    }
}

/// A value by itself; part of it where the caller asks for a range (RFC 9110 §14).
fn single(app: &App, bulk: Bulk, media: &'static str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let length = bulk.whole().length;
    // Numbers that are turned round leave whole.
    let headers = if bulk.is_turned() { &HeaderMap::new() } else { headers };
    let Ranged { span, status } = range::asked(headers, length)?;
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    let set = response.headers_mut();
    set.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    set.insert(header::CONTENT_LENGTH, HeaderValue::from(span.length));
    set.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // What a document holds is a stranger's: it is what it says to be, and as a page it runs nothing.
    set.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if media.ends_with("xml") {
        set.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", span.offset, span.offset + span.length - 1);
        set.insert(header::CONTENT_RANGE, HeaderValue::try_from(range).map_err(|_| Refusal::Internal)?);
    }
    *response.body_mut() = Outgoing::body(&app.tasks, |out| async move { bulk.write(span, &out).await });
    Ok(response)
}

/// A value's bytes.
struct Bulk {
    open: Open,
    place: Where,
    length: u64,
}

enum Where {
    /// In the data set, at this path.
    Here(Arc<Held>, AttributePath),
    Left(Left),
    /// In these stretches, one after the other.
    Stream(Vec<Span>),
}

impl Bulk {
    fn of(file: &Arc<Held>, path: &AttributePath, open: Open) -> Result<Self, Refusal> {
        let element = path.find(&file.data_set).ok_or(Refusal::NotFound)?;
        let (place, length) = match &element.value {
            Value::Fragments(_) => {
                let (_, stream) = video(file, path).ok_or(Refusal::NotFound)?;
                (Where::Stream(stream.to_vec()), stream.iter().map(|span| span.length).sum())
            }
            Value::Bytes(bytes) => (Where::Here(Arc::clone(file), path.clone()), bytes.len() as u64),
            Value::Left(left) => (Where::Left(*left), left.span.length),
            Value::Items(_) => return Err(Refusal::NotFound),
        };
        Ok(Self { open, place, length })
    }

    fn is_turned(&self) -> bool {
        matches!(&self.place, Where::Left(left) if left.swapped > 1)
    }

    fn whole(&self) -> Span {
        Span { offset: 0, length: self.length }
    }

    /// Writes a stretch of the value.
    async fn write(self, part: Span, out: &Outgoing) -> Result<(), Ended> {
        match self.place {
            Where::Here(file, path) => {
                let Some(Value::Bytes(bytes)) = path.find(&file.data_set).map(|element| &element.value) else {
                    return Ok(());
                };
                let from = usize::try_from(part.offset).unwrap_or(usize::MAX).min(bytes.len());
                let to = from.saturating_add(usize::try_from(part.length).unwrap_or(usize::MAX)).min(bytes.len());
                for chunk in bytes[from..to].chunks(CHUNK) {
                    out.send(chunk.to_vec()).await?;
                }
                Ok(())
            }
            Where::Stream(stream) => {
                let (mut begin, end) = (0, part.offset + part.length);
                for span in stream {
                    let (from, to) = (part.offset.max(begin), end.min(begin + span.length));
                    if from < to {
                        let span = Span { offset: span.offset + from - begin, length: to - from };
                        copy(&self.open, Left { span, swapped: 1 }, out).await?;
                    }
                    begin += span.length;
                }
                Ok(())
            }
            Where::Left(Left { span, swapped }) => {
                let part = Span { offset: span.offset + part.offset, length: part.length };
                copy(&self.open, Left { span: part, swapped }, out).await
            }
        }
    }
}

/// The media type and the stream of a video, where the path leads to one (PS3.5 §8.2.5 and after).
fn video<'a>(file: &'a File, path: &AttributePath) -> Option<(&'static str, &'a [Span])> {
    match file.head.syntax.pixels {
        Pixels::Video(media) if *path == AttributePath::to(tags::PIXEL_DATA) => {
            frames::stream(&file.data_set).map(|stream| (media, stream))
        }
        _ => None,
    }
}

/// The media type of an encapsulated document is its own (§10.4.3.3.5), and so is that of a video; everything else is bytes.
fn media(file: &File, path: &AttributePath) -> &'static str {
    const DOCUMENTS: &[&str] = &[
        "application/pdf",
        "text/xml",
        "application/xml",
        "text/plain",
        "model/stl",
        "model/obj",
        "model/mtl",
        "application/sla",
    ];
    if let Some((media, _)) = video(file, path) {
        return media;
    }
    if !path.is_top() || path.tag() != tags::ENCAPSULATED_DOCUMENT {
        return OCTETS;
    }
    let stated = file.data_set.ascii(tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT).unwrap_or_default();
    DOCUMENTS.iter().copied().find(|known| known.eq_ignore_ascii_case(stated)).unwrap_or(OCTETS)
}
