//! WADO-RS rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.4): images as PNG or JPEG.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use medvan_imaging::{
    accept::{Acceptable, Offer},
    frames::FrameList,
    multipart::{ContentType, PartHead, Writer},
    rendering::{self, RenderedQuery, RenderingError, Target},
};
use medvan_pixels::{Region, RenderParameters, Viewport, Window, WindowFunction};

use super::{
    ask::Ask, decoded::sources, description::describe, frames::Image, negotiation, outgoing::Outgoing, refusal::Refusal,
};
use crate::{
    App,
    catalog::HospitalId,
    decoder::What,
    store::{FoundInstance, Selection},
};

const HAVE: &str = "image/jpeg or image/png; of several frames multipart/related of them";
/// Longest side of a thumbnail that asks for no size.
const THUMBNAIL: u32 = 256;

/// `GET …/rendered` of an instance: its first frame; of frames: each of them.
pub(crate) async fn rendered(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let query = RenderedQuery::from_parameters(ask.parameters.iter())?;
    query.check(Target::Instance)?;
    let numbers = match ask.resource.rest() {
        "" => vec![1],
        list => FrameList::parse(list).map_err(|error| Refusal::BadRequest(error.to_string()))?.numbers().to_vec(),
    };
    let image = Image::open(&app, ask.hospital(), &ask.resource).await?;
    let asked = Asked { parameters: parameters_of(&query), quality: query.quality };
    let mut response = pictures(&app, image, numbers, &ask.acceptable, asked, &ask.root).await?;
    warn(&mut response, &query, &ask.root);
    Ok(response)
}

/// `GET …/thumbnail` of a study, a series, an instance or a frame: one picture that stands for it.
pub(crate) async fn thumbnail(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let query = RenderedQuery::from_parameters(ask.parameters.iter())?;
    query.check(Target::Thumbnail)?;
    let found = representative(&app, ask.hospital(), &ask.resource.selection()?).await?;
    let image = Image::of(&app, ask.hospital(), found).await?;
    let number = match ask.resource.rest() {
        "" => image.frames.count().div_ceil(2),
        list => FrameList::parse(list).map_err(|error| Refusal::BadRequest(error.to_string()))?.numbers()[0],
    };
    let mut parameters = parameters_of(&query);
    let small = Viewport { width: THUMBNAIL, height: THUMBNAIL, region: Region::default() };
    parameters.viewport.get_or_insert(small);
    let asked = Asked { parameters, quality: query.quality };
    pictures(&app, image, vec![number], &ask.acceptable, asked, &ask.root).await
}

/// The image in the middle: it shows more of what the series is about than its edge does.
async fn representative(app: &App, hospital: &HospitalId, selection: &Selection) -> Result<FoundInstance, Refusal> {
    const MOST: u32 = 2_000;
    let mut found = app.store.select_instances(hospital, selection, 0, MOST).await?;
    found.retain(|instance| instance.rows.is_some());
    let first = found.first().map(|instance| instance.series);
    found.retain(|instance| Some(instance.series) == first);
    found.sort_by_key(|instance| instance.number);
    let middle = found.len() / 2;
    found.into_iter().nth(middle).ok_or(Refusal::NotFound)
}

/// What is asked of a picture.
pub(super) struct Asked {
    pub(super) parameters: RenderParameters,
    pub(super) quality: Option<u8>,
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
    for number in &numbers {
        image.frames.frame(*number)?;
    }
    let jpeg = || ["image/jpeg", "image/png"];
    let offers: Vec<Offer> = if numbers.len() == 1 {
        jpeg().map(Offer::single).into_iter().chain(jpeg().map(Offer::related)).collect()
    } else {
        jpeg().map(Offer::related).into_iter().collect()
    };
    let choice = negotiation::choose(acceptable, &offers, HAVE)?;
    let offer = &offers[choice.offer];
    let location = image.location(root);
    let made = draw(app, image, &numbers, offer.media, &asked).await?;
    if !offer.related {
        let picture = made.into_iter().next().ok_or(Refusal::Internal)?;
        return Ok(([(header::CONTENT_TYPE, offer.media)], picture).into_response());
    }
    let mut writer = Writer::new(negotiation::boundary(), &ContentType::of(offer.media));
    let content_type = writer.content_type();
    let media = offer.media;
    let body = Outgoing::body(&app.tasks, |out| async move {
        for (number, picture) in numbers.iter().zip(made) {
            let head = PartHead::of(ContentType::of(media)).located(format!("{location}/{number}/rendered"));
            out.send(writer.part(&head)).await?;
            out.send(picture).await?;
        }
        out.send(writer.end()).await
    });
    Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
}

/// Draws frames; each frame of an enhanced object may have a description of its own.
async fn draw(app: &App, image: Image, numbers: &[u32], media: &str, asked: &Asked) -> Result<Vec<Bytes>, Refusal> {
    /// Pictures in one answer: they are held until the last one is drawn.
    const MOST: usize = 256;
    if numbers.len() > MOST {
        return Err(Refusal::TooLarge(format!("at most {MOST} frames are rendered at once")));
    }
    let what = match media {
        "image/png" => What::Png(asked.parameters.clone()),
        _ => What::Jpeg(asked.parameters.clone(), asked.quality),
    };
    let mut pictures = Vec::with_capacity(numbers.len());
    let mut runs = Runs { image: &image, left: numbers };
    while let Some((description, run)) = runs.next().await? {
        let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
        let frames = sources(image.clone(), run.to_vec());
        let mut drawn = app.decoder.frames(description, what.clone(), count, frames).await?;
        for _ in run {
            pictures.push(drawn.next().await.ok_or(Refusal::Internal)??.bytes);
        }
    }
    Ok(pictures)
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

fn parameters_of(query: &RenderedQuery) -> RenderParameters {
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

/// What was asked for and is not done is said (§8.3.5.1.1): nothing is written into pictures, and no profile is put in.
fn warn(response: &mut Response, query: &RenderedQuery, root: &str) {
    let mut warnings: Vec<String> = query.annotation.warning(root).into_iter().collect();
    if query.annotation.is_wanted() {
        warnings
            .push(format!("299 {root}: The annotation parameter is not supported; nothing was written into the image"));
    }
    if query.icc_profile.is_some_and(|profile| profile != rendering::IccProfile::No) {
        warnings.push(format!("299 {root}: The iccprofile parameter is not supported; the image has no profile"));
    }
    for warning in warnings {
        if let Ok(value) = HeaderValue::try_from(warning) {
            response.headers_mut().append(HeaderName::from_static("warning"), value);
        }
    }
}

impl From<RenderingError> for Refusal {
    fn from(error: RenderingError) -> Self {
        Self::BadRequest(error.to_string())
    }
}
