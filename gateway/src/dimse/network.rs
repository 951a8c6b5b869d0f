//! [`Network`]: what all associations share: how many there are, the TLS of outgoing ones, and the outbox's bell.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use medvan_adapters::http::Guard;
use medvan_imaging::AeTitle;
use rustls::{ClientConfig, RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{
    catalog::{HospitalId, VendorId},
    config::{self, DimseTls},
    server::{
        TlsError,
        tls::{certificates, key, provider, versions},
    },
};

/// What all associations share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: config::Dimse,
    /// Which nodes may be called.
    guard: Guard,
    associations: Arc<Semaphore>,
    per_node: usize,
    /// Those of AI services beside the first of each vendor: however many they open, modalities have their own, and so has every other
    /// vendor.
    of_services: Arc<Semaphore>,
    callers: Arc<Mutex<HashMap<Caller, usize>>>,
    tls: Option<Arc<ClientConfig>>,
    bell: Notify,
}

/// A place among the associations; it is free again when this value goes.
#[derive(Debug)]
pub(super) struct Place {
    _association: Option<OwnedSemaphorePermit>,
    caller: Caller,
    callers: Arc<Mutex<HashMap<Caller, usize>>>,
}

/// Who has an association.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// A hospital's own application.
    Node(HospitalId, AeTitle),
    /// The services of a vendor, whichever hospital they call.
    Vendor(VendorId),
}

/// Associations of one vendor's services at once.
const OF_VENDOR: usize = 4;

impl Network {
    /// Reads the certificates for outgoing associations, if there are any.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn open(settings: &config::Dimse, guard: Guard) -> Result<Self, TlsError> {
        let tls = settings.tls.as_ref().map(connector).transpose()?.flatten();
        let settings = settings.clone();
        Ok(Self(Arc::new(Inner {
            associations: Arc::new(Semaphore::new(settings.associations)),
            per_node: settings.associations_per_node,
            of_services: Arc::new(Semaphore::new((settings.associations / 2).max(1))),
            callers: Arc::default(),
            tls,
            bell: Notify::new(),
            guard,
            settings,
        })))
    }

    pub(super) fn settings(&self) -> &config::Dimse {
        &self.0.settings
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// There is something to send.
    pub(crate) fn ring(&self) {
        self.0.bell.notify_one();
    }

    /// Completes when there is something to send.
    pub(super) async fn rung(&self) {
        self.0.bell.notified().await;
    }

    /// How to call nodes that want TLS.
    pub(super) fn connector(&self) -> Option<TlsConnector> {
        self.0.tls.clone().map(TlsConnector::from)
    }

    /// A place for an association of this caller, if there is one.
    pub(super) fn place(&self, caller: Caller) -> Option<Place> {
        let (pool, most) = match &caller {
            Caller::Node(..) => (&self.0.associations, self.0.per_node),
            Caller::Vendor(_) => (&self.0.of_services, OF_VENDOR),
        };
        let mut callers = self.0.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let many = callers.get(&caller).copied().unwrap_or_default();
        if many >= most {
            return None;
        }
        let association = match caller {
            Caller::Vendor(_) if many == 0 => None,
            _ => Some(Arc::clone(pool).try_acquire_owned().ok()?),
        };
        callers.insert(caller.clone(), many + 1);
        metrics::gauge!("medvan_associations").increment(1);
        Some(Place { _association: association, caller, callers: Arc::clone(&self.0.callers) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("medvan_associations").decrement(1);
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(many) = callers.get_mut(&self.caller) {
            *many -= 1;
            if *many == 0 {
                callers.remove(&self.caller);
            }
        }
    }
}

/// For incoming associations (PS3.15 §B.1 and following).
pub(super) fn acceptor(tls: &DimseTls) -> Result<TlsAcceptor, TlsError> {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions(tls.allow_tls_1_2))?;
    let builder = match authorities(tls)? {
        Some(authorities) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(certificates(&tls.certificate)?, key(&tls.key)?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Without authorities nobody who is called could prove who he is.
fn connector(tls: &DimseTls) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    let Some(authorities) = authorities(tls)? else {
        return Ok(None);
    };
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(tls.allow_tls_1_2))?
        .with_root_certificates(authorities)
        .with_client_auth_cert(certificates(&tls.certificate)?, key(&tls.key)?)?;
    Ok(Some(Arc::new(config)))
}

fn authorities(tls: &DimseTls) -> Result<Option<RootCertStore>, TlsError> {
    let Some(path) = &tls.authorities else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate)?;
    }
    Ok(Some(roots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_associations_services_open_every_other_vendor_has_one() {
        let settings = config::Dimse { associations: 4, ..config::Dimse::default() };
        let network = Network::open(&settings, Guard::new(medvan_adapters::http::Profile::Loopback, [])).unwrap();
        let opens = |vendor: &str| network.place(Caller::Vendor(vendor.parse().unwrap()));
        let greedy: Vec<_> = std::iter::from_fn(|| opens("asagao")).collect();
        assert_eq!(greedy.len(), 3, "its first, and the two that there are for all");
        let first = opens("botan").unwrap();
        assert!(opens("botan").is_none());
        assert!(network.place(Caller::Node("kiku".parse().unwrap(), AeTitle::parse("CT1").unwrap())).is_some());
        drop(greedy);
        let more: Vec<_> = std::iter::from_fn(|| opens("botan")).collect();
        assert_eq!(more.len(), 2);
        drop((first, more));
        assert!(network.0.callers.lock().unwrap().is_empty());
    }
}
