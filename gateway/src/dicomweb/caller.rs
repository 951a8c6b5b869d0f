//! Who calls: an [`ImagingClient`] exists only for a system of a hospital that exchanges images here.

use std::net::SocketAddr;

use http::HeaderMap;
use medvan_imaging::AeTitle;

use super::refusal::Refusal;
use crate::{
    App,
    call::{Audience, CdsClient},
    catalog::{HospitalId, HospitalImaging, OnConflict},
};

/// Proof: this system of this hospital may store, search and retrieve now.
pub(crate) struct ImagingClient {
    hospital: HospitalId,
    name: String,
    ae_titles: Vec<AeTitle>,
    imaging: HospitalImaging,
}

impl ImagingClient {
    /// Finds out who calls.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`] without a reason, or [`Refusal::NoImages`].
    pub(crate) async fn authenticate(
        app: &App,
        hospital: &str,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Self, Refusal> {
        let caller = CdsClient::authenticate(app, hospital, Audience::Images, headers, peer)
            .await
            .map_err(|_| Refusal::NotAuthenticated)?;
        let imaging = caller.hospital().hospital.imaging.clone().ok_or(Refusal::NoImages)?;
        let client = caller.client();
        Ok(Self {
            hospital: caller.hospital_id().clone(),
            name: client.id.to_string(),
            ae_titles: client.ae_titles.clone(),
            imaging,
        })
    }

    /// The hospital.
    pub(crate) fn hospital(&self) -> &HospitalId {
        &self.hospital
    }

    /// The calling system's id.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The AE titles under which it may hear of workitems; none means any.
    pub(crate) fn ae_titles(&self) -> &[AeTitle] {
        &self.ae_titles
    }

    /// What happens to an instance whose UID is known with other content.
    pub(crate) fn on_conflict(&self) -> OnConflict {
        self.imaging.on_conflict
    }
}
