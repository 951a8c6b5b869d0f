//! The resolver of the client: a name is called only if *every* address behind it may be.
//!
//! One bad address among good ones means that somebody plays with the name (DNS rebinding), so all are refused. The
//! connector gets exactly the addresses that were checked; nothing resolves the name a second time.

use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::Guard;

pub(super) type LookUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Asks the system, or whoever stands in for it.
pub(super) type Source = Arc<dyn Fn(String) -> LookUp + Send + Sync>;

/// A name that resolves to an address the guard does not admit, or to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name leads to an address that the gateway does not call")]
pub(super) struct AddressRefused;

pub(super) struct GuardedResolver {
    guard: Guard,
    source: Source,
}

impl GuardedResolver {
    pub(super) fn new(guard: Guard, source: Source) -> Self {
        Self { guard, source }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let addresses = (self.source)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses = addresses.await?;
            let host = Host::Domain(name.as_str());
            if addresses.is_empty() || !addresses.iter().all(|address| guard.admits(&host, address.ip())) {
                return Err(AddressRefused.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The resolver of the operating system.
pub(super) fn system() -> Source {
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }))
}
