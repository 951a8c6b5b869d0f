//! AI services that are application entities: they are called with a job's images, and call the hospital with their results.
//!
//! To the hospital such a service is a node that may store, and nothing else. An AE title proves nothing: a service must call from the
//! host that its descriptor names, and what it stores is taken for its own open jobs only.

use std::net::IpAddr;

use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    dimse::{Outcome, negotiation::Proposal, sending::proposals},
};
use medvan_profiles::descriptor::images::{DimseWay, ImageWay};

use super::{
    admission::calls_from_home,
    caller::{CallFault, Called, SendFault},
};
use crate::{
    App,
    catalog::{HospitalId, HospitalView, Node, VendorId},
    store::FoundInstance,
};

/// Why a service has not got all images. In the peer's own words, where it had some: they may name a patient.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceFault {
    /// There is no association.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// An image was not sent.
    #[error(transparent)]
    Send(#[from] SendFault),
    /// An image was not taken.
    #[error("the service answered {0}")]
    Refused(String),
}

/// A service as a node; nothing where its title is none.
pub(crate) fn service_node(way: &DimseWay) -> Option<Node> {
    Some(Node {
        ae_title: AeTitle::parse(&way.ae_title).ok()?,
        host: way.host.clone(),
        port: Some(way.port),
        tls: way.tls,
        dicomweb: None,
        any_address: false,
        store: true,
        query: false,
        retrieve: false,
        workitems: false,
        on_conflict: None,
    })
}

/// The vendor whose service calls a hospital under this title from here, with its node.
pub(super) async fn calling(
    app: &App,
    hospital: &HospitalId,
    title: &AeTitle,
    peer: IpAddr,
) -> Option<(VendorId, Node)> {
    let snapshot = app.catalog.current();
    for (vendor, node) in service_nodes(snapshot.hospital(hospital)?) {
        if node.ae_title == *title && calls_from_home(&node, peer).await {
            return Some((vendor.clone(), node));
        }
    }
    None
}

/// The services of a hospital that are nodes, each with its vendor.
pub(super) fn service_nodes(view: &HospitalView) -> impl Iterator<Item = (&VendorId, Node)> {
    view.analyzers.iter().filter_map(|member| match &member.entry.way {
        ImageWay::Dimse(way) => Some((&member.name.vendor, service_node(way)?)),
        _ => None,
    })
}

/// Sends images of a hospital to a service; every one is taken, or it is a fault.
///
/// # Errors
/// The service cannot be called, or does not take an image.
pub(crate) async fn send_to_service(
    app: &App,
    hospital: &HospitalId,
    node: &Node,
    images: &[FoundInstance],
) -> Result<(), ServiceFault> {
    let own = {
        let snapshot = app.catalog.current();
        let imaging = snapshot.hospital(hospital).and_then(|view| view.hospital.imaging.clone());
        imaging.ok_or(CallFault::NotAllowed)?.ae_title
    };
    let kinds: Vec<(Uid, TransferSyntax)> =
        images.iter().map(|image| (image.class.clone(), image.syntax.clone())).collect();
    for lot in proposals(&kinds) {
        send_lot(app, hospital, &own, node, &lot, images).await?;
    }
    Ok(())
}

/// Sends the images of the classes that are proposed, over one association.
async fn send_lot(
    app: &App,
    hospital: &HospitalId,
    own: &AeTitle,
    node: &Node,
    lot: &[Proposal],
    images: &[FoundInstance],
) -> Result<(), ServiceFault> {
    let mut called = Called::call_by(&app.dimse, app.vendors.guard(), own, node, lot, &[]).await?;
    let is_mine = |image: &&FoundInstance| lot.iter().any(|proposal| proposal.abstract_syntax == image.class.as_str());
    for image in images.iter().filter(is_mine) {
        let fault = match called.store(app, hospital, image, None).await {
            Ok(answer) if matches!(answer.status.outcome(), Outcome::Success | Outcome::Warning) => continue,
            Ok(answer) => ServiceFault::Refused(answer.in_words()),
            Err(fault) => fault.into(),
        };
        called.end(if let ServiceFault::Send(SendFault::Ended(ended)) = &fault { Some(ended) } else { None }).await;
        return Err(fault);
    }
    called.end(None).await;
    Ok(())
}
