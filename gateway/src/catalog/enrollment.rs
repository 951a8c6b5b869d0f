//! [`Enrollment`]: a hospital takes part in a service.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::ids::{HospitalId, ServiceName, VersionNumber};

/// One hospital and one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enrollment {
    /// The hospital.
    pub hospital: HospitalId,
    /// The service.
    pub service: ServiceName,
    /// Stay on this version; unset means the newest approved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionNumber>,
    /// What its answers are for.
    pub mode: Mode,
    /// The hospital's rank for it among cards of the same urgency; lower comes first. A declared number, never paid for.
    #[serde(default = "default_tier")]
    pub tier: u8,
    /// Prefetch keys that this hospital does not give to this service: they are neither asked for nor sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withhold: Vec<String>,
}

/// What the answers of an enrolled service are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// They reach the doctor.
    Live,
    /// They are recorded and compared, never shown.
    Shadow,
    /// They reach the doctor until the quota is used up or the time is over; then the service is refused.
    Trial {
        /// How many uses.
        quota: u32,
        /// Until when.
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
}

impl Mode {
    /// The mode's name as it is stored and counted.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Trial { .. } => "trial",
        }
    }
}

const fn default_tier() -> u8 {
    100
}
