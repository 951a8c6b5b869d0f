use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

fn guard(profile: Profile, allowed: &[&str]) -> Guard {
    Guard::new(profile, allowed.iter().map(|host| host.parse().unwrap()))
}

fn check(profile: Profile, allowed: &[&str], url: &str, expect: Result<(), UrlRefused>) {
    assert_eq!(guard(profile, allowed).check(url).map(|_| ()), expect, "{profile:?} {allowed:?} {url}");
}

#[test]
fn production_refuses_every_spelling_of_an_inner_address() {
    use UrlRefused::*;
    let table = [
        ("https://169.254.169.254/latest/meta-data", Host),
        ("https://[::1]/", Host),
        ("https://[::]/", Host),
        ("https://[::ffff:127.0.0.1]/", Host),
        ("https://[::ffff:7f00:1]/", Host),
        ("https://[::ffff:8.8.8.8]/", Host),
        ("https://[::127.0.0.1]/", Host),
        ("https://0.0.0.0/", Host),
        ("https://0/", Host),
        ("https://127.0.0.1/", Host),
        ("https://127.1/", Host),
        ("https://0x7f.1/", Host),
        ("https://0x7f000001/", Host),
        ("https://0177.0.0.1/", Host),
        ("https://2130706433/", Host),
        ("https://１２７.0.0.1/", Host),
        ("https://127。0。0。1/", Host),
        ("https://localhost/", Host),
        ("https://localhost./", Host),
        ("https://LOCALHOST/", Host),
        ("https://app.localhost/", Host),
        ("https://metadata/", Host),
        ("https://metadata.google.internal/", Host),
        ("https://printer.local/", Host),
        ("https://1.0.0.127.in-addr.arpa/", Host),
        ("https://10.0.0.1/", Host),
        ("https://172.16.0.1/", Host),
        ("https://192.168.1.1/", Host),
        ("https://100.64.0.1/", Host),
        ("https://[64:ff9b::7f00:1]/", Host),
        ("https://[64:ff9b::8.8.8.8]/", Host),
        ("https://[2002:7f00:1::]/", Host),
        ("https://[2001:0:7f00:1::]/", Host),
        ("https://[fd00::1]/", Host),
        ("https://[fe80::1]/", Host),
        ("https://[fe80::1%25eth0]/", Malformed),
        ("https://[::1%lo]/", Malformed),
        ("https://224.0.0.1/", Host),
        ("https://255.255.255.255/", Host),
        ("https://user@ai.example.com/", UserInfo),
        ("https://user:secret@ai.example.com/", UserInfo),
        ("https://ai.example.com@127.0.0.1/", UserInfo),
        ("https://:secret@ai.example.com/", UserInfo),
        ("http://ai.example.com/", Scheme),
        ("http://127.0.0.1/", Scheme),
        ("ftp://ai.example.com/", Scheme),
        ("gopher://ai.example.com/", Scheme),
        ("file:///etc/passwd", Malformed),
        ("javascript:alert(1)", Malformed),
        ("data:text/html,x", Malformed),
        ("//ai.example.com/", Malformed),
        ("/cds-services", Malformed),
        ("", Malformed),
        ("https://", Malformed),
        ("https://ai.example.com:25/", Port),
        ("https://ai.example.com:22/", Port),
        ("https://ai.example.com:6379/", Port),
        ("https://ai.example.com:80/", Port),
        ("https://ai.example.com:8080/", Port),
        ("https://ai.example.com:0/", Port),
        ("https://ai.example.com:65536/", Malformed),
    ];
    for (url, refused) in table {
        check(Profile::Production, &[], url, Err(refused));
    }
}

#[test]
fn production_calls_public_hosts_over_https() {
    for url in [
        "https://ai.example.com/cds",
        "https://ai.example.com.:443/",
        "https://8.8.8.8/",
        "https://ai.example.com:8443/x",
        "https://[2400:4050::1]/",
    ] {
        check(Profile::Production, &[], url, Ok(()));
    }
}

#[test]
fn the_loopback_profile_stays_on_this_machine() {
    let open = [
        "http://127.0.0.1:40001/x",
        "http://localhost:40001",
        "https://localhost./",
        "http://[::1]:40001/",
        "http://0x7f.1:8080/",
        "http://ai.localhost:9000",
    ];
    for url in open {
        check(Profile::Loopback, &[], url, Ok(()));
    }
    let closed = [
        ("http://ai.example.com/", UrlRefused::Scheme),
        ("https://ai.example.com/", UrlRefused::Host),
        ("https://8.8.8.8/", UrlRefused::Host),
        ("http://169.254.169.254/", UrlRefused::Scheme),
        ("https://169.254.169.254/", UrlRefused::Host),
        ("http://[::ffff:127.0.0.1]/", UrlRefused::Scheme),
        ("https://[::ffff:127.0.0.1]/", UrlRefused::Host),
        ("http://0.0.0.0:8080/", UrlRefused::Scheme),
        ("http://127.0.0.1:6379/", UrlRefused::Port),
        ("http://127.0.0.1:25/", UrlRefused::Port),
        ("http://localhost:22/", UrlRefused::Port),
        ("http://u@127.0.0.1:8080/", UrlRefused::UserInfo),
    ];
    for (url, refused) in closed {
        check(Profile::Loopback, &[], url, Err(refused));
    }
}

#[test]
fn a_named_host_may_be_private_but_never_plain_in_production() {
    let allowed = ["fhir.hospital.example", "10.1.2.3:9443", "[fd00::5]", "ehr:8443"];
    let table = [
        ("https://fhir.hospital.example/r4", Ok(())),
        ("https://FHIR.hospital.example.:9443/r4", Ok(())),
        ("http://fhir.hospital.example/r4", Err(UrlRefused::Scheme)),
        ("https://fhir.hospital.example:6379/", Err(UrlRefused::Port)),
        ("https://10.1.2.3:9443/", Ok(())),
        ("https://10.1.2.3:9444/", Err(UrlRefused::Port)),
        ("https://10.1.2.4:9443/", Err(UrlRefused::Host)),
        ("https://[fd00::5]/", Ok(())),
        ("https://ehr:8443/", Ok(())),
    ];
    for (url, expect) in table {
        check(Profile::Production, &allowed, url, expect);
    }
    check(Profile::Loopback, &["vendor:8080"], "http://vendor:8080/x", Ok(()));
}

#[test]
fn no_configuration_opens_the_metadata_service() {
    check(Profile::Loopback, &["169.254.169.254"], "http://169.254.169.254/", Err(UrlRefused::Host));
    check(Profile::Production, &["169.254.169.254"], "https://169.254.169.254/", Err(UrlRefused::Host));
}

#[test]
fn an_allowed_host_is_a_host_and_nothing_more() {
    for text in ["", "https://x", "x/path", "x?y", "u@x", "x:99999", "a b"] {
        assert_eq!(text.parse::<AllowedHost>(), Err(NotAHost), "{text}");
    }
    for text in ["x", "x:443", "10.0.0.1", "[fd00::1]:80", "x.example."] {
        assert!(text.parse::<AllowedHost>().is_ok(), "{text}");
    }
}

#[test]
fn a_relative_address_stays_under_its_base() {
    let base = guard(Profile::Production, &[]).check("https://fhir.example.com/r4/").unwrap();
    let table = [
        ("Patient/1", Ok("https://fhir.example.com/r4/Patient/1")),
        ("/Patient?_id=1&x=%20", Ok("https://fhir.example.com/r4/Patient?_id=1&x=%20")),
        ("//evil.example.com/x", Ok("https://fhir.example.com/r4/evil.example.com/x")),
        ("https://evil.example.com/", Ok("https://fhir.example.com/r4/https://evil.example.com/")),
        ("../admin", Err(UrlRefused::OutsideBase)),
        ("a/../../admin", Err(UrlRefused::OutsideBase)),
        ("%2e%2e/admin", Err(UrlRefused::OutsideBase)),
        ("..\\admin", Err(UrlRefused::OutsideBase)),
    ];
    for (relative, expect) in table {
        let joined = base.under(relative);
        assert_eq!(joined.as_ref().map(GuardedUrl::as_str).map_err(|refused| *refused), expect, "{relative}");
    }
}

#[test]
fn a_link_is_followed_as_it_is_written_if_it_stays_under_its_base() {
    let base = guard(Profile::Production, &[]).check("https://fhir.example.com/r4").unwrap();
    let table = [
        ("https://fhir.example.com/r4?_getpages=2", Ok("https://fhir.example.com/r4?_getpages=2")),
        ("https://fhir.example.com/r4/Observation?p=2", Ok("https://fhir.example.com/r4/Observation?p=2")),
        ("https://FHIR.example.com:443/r4/?p=2", Ok("https://fhir.example.com/r4/?p=2")),
        ("Observation?p=2", Ok("https://fhir.example.com/r4/Observation?p=2")),
        ("?p=2", Ok("https://fhir.example.com/r4/?p=2")),
        ("/r4/Observation?p=2", Ok("https://fhir.example.com/r4/Observation?p=2")),
        ("/Observation?p=2", Err(UrlRefused::OutsideBase)),
        ("../r4x", Err(UrlRefused::OutsideBase)),
        ("//evil.example.com/r4/x", Err(UrlRefused::OutsideBase)),
        ("http://fhir.example.com/r4/x", Err(UrlRefused::OutsideBase)),
        ("https://fhir.example.com:8443/r4/x", Err(UrlRefused::OutsideBase)),
        ("https://fhir.example.com/r4x/Observation", Err(UrlRefused::OutsideBase)),
        ("https://fhir.example.com/r4/../admin", Err(UrlRefused::OutsideBase)),
        ("https://user@fhir.example.com/r4/x", Err(UrlRefused::OutsideBase)),
        ("file:///r4/x", Err(UrlRefused::OutsideBase)),
    ];
    for (link, expect) in table {
        let followed = base.linked(link);
        assert_eq!(followed.as_ref().map(GuardedUrl::as_str).map_err(|refused| *refused), expect, "{link}");
    }
}

#[test]
fn debug_and_errors_show_no_query() {
    let url = guard(Profile::Production, &[]).check("https://fhir.example.com/Patient/123?name=x").unwrap();
    assert_eq!(format!("{url:?}"), "GuardedUrl(https://fhir.example.com)");
}

/// Every way in which a URL may spell an IPv4 address.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let number = address.to_bits();
    let [a, b, c, d] = address.octets();
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{number}"),
        format!("{number:#x}"),
        format!("0{number:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{}", number & 0xff_ffff),
        format!("{a}.{b}.{}", number & 0xffff),
    ]
}

proptest! {
    #[test]
    fn an_ipv4_address_is_judged_the_same_in_every_spelling(number: u32) {
        let address = Ipv4Addr::from_bits(number);
        let public = Reach::of(IpAddr::V4(address)) == Reach::Public;
        for spelling in spellings(address) {
            let passes = guard(Profile::Production, &[]).check(&format!("https://{spelling}/")).is_ok();
            prop_assert_eq!(passes, public, "{}", spelling);
        }
    }

    #[test]
    fn an_ipv4_address_never_passes_inside_an_ipv6_one(number: u32) {
        let [a, b, c, d] = Ipv4Addr::from_bits(number).octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let hidden = [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        ];
        for address in hidden {
            let passes = guard(Profile::Production, &[]).check(&format!("https://[{address}]/")).is_ok();
            prop_assert!(!passes, "{}", address);
        }
    }

    #[test]
    fn what_passes_in_production_is_https_without_user_info(text in "[a-zA-Z]{0,6}:?/{0,3}[ -~]{0,40}") {
        if let Ok(url) = guard(Profile::Production, &[]).check(&text) {
            prop_assert!(url.as_str().starts_with("https://") && url.url().username().is_empty());
        }
    }
}

#[test]
fn a_node_is_called_only_where_the_operator_named_its_host() {
    use UrlRefused::*;
    let table = [
        (Profile::Production, &["10.0.0.5"][..], "10.0.0.5", 104, Ok(())),
        (Profile::Production, &["10.0.0.5"], "10.0.0.5", 11112, Ok(())),
        (Profile::Production, &["10.0.0.5"], "10.0.0.5", 22, Err(Port)),
        (Profile::Production, &["10.0.0.5"], "10.0.0.5", 6379, Err(Port)),
        (Profile::Production, &["10.0.0.5:80"], "10.0.0.5", 80, Ok(())),
        (Profile::Production, &["10.0.0.5:80"], "10.0.0.5", 104, Err(Port)),
        (Profile::Production, &["pacs.example.jp"], "pacs.example.jp", 104, Ok(())),
        (Profile::Production, &[], "pacs.example.jp", 104, Err(Host)),
        (Profile::Production, &[], "127.0.0.1", 104, Err(Host)),
        (Profile::Loopback, &[], "127.0.0.1", 11112, Ok(())),
        (Profile::Loopback, &[], "localhost", 11112, Ok(())),
        (Profile::Loopback, &[], "10.0.0.5", 104, Err(Host)),
    ];
    for (profile, allowed, host, port, expect) in table {
        let parsed = url::Host::parse(host).unwrap();
        assert_eq!(guard(profile, allowed).check_node(&parsed, port), expect, "{profile:?} {allowed:?} {host}:{port}");
    }
}
