//! Addresses: all of them can be read, and those that the gateway calls are not dangerous by their form.

use url::{Host, Url};

use crate::descriptor::{Descriptor, Fault};

const BASE: &str = "/transport/baseUrl";

/// Every URL of the descriptor is one.
pub(super) fn all_parse(descriptor: &Descriptor) -> Vec<Fault> {
    let base = std::iter::once((BASE.to_owned(), descriptor.transport.base_url.as_str()));
    base.chain(citations(descriptor))
        .filter(|(_, url)| Url::parse(url).is_err())
        .map(|(place, _)| no_url(place))
        .collect()
}

/// What the gateway itself will call. Whether the host behind it may be called is asked again on each call.
pub(super) fn base_is_safe(descriptor: &Descriptor) -> Vec<Fault> {
    let base = Url::parse(&descriptor.transport.base_url).ok();
    base.and_then(|base| unsafe_address(&base)).into_iter().collect()
}

/// An override of the discovery path is no way to another host or out of the base.
pub(super) fn discovery_stays_below_the_base(descriptor: &Descriptor) -> Vec<Fault> {
    let path = &descriptor.transport.discovery_path;
    let leaves = path.starts_with("//") || path.split('/').any(|part| part == "." || part == "..");
    let fault = leaves.then(|| {
        Fault::new(
            "/transport/discoveryPath",
            ("the path leaves the base URL", "ベースURLの外を指しています"),
            (
                "write a path below the base URL, without // in front, . and ..",
                "先頭の // や . .. を使わずに書いてください",
            ),
        )
    });
    fault.into_iter().collect()
}

/// The URLs that people and programs read.
fn citations(descriptor: &Descriptor) -> impl Iterator<Item = (String, &str)> {
    let evidence = descriptor.model_card.evidence.iter().enumerate();
    let evidence = evidence.map(|(index, it)| (format!("/modelCard/evidence/{index}/url"), it.url.as_str()));
    let input = descriptor.profiles.input.iter().enumerate();
    let input = input.map(|(index, url)| (format!("/profiles/input/{index}"), url.as_str()));
    let output = descriptor.profiles.output.iter().enumerate();
    let output = output.map(|(index, url)| (format!("/profiles/output/{index}"), url.as_str()));
    evidence.chain(input).chain(output)
}

fn no_url(place: String) -> Fault {
    Fault::new(
        place,
        ("it is not a URL", "URLとして読めません"),
        (
            "write an absolute URL, like https://ai.example/cds",
            "https://ai.example/cds のような絶対URLを書いてください",
        ),
    )
}

fn unsafe_address(url: &Url) -> Option<Fault> {
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.fragment().is_some() || url.query().is_some() {
        return Some(Fault::new(
            BASE,
            (
                "it has a user, a password, a query or a fragment",
                "ユーザー名・パスワード・クエリ・フラグメントが含まれています",
            ),
            ("leave only host, port and path", "ホスト・ポート・パスだけにしてください"),
        ));
    }
    (url.scheme() != "https" && !is_loopback(url)).then(|| {
        Fault::new(
            BASE,
            ("patient data would travel without TLS", "患者データがTLSなしで送られます"),
            ("use https; http is for loopback only", "https を使ってください(http はループバックのみ)"),
        )
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
