//! [`Ask`]: what every FHIR request begins with: who calls, what is asked, and whether the answer can be read.

use std::net::SocketAddr;

use axum::{
    body::to_bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, RawPathParams, Request},
};
use http::{HeaderMap, Method, header, request::Parts};
use medvan_authoring::Release;

use super::{parameters::Parameters, refusal::Refusal};
use crate::{
    App,
    call::{Audience, CdsClient},
    catalog::{HospitalId, HospitalView},
    dicomweb,
};

/// Bytes of a form.
const MOST: usize = 65_536;

/// A request of a believed caller. There is none without its hospital.
pub(crate) struct Ask {
    client: CdsClient,
    pub(super) parameters: Parameters,
    /// The release of FHIR that the answer is in.
    pub(super) release: Release,
    /// Whether parameters that are not known are passed over (`Prefer: handling=lenient`).
    pub(super) is_lenient: bool,
    /// The absolute URL of the hospital's FHIR root, as this caller reaches it.
    pub(super) root: String,
    /// That of its DICOMweb root.
    pub(super) dicom_web: String,
}

impl Ask {
    /// The hospital as it is now.
    pub(super) fn view(&self) -> &HospitalView {
        self.client.hospital()
    }

    /// Whose results are asked for.
    pub(super) fn hospital(&self) -> &HospitalId {
        self.client.hospital_id()
    }
}

impl FromRequest<App> for Ask {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let client = authenticate(&mut parts, app).await?;
        let mut parameters = Parameters::default();
        parameters.take(parts.uri.query().unwrap_or_default().as_bytes())?;
        if parts.method == Method::POST {
            if !is_form(&parts.headers) {
                return Err(Refusal::NotAForm);
            }
            parameters.take(&to_bytes(body, MOST).await.map_err(|_| Refusal::TooLarge)?)?;
        }
        let release = release(&parts.headers, &parameters)?;
        let is_lenient = words(&parts.headers, "prefer").any(|word| word == "handling=lenient");
        let dicom_web = dicomweb::root(app, client.hospital_id(), &parts.headers);
        let root = format!("{}/fhir", dicom_web.trim_end_matches("/dicom-web"));
        Ok(Self { client, parameters, release, is_lenient, root, dicom_web })
    }
}

async fn authenticate(parts: &mut Parts, app: &App) -> Result<CdsClient, Refusal> {
    let path = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Refusal::NotFound)?;
    let hospital = path.iter().find(|(name, _)| *name == "hospital").map_or("", |(_, id)| id);
    // The listener tells every connection's peer.
    let ConnectInfo(peer) =
        ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await.map_err(|_| Refusal::Internal)?;
    let client = CdsClient::authenticate(app, hospital, Audience::Results, &parts.headers, peer)
        .await
        .map_err(|_| Refusal::NotAuthenticated)?;
    if client.hospital().hospital.imaging.is_none() {
        return Err(Refusal::NoImages);
    }
    Ok(client)
}

fn is_form(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The parts of a header that are apart by commas.
fn words<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// What an answer may be in: `application/fhir+json; fhirVersion=5.0; q=0.9`.
struct Range {
    /// None where it is left to us.
    release: Option<Release>,
    weight: f32,
}

/// The release that the caller likes best: R4 where nothing is said. `_format` goes before Accept (FHIR R4 §3.1.0.1.11), but may leave
/// the release to it.
pub(super) fn release(headers: &HeaderMap, parameters: &Parameters) -> Result<Release, Refusal> {
    let accepted = words(headers, "accept").filter_map(Range::read);
    // Of ranges that are liked as much, that which names a release, then the first.
    let order = |range: &Range| (range.weight, range.release.is_some());
    let best = accepted.reduce(|best, range| if order(&range) > order(&best) { range } else { best });
    let format = parameters.iter().find(|(name, _)| *name == "_format").map(|(_, value)| value);
    let asked = match (format, &best) {
        (Some(format), _) => {
            Range::read(format).ok_or(Refusal::NotAcceptable)?.release.or(best.and_then(|best| best.release))
        }
        (None, Some(best)) => best.release,
        (None, None) if headers.contains_key(header::ACCEPT) => return Err(Refusal::NotAcceptable),
        (None, None) => None,
    };
    Ok(asked.unwrap_or_default())
}

impl Range {
    /// Nothing where it is none of ours.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        // `+` in a query that was not escaped comes as a blank.
        let media = parts.next().unwrap_or_default().replace(' ', "+").to_ascii_lowercase();
        let known = ["application/fhir+json", "application/json", "json", "application/*", "*/*"];
        let mut range = known.contains(&media.as_str()).then_some(Self { release: None, weight: 1.0 })?;
        for parameter in parts {
            match parameter.split_once('=') {
                Some(("fhirVersion", version)) => range.release = Some(named(version.trim_matches('"'))?),
                Some(("q", weight)) => range.weight = weight.parse().unwrap_or(1.0),
                _ => {}
            }
        }
        (range.weight != 0.0).then_some(range)
    }
}

fn named(version: &str) -> Option<Release> {
    match version {
        "4.0" | "4.0.1" => Some(Release::R4),
        "5.0" | "5.0.0" => Some(Release::R5),
        _ => None,
    }
}
