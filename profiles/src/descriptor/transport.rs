//! How the gateway talks to a service, and where the service bends the standard.

use serde::{Deserialize, Serialize};

/// Protocol, address and authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transport {
    /// The protocol.
    pub kind: Kind,
    /// Services are called at `{base_url}/cds-services/{id}`.
    pub base_url: String,
    /// Where discovery is answered, under the base URL.
    #[serde(default = "discovery_path")]
    pub discovery_path: String,
    /// The `aud` that the service expects; the called URL where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Whether the service checks who calls.
    pub authentication: Authentication,
    /// How the gateway signs its tokens for the service.
    #[serde(default)]
    pub signing_algorithm: SigningAlgorithm,
    /// Where it bends the standard.
    #[serde(default)]
    pub overrides: Overrides,
}

/// The protocols that a service may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// CDS Hooks 2.0.1.
    CdsHooks,
    /// No hooks: images are sent as each entry says.
    Http,
}

/// How the gateway shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// A JWT that the gateway signs, on every call (CDS Hooks 2.0.1, Trusting CDS Clients).
    Jwt,
    /// The service checks nothing.
    None,
}

/// The algorithms that CDS Hooks recommends ("JWT Signing Algorithm"); a vendor's library may know only one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlgorithm {
    /// ECDSA over P-384 with SHA-384.
    #[default]
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
}

/// Deviations of one service, as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Overrides {
    /// Send `prefetch` even when it is empty.
    pub always_send_prefetch: bool,
    /// What becomes of the request's extensions.
    pub extension_policy: ExtensionPolicy,
    /// How a search without a match is sent.
    pub empty_search: EmptySearch,
    /// Whether there is a feedback endpoint.
    pub feedback: bool,
    /// `Content-Type` of the request.
    pub content_type: String,
}

/// What becomes of the request's extensions; some services answer 422 to any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExtensionPolicy {
    /// None is passed on.
    Drop,
    /// Those that the hospital allows are passed on.
    Forward,
}

/// How a search without a match is sent to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmptySearch {
    /// `null`, as CDS Hooks 2.0 says.
    Null,
    /// A Bundle without entries, as 3.0 allows.
    Bundle,
}

impl Default for Overrides {
    /// A service that follows CDS Hooks 2.0.1.
    fn default() -> Self {
        Self {
            always_send_prefetch: false,
            extension_policy: ExtensionPolicy::Drop,
            empty_search: EmptySearch::Null,
            feedback: true,
            content_type: "application/json".to_owned(),
        }
    }
}

fn discovery_path() -> String {
    "/cds-services".to_owned()
}
