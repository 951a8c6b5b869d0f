//! [`Ask`]: what every DICOMweb request begins with: who calls, what the path names, what is asked and what is acceptable.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use http::HeaderMap;
use medvan_imaging::accept::Acceptable;

use super::{
    caller::ImagingClient,
    negotiation::{self, Parameters},
    refusal::Refusal,
    resource::{self, Resource},
};
use crate::{App, catalog::HospitalId};

/// A request of a believed caller. There is none without its hospital.
pub(crate) struct Ask {
    pub(super) client: ImagingClient,
    pub(super) resource: Resource,
    pub(super) parameters: Parameters,
    pub(super) acceptable: Acceptable,
    pub(super) headers: HeaderMap,
    pub(super) peer: SocketAddr,
    /// The absolute URL of the hospital's DICOMweb root, as this caller reaches it.
    pub(super) root: String,
}

impl Ask {
    /// Whose images are asked for.
    pub(super) fn hospital(&self) -> &HospitalId {
        self.client.hospital()
    }
}

impl FromRequestParts<App> for Ask {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let resource = Resource::from_request_parts(parts, app).await?;
        // The listener tells every connection's peer.
        let ConnectInfo(peer) =
            ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await.map_err(|_| Refusal::Internal)?;
        let client = ImagingClient::authenticate(app, &resource.hospital, &parts.headers, peer).await?;
        let parameters = Parameters::parse(parts.uri.query())?;
        let acceptable = negotiation::acceptable(&parts.headers, &parameters)?;
        let root = resource::root(app, client.hospital(), &parts.headers);
        Ok(Self { client, resource, parameters, acceptable, headers: parts.headers.clone(), peer, root })
    }
}
