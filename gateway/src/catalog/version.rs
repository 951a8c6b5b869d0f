//! [`Version`]: one version of a service: an immutable descriptor and the state it is in.

use std::sync::Arc;

use medvan_profiles::descriptor::Descriptor;

use super::{
    ids::{ServiceName, VersionNumber},
    lifecycle::State,
};

/// One version of a service. Its descriptor never changes; its state does, by [`super::lifecycle`].
#[derive(Debug, Clone)]
pub struct Version {
    /// The service.
    pub name: ServiceName,
    /// Which version of it.
    pub number: VersionNumber,
    /// Where it stands between draft and withdrawn.
    pub state: State,
    /// What the vendor registered.
    pub descriptor: Arc<Descriptor>,
}
