//! QIDO-RS: studies, series and instances that match (PS3.18 §10.6).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use dicom_dictionary_std::tags;
use http::{HeaderName, HeaderValue, header};
use medvan_imaging::{
    accept::{Acceptable, Offer},
    attributes::Attributes,
    multipart::{ContentType, PartHead, Writer},
    query::{Level, Query, QueryError, Warning},
    xml,
};

use super::{ask::Ask, negotiation, refusal::Refusal};
use crate::{App, archive::SearchFault, catalog::HospitalId};

/// Results in one answer; a client that wants more asks with `offset`.
pub(super) const MOST: u64 = 5_000;
const HAVE: &str = "application/dicom+json, or multipart/related; type=\"application/dicom+xml\"";
const WARNING: HeaderName = HeaderName::from_static("warning");

/// `GET …/studies`
pub(crate) async fn studies(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    search(Level::Study, &app, &ask).await
}

/// `GET …/series` and `GET …/studies/{study}/series`
pub(crate) async fn series(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    search(Level::Series, &app, &ask).await
}

/// `GET …/instances`, `GET …/studies/{study}/instances` and `GET …/studies/{study}/series/{series}/instances`
pub(crate) async fn instances(State(app): State<App>, ask: Ask) -> Result<Response, Refusal> {
    search(Level::Instance, &app, &ask).await
}

async fn search(level: Level, app: &App, ask: &Ask) -> Result<Response, Refusal> {
    let form = Form::choose(&ask.acceptable)?;
    let (query, mut warnings) = Query::from_parameters(level, ask.parameters.iter())?;
    let query = match (ask.resource.study()?, ask.resource.series()?) {
        (Some(study), Some(series)) => query.in_study(&study)?.in_series(&series)?,
        (Some(study), None) => query.in_study(&study)?,
        _ => query,
    };
    let found = results(app, ask.hospital(), query, &ask.root).await?;
    warnings.extend(found.warning);
    let mut response = form.response(&found.answers)?;
    for warning in warnings {
        warned(&mut response, &ask.root, &warning.to_string());
    }
    Ok(response)
}

struct Results {
    answers: Vec<Attributes>,
    /// Where there are more than were given although more were wanted.
    warning: Option<Warning>,
}

async fn results(app: &App, hospital: &HospitalId, query: Query, root: &str) -> Result<Results, Refusal> {
    let wanted = query.limit().unwrap_or(u64::MAX);
    let (limit, offset) = (wanted.min(MOST), query.offset());
    let mut search = app.archive.search(hospital, query);
    let mut answers = Vec::new();
    let mut passed = 0;
    while (answers.len() as u64) < limit {
        let Some(mut result) = search.next().await? else {
            return Ok(Results { answers, warning: None });
        };
        passed += 1;
        if passed > offset {
            result.put_text(tags::RETRIEVE_URL, url(root, &result, search.query().level()));
            answers.push(search.query().answer(&result));
        }
    }
    if wanted <= MOST {
        return Ok(Results { answers, warning: None });
    }
    let mut more = 0;
    // Beyond what can be looked at nobody needs the number any more exactly.
    while let Ok(Some(_)) = search.next().await {
        more += 1;
    }
    Ok(Results { answers, warning: (more > 0).then_some(Warning::AdditionalResults(more)) })
}

fn url(root: &str, result: &Attributes, level: Level) -> String {
    let uid = |tag| result.text(tag).unwrap_or_default();
    let mut url = format!("{root}/studies/{}", uid(tags::STUDY_INSTANCE_UID));
    if level != Level::Study {
        url = format!("{url}/series/{}", uid(tags::SERIES_INSTANCE_UID));
    }
    if level == Level::Instance {
        url = format!("{url}/instances/{}", uid(tags::SOP_INSTANCE_UID));
    }
    url
}

/// Says something beside the answer (RFC 7234 §5.5). What cannot stand in a header is left out.
pub(super) fn warned(response: &mut Response, root: &str, text: &str) {
    if let Ok(value) = HeaderValue::try_from(format!("299 {root}: {text}")) {
        response.headers_mut().append(WARNING, value);
    }
}

/// The form of an answer.
pub(super) enum Form {
    Json(&'static str),
    Xml,
}

impl Form {
    /// The form that is accepted.
    pub(super) fn choose(acceptable: &Acceptable) -> Result<Self, Refusal> {
        let offers = [
            Offer::single("application/dicom+json"),
            Offer::related("application/dicom+xml"),
            Offer::single("application/json"),
        ];
        let choice = negotiation::choose(acceptable, &offers, HAVE)?;
        Ok(if choice.offer == 1 { Self::Xml } else { Self::Json(offers[choice.offer].media) })
    }

    /// The data sets in it.
    pub(super) fn response(&self, answers: &[Attributes]) -> Result<Response, Refusal> {
        match self {
            Self::Json(media) => {
                let text = serde_json::to_vec(answers).map_err(|_| Refusal::Internal)?;
                Ok(([(header::CONTENT_TYPE, *media)], text).into_response())
            }
            Self::Xml => {
                let media = || ContentType::of("application/dicom+xml");
                let mut writer = Writer::new(negotiation::boundary(), &media());
                let content_type = writer.content_type();
                let mut body = Vec::new();
                for answer in answers {
                    body.extend_from_slice(&writer.part(&PartHead::of(media())));
                    body.extend_from_slice(&xml::write(answer));
                }
                body.extend_from_slice(&writer.end());
                Ok(([(header::CONTENT_TYPE, content_type)], body).into_response())
            }
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::BadRequest(error.to_string())
    }
}

impl From<SearchFault> for Refusal {
    fn from(fault: SearchFault) -> Self {
        match fault {
            SearchFault::TooBroad => Self::TooBroad,
            SearchFault::Store(error) => error.into(),
            SearchFault::Read(fault) => fault.into(),
        }
    }
}
