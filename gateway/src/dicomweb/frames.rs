//! WADO-RS frames and pixel data (PS3.18 §10.4.1.1.6): the bytes of single frames, as they are stored or uncompressed.

use std::{io, sync::Arc};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header;
use medvan_imaging::{
    TransferSyntax,
    accept::{Acceptable, Offer},
    dataset::Left,
    frames::{self, Frame, FrameList, Frames, FramesError, Place},
    multipart::{ContentType, PartHead, Writer},
};

use super::{
    ask::Ask,
    decoded,
    each::{self, Giving},
    instance::copy,
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
    resource::Resource,
    walk::Walk,
};
use crate::{
    App,
    archive::{Held, Open},
    catalog::HospitalId,
    decoder::{self, DecodedFrame, FrameSource},
    store::FoundInstance,
};

const OCTETS: &str = "application/octet-stream";
const HAVE: &str = "multipart/related; type=\"application/octet-stream\" in Explicit VR Little Endian, or the stored frames in their own \
     media type and transfer syntax";

/// `GET …/instances/{instance}/frames/{frames}`
pub(crate) async fn some(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let list = FrameList::parse(ask.resource.rest()).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let image = Image::open(&app, ask.hospital(), &ask.resource).await?;
    let ready = image.ready(&app, list.numbers().to_vec(), &ask.acceptable, &ask.root).await?;
    ready.answer(&app)
}

/// `GET …/pixeldata` of a study, a series or an instance.
pub(crate) async fn pixel_data(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let selection = ask.resource.selection()?;
    if selection.instance.is_some() {
        let image = Image::open(&app, ask.hospital(), &ask.resource).await?;
        return image.all(&app, &ask.acceptable, &ask.root).await?.answer(&app);
    }
    let walk = Walk::begin(&app, ask.hospital(), selection).await?;
    let giving =
        PixelData { app, hospital: ask.hospital().clone(), acceptable: ask.asked.acceptable, root: ask.asked.root };
    each::parts(giving, walk, OCTETS).await
}

/// Every frame of each image.
struct PixelData {
    app: App,
    hospital: HospitalId,
    acceptable: Acceptable,
    root: String,
}

impl Giving for PixelData {
    type Ready = Ready;

    async fn prepare(&self, found: FoundInstance) -> Result<Option<Ready>, Refusal> {
        if found.rows.is_none() {
            return Ok(None);
        }
        let image = Image::of(&self.app, &self.hospital, found).await?;
        let ready = image.all(&self.app, &self.acceptable, &self.root).await?;
        if ready.related { Ok(Some(ready)) } else { Err(Refusal::NotAcceptable(HAVE)) }
    }

    async fn write(&self, ready: Ready, writer: &mut Writer, out: &Outgoing) -> Result<(), Ended> {
        ready.parts(writer, out).await
    }
}

/// A stored image whose frames were found. Cheap to clone.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) hospital: HospitalId,
    pub(super) found: FoundInstance,
    pub(super) file: Arc<Held>,
    pub(super) open: Open,
    pub(super) frames: Frames,
}

impl Image {
    /// Opens the instance that the path names.
    pub(super) async fn open(app: &App, hospital: &HospitalId, resource: &Resource) -> Result<Self, Refusal> {
        let found = app.store.select_instances(hospital, &resource.selection()?, 0, 1).await?;
        let found = found.into_iter().next().ok_or(Refusal::NotFound)?;
        Self::of(app, hospital, found).await
    }

    /// Finds the frames of an instance.
    pub(super) async fn of(app: &App, hospital: &HospitalId, found: FoundInstance) -> Result<Self, Refusal> {
        let file = app.archive.data_set(hospital, found.place).await?;
        let open = app.archive.open_place(hospital, found.place).await?;
        let reading = open.clone();
        let located = tokio::task::spawn_blocking(move || {
            let frames = frames::locate(&file.data_set, &file.head.syntax, |span| reading.read_now(span));
            frames.map(|frames| (file, frames))
        });
        let (file, frames) = located.await.map_err(|_| Refusal::Internal)??;
        Ok(Self { hospital: hospital.clone(), found, file: Arc::new(file), open, frames })
    }

    /// How the frames are stored.
    pub(super) fn syntax(&self) -> &TransferSyntax {
        &self.file.head.syntax
    }

    /// All of its frames, in order.
    pub(super) async fn all(self, app: &App, acceptable: &Acceptable, root: &str) -> Result<Ready, Refusal> {
        let most = FrameList::LONGEST;
        if self.frames.count() as usize > most {
            return Err(Refusal::TooLarge(format!("at most {most} frames are given at once; ask for them by number")));
        }
        let numbers = (1..=self.frames.count()).collect();
        self.ready(app, numbers, acceptable, root).await
    }

    /// These frames in the form that is accepted; of what must be decoded the first one is.
    async fn ready(self, app: &App, numbers: Vec<u32>, acceptable: &Acceptable, root: &str) -> Result<Ready, Refusal> {
        // Asked for before anything is sent: a frame that is not there is a 404, not a broken answer.
        let frames: Vec<Frame> =
            numbers.iter().map(|number| self.frames.frame(*number)).collect::<Result<_, FramesError>>()?;
        let offers = self.offers();
        let choice = negotiation::choose(acceptable, &offers, HAVE)?;
        let offer = &offers[choice.offer];
        if !offer.related && numbers.len() > 1 {
            return Err(Refusal::NotAcceptable("several frames come as multipart/related only"));
        }
        let syntax = choice.transfer_syntax.map_or_else(TransferSyntax::explicit_little, TransferSyntax::of);
        let media = ContentType::of(offer.media).with("transfer-syntax", syntax.uid());
        let is_stored = syntax.uid() == self.syntax().uid() || !self.syntax().is_encapsulated();
        let (location, related) = (self.location(root), offer.related);
        let form = if is_stored {
            Form::Stored(self, frames)
        } else {
            let (first, rest) = decoded::begin(app, self, numbers.clone()).await?;
            Form::Decoded(Some(first), rest)
        };
        Ok(Ready { numbers, media, related, location, form })
    }

    /// What the frames can leave as: as they are stored first. Without a wish they leave uncompressed.
    fn offers(&self) -> Vec<Offer> {
        let stored = self.syntax().clone();
        let plain = TransferSyntax::explicit_little();
        if !stored.is_encapsulated() {
            let plain = || [plain.clone()];
            return vec![Offer::related(OCTETS).in_syntaxes(plain()), Offer::single(OCTETS).in_syntaxes(plain())];
        }
        let mut offers = Vec::new();
        if let Some(media) = stored.frame_media_type() {
            offers.push(Offer::related(media).in_syntaxes([stored.clone()]));
            offers.push(Offer::single(media).in_syntaxes([stored.clone()]));
        }
        let mut plainly = Vec::new();
        if medvan_pixels::can_decode(stored.uid().as_str()) {
            plainly.push(plain);
        }
        // Clients ask for `application/octet-stream; transfer-syntax=*` and mean the stored frame.
        plainly.push(stored);
        offers.push(Offer::related(OCTETS).in_syntaxes(plainly.clone()).as_default());
        offers.push(Offer::single(OCTETS).in_syntaxes(plainly));
        offers
    }

    pub(super) fn location(&self, root: &str) -> String {
        let found = &self.found;
        format!("{root}/studies/{}/series/{}/instances/{}/frames", found.study_uid, found.series_uid, found.uid)
    }

    /// A frame for the decoder: its fragments as they are stored.
    pub(super) async fn frame_source(&self, frame: &Frame) -> io::Result<FrameSource> {
        // The decoder would refuse it: it need not be read for that.
        if frame.length() > medvan_pixels::Limits::default().encoded_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if !self.syntax().is_encapsulated() {
            return Ok(Bytes::from(self.frame_bytes(frame).await?).into());
        }
        let mut fragments = Vec::with_capacity(frame.spans.len());
        for span in &frame.spans {
            fragments.push(self.open.bytes(span.offset, span.length).await?);
        }
        Ok(FrameSource { fragments, first_bit: 0 })
    }

    /// The bytes of a frame as they are stored, in little endian and beginning with its first bit.
    pub(super) async fn frame_bytes(&self, frame: &Frame) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for span in &frame.spans {
            match frame.place {
                Place::Source => bytes.extend_from_slice(&self.open.bytes(span.offset, span.length).await?),
                Place::Value(tag) => {
                    let value = self.file.data_set.bytes(tag).unwrap_or_default();
                    let from = usize::try_from(span.offset).unwrap_or(usize::MAX).min(value.len());
                    let to = from.saturating_add(usize::try_from(span.length).unwrap_or(usize::MAX)).min(value.len());
                    bytes.extend_from_slice(&value[from..to]);
                }
            }
        }
        Ok(if frame.is_as_stored() && frame.swapped <= 1 { bytes } else { frame.take_from(bytes) })
    }
}

/// Frames that are ready to leave.
pub(super) struct Ready {
    numbers: Vec<u32>,
    media: ContentType,
    /// Whether they are parts.
    related: bool,
    location: String,
    form: Form,
}

enum Form {
    Stored(Image, Vec<Frame>),
    /// The first one, until it is sent, and the others.
    Decoded(Option<DecodedFrame>, decoder::Frames),
}

impl Ready {
    /// The answer that has nothing but them.
    pub(super) fn answer(self, app: &App) -> Result<Response, Refusal> {
        if !self.related {
            let (content_type, mut form) = (self.media.to_string(), self.form);
            let body = Outgoing::body(&app.tasks, |out| async move { form.write(0, &out).await });
            return Ok(([(header::CONTENT_TYPE, content_type)], body).into_response());
        }
        let mut writer = Writer::new(negotiation::boundary(), &self.media);
        let content_type = writer.content_type();
        let body = Outgoing::body(&app.tasks, |out| async move {
            self.parts(&mut writer, &out).await?;
            out.send(writer.end()).await
        });
        Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
    }

    /// Writes each of them as a part.
    pub(super) async fn parts(self, writer: &mut Writer, out: &Outgoing) -> Result<(), Ended> {
        let Self { numbers, media, location, mut form, .. } = self;
        for (at, number) in numbers.iter().enumerate() {
            let head = PartHead::of(media.clone()).located(format!("{location}/{number}"));
            out.send(writer.part(&head)).await?;
            form.write(at, out).await?;
        }
        Ok(())
    }
}

impl Form {
    /// Writes the frame at this place of the list; they are written one after the other.
    async fn write(&mut self, at: usize, out: &Outgoing) -> Result<(), Ended> {
        match self {
            Self::Stored(image, frames) => image.write(&frames[at], out).await,
            Self::Decoded(first, rest) => {
                let frame = match first.take() {
                    Some(first) => first,
                    None => decoded::next(rest).await?,
                };
                out.send(frame.bytes).await
            }
        }
    }
}

impl Image {
    /// A frame that is stored as it leaves is copied piece by piece, however large.
    async fn write(&self, frame: &Frame, out: &Outgoing) -> Result<(), Ended> {
        if frame.place == Place::Source && frame.skipped_bits == 0 && frame.bits == frame.length() * 8 {
            for span in &frame.spans {
                copy(&self.open, Left { span: *span, swapped: frame.swapped.max(1) }, out).await?;
            }
            return Ok(());
        }
        out.send(self.frame_bytes(frame).await?).await
    }
}

impl From<FramesError> for Refusal {
    fn from(error: FramesError) -> Self {
        match error {
            FramesError::NoPixelData | FramesError::NoSuchFrame { .. } => Self::NotFound,
            FramesError::Io(error) => {
                tracing::error!(%error, "a stored instance cannot be read");
                Self::Internal
            }
            FramesError::Video => {
                Self::NotAcceptable("the frames of a video are only in its stream; retrieve the instance")
            }
            // What is stored is broken: nobody can have its frames, the instance itself can be retrieved.
            FramesError::Attribute(_) | FramesError::Short(_) | FramesError::Unclear => {
                Self::NotAcceptable("the instance's frames cannot be told apart; retrieve the instance")
            }
        }
    }
}
