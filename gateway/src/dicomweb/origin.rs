//! [`Origins`]: the DICOMweb systems of hospitals, which the gateway calls: archives that are asked for priors, and destinations.

use std::{sync::Arc, time::Duration};

use medvan_adapters::{dicomweb::Root, http::Client};

use crate::{
    catalog::{HospitalId, WebSystem},
    clock::Clock,
    trust::{Algorithm, Keyring, Logins, Recipient},
};

/// The way to all of them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Origins {
    /// Calls what hospitals' own systems may be.
    pub http: Client,
    /// Signs.
    pub keys: Arc<Keyring>,
    /// Secrets of the operator's.
    pub logins: Logins,
    /// The time.
    pub clock: Clock,
}

/// The hospital's object names a login that the operator has not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operator has entered no credential of this name for this hospital (outgoing.credentials)")]
pub(crate) struct NoLogin;

impl Origins {
    /// The way to a system of a hospital's, with the time that each request has.
    ///
    /// # Errors
    /// It is not known how to log in there.
    pub(crate) fn root(&self, hospital: &HospitalId, system: &WebSystem, timeout: Duration) -> Result<Root, NoLogin> {
        let login = match &system.credential {
            Some(name) => Some(self.logins.of(hospital, name).ok_or(NoLogin)?),
            None => None,
        };
        let recipient = system.audience.clone().map(|audience| Recipient { audience, algorithm: Algorithm::Es384 });
        let (signer, tenant) = (self.clone(), hospital.to_string());
        let sign = move || match (&login, &recipient) {
            (Some(login), _) => Some(login.clone()),
            (None, Some(recipient)) => signer.keys.bearer(recipient, Some(&tenant), signer.clock.now()).ok(),
            (None, None) => None,
        };
        Ok(Root::new(self.http.clone(), &system.url, sign, timeout))
    }
}
