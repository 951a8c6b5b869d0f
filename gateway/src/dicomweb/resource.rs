//! What a path names: a study, a series or an instance of a hospital; and the absolute URLs of such.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use http::{HeaderMap, header, uri::Authority};
use medvan_imaging::Uid;

use super::refusal::Refusal;
use crate::{App, catalog::HospitalId, store::Selection};

/// The names in a path, as they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    /// The hospital's id.
    pub(crate) hospital: String,
    /// The vendor's id, where a path is a vendor's.
    pub(crate) vendor: String,
    study: Option<String>,
    series: Option<String>,
    instance: Option<String>,
    workitem: Option<String>,
    /// Frame numbers, the path of bulk data, or the AE title of a subscriber.
    rest: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Resource {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| Refusal::NotFound)?;
        let mut resource = Self::default();
        for (name, value) in &params {
            let value = value.to_owned();
            match name {
                "hospital" => resource.hospital = value,
                "vendor" => resource.vendor = value,
                "study" => resource.study = Some(value),
                "series" => resource.series = Some(value),
                "instance" => resource.instance = Some(value),
                "workitem" => resource.workitem = Some(value),
                _ => resource.rest = Some(value),
            }
        }
        Ok(resource)
    }
}

impl Resource {
    /// The study that the path names, if it names one.
    pub(crate) fn study(&self) -> Result<Option<Uid>, Refusal> {
        uid(self.study.as_deref(), "StudyInstanceUID")
    }

    /// The series that the path names, if it names one.
    pub(crate) fn series(&self) -> Result<Option<Uid>, Refusal> {
        uid(self.series.as_deref(), "SeriesInstanceUID")
    }

    /// The workitem that the path names.
    pub(crate) fn workitem(&self) -> Result<Uid, Refusal> {
        uid(self.workitem.as_deref(), "SOPInstanceUID")?.ok_or(Refusal::NotFound)
    }

    /// Whether the path names an instance.
    pub(crate) fn is_instance(&self) -> bool {
        self.instance.is_some()
    }

    /// What follows the instance or the workitem: frame numbers, the path of bulk data, or the AE title of a subscriber.
    pub(crate) fn rest(&self) -> &str {
        self.rest.as_deref().unwrap_or_default()
    }

    /// The instances that the path names.
    pub(crate) fn selection(&self) -> Result<Selection, Refusal> {
        Ok(Selection {
            study: self.study()?.ok_or(Refusal::NotFound)?,
            series: self.series()?,
            instance: uid(self.instance.as_deref(), "SOPInstanceUID")?,
        })
    }
}

fn uid(text: Option<&str>, what: &str) -> Result<Option<Uid>, Refusal> {
    let parsed = text.map(Uid::parse).transpose();
    parsed.map_err(|error| Refusal::BadRequest(format!("the path's {what} is no UID: {error}")))
}

/// The absolute URL of a hospital's DICOMweb root, as this caller reaches it.
///
/// It is the configured one; where none is configured, the one that the caller used, so that a browser at `localhost` is
/// not sent to `127.0.0.1`.
pub(crate) fn root(app: &App, hospital: &HospitalId, headers: &HeaderMap) -> String {
    format!("{}/hospitals/{hospital}/dicom-web", gateway_base(app, headers))
}

/// The gateway's own absolute URL, likewise, without a slash at its end.
pub(crate) fn gateway_base(app: &App, headers: &HeaderMap) -> String {
    let used = || {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        let authority: Authority = host.parse().ok()?;
        let scheme = if app.config.tls.is_some() { "https" } else { "http" };
        Some(format!("{scheme}://{authority}"))
    };
    let base = if app.config.external_url.is_some() { None } else { used() };
    base.unwrap_or_else(|| app.config.external_base().to_owned())
}
