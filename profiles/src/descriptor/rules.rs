//! What a schema cannot say: rules between the members of a descriptor, each a pure function.

use std::collections::HashSet;

use url::{Host, Url};

use super::{
    Descriptor, HookEntry,
    fault::{Fault, below},
    regulatory,
};

/// A rule: the faults that it finds.
pub type Rule = fn(&Descriptor) -> Vec<Fault>;

/// Every rule, in the order in which they are asked.
pub fn rules() -> &'static [Rule] {
    &[
        regulatory_status_is_complete,
        urls_parse,
        addresses_are_safe,
        discovery_path_stays_below_the_base,
        hook_ids_are_unique,
        every_prefetch_key_has_a_reason,
    ]
}

fn regulatory_status_is_complete(descriptor: &Descriptor) -> Vec<Fault> {
    regulatory::faults(&descriptor.regulatory)
}

fn urls_parse(descriptor: &Descriptor) -> Vec<Fault> {
    let evidence = descriptor.model_card.evidence.iter().map(|evidence| evidence.url.as_str());
    let lists = [
        ("/modelCard/evidence", "/url", evidence.collect::<Vec<_>>()),
        ("/profiles/input", "", descriptor.profiles.input.iter().map(String::as_str).collect()),
        ("/profiles/output", "", descriptor.profiles.output.iter().map(String::as_str).collect()),
    ];
    let in_lists = lists.into_iter().flat_map(|(place, member, urls)| {
        urls.into_iter()
            .enumerate()
            .filter(|(_, url)| Url::parse(url).is_err())
            .map(move |(index, _)| no_url(format!("{place}/{index}{member}")))
            .collect::<Vec<_>>()
    });
    let alone = addresses(descriptor).into_iter().filter(|(_, url)| Url::parse(url).is_err());
    in_lists.chain(alone.map(|(place, _)| no_url(place.to_owned()))).collect()
}

/// What the gateway itself will call. Whether the address behind it may be called is asked again on each call.
fn addresses_are_safe(descriptor: &Descriptor) -> Vec<Fault> {
    let parsed = addresses(descriptor).into_iter().filter_map(|(place, url)| Some((place, Url::parse(url).ok()?)));
    parsed.filter_map(|(place, url)| unsafe_address(place, &url)).collect()
}

fn discovery_path_stays_below_the_base(descriptor: &Descriptor) -> Vec<Fault> {
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

fn hook_ids_are_unique(descriptor: &Descriptor) -> Vec<Fault> {
    let mut known = HashSet::new();
    let again = descriptor.hooks.iter().enumerate().filter(|(_, entry)| !known.insert(entry.id.as_str()));
    again
        .map(|(index, _)| {
            Fault::new(
                format!("/hooks/{index}/id"),
                ("another hook of this descriptor has the same id", "同じ id のフックがほかにあります"),
                ("give each hook its own id", "フックごとに別の id を付けてください"),
            )
        })
        .collect()
}

fn every_prefetch_key_has_a_reason(descriptor: &Descriptor) -> Vec<Fault> {
    descriptor.hooks.iter().enumerate().flat_map(|(index, entry)| reasons(index, entry)).collect()
}

fn reasons(index: usize, entry: &HookEntry) -> Vec<Fault> {
    let why = format!("/hooks/{index}/why");
    let unexplained = entry.prefetch.keys().filter(|key| !entry.why.contains_key(*key)).map(|key| {
        Fault::new(
            below(&why, key),
            ("data is asked for without a reason", "データを求める理由がありません"),
            ("say in Japanese and English why the service needs it", "必要な理由を日本語と英語で書いてください"),
        )
    });
    let unasked = entry.why.keys().filter(|key| !entry.prefetch.contains_key(*key)).map(|key| {
        Fault::new(
            below(&why, key),
            ("prefetch has no such key", "prefetch にこのキーがありません"),
            ("remove the reason, or correct the key", "理由を削除するか、キーを直してください"),
        )
    });
    unexplained.chain(unasked).collect()
}

fn addresses(descriptor: &Descriptor) -> Vec<(&'static str, &str)> {
    let transport = &descriptor.transport;
    let jwks = transport.jwks_url.as_deref().map(|url| ("/transport/jwksUrl", url));
    std::iter::once(("/transport/baseUrl", transport.base_url.as_str())).chain(jwks).collect()
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

fn unsafe_address(place: &str, url: &Url) -> Option<Fault> {
    let has_extras = !url.username().is_empty() || url.password().is_some() || url.fragment().is_some();
    if has_extras || (place == "/transport/baseUrl" && url.query().is_some()) {
        return Some(Fault::new(
            place,
            (
                "it has a user, a password, a query or a fragment",
                "ユーザー名・パスワード・クエリ・フラグメントが含まれています",
            ),
            ("leave only host, port and path", "ホスト・ポート・パスだけにしてください"),
        ));
    }
    (url.scheme() != "https" && !is_loopback(url)).then(|| {
        Fault::new(
            place,
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
