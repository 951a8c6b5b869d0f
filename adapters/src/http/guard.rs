//! [`Guard`]: which URLs may be called at all, judged by their text; [`GuardedUrl`] is the proof that one passed.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use url::{Host, Url};

use super::{Reach, port};

/// Longest URL that is looked at.
const MAX_LENGTH: usize = 8192;

/// How strictly the outside is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For development, demo and tests: this machine and the hosts the operator names, with or without TLS.
    Loopback,
    /// HTTPS only; the internet, and private addresses only for hosts that the operator names.
    Production,
}

/// The rules for outgoing calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    profile: Profile,
    allowed: Vec<AllowedHost>,
}

/// A host that the operator named in the configuration: `fhir.hospital.example`, `10.1.2.3` or `[fd00::1]:8080`.
///
/// It may have a private address, and with a port it may be called on that port. Link-local and the other
/// [`Reach::Forbidden`] addresses stay closed: no configuration opens the metadata service of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host,
    port: Option<u16>,
}

/// An entry of the list of allowed hosts that is not `host` or `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an allowed host is written `host` or `host:port`, without scheme and path")]
pub struct NotAHost;

/// Why a URL may not be called. The texts say how to mend it and never repeat the URL: a query may name a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not an absolute URL.
    #[error("not a valid absolute URL")]
    Malformed,
    /// Longer than 8192 characters.
    #[error("the URL is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// Not https (or, in the loopback profile, http).
    #[error("the URL must start with https://")]
    Scheme,
    /// `user:password@`.
    #[error("the URL must not carry a user name or password")]
    UserInfo,
    /// A host that is not reached from here.
    #[error("the host is not reachable for the gateway: use a public name, or have the operator allow this host")]
    Host,
    /// A port that is not for HTTP.
    #[error("the port is not open for calls: use 443 or 8443, or have the operator allow this host and port")]
    Port,
    /// A relative address that would leave its base.
    #[error("the address leads outside its base URL")]
    OutsideBase,
}

/// A URL that passed [`Guard::check`]. Its `Debug` shows the origin only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GuardedUrl(Url);

impl Guard {
    /// The rules of a profile, and the hosts that the operator named.
    pub fn new(profile: Profile, allowed: impl IntoIterator<Item = AllowedHost>) -> Self {
        Self(Arc::new(Rules { profile, allowed: allowed.into_iter().collect() }))
    }

    /// The profile in force.
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// Judges a URL by its text. The addresses behind a name are judged when the connection is made.
    pub fn check(&self, url: &str) -> Result<GuardedUrl, UrlRefused> {
        if url.len() > MAX_LENGTH {
            return Err(UrlRefused::TooLong);
        }
        let url = Url::parse(url).map_err(|_| UrlRefused::Malformed)?;
        self.judge(&url)?;
        Ok(GuardedUrl(url))
    }

    /// Judges a host and port that are called by DIMSE: no other hosts than those that the operator named, and this
    /// machine in the loopback profile. DICOM does not go over the internet unasked.
    ///
    /// # Errors
    /// The host is not named, or not with this port.
    pub fn check_node(&self, host: &Host, port: u16) -> Result<(), UrlRefused> {
        let host = borrowed(host);
        let entries = || self.0.allowed.iter().filter(|allowed| allowed.is(&host));
        let this_machine = self.0.profile == Profile::Loopback && is_this_machine(&host);
        if !this_machine && entries().next().is_none() {
            return Err(UrlRefused::Host);
        }
        let without_port = this_machine || entries().any(|allowed| allowed.port.is_none());
        let open = entries().any(|allowed| allowed.port == Some(port)) || (without_port && port::is_for_dicom(port));
        if open { Ok(()) } else { Err(UrlRefused::Port) }
    }

    /// Whether a connection to a node on this host may end at this address.
    pub fn admits_node(&self, host: &Host, address: IpAddr) -> bool {
        self.admits(&borrowed(host), address)
    }

    /// The same judgement on a URL that may have been checked by another guard.
    pub(super) fn judge(&self, url: &Url) -> Result<(), UrlRefused> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::UserInfo);
        }
        let host = url.host().ok_or(UrlRefused::Malformed)?;
        let named = self.0.named(&host);
        self.judge_scheme(url, named)?;
        self.judge_host(&host, named)?;
        self.judge_port(url, &host)
    }

    /// Whether a connection to this host may end at this address.
    pub(super) fn admits(&self, host: &Host<&str>, address: IpAddr) -> bool {
        let named = self.0.named(host);
        match Reach::of(address) {
            Reach::Public => named || self.0.profile == Profile::Production,
            Reach::Private => named,
            Reach::Loopback => named || (self.0.profile == Profile::Loopback && is_this_machine(host)),
            Reach::Forbidden => false,
        }
    }

    fn judge_scheme(&self, url: &Url, named: bool) -> Result<(), UrlRefused> {
        let this_machine = url.host().is_some_and(|host| is_this_machine(&host));
        match (url.scheme(), self.0.profile) {
            ("https", _) => Ok(()),
            ("http", Profile::Loopback) if named || this_machine => Ok(()),
            _ => Err(UrlRefused::Scheme),
        }
    }

    fn judge_host(&self, host: &Host<&str>, named: bool) -> Result<(), UrlRefused> {
        let open = match host {
            Host::Ipv4(address) => self.admits(host, IpAddr::V4(*address)),
            Host::Ipv6(address) => self.admits(host, IpAddr::V6(*address)),
            Host::Domain(_) if named => true,
            Host::Domain(name) => match self.0.profile {
                Profile::Loopback => is_this_machine(host),
                Profile::Production => is_public_name(name),
            },
        };
        if open { Ok(()) } else { Err(UrlRefused::Host) }
    }

    fn judge_port(&self, url: &Url, host: &Host<&str>) -> Result<(), UrlRefused> {
        let port = url.port_or_known_default().ok_or(UrlRefused::Port)?;
        let entries = || self.0.allowed.iter().filter(|allowed| allowed.is(host));
        let named_without_port = entries().any(|allowed| allowed.port.is_none());
        let open = entries().any(|allowed| allowed.port == Some(port))
            || (named_without_port && port::is_plausible(port))
            || (self.0.profile == Profile::Loopback && is_this_machine(host) && port::is_plausible(port))
            || (self.0.profile == Profile::Production && port::is_secure(port));
        if open { Ok(()) } else { Err(UrlRefused::Port) }
    }
}

impl Rules {
    fn named(&self, host: &Host<&str>) -> bool {
        self.allowed.iter().any(|allowed| allowed.is(host))
    }
}

impl AllowedHost {
    fn is(&self, host: &Host<&str>) -> bool {
        match (&self.host, host) {
            (Host::Domain(ours), Host::Domain(theirs)) => ours == without_dot(theirs),
            (Host::Ipv4(ours), Host::Ipv4(theirs)) => ours == theirs,
            (Host::Ipv6(ours), Host::Ipv6(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

impl FromStr for AllowedHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        // A scheme without a default port, so that every port that was written is also kept.
        let url = Url::parse(&format!("ws-host://{text}")).map_err(|_| NotAHost)?;
        let bare =
            url.path().is_empty() && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let host = url.host_str().filter(|_| bare).ok_or(NotAHost)?;
        let host = Host::parse(without_dot(host)).map_err(|_| NotAHost)?;
        Ok(Self { host, port: url.port() })
    }
}

impl GuardedUrl {
    /// The URL as text, for an `aud` claim or a comparison; never for a log line.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// A path with an optional query under this URL. It stays under it: same origin, same leading path.
    pub fn under(&self, relative: &str) -> Result<Self, UrlRefused> {
        let base = self.0.as_str().trim_end_matches('/');
        let text = format!("{base}/{}", relative.trim_start_matches('/'));
        if text.len() > MAX_LENGTH {
            return Err(UrlRefused::TooLong);
        }
        self.holding(Url::parse(&text).map_err(|_| UrlRefused::Malformed)?)
    }

    /// Where a link found under this URL leads, exactly as it was written, if it stays under it.
    pub fn linked(&self, link: &str) -> Result<Self, UrlRefused> {
        if link.len() > MAX_LENGTH {
            return Err(UrlRefused::TooLong);
        }
        // Without a slash at its end the base would lose its last segment to a relative link.
        let base = format!("{}/", self.0.as_str().trim_end_matches('/'));
        let url = Url::parse(&base).and_then(|base| base.join(link)).map_err(|_| UrlRefused::Malformed)?;
        self.holding(url)
    }

    fn holding(&self, url: Url) -> Result<Self, UrlRefused> {
        let prefix = self.0.path().trim_end_matches('/');
        let rest = url.path().strip_prefix(prefix);
        let below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let bare = url.username().is_empty() && url.password().is_none();
        let inside = url.origin() == self.0.origin() && below && bare && self.0.query().is_none();
        if inside { Ok(Self(url)) } else { Err(UrlRefused::OutsideBase) }
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for GuardedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedUrl({})", self.0.origin().ascii_serialization())
    }
}

fn borrowed(host: &Host) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// `localhost` and the loopback literals; names that merely resolve there do not count.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => matches!(without_dot(name), "localhost") || without_dot(name).ends_with(".localhost"),
        Host::Ipv4(address) => Reach::of(IpAddr::V4(*address)) == Reach::Loopback,
        Host::Ipv6(address) => Reach::of(IpAddr::V6(*address)) == Reach::Loopback,
    }
}

/// A name that the public DNS can answer: more than one label, and none of the names reserved for local use.
fn is_public_name(name: &str) -> bool {
    const LOCAL: &[&str] = &["localhost", "local", "internal", "lan", "home", "corp", "arpa", "onion"];
    let name = without_dot(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    name.contains('.') && !LOCAL.contains(&last)
}

#[cfg(test)]
mod tests;
