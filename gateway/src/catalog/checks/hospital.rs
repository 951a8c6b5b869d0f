//! Hospitals and vendors.

use medvan_profiles::descriptor::Fault;
use url::Host;

use super::{fault, imaging::imaging, words};
use crate::catalog::{Hospital, MissedHook, Vendor};

/// Faults of a hospital.
pub fn hospital(hospital: &Hospital) -> Vec<Fault> {
    let mut faults: Vec<Fault> = words("/name", &hospital.name).into_iter().collect();
    faults.extend(deadline(hospital));
    faults.extend(re_emission(hospital.missed_hook));
    let hosts = hospital.link_hosts.iter().enumerate();
    faults.extend(hosts.filter_map(|(index, host)| link_host(&format!("/linkHosts/{index}"), host)));
    let rules = hospital.system_actions.iter().enumerate();
    faults.extend(rules.filter_map(|(index, rule)| resource_types(index, &rule.resource_types)));
    faults.extend(too_many(hospital));
    faults.extend(hospital.imaging.iter().flat_map(imaging));
    faults
}

/// Faults of a vendor.
pub fn vendor(vendor: &Vendor) -> Vec<Fault> {
    let contact = (vendor.contact.name.trim().is_empty() || !vendor.contact.email.contains('@')).then(|| {
        fault(
            "/contact",
            ("nobody can be reached by it", "連絡先になっていません"),
            ("write a name and a mail address", "名前とメールアドレスを書いてください"),
        )
    });
    words("/name", &vendor.name).into_iter().chain(contact).collect()
}

fn deadline(hospital: &Hospital) -> Option<Fault> {
    let slices = u64::from(hospital.prefetch_ms) + u64::from(hospital.merge_ms);
    let possible = (100..=60_000).contains(&hospital.deadline_ms) && slices < u64::from(hospital.deadline_ms);
    (!possible).then(|| {
        fault(
            "/deadlineMs",
            (
                "it must be 100 to 60000 and more than prefetchMs and mergeMs together",
                "100~60000 で、prefetchMs と mergeMs の合計より大きくする必要があります",
            ),
            ("leave time for the services between the two slices", "サービスの応答時間を残してください"),
        )
    })
}

fn re_emission(missed: MissedHook) -> Option<Fault> {
    let MissedHook::ReEmitSeconds(seconds) = missed else {
        return None;
    };
    (!(1..=3_600).contains(&seconds)).then(|| {
        fault(
            "/missedHook/reEmitSeconds",
            ("it must be 1 to 3600", "1~3600 にする必要があります"),
            ("older cards may not hold any more", "古いカードは有効でない可能性があります"),
        )
    })
}

fn link_host(place: &str, host: &str) -> Option<Fault> {
    Host::parse(host).is_err().then(|| {
        fault(
            place,
            ("it is not a host name", "ホスト名ではありません"),
            ("write the host alone, as in www.example.jp", "www.example.jp のようにホスト名だけを書いてください"),
        )
    })
}

fn resource_types(index: usize, types: &[String]) -> Option<Fault> {
    let is_type = |name: &String| {
        name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric())
    };
    (types.is_empty() || !types.iter().all(is_type)).then(|| {
        fault(
            &format!("/systemActions/{index}/resourceTypes"),
            ("not a list of FHIR resource types", "FHIR リソース型のリストではありません"),
            ("name each type, as in ServiceRequest", "ServiceRequest のように型名を書いてください"),
        )
    })
}

fn too_many(hospital: &Hospital) -> Option<Fault> {
    let longest = [hospital.link_hosts.len(), hospital.system_actions.len(), hospital.allow_extensions.len()];
    (longest.iter().any(|length| *length > 500)).then(|| {
        fault(
            "",
            ("a list has more than 500 entries", "500件を超えるリストがあります"),
            ("shorten it", "短くしてください"),
        )
    })
}
