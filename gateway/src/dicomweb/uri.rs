//! WADO-URI: one instance by query parameters (PS3.18 chapter 9).

use axum::{extract::State, response::Response};
use medvan_imaging::{
    accept::{Acceptable, Offer},
    attributes::{self, AttributePath},
    rendering::WadoUriQuery,
    report,
};
use medvan_pixels::{Region, RenderParameters, Viewport};

use super::{
    ask::Ask,
    documents,
    drawing::{Asked, pictures, window},
    frames::Image,
    instance::others,
    negotiation,
    refusal::Refusal,
    retrieve,
};
use crate::{
    App,
    store::{FoundInstance, Selection},
};

const HAVE: &str = "application/dicom, image/jpeg or image/png of one frame, text/html or text/plain of a report";

/// `GET /hospitals/{hospital}/wado?requestType=WADO&…`
pub(crate) async fn wado(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    let query = WadoUriQuery::from_parameters(ask.parameters.iter())?;
    if query.anonymize {
        // Identified bytes under this parameter would be the worst of all answers.
        return Err(Refusal::NotAcceptable(
            "de-identification is not offered here yet, so anonymize=yes cannot be honoured and nothing is sent",
        ));
    }
    if query.presentation.is_some() {
        return Err(Refusal::NotAcceptable("presentation states are not applied here; leave presentationUID out"));
    }
    let selection = Selection {
        study: query.study.clone(),
        series: Some(query.series.clone()),
        instance: Some(query.instance.clone()),
    };
    let found = app.store.select_instances(ask.hospital(), &selection, 0, 1).await?;
    let found = found.into_iter().next().ok_or(Refusal::NotFound)?;
    let acceptable = acceptable(&ask, &query)?;
    if report::is_report(&found.class) && is_text(&acceptable, &found)? {
        let file = app.archive.data_set(ask.hospital(), found.place).await?;
        let elsewhere = |_: &AttributePath| Some(String::new());
        return documents::as_text(&attributes::read(&file.data_set, &elsewhere), &acceptable, &ask);
    }
    if is_dicom(&acceptable, &found, &query)? {
        return retrieve::alone(&app, ask.hospital(), &found, &acceptable).await;
    }
    let image = Image::of(&app, ask.hospital(), found).await?;
    let number = frame(&image, &query)?;
    let asked = Asked { parameters: drawn(&image, &query), quality: query.quality };
    pictures(&app, image, vec![number], &acceptable, asked, &ask.root).await
}

/// `contentType` goes before the Accept header (§9.4.1, §9.5.1).
fn acceptable(ask: &Ask, query: &WadoUriQuery) -> Result<Acceptable, Refusal> {
    if query.content_types.is_empty() {
        return Ok(ask.acceptable.clone());
    }
    let syntax = query.transfer_syntax.as_ref().map(|uid| uid.as_str());
    Acceptable::parse([], Some(&query.content_types.join(",")), syntax)
        .map_err(|error| Refusal::BadRequest(error.to_string()))
}

/// A report is a page unless the instance is asked for (§9.5.2).
fn is_text(acceptable: &Acceptable, found: &FoundInstance) -> Result<bool, Refusal> {
    let syntaxes = std::iter::once(found.syntax.clone()).chain(others(&found.syntax));
    let dicom = Offer::single("application/dicom").in_syntaxes(syntaxes);
    let [page, plain] = documents::offers();
    Ok(negotiation::choose(acceptable, &[page, plain, dicom], HAVE)?.offer < 2)
}

/// One frame is a picture unless the instance is asked for; several frames, or none, are the instance (§9.5.2).
fn is_dicom(acceptable: &Acceptable, found: &FoundInstance, query: &WadoUriQuery) -> Result<bool, Refusal> {
    let dicom = Offer::single("application/dicom")
        .in_syntaxes(std::iter::once(found.syntax.clone()).chain(others(&found.syntax)));
    let picture = ["image/jpeg", "image/png"].map(Offer::single);
    let is_one = found.rows.is_some() && (found.frames.unwrap_or(1) <= 1 || query.frame.is_some());
    let mut offers: Vec<Offer> = picture.into();
    let at = if is_one { offers.len() } else { 0 };
    offers.insert(at, dicom);
    if found.rows.is_none() {
        offers.truncate(1);
    }
    Ok(negotiation::choose(acceptable, &offers, HAVE)?.offer == at)
}

/// `frameNumber` is for instances of several frames, and must be one of theirs: else 400 (§9.5.1.2.7).
fn frame(image: &Image, query: &WadoUriQuery) -> Result<u32, Refusal> {
    let count = image.frames.count();
    match query.frame {
        None => Ok(1),
        Some(_) if count == 1 => Err(Refusal::BadRequest("frameNumber is for instances of several frames".to_owned())),
        Some(number) if number > count => Err(Refusal::BadRequest(format!("frameNumber goes from 1 to {count}"))),
        Some(number) => Ok(number),
    }
}

/// Rows and columns are a viewport, the region is in parts of the image.
fn drawn(image: &Image, query: &WadoUriQuery) -> RenderParameters {
    let size = |tag| f64::from(image.file.data_set.unsigned_short(tag).unwrap_or(0));
    let (rows, columns) = (size(dicom_dictionary_std::tags::ROWS), size(dicom_dictionary_std::tags::COLUMNS));
    let region = query.region.as_ref().map_or_else(Region::default, |part| Region {
        left: part.left * columns,
        top: part.top * rows,
        width: Some((part.right - part.left) * columns),
        height: Some((part.bottom - part.top) * rows),
    });
    let is_sized = query.rows.is_some() || query.columns.is_some() || query.region.is_some();
    let side = |asked: Option<u32>, other: Option<u32>, own: Option<f64>, whole: f64| {
        let own = own.unwrap_or(whole).max(1.0) as u32;
        // One side alone bounds; the other one follows from the image's proportions.
        asked.unwrap_or(if other.is_some() { 16_384 } else { own })
    };
    let viewport = is_sized.then(|| Viewport {
        width: side(query.columns, query.rows, region.width, columns),
        height: side(query.rows, query.columns, region.height, rows),
        region,
    });
    RenderParameters { window: query.window.map(window), viewport }
}
