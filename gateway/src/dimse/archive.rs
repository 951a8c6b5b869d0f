//! [`NodeArchive`]: a hospital's archive that is one of its nodes: what it has of a patient, and images out of it.

use std::{collections::BTreeSet, net::IpAddr};

use dicom_dictionary_std::tags;
use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    attributes::Attributes,
    dimse::{
        negotiation::{Proposal, Roles},
        sending::CONTEXTS,
    },
    transfer_syntax::{EXPLICIT_LITTLE, IMPLICIT_LITTLE},
};
use uuid::Uuid;

use super::{
    association::Ended,
    caller::{
        CallFault, Called,
        asking::{FIND, GET, MOVE},
    },
};
use crate::{
    App,
    catalog::{HospitalId, Node, OnConflict, Retrieve},
    store::{Kind, Origin, Protocol},
};

/// UIDs that one request names.
const NAMED: usize = 500;

/// A hospital's archive that is one of its nodes.
#[derive(Debug)]
pub(crate) struct NodeArchive<'a> {
    pub(crate) app: &'a App,
    pub(crate) hospital: &'a HospitalId,
    /// Our own AE title there.
    pub(crate) own: AeTitle,
    pub(crate) node: Node,
    pub(crate) retrieve: Retrieve,
}

impl NodeArchive<'_> {
    /// Hands over what is told of everything that is like this (C-FIND). Gives whether that is all there is.
    ///
    /// # Errors
    /// The node cannot be called, or does not answer with success.
    pub(crate) async fn find(
        &self,
        identifier: &Attributes,
        take: &mut (dyn FnMut(Attributes) + Send),
    ) -> Result<bool, CallFault> {
        let mut called = self.call(&[proposal(1, FIND, plain())], &[]).await?;
        let found = called.find(identifier, take).await;
        // What was not read of the answers is still under way.
        let broken = match &found {
            Ok(true) => None,
            Err(CallFault::Answered(_)) => None,
            Err(CallFault::Ended(ended)) => Some(ended),
            _ => Some(&Ended::Dismissed),
        };
        called.end(broken).await;
        found
    }

    /// Has these instances of a series given, each with its class where that is known, or the whole series. What came is stored when
    /// it ends.
    ///
    /// # Errors
    /// The node cannot be called, or does not answer with success.
    pub(crate) async fn fetch(
        &self,
        study: &Uid,
        series: &Uid,
        instances: &[(Uid, Option<Uid>)],
        whole: Option<usize>,
    ) -> Result<(), CallFault> {
        let classes: BTreeSet<&Uid> = instances.iter().filter_map(|(_, class)| class.as_ref()).collect();
        if let Some(most) = whole {
            return self.fetch_one(&identifier(study, series, &[]), study, &classes, most).await;
        }
        for some in instances.chunks(NAMED) {
            let named: Vec<&Uid> = some.iter().map(|(instance, _)| instance).collect();
            self.fetch_one(&identifier(study, series, &named), study, &classes, some.len()).await?;
        }
        Ok(())
    }

    async fn fetch_one(
        &self,
        identifier: &Attributes,
        study: &Uid,
        classes: &BTreeSet<&Uid>,
        most: usize,
    ) -> Result<(), CallFault> {
        let (called, arrived) = match self.retrieve {
            Retrieve::Move => {
                let mut called = self.call(&[proposal(1, MOVE, plain())], &[]).await?;
                let moved = called.move_to(&self.own, identifier).await;
                (called, moved)
            }
            Retrieve::Get => {
                let (proposals, roles) = of_get(classes);
                let mut called = self.call(&proposals, &roles).await?;
                let got = self.get(&mut called, identifier, study, most).await;
                (called, got)
            }
        };
        let broken = match &arrived {
            Ok(()) => None,
            Err(CallFault::Ended(ended)) => Some(ended),
            Err(CallFault::Answered(_)) if self.retrieve == Retrieve::Move => None,
            Err(_) => Some(&Ended::Dismissed),
        };
        called.end(broken).await;
        arrived
    }

    async fn get(
        &self,
        called: &mut Called,
        identifier: &Attributes,
        study: &Uid,
        most: usize,
    ) -> Result<(), CallFault> {
        let origin = Origin {
            id: Uuid::now_v7(),
            protocol: Protocol::CGet,
            source: self.node.ae_title.to_string(),
            called: Some(self.own.to_string()),
            peer: self.node.host.parse().unwrap_or(IpAddr::from([0, 0, 0, 0])),
            at: self.app.clock.now(),
        };
        // What is here already stays: it was sent by somebody, and a prior is only looked at.
        let arrival = self.app.archive.arrival(self.hospital, origin, OnConflict::Keep, Kind::Original);
        let mut arrival = arrival.map_err(|fault| CallFault::NotTaken(fault.to_string()))?;
        called.get(identifier, study, most, &mut arrival).await
    }

    async fn call(&self, proposals: &[Proposal], roles: &[(Uid, Roles)]) -> Result<Called, CallFault> {
        Called::call(&self.app.dimse, &self.own, &self.node, proposals, roles).await
    }
}

/// The identifier of a retrieval: a series, or instances of it.
fn identifier(study: &Uid, series: &Uid, instances: &[&Uid]) -> Attributes {
    let mut identifier = Attributes::new();
    identifier.put_text(tags::QUERY_RETRIEVE_LEVEL, if instances.is_empty() { "SERIES" } else { "IMAGE" });
    identifier.put_text(tags::STUDY_INSTANCE_UID, study.as_str());
    identifier.put_text(tags::SERIES_INSTANCE_UID, series.as_str());
    if !instances.is_empty() {
        identifier.put_texts(tags::SOP_INSTANCE_UID, instances.iter().map(ToString::to_string));
    }
    identifier
}

/// C-GET, and each class of instances that may be given: plain, and in every compressed form alone, so that the node can give each
/// as it has it.
fn of_get(classes: &BTreeSet<&Uid>) -> (Vec<Proposal>, Vec<(Uid, Roles)>) {
    let classes: Vec<&str> = match classes.len() {
        0 => USUAL.to_vec(),
        _ => classes.iter().map(|class| class.as_str()).collect(),
    };
    let of_each = ((CONTEXTS - 1) / classes.len()).max(1);
    let compressed: Vec<String> = TransferSyntax::all()
        .filter(TransferSyntax::is_encapsulated)
        .map(|syntax| syntax.uid().to_string())
        .take(of_each - 1)
        .collect();
    let syntaxes = |class: &str| {
        let alone = compressed.iter().map(|syntax| vec![syntax.clone()]);
        std::iter::once(plain()).chain(alone).map(|syntaxes| (class.to_owned(), syntaxes)).collect::<Vec<_>>()
    };
    let all = std::iter::once((GET.to_owned(), plain())).chain(classes.iter().flat_map(|class| syntaxes(class)));
    let ids = (1..=255_u8).step_by(2);
    let proposals = ids.zip(all).map(|(id, (class, syntaxes))| proposal(id, &class, syntaxes)).collect();
    let role = |class: &&str| Some((Uid::parse(class).ok()?, Roles { scu: false, scp: true }));
    (proposals, classes.iter().filter_map(role).collect())
}

/// Where the node does not tell classes: CR, DX, MG, CT, MR, US and their enhanced and multi-frame kin (PS3.4 table B.5-1).
const USUAL: &[&str] = &[
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.13.1.3",
    "1.2.840.10008.5.1.4.1.1.128",
];

fn plain() -> Vec<String> {
    vec![EXPLICIT_LITTLE.to_owned(), IMPLICIT_LITTLE.to_owned()]
}

fn proposal(id: u8, class: &str, transfer_syntaxes: Vec<String>) -> Proposal {
    Proposal { id, abstract_syntax: class.to_owned(), transfer_syntaxes }
}
