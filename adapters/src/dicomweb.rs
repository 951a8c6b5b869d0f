//! A service that is an origin server of DICOMweb itself (PS3.18): instances are stored there, and what it makes of them is looked
//! for and fetched there.
//!
//! ```text
//! POST {root}/studies/{study}                                           STOW-RS, all instances in one request
//! GET  {root}/studies/{study}/series                                    QIDO-RS
//! GET  {root}/studies/{study}/series/{series}/instances                 QIDO-RS, of series that may be results
//! GET  {root}/studies/{study}/series/{series}/instances/{instance}      WADO-RS
//! ```
//!
//! Which of its objects are results, and whether they hold, is decided elsewhere (`medvan_analysis::gate`).

mod archive;
mod destination;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use bytes::Bytes;
use dicom_dictionary_std::tags;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use medvan_imaging::{
    Tag, Uid,
    attributes::Attributes,
    json,
    multipart::{Boundary, ContentType, PartHead, Writer, instances},
};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use uuid::Uuid;

use crate::{
    advisor::{AdviseError, ErrorKind},
    analyzer::Image,
    http::{Bearer, Body, Client, Request, Response},
};

/// The header in which a service is given the token for the job whose instances it gets: with it, and with nothing else, results
/// are stored at the gateway.
pub const JOB_TOKEN: HeaderName = HeaderName::from_static("medvan-job-token");

pub use destination::{Refusal, Said, StoreAnswer, Untaken};

const DICOM: &str = "application/dicom";
const DICOM_JSON: &str = "application/dicom+json";
/// Every transfer syntax: results are taken as the service keeps them.
const ANY_INSTANCE: &str = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";
/// Bytes of an answer to a search, and to a store request.
const LIST: usize = 4 << 20;
/// Series of one study that are looked at.
const SERIES: usize = 1_000;

/// The DICOMweb root of a service. Its `Debug` shows no token.
pub struct Root {
    client: Client,
    url: String,
    /// Gives what goes into `Authorization`: a token that it signs is good for one request (its `jti` is used once), and for minutes.
    sign: Box<dyn Fn() -> Option<Bearer> + Send + Sync>,
    timeout: Duration,
}

/// An object that a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID.
    pub instance: Uid,
    /// SOPClassUID.
    pub class: Uid,
}

impl Root {
    /// The way to a root, with what signs the gateway's own token for each request and the time that each has. An address that is
    /// not allowed is told by every request.
    pub fn new(
        client: Client,
        url: &str,
        sign: impl Fn() -> Option<Bearer> + Send + Sync + 'static,
        timeout: Duration,
    ) -> Self {
        Self { client, url: url.trim_end_matches('/').to_owned(), sign: Box::new(sign), timeout }
    }

    /// Stores instances of a study, all in one request; each is opened when the one before it has left. `job_token` goes along for
    /// those who give their results back by themselves.
    ///
    /// # Errors
    /// The service does not answer, or did not store every one of them.
    pub async fn store(&self, study: &Uid, images: Vec<Image>, job_token: Option<&str>) -> Result<(), AdviseError> {
        let request = self.store_request(study, images.into_iter().map(|image| image.bytes).collect(), job_token)?;
        let response = self.client.fetch(request).await?;
        match response.status {
            // 202 tells of warnings too (PS3.18 table 10.5.3-1): only what was refused counts.
            StatusCode::OK | StatusCode::ACCEPTED if !has_failures(&response) => Ok(()),
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::CONFLICT => Err(ErrorKind::NotStored.into()),
            status => Err(ErrorKind::Status(status.as_u16()).into()),
        }
    }

    /// A request that stores instances of a study.
    fn store_request(
        &self,
        study: &Uid,
        instances: Vec<BoxStream<'static, std::io::Result<Bytes>>>,
        job_token: Option<&str>,
    ) -> Result<Request, AdviseError> {
        let writer = Writer::new(Boundary::random(Uuid::new_v4().as_u128()), &ContentType::of(DICOM));
        let header = |text: &str| HeaderValue::try_from(text).map_err(|_| ErrorKind::Refused);
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, header(&writer.content_type())?),
            (ACCEPT, HeaderValue::from_static(DICOM_JSON)),
        ]);
        if let Some(token) = job_token {
            let mut token = header(token)?;
            token.set_sensitive(true);
            headers.insert(JOB_TOKEN, token);
        }
        let body = Body::Stream(parts(writer, instances).boxed());
        let request = self.request(&format!("/studies/{study}"), LIST)?;
        Ok(Request { method: Method::POST, headers, body, ..request })
    }

    /// The first objects of a study, `most` of them, that `is_wanted` takes and whose series `may_be` takes by its Modality (0008,0060),
    /// in the order in which they are told.
    ///
    /// # Errors
    /// The service does not answer, or answers with something else than a list of what was asked for.
    pub async fn find(
        &self,
        study: &Uid,
        may_be: impl Fn(&str) -> bool,
        is_wanted: impl Fn(&Listed) -> bool,
        most: usize,
    ) -> Result<Vec<Listed>, AdviseError> {
        let mut listed = Vec::new();
        let told = self.search(&format!("/studies/{study}/series")).await?;
        for series in told.iter().take(SERIES) {
            if !series.text(tags::MODALITY).is_some_and(|modality| may_be(modality.trim())) {
                continue;
            }
            let series = uid(series, tags::SERIES_INSTANCE_UID)?;
            for instance in self.search(&format!("/studies/{study}/series/{series}/instances")).await? {
                let (class, instance) = (uid(&instance, tags::SOP_CLASS_UID)?, uid(&instance, tags::SOP_INSTANCE_UID)?);
                let object = Listed { series: series.clone(), instance, class };
                if is_wanted(&object) {
                    listed.push(object);
                }
                if listed.len() >= most {
                    return Ok(listed);
                }
            }
        }
        Ok(listed)
    }

    /// Fetches an object as the service keeps it, of at most so many bytes.
    ///
    /// # Errors
    /// The service does not answer, or not with one instance.
    pub async fn fetch(&self, study: &Uid, listed: &Listed, most: usize) -> Result<Bytes, AdviseError> {
        let Listed { series, instance, .. } = listed;
        let mut request = self.request(&format!("/studies/{study}/series/{series}/instances/{instance}"), most)?;
        request.headers.insert(ACCEPT, HeaderValue::from_static(ANY_INSTANCE));
        let response = self.client.fetch(request).await?;
        if response.status != StatusCode::OK {
            return Err(ErrorKind::Status(response.status.as_u16()).into());
        }
        let content_type = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let told = instances(content_type.unwrap_or_default(), response.body, 1);
        let [instance] = <[Bytes; 1]>::try_from(told.unwrap_or_default()).map_err(|_| ErrorKind::NotDicom)?;
        Ok(instance)
    }

    /// A search; 204 is an empty list (PS3.18 table 8.5-1).
    async fn search(&self, path: &str) -> Result<Vec<Attributes>, AdviseError> {
        let response = self.client.fetch(self.search_request(path, LIST)?).await?;
        match response.status {
            StatusCode::NO_CONTENT => Ok(Vec::new()),
            // A study of which nothing is kept any more, or nothing yet.
            StatusCode::NOT_FOUND => Ok(Vec::new()),
            StatusCode::OK => json::parse_many(&response.body).map_err(|_| ErrorKind::NotDicom.into()),
            status => Err(ErrorKind::Status(status.as_u16()).into()),
        }
    }

    fn search_request(&self, path: &str, limit: usize) -> Result<Request, AdviseError> {
        let mut request = self.request(path, limit)?;
        request.headers.insert(ACCEPT, HeaderValue::from_static(DICOM_JSON));
        Ok(request)
    }

    fn request(&self, path: &str, limit: usize) -> Result<Request, AdviseError> {
        let url = self.client.guard().check(&format!("{}{path}", self.url)).map_err(|_| ErrorKind::Refused)?;
        Ok(Request { bearer: (self.sign)(), ..Request::get(url, self.timeout, limit) })
    }
}

fn parts(
    mut writer: Writer,
    instances: Vec<BoxStream<'static, std::io::Result<Bytes>>>,
) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let mut pieces = Vec::with_capacity(instances.len() * 2 + 1);
    for instance in instances {
        let head = writer.part(&PartHead::of(ContentType::of(DICOM)));
        pieces.push(stream::once(async move { Ok(head) }).boxed());
        pieces.push(instance);
    }
    let end = writer.end();
    pieces.push(stream::once(async move { Ok(end) }).boxed());
    stream::iter(pieces).flatten()
}

/// Whether the answer to a store request names instances that were refused (PS3.18 section 10.5.3.2). Many servers answer with
/// something that is no store response and mean that all is well.
fn has_failures(response: &Response) -> bool {
    json::parse_many(&response.body)
        .is_ok_and(|told| told.iter().any(|told| !told.items(tags::FAILED_SOP_SEQUENCE).is_empty()))
}

fn uid(attributes: &Attributes, tag: Tag) -> Result<Uid, AdviseError> {
    let uid = attributes.text(tag).and_then(|text| Uid::parse(text.trim_end_matches([' ', '\0'])).ok());
    uid.ok_or_else(|| ErrorKind::NotDicom.into())
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
