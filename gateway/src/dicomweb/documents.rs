//! What is rendered of instances without pictures: a structured report as a page or as plain text, an encapsulated document and a
//! video as they are (PS3.18 §8.7.4, §10.4.1.1.3).

use axum::response::{IntoResponse, Response};
use dicom_dictionary_std::tags;
use http::{HeaderValue, header};
use medvan_imaging::{
    accept::{Acceptable, Offer},
    attributes::{self, AttributePath, Attributes},
    report::{self, Language},
    transfer_syntax::Pixels,
};

use super::{ask::Ask, bulkdata, negotiation, refusal::Refusal};
use crate::{App, store::FoundInstance, viewer};

const HAVE: &str = "text/html or text/plain of a structured report; an encapsulated document in its own media type";
/// A page has nothing to load and nothing to run.
const ALONE: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// An instance without pictures: a report, a document or a video.
pub(super) async fn rendered(app: &App, ask: &Ask, found: &FoundInstance) -> Result<Response, Refusal> {
    let file = app.archive.data_set(ask.hospital(), found.place).await?;
    if report::is_report(&found.class) {
        // Where a value is too long for the index it is said that something stands there.
        let elsewhere = |_: &AttributePath| Some(String::new());
        return as_text(&attributes::read(&file.data_set, &elsewhere), &ask.acceptable, ask);
    }
    let is_video = matches!(found.syntax.pixels, Pixels::Video(_));
    let shown = if is_video { tags::PIXEL_DATA } else { tags::ENCAPSULATED_DOCUMENT };
    file.data_set.get(shown).ok_or(Refusal::NotAcceptable("the instance has nothing that can be rendered"))?;
    bulkdata::document(app, ask, found, file, shown).await
}

/// The forms in which a report is rendered, the usual one first.
pub(super) fn offers() -> [Offer; 2] {
    [Offer::single("text/html"), Offer::single("text/plain")]
}

/// A report in the language that the caller reads.
pub(super) fn as_text(report: &Attributes, acceptable: &Acceptable, ask: &Ask) -> Result<Response, Refusal> {
    let choice = negotiation::choose(acceptable, &offers(), HAVE)?;
    let language = match viewer::Language::accepted(&ask.headers) {
        viewer::Language::Japanese => Language::Japanese,
        viewer::Language::English => Language::English,
    };
    let (media, text) = match choice.offer {
        0 => ("text/html; charset=utf-8", report::html(report, language)),
        _ => ("text/plain; charset=utf-8", report::text(report, language)),
    };
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(ALONE)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((head, text).into_response())
}
