//! [`Clients`]: what each client's tokens are judged by, prepared once for each registration and used for every call.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use medvan_adapters::http;

use super::jwt::{ClientKeys, ClientTrust, TrustFault};
use crate::catalog::{Authentication, Client, ClientId, HospitalId};

/// Prepared registrations. A renewed catalog holds new [`Client`] values; each is prepared anew at its first call.
#[derive(Debug, Default)]
pub struct Clients(RwLock<HashMap<(HospitalId, ClientId), Prepared>>);

#[derive(Debug)]
struct Prepared {
    of: Arc<Client>,
    keys: Arc<ClientKeys>,
}

impl Clients {
    /// The keys of a client that signs; `None` for one that does not, or whose registration cannot be used.
    pub fn keys(&self, client: &Arc<Client>, http: &http::Client) -> Option<Arc<ClientKeys>> {
        let key = (client.hospital.clone(), client.id.clone());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = known.get(&key).filter(|prepared| Arc::ptr_eq(&prepared.of, client)) {
            return Some(Arc::clone(&prepared.keys));
        }
        drop(known);
        let keys = Arc::new(prepare(client, http)?.inspect_err(|fault| {
            tracing::warn!(hospital = %client.hospital, client = %client.id, %fault, "registration cannot be used");
        }).ok()?);
        let prepared = Prepared { of: Arc::clone(client), keys: Arc::clone(&keys) };
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, prepared);
        Some(keys)
    }
}

fn prepare(client: &Client, http: &http::Client) -> Option<Result<ClientKeys, TrustFault>> {
    let Authentication::Jwt(jwt) = &client.authentication else { return None };
    let jwks = jwt.jwks.as_ref().map(|keys| keys.to_string().into_bytes());
    let jwks_url = jwt.jwks_url.as_ref().and_then(|url| http.guard().check(url.as_str()).ok());
    Some(ClientKeys::new(ClientTrust {
        issuer: &jwt.issuer,
        jwks: jwks.as_deref(),
        jwks_url: jwks_url.as_ref(),
        audiences: &jwt.audiences,
        algorithms: &jwt.algorithms,
        max_life_seconds: jwt.max_life_seconds,
    }))
}
