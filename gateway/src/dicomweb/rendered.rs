//! WADO-RS rendered resources and thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.1.4): images as PNG or JPEG, reports as pages, documents and
//! videos as they are.

use axum::{extract::State, response::Response};
use http::{HeaderName, HeaderValue};
use medvan_imaging::{
    frames::FrameList,
    multipart::Writer,
    rendering::{self, RenderedQuery, RenderingError, Target},
    transfer_syntax::Pixels,
};
use medvan_pixels::{Region, Viewport};

use super::{
    ask::Ask,
    documents,
    drawing::{self, Asked, Drawn},
    each::{self, Giving},
    frames::Image,
    negotiation,
    outgoing::{Ended, Outgoing},
    refusal::Refusal,
    walk::Walk,
};
use crate::{
    App,
    catalog::HospitalId,
    store::{FoundInstance, Selection},
};

/// Longest side of a thumbnail that asks for no size.
const THUMBNAIL: u32 = 256;

/// `GET …/rendered` of a study, a series, an instance or of frames.
pub(crate) async fn rendered(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let query = RenderedQuery::from_parameters(ask.parameters.iter())?;
    query.check(Target::Instance)?;
    let asked = Asked { parameters: drawing::parameters_of(&query), quality: query.quality };
    let walk = Walk::begin(&app, ask.hospital(), ask.resource.selection()?).await?;
    let mut response = match (walk.only(), ask.resource.rest()) {
        (Some(found), "") if ask.resource.is_instance() && has_no_pictures(found) => {
            return documents::rendered(&app, &ask, found).await;
        }
        (Some(found), "") if ask.resource.is_instance() => {
            let found = found.clone();
            instance(&app, &ask, walk, found, asked).await?
        }
        (Some(found), list) if !list.is_empty() => {
            let list = FrameList::parse(list).map_err(|error| Refusal::BadRequest(error.to_string()))?;
            let image = Image::of(&app, ask.hospital(), found.clone()).await?;
            drawing::pictures(&app, image, list.numbers().to_vec(), &ask.acceptable, asked, &ask.root).await?
        }
        _ => many(&app, &ask, walk, asked).await?,
    };
    warn(&mut response, &query, &ask.root);
    Ok(response)
}

/// Whether it is shown as something else: a report, a document or a video.
fn has_no_pictures(found: &FoundInstance) -> bool {
    found.rows.is_none() || matches!(found.syntax.pixels, Pixels::Video(_))
}

/// An image: its first frame where one picture is asked for, all of them where parts are.
async fn instance(app: &App, ask: &Ask, walk: Walk, found: FoundInstance, asked: Asked) -> Result<Response, Refusal> {
    let offers = drawing::offers(true);
    let choice = negotiation::choose(&ask.acceptable, &offers, drawing::HAVE)?;
    if offers[choice.offer].related {
        return many(app, ask, walk, asked).await;
    }
    let image = Image::of(app, ask.hospital(), found).await?;
    drawing::pictures(app, image, vec![1], &ask.acceptable, asked, &ask.root).await
}

/// Every frame of every image.
async fn many(app: &App, ask: &Ask, walk: Walk, asked: Asked) -> Result<Response, Refusal> {
    let offers = drawing::offers(false);
    let media = offers[negotiation::choose(&ask.acceptable, &offers, drawing::HAVE)?.offer].media;
    let (hospital, root) = (ask.hospital().clone(), ask.root.clone());
    each::parts(Pictures { app: app.clone(), hospital, media, asked, root }, walk, media).await
}

struct Pictures {
    app: App,
    hospital: HospitalId,
    media: &'static str,
    asked: Asked,
    root: String,
}

impl Giving for Pictures {
    type Ready = Drawn;

    async fn prepare(&self, found: FoundInstance) -> Result<Option<Drawn>, Refusal> {
        if has_no_pictures(&found) {
            return Ok(None);
        }
        let image = Image::of(&self.app, &self.hospital, found).await?;
        if image.frames.count() as usize > FrameList::LONGEST {
            return Err(Refusal::TooLarge("the image has too many frames; ask for them by number".to_owned()));
        }
        let numbers = (1..=image.frames.count()).collect();
        Drawn::begin(&self.app, image, numbers, self.media, self.asked.clone(), &self.root).await.map(Some)
    }

    async fn write(&self, ready: Drawn, writer: &mut Writer, out: &Outgoing) -> Result<(), Ended> {
        ready.write(writer, out).await
    }
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
    let mut parameters = drawing::parameters_of(&query);
    let small = Viewport { width: THUMBNAIL, height: THUMBNAIL, region: Region::default() };
    parameters.viewport.get_or_insert(small);
    let asked = Asked { parameters, quality: query.quality };
    drawing::pictures(&app, image, vec![number], &ask.acceptable, asked, &ask.root).await
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
