//! [`Client`]: one system of a hospital that calls the gateway.

use medvan_imaging::AeTitle;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use super::ids::{ClientId, HospitalId};

/// One EHR (or other caller) of a hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Whose system it is.
    pub hospital: HospitalId,
    /// Its id within the hospital.
    pub id: ClientId,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// Its FHIR server: the only one that is ever asked for this client, whatever a request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fhir_server: Option<Url>,
    /// How its answers are written: `generic`, `epic`, `oracle` or `sandbox`.
    #[serde(default = "generic")]
    pub dialect: String,
    /// Browser origins that may call (CORS).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// AE titles under which it may subscribe to workitems and listen (UPS-RS); empty means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub ae_titles: Vec<AeTitle>,
    /// Whether it understands `Action.selectionBehavior` of the 3.0 ballot.
    #[serde(default)]
    pub action_selection_behavior: bool,
}

/// How a client proves who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Authentication {
    /// By the signed JWT of CDS Hooks ("Trusting CDS Clients").
    Jwt(JwtAuthentication),
    /// By standing on the same machine. Only in the loopback profile.
    Loopback,
}

/// What is known about a client's JWTs beforehand; nothing in a token may widen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JwtAuthentication {
    /// The only `iss` accepted.
    pub issuer: String,
    /// Its public keys, given here (a JWK Set).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Or where they are published. The only URL from which keys of this client are ever fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<Url>,
    /// Further values of `aud` that are accepted besides the called address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// Algorithms accepted; empty means ES384 and RS384.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// Longest life of a token in seconds; unset means 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_life_seconds: Option<u32>,
}

fn generic() -> String {
    "generic".to_owned()
}
