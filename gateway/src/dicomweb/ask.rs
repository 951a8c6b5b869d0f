//! [`Ask`]: what every DICOMweb request begins with: who calls, what the path names, what is asked and what is acceptable.

use std::{net::SocketAddr, ops::Deref};

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

/// What a request says, whoever sent it.
pub(crate) struct Asked {
    pub(super) resource: Resource,
    pub(super) parameters: Parameters,
    pub(super) acceptable: Acceptable,
    pub(super) headers: HeaderMap,
    pub(super) peer: SocketAddr,
    /// The absolute URL of the DICOMweb root, as this caller reaches it.
    pub(super) root: String,
}

/// A request of a believed caller. There is none without its hospital.
pub(crate) struct Ask {
    pub(super) client: ImagingClient,
    pub(super) asked: Asked,
}

impl Asked {
    /// Reads the rest of a request whose path is known.
    pub(super) fn read(parts: &Parts, resource: Resource, peer: SocketAddr, root: String) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(parts.uri.query())?;
        let acceptable = negotiation::acceptable(&parts.headers, &parameters)?;
        Ok(Self { resource, parameters, acceptable, headers: parts.headers.clone(), peer, root })
    }
}

impl Ask {
    /// Whose images are asked for.
    pub(super) fn hospital(&self) -> &HospitalId {
        self.client.hospital()
    }
}

impl Deref for Ask {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.asked
    }
}

/// The address that calls: the listener tells every connection's peer.
pub(super) async fn peer(parts: &mut Parts, app: &App) -> Result<SocketAddr, Refusal> {
    let ConnectInfo(peer) =
        ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await.map_err(|_| Refusal::Internal)?;
    Ok(peer)
}

impl FromRequestParts<App> for Ask {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let resource = Resource::from_request_parts(parts, app).await?;
        let peer = peer(parts, app).await?;
        let client = ImagingClient::authenticate(app, &resource.hospital, &parts.headers, peer).await?;
        let root = resource::root(app, client.hospital(), &parts.headers);
        Ok(Self { client, asked: Asked::read(parts, resource, peer, root)? })
    }
}
