//! [`WadoUriQuery`]: a request of the URI service (PS3.18 chapter 9).

use super::{
    Annotation, RenderingError, Window,
    fields::{Fields, decimal, has_width, side, whole},
};
use crate::Uid;

/// A request for one instance, as it is or rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct WadoUriQuery {
    /// `studyUID`
    pub study: Uid,
    /// `seriesUID`
    pub series: Uid,
    /// `objectUID`
    pub instance: Uid,
    /// `contentType`: media types as they were listed, without wild cards; empty where the `Accept` header decides.
    pub content_types: Vec<String>,
    /// `charset`, as it was listed.
    pub charset: Vec<String>,
    /// `anonymize=yes`: the Basic Profile with the Clean Pixel Data Option (§9.4.1.2.1). Who cannot do that must refuse, never
    /// answer with the patient's name in it.
    pub anonymize: bool,
    /// `transferSyntax`, of an answer in `application/dicom`.
    pub transfer_syntax: Option<Uid>,
    /// `frameNumber`, from 1. That there is such a frame, and that there are frames at all, is for the caller to see (§9.5.2.1).
    pub frame: Option<u32>,
    /// `imageAnnotation`, which §9.4.1.2.2 calls `annotation`.
    pub annotation: Annotation,
    /// `imageQuality`, 1 to 100.
    pub quality: Option<u8>,
    /// `rows`: the height that the image may have.
    pub rows: Option<u32>,
    /// `columns`: the width that the image may have.
    pub columns: Option<u32>,
    /// `region`
    pub region: Option<UriRegion>,
    /// `windowCenter` and `windowWidth`.
    pub window: Option<Window>,
    /// `presentationSeriesUID` and `presentationUID`.
    pub presentation: Option<Presentation>,
}

/// A part of an image in parts of its width and height: 0 is its left or upper edge, 1 its right or lower one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UriRegion {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge, greater than the left one.
    pub right: f64,
    /// Lower edge, greater than the upper one.
    pub bottom: f64,
}

/// A presentation state to render with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presentation {
    /// Its series.
    pub series: Uid,
    /// Its instance.
    pub instance: Uid,
}

/// Names are case-sensitive (`%s` in the grammar).
const NAMES: &[&str] = &[
    "requestType",
    "studyUID",
    "seriesUID",
    "objectUID",
    "contentType",
    "charset",
    "anonymize",
    "transferSyntax",
    "annotation",
    "imageAnnotation",
    "imageQuality",
    "frameNumber",
    "rows",
    "columns",
    "region",
    "windowCenter",
    "windowWidth",
    "presentationSeriesUID",
    "presentationUID",
];

const DICOM: &str = "application/dicom";

impl WadoUriQuery {
    /// Reads the parameters of a request, names and values already percent-decoded.
    ///
    /// # Errors
    /// A parameter is missing, is wrong, stands twice, or cannot be used together with another one.
    pub fn from_parameters<'n, 'a>(
        pairs: impl IntoIterator<Item = (&'n str, &'a str)>,
    ) -> Result<Self, RenderingError> {
        let fields = Fields::collect(NAMES, pairs)?;
        match fields.get("requestType") {
            None => return Err(RenderingError::Missing("requestType")),
            Some("WADO") => {}
            Some(_) => return Err(RenderingError::Value { parameter: "requestType", expected: "WADO" }),
        }
        let must = |parameter| fields.uid(parameter)?.ok_or(RenderingError::Missing(parameter));
        let number = "a whole number from 1";
        let query = Self {
            study: must("studyUID")?,
            series: must("seriesUID")?,
            instance: must("objectUID")?,
            content_types: content_types(&fields)?,
            charset: fields.charset(),
            anonymize: fields.read("anonymize", "yes", |text| (text == "yes").then_some(()))?.is_some(),
            transfer_syntax: fields.uid("transferSyntax")?,
            frame: fields.read("frameNumber", number, |text| whole(text).filter(|number| *number > 0))?,
            annotation: annotation(&fields)?,
            quality: fields.quality("imageQuality")?,
            rows: fields.read("rows", "a whole number from 1 to 16384", side)?,
            columns: fields.read("columns", "a whole number from 1 to 16384", side)?,
            region: fields.read("region", REGION, region)?,
            window: window(&fields)?,
            presentation: presentation(&fields)?,
        };
        query.agree()?;
        Ok(query)
    }

    /// Whether the instance itself is asked for by `contentType`.
    pub fn is_dicom(&self) -> bool {
        self.content_types.iter().any(|media| media.eq_ignore_ascii_case(DICOM))
    }

    /// What cannot be asked for together (§9.5.1.2.6, §9.5.1.2.7).
    fn agree(&self) -> Result<(), RenderingError> {
        let (window, presentation) = ("windowCenter and windowWidth", "presentationUID");
        let together = [
            (self.window.is_some() && self.presentation.is_some(), window, presentation),
            (self.frame.is_some() && self.presentation.is_some(), "frameNumber", presentation),
            (self.window.is_some() && self.is_dicom(), window, "contentType=application/dicom"),
        ];
        match together.into_iter().find(|(both, ..)| *both) {
            Some((_, one, other)) => Err(RenderingError::Together(one, other)),
            None => Ok(()),
        }
    }
}

const REGION: &str = "xmin,ymin,xmax,ymax with 0 <= xmin < xmax <= 1 and 0 <= ymin < ymax <= 1";

fn region(text: &str) -> Option<UriRegion> {
    let parts: Vec<f64> = text.split(',').take(5).map(|part| decimal(part.trim())).collect::<Option<_>>()?;
    let [left, top, right, bottom] = parts.try_into().ok()?;
    let inside = 0.0 <= left && left < right && right <= 1.0 && 0.0 <= top && top < bottom && bottom <= 1.0;
    inside.then_some(UriRegion { left, top, right, bottom })
}

fn window(fields: &Fields<'_>) -> Result<Option<Window>, RenderingError> {
    let center = fields.read("windowCenter", "a decimal number", decimal)?;
    let width = fields.read("windowWidth", "a decimal number greater than 0", |text| {
        decimal(text).filter(|width| has_width(Window { center: 0.0, width: *width, function: None }))
    })?;
    match (center, width) {
        (None, None) => Ok(None),
        (Some(center), Some(width)) => Ok(Some(Window { center, width, function: None })),
        (None, Some(_)) => Err(RenderingError::Missing("windowCenter")),
        (Some(_), None) => Err(RenderingError::Missing("windowWidth")),
    }
}

fn presentation(fields: &Fields<'_>) -> Result<Option<Presentation>, RenderingError> {
    match (fields.uid("presentationSeriesUID")?, fields.uid("presentationUID")?) {
        (None, None) => Ok(None),
        (Some(series), Some(instance)) => Ok(Some(Presentation { series, instance })),
        (None, Some(_)) => Err(RenderingError::Missing("presentationSeriesUID")),
        (Some(_), None) => Err(RenderingError::Missing("presentationUID")),
    }
}

fn annotation(fields: &Fields<'_>) -> Result<Annotation, RenderingError> {
    match (fields.get("annotation"), fields.get("imageAnnotation")) {
        (Some(_), Some(_)) => Err(RenderingError::Together("annotation", "imageAnnotation")),
        (Some(_), None) => fields.annotation("annotation"),
        _ => fields.annotation("imageAnnotation"),
    }
}

/// Either `application/dicom` or rendered media types, without wild cards, transfer syntax and character set (§9.1.2.2.1).
fn content_types(fields: &Fields<'_>) -> Result<Vec<String>, RenderingError> {
    let expected = "application/dicom or a list of other media types, without wild cards and without the parameters \
                    transfer-syntax and charset";
    let read = fields.read("contentType", expected, |text| {
        // A plus sign that a careless client did not encode has become a space.
        let media = text.split(',').map(|media| media.trim().replace(' ', "+")).filter(|media| !media.is_empty());
        let media: Vec<String> = media.take(33).collect();
        let right = !media.is_empty() && media.len() <= 32 && media.iter().all(|media| is_media_type(media));
        let mixed = media.len() > 1 && media.iter().any(|media| media.eq_ignore_ascii_case(DICOM));
        (right && !mixed).then_some(media)
    })?;
    Ok(read.unwrap_or_default())
}

fn is_media_type(text: &str) -> bool {
    let mut parts = text.split(';').map(|part| part.trim_matches(['+', ' ']).to_ascii_lowercase());
    let media = parts.next().unwrap_or_default();
    let token =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
    let typed = media.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub));
    typed && parts.all(|parameter| !parameter.starts_with("transfer-syntax") && !parameter.starts_with("charset"))
}
