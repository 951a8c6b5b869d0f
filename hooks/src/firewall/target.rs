//! Where a link may lead ("Trusting CDS Services": clients keep an allow-list of card links).
//!
//! A card's link is opened in the doctor's browser, so the target is read the way browsers read it (WHATWG URL),
//! and whatever a browser would quietly mend, such as a line break inside the scheme, is refused.

use url::{Host, Url};

use super::Policy;

/// The part of a policy that decides on targets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed<'a> {
    hosts: &'a [String],
    loopback: bool,
}

impl<'a> Allowed<'a> {
    /// What the policy says on targets.
    pub(crate) fn of(policy: &Policy<'a>) -> Self {
        Self { hosts: policy.link_hosts, loopback: policy.loopback }
    }

    /// Says why `target` may not be opened.
    pub(crate) fn judge(&self, target: &str) -> Result<(), &'static str> {
        if target.chars().any(is_mended_by_browsers) {
            return Err("holds characters that browsers drop or change");
        }
        let url = Url::parse(target).map_err(|_| "is not an absolute URL")?;
        let secure = url.scheme() == "https" || (url.scheme() == "http" && self.loopback && is_loopback(&url));
        if !secure {
            return Err("is not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name");
        }
        if !self.lists(&url) {
            return Err("leads to a host that this hospital has not allowed");
        }
        Ok(())
    }

    /// Whether `target` may be opened.
    pub(crate) fn permits(&self, target: &str) -> bool {
        self.judge(target).is_ok()
    }

    fn lists(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        self.hosts.iter().any(|entry| match entry.strip_prefix("*.") {
            Some(domain) => is_below(host, domain) && url.port().is_none(),
            None => is_named(entry, host, url.port()),
        })
    }
}

fn is_mended_by_browsers(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\\'
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let host = host.as_bytes();
    let domain = domain.as_bytes();
    host.len() > domain.len() + 1
        && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
        && host[host.len() - domain.len() - 1] == b'.'
}

/// An entry without a port stands for the scheme's own port only.
fn is_named(entry: &str, host: &str, port: Option<u16>) -> bool {
    match port {
        None => entry.eq_ignore_ascii_case(host),
        Some(port) => entry.eq_ignore_ascii_case(&format!("{host}:{port}")),
    }
}
