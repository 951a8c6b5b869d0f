//! QIDO-RS: studies, series and instances that match (PS3.18 §10.6).

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, RawQuery, State},
    response::{IntoResponse, Response},
};
use dicom_dictionary_std::tags;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use medvan_imaging::{
    accept::{Acceptable, Offer},
    attributes::Attributes,
    multipart::{ContentType, PartHead, Writer},
    query::{Level, Query, QueryError, Warning},
    xml,
};

use super::{
    caller::ImagingClient,
    negotiation::{self, Parameters},
    refusal::Refusal,
    resource::{self, Resource},
};
use crate::{App, archive::SearchFault};

/// Results in one answer; a client that wants more asks with `offset`.
const MOST: u64 = 5_000;
const HAVE: &str = "application/dicom+json, or multipart/related; type=\"application/dicom+xml\"";
const WARNING: HeaderName = HeaderName::from_static("warning");

/// `GET …/studies`
pub(crate) async fn studies(
    state: State<App>,
    resource: Resource,
    peer: ConnectInfo<SocketAddr>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    search(Level::Study, state, resource, peer, query, headers).await
}

/// `GET …/series` and `GET …/studies/{study}/series`
pub(crate) async fn series(
    state: State<App>,
    resource: Resource,
    peer: ConnectInfo<SocketAddr>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    search(Level::Series, state, resource, peer, query, headers).await
}

/// `GET …/instances`, `GET …/studies/{study}/instances` and `GET …/studies/{study}/series/{series}/instances`
pub(crate) async fn instances(
    state: State<App>,
    resource: Resource,
    peer: ConnectInfo<SocketAddr>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    search(Level::Instance, state, resource, peer, query, headers).await
}

async fn search(
    level: Level,
    State(app): State<App>,
    resource: Resource,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = ImagingClient::authenticate(&app, &resource.hospital, &headers, peer).await?;
    let parameters = Parameters::parse(query.as_deref())?;
    let acceptable = negotiation::acceptable(&headers, &parameters)?;
    let form = Form::choose(&acceptable)?;
    let (query, mut warnings) = Query::from_parameters(level, parameters.iter())?;
    let query = match (resource.study()?, resource.series()?) {
        (Some(study), Some(series)) => query.in_study(&study)?.in_series(&series)?,
        (Some(study), None) => query.in_study(&study)?,
        _ => query,
    };
    let root = resource::root(&app, client.hospital(), &headers);
    let found = results(&app, &client, query, &root).await?;
    warnings.extend(found.warning);
    let mut response = form.response(&found.answers)?;
    for warning in warnings {
        let value = HeaderValue::try_from(warning.header(&root)).map_err(|_| Refusal::Internal)?;
        response.headers_mut().append(WARNING, value);
    }
    Ok(response)
}

struct Results {
    answers: Vec<Attributes>,
    /// Where there are more than were given although more were wanted.
    warning: Option<Warning>,
}

async fn results(app: &App, client: &ImagingClient, query: Query, root: &str) -> Result<Results, Refusal> {
    let wanted = query.limit().unwrap_or(u64::MAX);
    let (limit, offset) = (wanted.min(MOST), query.offset());
    let mut search = app.archive.search(client.hospital(), query);
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

/// The form of an answer.
enum Form {
    Json(&'static str),
    Xml,
}

impl Form {
    fn choose(acceptable: &Acceptable) -> Result<Self, Refusal> {
        let offers = [
            Offer::single("application/dicom+json"),
            Offer::related("application/dicom+xml"),
            Offer::single("application/json"),
        ];
        let choice = negotiation::choose(acceptable, &offers, HAVE)?;
        Ok(if choice.offer == 1 { Self::Xml } else { Self::Json(offers[choice.offer].media) })
    }

    fn response(&self, answers: &[Attributes]) -> Result<Response, Refusal> {
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
