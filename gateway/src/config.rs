//! The one configuration file: read, checked purely, and only then used.
//!
//! Everything has a documented default, so `medvan serve` on an empty folder runs: loopback only, SQLite and keys in
//! the data folder. `medvan.example.toml` in the repository shows every key with its default; a test keeps it true.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use medvan_adapters::http::Profile;
use serde::{Deserialize, Serialize};
use url::Url;

/// All settings. Keys are as in the file; unknown keys are refused so that a typo is not a silent default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `loopback`: plain http, this machine only. `production`: TLS (own, or a declared proxy's), JWT for everybody.
    pub profile: ProfileName,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// The base URL under which EHRs and vendors reach this gateway, without a trailing slash; JWT audiences are
    /// built from it. Default: `http://` and `listen`.
    pub external_url: Option<Url>,
    /// Folder of the database, the keys and the first credentials.
    pub data: PathBuf,
    /// TLS of the listener.
    pub tls: Option<Tls>,
    /// A TLS-terminating proxy stands before the gateway; needed for `production` without `tls`.
    pub behind_tls_proxy: bool,
    /// Bounds on what callers may send and hold open.
    pub limits: ServerLimits,
    /// Calls to other machines.
    pub outgoing: Outgoing,
    /// Logging.
    pub log: Log,
    /// Delivery of feedback to vendors and of instances to nodes.
    pub outbox: Outbox,
    /// The DICOM network (DIMSE).
    pub dimse: Dimse,
    /// Polling of vendors' discovery documents.
    pub discovery: Discovery,
    /// How long records are kept.
    pub retention: Retention,
    /// After shutdown is asked for: how long running calls may take to finish, in seconds.
    pub shutdown_seconds: u64,
}

/// Name of the trust profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileName {
    /// For development on one machine.
    Loopback,
    /// For patients' data.
    Production,
}

/// PEM files of the listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, leaf first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Accept TLS 1.2 besides 1.3 (default: only 1.3).
    #[serde(default)]
    pub allow_tls_1_2: bool,
}

/// Bounds on what callers may send and hold open.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerLimits {
    /// Bytes of one request body, after decompression.
    pub request_bytes: usize,
    /// Open connections; further ones wait in the kernel's queue.
    pub connections: usize,
    /// CDS Hooks calls being answered at once; a further one gets 503 with Retry-After.
    pub calls_in_flight: usize,
    /// Of these, calls of one hospital.
    pub calls_in_flight_per_hospital: usize,
    /// Milliseconds a client may take to send the request head.
    pub header_read_ms: u64,
    /// Milliseconds a client may take to send the request body.
    pub body_read_ms: u64,
    /// Workitems that systems of one hospital may have here; a further one gets 503 with Retry-After.
    pub workitems_per_hospital: u64,
    /// Their bytes.
    pub workitem_bytes_per_hospital: u64,
}

/// The DICOM network: associations from nodes of hospitals and to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dimse {
    /// Address and port for associations; unset: none are accepted.
    pub listen: Option<SocketAddr>,
    /// TLS of this listener, and of calls to nodes that want it.
    pub tls: Option<DimseTls>,
    /// Associations at once; a further one is rejected as "local limit exceeded".
    pub associations: usize,
    /// Of these, of one node.
    pub associations_per_node: usize,
    /// Most bytes of one PDU, in both directions.
    pub pdu_bytes: u32,
    /// Seconds that a peer may be silent, and may take to take what we send.
    pub idle_seconds: u64,
    /// Seconds for a peer to ask for an association, and to close the connection after its end (ARTIM timer, PS3.8 §9.1.5).
    pub artim_seconds: u64,
}

/// TLS on the DICOM network (PS3.15 annex B).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DimseTls {
    /// Certificate chain, leaf first. Also shown to nodes that are called and ask for one.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Accept TLS 1.2 besides 1.3 (default: only 1.3).
    #[serde(default)]
    pub allow_tls_1_2: bool,
    /// Certificates of the authorities that nodes have theirs from. With it every caller must show one; without it
    /// callers show none, and no node can be called by TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
}

/// Calls to other machines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outgoing {
    /// Hosts, or `host:port`, of hospitals' own systems that may be called although they are private or on another
    /// port: a FHIR server, the keys of an EHR, every node of a DICOM network. They are not open to what vendors register.
    pub allowed_hosts: Vec<String>,
    /// The same for AI services.
    pub allowed_vendor_hosts: Vec<String>,
    /// How the gateway logs in at DICOMweb systems of hospitals, by hospital and name; a hospital's object names them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: HospitalCredentials,
}

/// Logins by hospital and name.
pub type HospitalCredentials = BTreeMap<String, BTreeMap<String, Login>>;

/// One login. The secret is the first line of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Login {
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The name.
        user: String,
        /// The password.
        password_file: PathBuf,
    },
    /// A token that does not change.
    Token {
        /// The token.
        bearer_file: PathBuf,
    },
}

/// Logging.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `json` (one object a line) or `text`.
    pub format: LogFormat,
    /// A filter as of tracing-subscriber, such as `info` or `info,medvan::call=debug`.
    pub filter: String,
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people at a terminal.
    Text,
}

/// Delivery of feedback to vendors and of instances to nodes: at least once, with growing pauses.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbox {
    /// Milliseconds before the first repetition; doubles with each further one, up to an hour.
    pub first_retry_ms: u64,
    /// Attempts before a delivery is set aside as dead.
    pub attempts: u32,
    /// Seconds after which a claimed delivery is free again (its process may have died).
    pub lease_seconds: u64,
}

/// Polling of vendors' discovery documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    /// Seconds between two polls of one vendor; 0 turns polling off.
    pub poll_seconds: u64,
}

/// How long records are kept, in days; 0 keeps them for ever. Five years unless the operator says otherwise: as long as
/// Japan's Medical Practitioners' Act (Article 24) has medical records kept. Workitems are no records, they go after a month.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Exchanges, and what was added to them.
    pub exchange_days: u32,
    /// Counted uses and scorecards.
    pub usage_days: u32,
    /// Feedback, and what could not be delivered, to vendors and to nodes.
    pub feedback_days: u32,
    /// Workitems that are completed or canceled; one on which somebody holds a deletion lock stays.
    pub workitem_days: u32,
}

/// A configuration that passed [`Config::check`].
#[derive(Debug, Clone)]
pub struct Checked {
    config: Config,
    external_url: Url,
}

/// One thing that is wrong with the configuration, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigFault {
    /// The key in the file.
    pub key: &'static str,
    /// What is wrong and how to mend it.
    pub reason: String,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file is not TOML of the known keys; the message names line and key.
    #[error("{path}: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The parser's answer.
        source: Box<toml::de::Error>,
    },
    /// The values contradict each other or the profile.
    #[error("the configuration cannot be used: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults {
        /// Every fault found.
        faults: Vec<ConfigFault>,
    },
}

impl Config {
    /// Reads a file, or the defaults where there is none.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML of the known keys.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })
    }

    /// Checks without touching network or disk.
    ///
    /// # Errors
    /// Every fault at once, so that one correction is enough.
    pub fn check(self) -> Result<Checked, ConfigError> {
        let faults: Vec<ConfigFault> = CHECKS.iter().filter_map(|check| check(&self)).collect();
        let default_url = Url::parse(&format!("http://{}", self.listen)).ok();
        match self.external_url.clone().or(default_url) {
            Some(external_url) if faults.is_empty() => Ok(Checked { config: self, external_url }),
            _ => Err(ConfigError::Faults { faults }),
        }
    }
}

impl Checked {
    /// The base of every URL that others see, without a trailing slash.
    pub fn external_base(&self) -> &str {
        self.external_url.as_str().trim_end_matches('/')
    }

    /// What the outgoing-address guard allows.
    pub fn guard_profile(&self) -> Profile {
        match self.config.profile {
            ProfileName::Loopback => Profile::Loopback,
            ProfileName::Production => Profile::Production,
        }
    }

    /// The same settings for another address: the listener's real one, when port 0 was asked for.
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        if self.config.external_url.is_none()
            && let Ok(url) = Url::parse(&format!("http://{address}"))
        {
            self.external_url = url;
        }
        self.config.listen = address;
        self
    }
}

impl std::ops::Deref for Checked {
    type Target = Config;
    fn deref(&self) -> &Config {
        &self.config
    }
}

type Check = fn(&Config) -> Option<ConfigFault>;

/// Every rule, one a line.
const CHECKS: &[Check] = &[
    loopback_listens_on_loopback,
    production_has_tls,
    production_has_an_https_url,
    external_url_is_a_base,
    limits_are_positive,
    loopback_associates_on_loopback,
    dimse_limits_are_possible,
];

fn loopback_listens_on_loopback(config: &Config) -> Option<ConfigFault> {
    (config.profile == ProfileName::Loopback && !config.listen.ip().is_loopback()).then(|| ConfigFault {
        key: "listen",
        reason: format!(
            "{} is reachable from other machines, and the loopback profile lets callers in without a signature; \
             listen on 127.0.0.1 or set profile = \"production\"",
            config.listen
        ),
    })
}

fn production_has_tls(config: &Config) -> Option<ConfigFault> {
    (config.profile == ProfileName::Production && config.tls.is_none() && !config.behind_tls_proxy).then(|| {
        ConfigFault {
            key: "tls",
            reason:
                "production needs [tls] with certificate and key, or behind_tls_proxy = true where a proxy ends TLS"
                    .to_owned(),
        }
    })
}

fn production_has_an_https_url(config: &Config) -> Option<ConfigFault> {
    let https = config.external_url.as_ref().is_some_and(|url| url.scheme() == "https");
    (config.profile == ProfileName::Production && !https).then(|| ConfigFault {
        key: "external_url",
        reason: "production needs the https URL under which EHRs reach the gateway; their tokens' `aud` is checked \
                 against it"
            .to_owned(),
    })
}

fn external_url_is_a_base(config: &Config) -> Option<ConfigFault> {
    let url = config.external_url.as_ref()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    (!plain).then(|| ConfigFault {
        key: "external_url",
        reason: "an http or https URL without query, fragment or user name is needed".to_owned(),
    })
}

fn limits_are_positive(config: &Config) -> Option<ConfigFault> {
    let limits = &config.limits;
    let zero = limits.request_bytes == 0
        || limits.connections == 0
        || limits.calls_in_flight == 0
        || limits.calls_in_flight_per_hospital == 0
        || limits.header_read_ms == 0
        || limits.body_read_ms == 0
        || limits.workitems_per_hospital == 0
        || limits.workitem_bytes_per_hospital == 0
        || config.outbox.attempts == 0;
    zero.then(|| ConfigFault { key: "limits", reason: "a limit of 0 would refuse everything".to_owned() })
}

fn loopback_associates_on_loopback(config: &Config) -> Option<ConfigFault> {
    let listen = config.dimse.listen?;
    (config.profile == ProfileName::Loopback && !listen.ip().is_loopback()).then(|| ConfigFault {
        key: "dimse.listen",
        reason: format!(
            "{listen} is reachable from other machines; listen on 127.0.0.1 or set profile = \"production\""
        ),
    })
}

/// Below 4 KiB every instance is a crowd of PDUs; above 1 MiB memory goes to whoever announces much.
fn dimse_limits_are_possible(config: &Config) -> Option<ConfigFault> {
    let dimse = &config.dimse;
    let zero = dimse.associations == 0
        || dimse.associations_per_node == 0
        || dimse.idle_seconds == 0
        || dimse.artim_seconds == 0;
    let reason = match () {
        () if zero => "a limit of 0 would refuse everything",
        () if !(4_096..=1_048_576).contains(&dimse.pdu_bytes) => "pdu_bytes must be 4096 to 1048576",
        () => return None,
    };
    Some(ConfigFault { key: "dimse", reason: reason.to_owned() })
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: ProfileName::Loopback,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            external_url: None,
            data: PathBuf::from("medvan-data"),
            tls: None,
            behind_tls_proxy: false,
            limits: ServerLimits::default(),
            outgoing: Outgoing::default(),
            log: Log::default(),
            outbox: Outbox::default(),
            dimse: Dimse::default(),
            discovery: Discovery::default(),
            retention: Retention::default(),
            shutdown_seconds: 30,
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            request_bytes: 4 << 20,
            connections: 4096,
            calls_in_flight: 2048,
            calls_in_flight_per_hospital: 1024,
            header_read_ms: 10_000,
            body_read_ms: 10_000,
            workitems_per_hospital: 200_000,
            workitem_bytes_per_hospital: 1 << 30,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self { first_retry_ms: 1_000, attempts: 20, lease_seconds: 60 }
    }
}

impl Default for Dimse {
    fn default() -> Self {
        Self {
            listen: None,
            tls: None,
            associations: 32,
            associations_per_node: 8,
            pdu_bytes: 128 << 10,
            idle_seconds: 60,
            artim_seconds: 10,
        }
    }
}

impl Default for Discovery {
    fn default() -> Self {
        Self { poll_seconds: 3_600 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        const FIVE_YEARS: u32 = 5 * 365 + 2;
        Self { exchange_days: FIVE_YEARS, usage_days: FIVE_YEARS, feedback_days: FIVE_YEARS, workitem_days: 30 }
    }
}

#[cfg(test)]
mod tests;
