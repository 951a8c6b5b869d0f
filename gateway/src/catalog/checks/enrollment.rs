//! What a hospital says about a service.

use medvan_imaging::AeTitle;
use medvan_profiles::descriptor::Fault;

use super::fault;
use crate::catalog::{Enrollment, Hospital};

/// Most nodes to which results of one service are sent.
const DESTINATIONS: usize = 32;

/// Faults of an enrolment by itself.
pub fn enrollment(enrollment: &Enrollment) -> Vec<Fault> {
    let mut faults = enrollment.images.rules.faults("/images/rules");
    if enrollment.images.deliver.len() > DESTINATIONS {
        faults.push(fault(
            "/images/deliver",
            (&format!("more than {DESTINATIONS} nodes are named"), &format!("送り先が{DESTINATIONS}個を超えています")),
            ("name fewer, and let the others fetch", "減らして、ほかは取得してもらってください"),
        ));
    }
    faults
}

/// Nodes to which results shall go, and of which the hospital says nothing or not where they listen.
pub fn destinations(enrollment: &Enrollment, hospital: &Hospital) -> Vec<Fault> {
    let nodes = hospital.imaging.as_ref().map(|imaging| imaging.nodes.as_slice()).unwrap_or_default();
    let listens = |title: &AeTitle| nodes.iter().any(|node| node.ae_title == *title && node.takes());
    let unknown = enrollment.images.deliver.iter().enumerate().filter(|(_, title)| !listens(title));
    unknown
        .take(DESTINATIONS)
        .map(|(index, _)| {
            fault(
                &format!("/images/deliver/{index}"),
                (
                    "the hospital has no node of this AE title that listens",
                    "この AE タイトルで受信するノードは病院にありません",
                ),
                (
                    "register the node at the hospital with its host and port, or its dicomweb root, first",
                    "先に病院の imaging.nodes にホストとポート、または dicomweb のルートを登録してください",
                ),
            )
        })
        .collect()
}
