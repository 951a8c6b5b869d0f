//! [`Enrollment`]: a hospital takes part in a service.

use medvan_imaging::AeTitle;
use medvan_profiles::descriptor::images::SeriesRules;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::ids::{HospitalId, ServiceName, VersionNumber};

/// One hospital and one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
    /// What holds for its work on images; unset: what the service says of itself.
    #[serde(default, skip_serializing_if = "ImageTerms::are_usual")]
    pub images: ImageTerms,
}

/// What a hospital says about the work of a service on its images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ImageTerms {
    /// Rules that every series given away must meet besides the service's own; the form is that of the descriptor.
    #[schema(value_type = Object)]
    pub rules: SeriesRules,
    /// Which work is done first.
    pub priority: Priority,
    /// Nodes of the hospital to which results are sent; none: they are fetched.
    #[schema(value_type = Vec<String>)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliver: Vec<AeTitle>,
}

/// Which work is done first (Scheduled Procedure Step Priority, PS3.3 section C.30.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// At once.
    Emergency,
    /// Before what is routine.
    Urgent,
    /// In its turn.
    #[default]
    Routine,
}

impl ImageTerms {
    fn are_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl Priority {
    /// 1 comes first.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Emergency => 1,
            Self::Urgent => 2,
            Self::Routine => 3,
        }
    }

    /// The word of DICOM for a rank.
    pub const fn of_rank(rank: u8) -> &'static str {
        match rank {
            1 => "HIGH",
            2 => "MEDIUM",
            _ => "LOW",
        }
    }
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
