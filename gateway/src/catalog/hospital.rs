//! [`Hospital`]: the tenant and its policy.

use medvan_profiles::descriptor::Words;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ids::{HospitalId, ServiceName},
    imaging::HospitalImaging,
};

/// A hospital and how it wants its calls answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hospital {
    /// Its id, also in the EHR's base URL.
    pub id: HospitalId,
    /// Its name.
    #[schema(value_type = crate::api::shape::Words)]
    pub name: Words,
    /// Milliseconds within which the EHR has its answer.
    #[serde(default = "default_deadline")]
    pub deadline_ms: u32,
    /// Of these, how many may go into fetching what the EHR did not send.
    #[serde(default = "default_prefetch")]
    pub prefetch_ms: u32,
    /// Of these, how many are kept back for checking, merging and recording.
    #[serde(default = "default_merge")]
    pub merge_ms: u32,
    /// Hosts to which a card's links, icons and sources may point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_hosts: Vec<String>,
    /// Which services may change what without asking; none unless listed here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_actions: Vec<SystemActionRule>,
    /// What happens to the cards of a service that misses a repeated hook.
    #[serde(default)]
    pub missed_hook: MissedHook,
    /// Names of extensions that are passed on to vendors; the others are taken out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_extensions: Vec<String>,
    /// How it exchanges images; unset: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imaging: Option<HospitalImaging>,
}

/// One permission for `systemActions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemActionRule {
    /// The service that may.
    pub service: ServiceName,
    /// On resources of these types.
    pub resource_types: Vec<String>,
}

/// The EHR drops the cards of an earlier call when a hook fires again (CDS Hooks 2.0.1, "Hook context and
/// prefetch"): a service that misses the second call would lose cards that still hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MissedHook {
    /// Its earlier cards are gone, as they would be without a gateway.
    #[default]
    Drop,
    /// Its last cards for the same user and context are given again if they are not older than so many seconds.
    ReEmitSeconds(u32),
}

impl Hospital {
    /// A hospital with the default policy.
    pub fn new(id: HospitalId, name: Words) -> Self {
        Self {
            id,
            name,
            deadline_ms: default_deadline(),
            prefetch_ms: default_prefetch(),
            merge_ms: default_merge(),
            link_hosts: Vec::new(),
            system_actions: Vec::new(),
            missed_hook: MissedHook::default(),
            allow_extensions: Vec::new(),
            imaging: None,
        }
    }
}

const fn default_deadline() -> u32 {
    2_000
}

const fn default_prefetch() -> u32 {
    700
}

const fn default_merge() -> u32 {
    100
}
