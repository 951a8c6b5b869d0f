//! How a hospital exchanges images.

use medvan_imaging::AeTitle;
use medvan_profiles::descriptor::Fault;
use url::{Host, Url};

use super::fault;
use crate::catalog::{HospitalImaging, Node, PriorArchive, Retrieve, WebSystem};

/// Most nodes of one hospital.
const NODES: usize = 500;
/// Longest time for which originals can be asked to be kept, in days: a century.
const LONGEST: u32 = 36_525;

/// Faults of a hospital's imaging.
pub(super) fn imaging(imaging: &HospitalImaging) -> Vec<Fault> {
    let mut faults: Vec<Fault> = days(imaging.originals_days).into_iter().collect();
    faults.extend(too_many(imaging));
    if let Some(priors) = &imaging.priors {
        faults.extend(patience(priors.seconds));
        faults.extend(match &priors.archive {
            PriorArchive::Dimse { node, retrieve } => prior_node(imaging, node, *retrieve).into_iter().collect(),
            PriorArchive::Dicomweb(system) => web_system("/imaging/priors/archive", system),
        });
    }
    let nodes = imaging.nodes.iter().take(NODES).enumerate();
    faults.extend(nodes.flat_map(|(index, node)| {
        let place = format!("/imaging/nodes/{index}");
        let own = [twice(&place, imaging, index), host(&place, node), port(&place, node)].into_iter().flatten();
        let web = node.dicomweb.iter().flat_map(|system| web_system(&format!("{place}/dicomweb"), system));
        own.chain(web.collect::<Vec<_>>()).collect::<Vec<_>>()
    }));
    faults
}

fn twice(place: &str, imaging: &HospitalImaging, index: usize) -> Option<Fault> {
    let title = &imaging.nodes[index].ae_title;
    let is_ours = imaging.ae_title == *title;
    (is_ours || imaging.nodes[..index].iter().any(|other| other.ae_title == *title)).then(|| {
        fault(
            &format!("{place}/aeTitle"),
            (
                "it names another node of this hospital, or the gateway",
                "他のノードまたはゲートウェイと同じ AE タイトルです",
            ),
            (
                "give each application an AE title of its own",
                "アプリケーションごとに異なる AE タイトルを付けてください",
            ),
        )
    })
}

fn host(place: &str, node: &Node) -> Option<Fault> {
    (!is_host(&node.host)).then(|| {
        fault(
            &format!("{place}/host"),
            ("it is neither a host name nor an IP address", "ホスト名でも IP アドレスでもありません"),
            (
                "write the host alone, as in pacs.example.jp or 10.1.2.3",
                "pacs.example.jp や 10.1.2.3 のように書いてください",
            ),
        )
    })
}

/// An IPv6 address may stand with or without brackets.
fn is_host(text: &str) -> bool {
    text.len() <= 253 && (text.parse::<std::net::Ipv6Addr>().is_ok() || Host::parse(text).is_ok())
}

fn port(place: &str, node: &Node) -> Option<Fault> {
    (node.port == Some(0)).then(|| {
        fault(
            &format!("{place}/port"),
            ("0 is no port", "0 はポート番号ではありません"),
            ("write the port on which it listens, or leave it out", "待ち受けるポートを書くか、省略してください"),
        )
    })
}

fn days(days: Option<u32>) -> Option<Fault> {
    days.is_some_and(|days| !(1..=LONGEST).contains(&days)).then(|| {
        fault(
            "/imaging/originalsDays",
            ("it must be 1 to 36525", "1~36525 にする必要があります"),
            ("leave it out to keep originals", "原本を残す場合は省略してください"),
        )
    })
}

/// Whoever waits longer for what is only context waits for the wrong thing.
fn patience(seconds: u32) -> Option<Fault> {
    (!(1..=600).contains(&seconds)).then(|| {
        fault(
            "/imaging/priors/seconds",
            ("it must be 1 to 600", "1~600 にする必要があります"),
            ("leave it out for 60 seconds", "60秒でよい場合は省略してください"),
        )
    })
}

fn prior_node(imaging: &HospitalImaging, title: &AeTitle, retrieve: Retrieve) -> Option<Fault> {
    let at = "/imaging/priors/archive/node";
    let Some(node) = imaging.node(title).filter(|node| node.port.is_some()) else {
        return Some(fault(
            at,
            (
                "no node of this hospital that has a port has this AE title",
                "この AE タイトルでポートを持つノードがありません",
            ),
            ("enter it among the nodes, with its port", "ポートとともに nodes に登録してください"),
        ));
    };
    (retrieve == Retrieve::Move && !node.store).then(|| {
        fault(
            at,
            (
                "the node may not store here, so nothing comes by C-MOVE",
                "このノードには保存が許可されておらず、C-MOVE で画像が届きません",
            ),
            ("set its store to true, or retrieve to get", "store を true にするか、retrieve を get にしてください"),
        )
    })
}

fn web_system(place: &str, system: &WebSystem) -> Vec<Fault> {
    let both = (system.audience.is_some() && system.credential.is_some()).then(|| {
        fault(
            &format!("{place}/credential"),
            ("there is an audience, too", "audience も指定されています"),
            ("leave one of them out", "どちらか一方にしてください"),
        )
    });
    web_root(place, &system.url).into_iter().chain(both).collect()
}

fn web_root(place: &str, url: &str) -> Option<Fault> {
    let is_root = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let is_plain = url.len() <= 2_000 && Url::parse(url).is_ok_and(|url| is_root(&url));
    (!is_plain).then(|| {
        fault(
            &format!("{place}/url"),
            (
                "it is no http or https URL without query, fragment and user name",
                "クエリ・フラグメント・ユーザー名のない http または https の URL ではありません",
            ),
            ("write the root above /studies", "/studies の上のルートを書いてください"),
        )
    })
}

fn too_many(imaging: &HospitalImaging) -> Option<Fault> {
    (imaging.nodes.len() > NODES).then(|| {
        fault(
            "/imaging/nodes",
            ("there are more than 500", "500件を超えています"),
            ("leave out what is not in use", "使っていないものを除いてください"),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn places(value: Value) -> Vec<String> {
        let wanted: HospitalImaging = serde_json::from_value(value).unwrap();
        imaging(&wanted).into_iter().map(|fault| fault.place).collect()
    }

    #[test]
    fn each_fault_names_its_place() {
        let node = |ae: &str, host: &str, port: u16| json!({"aeTitle": ae, "host": host, "port": port});
        for (value, expect) in [
            (json!({"aeTitle": "KIKU"}), vec![]),
            (json!({"aeTitle": "KIKU", "nodes": [node("PACS", "10.0.0.1", 104), node("CT", "fd00::1", 104)]}), vec![]),
            (
                json!({"aeTitle": "KIKU", "nodes": [node("PACS", "pacs.example", 104), node("PACS", "ct.example", 104)]}),
                vec!["/imaging/nodes/1/aeTitle"],
            ),
            (json!({"aeTitle": "KIKU", "nodes": [node("KIKU", "a.example", 104)]}), vec!["/imaging/nodes/0/aeTitle"]),
            (
                json!({"aeTitle": "KIKU", "nodes": [node("PACS", "http://a", 0)]}),
                vec!["/imaging/nodes/0/host", "/imaging/nodes/0/port"],
            ),
            (json!({"aeTitle": "KIKU", "originalsDays": 0}), vec!["/imaging/originalsDays"]),
            (json!({"aeTitle": "KIKU", "originalsDays": 30}), vec![]),
            (
                json!({"aeTitle": "KIKU", "nodes": [node("PACS", "10.0.0.1", 104)],
                       "priors": {"archive": {"kind": "dimse", "node": "PACS", "retrieve": "get"}}}),
                vec![],
            ),
            (
                json!({"aeTitle": "KIKU", "nodes": [node("PACS", "10.0.0.1", 104)],
                       "priors": {"archive": {"kind": "dimse", "node": "PACS"}}}),
                vec!["/imaging/priors/archive/node"],
            ),
            (
                json!({"aeTitle": "KIKU", "priors": {"archive": {"kind": "dimse", "node": "PACS"}, "seconds": 0}}),
                vec!["/imaging/priors/seconds", "/imaging/priors/archive/node"],
            ),
            (
                json!({"aeTitle": "KIKU", "priors": {"archive": {"kind": "dicomweb", "url": "https://pacs.example/dicom-web"}}}),
                vec![],
            ),
            (
                json!({"aeTitle": "KIKU", "priors": {"archive": {"kind": "dicomweb", "url": "https://a:b@pacs.example/?q"}}}),
                vec!["/imaging/priors/archive/url"],
            ),
        ] {
            assert_eq!(places(value.clone()), expect, "{value}");
        }
    }

    #[test]
    fn an_ae_title_that_is_none_is_no_json_of_a_hospital() {
        for title in ["", "SEVENTEEN_LETTERS", "A\\B", "医療"] {
            let value = json!({"aeTitle": title});
            assert!(serde_json::from_value::<HospitalImaging>(value).is_err(), "{title:?}");
        }
    }
}
