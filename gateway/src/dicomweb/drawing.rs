//! Frames as pictures: PNG or JPEG, drawn by the decoder.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use medvan_imaging::{
    accept::{Acceptable, Offer},
    multipart::{ContentType, PartHead, Writer},
    rendering::{self, RenderedQuery},
};
use medvan_pixels::{Region, RenderParameters, Scale, Values, Viewport, Window, WindowFunction};

use super::{
    decoded::sources,
    description::describe,
    frames::Image,
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
};
use crate::{
    App,
    catalog::HospitalId,
    decoder::{DecodedFrame, Form, What},
    store::FoundInstance,
};

pub(super) const HAVE: &str = "image/jpeg or image/png; of several frames multipart/related of them";
/// How often work looks whether there is room.
const PAUSE: Duration = Duration::from_millis(100);
/// Pictures that are held while they are drawn.
const AT_ONCE: usize = 8;

/// What is asked of a picture.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) parameters: RenderParameters,
    pub(super) quality: Option<u8>,
}

/// The forms of pictures, one by itself or parts.
pub(super) fn offers(is_one: bool) -> Vec<Offer> {
    const MEDIA: [&str; 2] = ["image/jpeg", "image/png"];
    let single = MEDIA.map(Offer::single).into_iter().filter(|_| is_one);
    single.chain(MEDIA.map(Offer::related)).collect()
}

/// Frames as pictures: one by itself, several as parts.
pub(super) async fn pictures(
    app: &App,
    image: Image,
    numbers: Vec<u32>,
    acceptable: &Acceptable,
    asked: Asked,
    root: &str,
) -> Result<Response, Refusal> {
    let offers = offers(numbers.len() == 1);
    let offer = &offers[negotiation::choose(acceptable, &offers, HAVE)?.offer];
    let is_single = !offer.related;
    let drawn = Drawn::begin(app, image, numbers, offer.media, asked, root).await?;
    if is_single {
        let picture = drawn.pictures.into_iter().next().ok_or(Refusal::Internal)?;
        return Ok(([(header::CONTENT_TYPE, offer.media)], picture).into_response());
    }
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of(offer.media));
    let content_type = writer.content_type();
    let body = Outgoing::body(&app.tasks, |out| async move {
        drawn.write(&mut writer, &out).await?;
        out.send(writer.end()).await
    });
    Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
}

/// Pictures of which the first ones are drawn.
pub(super) struct Drawn {
    app: App,
    image: Image,
    numbers: Vec<u32>,
    media: &'static str,
    asked: Asked,
    location: String,
    /// Those of the first numbers.
    pictures: Vec<Bytes>,
}

impl Drawn {
    /// Draws the first of these frames.
    ///
    /// # Errors
    /// A frame is not there, or the first ones cannot be drawn.
    pub(super) async fn begin(
        app: &App,
        image: Image,
        numbers: Vec<u32>,
        media: &'static str,
        asked: Asked,
        root: &str,
    ) -> Result<Self, Refusal> {
        for number in &numbers {
            image.frames.frame(*number)?;
        }
        let location = image.location(root);
        let mut drawn = Self { app: app.clone(), image, numbers, media, asked, location, pictures: Vec::new() };
        drawn.pictures = drawn.draw(&drawn.numbers[..drawn.numbers.len().min(AT_ONCE)]).await?;
        Ok(drawn)
    }

    /// Writes each as a part, and draws the others meanwhile.
    pub(super) async fn write(mut self, writer: &mut Writer, out: &Outgoing) -> Result<(), Ended> {
        let mut pictures = std::mem::take(&mut self.pictures);
        for (at, some) in self.numbers.chunks(AT_ONCE).enumerate() {
            if at > 0 {
                pictures = self.draw(some).await.map_err(|refusal| {
                    tracing::warn!(reason = %refusal, "a frame cannot be drawn; the answer was cut off");
                    Ended
                })?;
            }
            for (number, picture) in some.iter().zip(pictures.drain(..)) {
                let place = format!("{}/{number}/rendered", self.location);
                let head = PartHead::of(ContentType::of(self.media)).located(place);
                out.send(writer.part(&head)).await?;
                out.send(picture).await?;
            }
        }
        Ok(())
    }

    /// Draws frames; each frame of an enhanced object may have a description of its own.
    async fn draw(&self, numbers: &[u32]) -> Result<Vec<Bytes>, Refusal> {
        let what = match self.media {
            "image/png" => What::Png(self.asked.parameters.clone()),
            _ => What::Jpeg(self.asked.parameters.clone(), self.asked.quality),
        };
        let mut pictures = Vec::with_capacity(numbers.len());
        let mut runs = Runs { image: &self.image, left: numbers };
        while let Some((description, run)) = runs.next().await? {
            let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
            let frames = sources(self.image.clone(), run.to_vec());
            let mut drawn =
                self.app.decoder.frames(&self.image.hospital, description, what.clone(), count, frames).await?;
            for _ in run {
                pictures.push(drawn.next().await.ok_or(Refusal::Internal)??.bytes);
            }
        }
        Ok(pictures)
    }
}

/// Frames that have the same description go to one worker.
struct Runs<'a> {
    image: &'a Image,
    left: &'a [u32],
}

impl<'a> Runs<'a> {
    async fn next(&mut self) -> Result<Option<(medvan_pixels::ImageDescription, &'a [u32])>, Refusal> {
        let Some((first, rest)) = self.left.split_first() else { return Ok(None) };
        let description = self.describe(*first).await?;
        let mut length = 1;
        for number in rest {
            if self.describe(*number).await? != description {
                break;
            }
            length += 1;
        }
        let (run, left) = self.left.split_at(length);
        self.left = left;
        Ok(Some((description, run)))
    }

    async fn describe(&self, number: u32) -> Result<medvan_pixels::ImageDescription, Refusal> {
        describe(self.image, number).await.map_err(|error| {
            tracing::error!(%error, "a stored instance cannot be read");
            Refusal::Internal
        })
    }
}

/// One frame of a stored image as a picture, `image/png` or `image/jpeg`, for an AI service or for findings. Work waits for its turn as
/// long as it has time, where a viewer is told to come again: that many are drawn at once is no fault of a job's.
pub(crate) async fn picture(
    app: &App,
    hospital: &HospitalId,
    found: FoundInstance,
    frame: u32,
    media: &'static str,
    parameters: RenderParameters,
) -> Result<Bytes, Refusal> {
    loop {
        match picture_now(app, hospital, found.clone(), frame, media, parameters.clone()).await {
            Err(Refusal::Busy) => tokio::time::sleep(PAUSE).await,
            drawn => return drawn,
        }
    }
}

async fn picture_now(
    app: &App,
    hospital: &HospitalId,
    found: FoundInstance,
    frame: u32,
    media: &'static str,
    parameters: RenderParameters,
) -> Result<Bytes, Refusal> {
    let image = Image::of(app, hospital, found).await?;
    let asked = Asked { parameters, quality: None };
    let drawn = Drawn::begin(app, image, vec![frame], media, asked, "").await?;
    drawn.pictures.into_iter().next().ok_or(Refusal::Internal)
}

/// The pixels of one frame of a stored image as numbers, for a model; it waits as [`picture`] does.
pub(crate) async fn values(
    app: &App,
    hospital: &HospitalId,
    found: FoundInstance,
    frame: u32,
    scale: Scale,
) -> Result<Values, Refusal> {
    let decoded = loop {
        match decoded_now(app, hospital, found.clone(), frame, scale.clone()).await {
            Err(Refusal::Busy) => tokio::time::sleep(PAUSE).await,
            decoded => break decoded?,
        }
    };
    let Form::Values { columns, rows, channels } = decoded.form else { return Err(Refusal::Internal) };
    let (numbers, _) = decoded.bytes.as_chunks::<4>();
    Ok(Values { columns, rows, channels, values: numbers.iter().map(|four| f32::from_le_bytes(*four)).collect() })
}

async fn decoded_now(
    app: &App,
    hospital: &HospitalId,
    found: FoundInstance,
    frame: u32,
    scale: Scale,
) -> Result<DecodedFrame, Refusal> {
    let image = Image::of(app, hospital, found).await?;
    let encoded = image.frame_source(&image.frames.frame(frame)?).await.map_err(|error| {
        tracing::error!(%error, "a stored instance cannot be read");
        Refusal::Internal
    })?;
    let description = Runs { image: &image, left: &[] }.describe(frame).await?;
    Ok(app.decoder.frame(hospital, description, What::Values(scale), encoded).await?)
}

pub(super) fn parameters_of(query: &RenderedQuery) -> RenderParameters {
    RenderParameters { window: query.window.map(window), viewport: query.viewport.map(viewport) }
}

pub(super) fn window(window: rendering::Window) -> Window {
    let function = match window.function {
        Some(rendering::WindowFunction::LinearExact) => WindowFunction::LinearExact,
        Some(rendering::WindowFunction::Sigmoid) => WindowFunction::Sigmoid,
        Some(rendering::WindowFunction::Linear) | None => WindowFunction::Linear,
    };
    Window { center: window.center, width: window.width, function, explanation: None }
}

fn viewport(viewport: rendering::Viewport) -> Viewport {
    let rendering::Region { left, top, width, height } = viewport.region;
    Viewport { width: viewport.width, height: viewport.height, region: Region { left, top, width, height } }
}
