//! Who is let in as whom (PS3.8 §7.1, §9.3.2 to §9.3.4).
//!
//! The called AE title says which hospital is meant, the calling one which of its nodes asks. An AE title is no secret and
//! proves nothing; so a node must call from its own host, unless the hospital says that it may call from any address.
//! Where callers must show a certificate (`dimse.tls.authorities`) the TLS handshake comes before all this.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use dicom_ul::pdu::{
    AbortRQServiceProviderReason as AbortReason, AbortRQSource, AssociationAC, AssociationRJ, AssociationRJResult,
    AssociationRJServiceProviderASCEReason as AcseReason, AssociationRJServiceProviderPresentationReason as Congestion,
    AssociationRJServiceUserReason as UserReason, AssociationRJSource, AssociationRQ, Pdu, PresentationContextResult,
    PresentationContextResultReason, RequestorRoles, UserVariableItem,
};
use medvan_imaging::{
    AeTitle, Uid,
    dimse::{
        Service,
        negotiation::{Context, Negotiated, Permissions, Proposal, Reason, Roles, negotiate},
    },
    file::{IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION},
    query::Extended,
    transfer_syntax::IMPLICIT_LITTLE,
};
use tokio::time::timeout;

use super::{
    association::{Association, Ended},
    link::{Link, Unit},
    network::{Caller, Place},
    service,
};
use crate::{
    App,
    catalog::{HospitalId, HospitalImaging, Node, VendorId},
};

/// The DICOM Application Context Name (PS3.7 §A.2.1).
pub(super) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Time for looking up the addresses of a node's host.
const LOOK_UP: Duration = Duration::from_secs(3);

/// An association that was let in.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) association: Association,
    pub(super) session: Session,
    pub(super) place: Place,
}

/// Who is at the other end, and what may be said.
#[derive(Debug)]
pub(super) struct Session {
    /// Whose archive it is about.
    pub(super) hospital: HospitalId,
    /// How the hospital exchanges images.
    pub(super) imaging: HospitalImaging,
    /// Who asks.
    pub(super) node: Node,
    /// Whose service it is, where it is one and none of the hospital's own: it brings results.
    pub(super) vendor: Option<VendorId>,
    /// From where.
    pub(super) peer: IpAddr,
    /// The presentation contexts that hold, by id.
    pub(super) contexts: HashMap<u8, Context>,
    /// What was agreed on beyond the baseline, by SOP class.
    pub(super) extended: HashMap<Uid, Vec<u8>>,
}

/// Why there is no association.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It was asked for and refused; the peer was told.
    Said(Rejection),
    /// It was not asked for.
    Gone(Ended),
}

/// Why an association is refused (PS3.8 table 9-21).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    /// No hospital has this AE title.
    CalledTitle,
    /// The hospital has no such node.
    CallingTitle,
    /// The node calls from elsewhere than its host. The peer is told the same as for an unknown title.
    Address,
    /// It is not DICOM that is wanted.
    ApplicationContext,
    /// Another version of the protocol.
    Version,
    /// There are as many associations as there may be.
    NoRoom,
    /// The process ends.
    Stopping,
}

/// Reads the request, decides, and answers.
pub(super) async fn admit(app: &App, mut link: Link, peer: IpAddr) -> Result<Admitted, Refusal> {
    let artim = Duration::from_secs(app.config.dimse.artim_seconds);
    let request = match timeout(artim, link.next()).await.unwrap_or(Err(Ended::Silent)) {
        Ok(Unit::Pdu(pdu)) => match *pdu {
            Pdu::AssociationRQ(request) => request,
            Pdu::AbortRQ { .. } => return Err(Refusal::Gone(Ended::Aborted)),
            _ => return unasked(link, artim).await,
        },
        Ok(Unit::Fragment(_)) => return unasked(link, artim).await,
        Err(ended) => {
            if let Ended::Violation { reason, .. } = &ended {
                link.abort(AbortRQSource::ServiceProvider(reason.clone()), artim).await;
            }
            return Err(Refusal::Gone(ended));
        }
    };
    let (session, place) = match decide(app, &request, peer).await {
        Ok(decided) => decided,
        Err(rejection) => {
            tracing::warn!(
                reason = rejection.word(), called = plain(&request.called_ae_title),
                calling = plain(&request.calling_ae_title), %peer, "association rejected"
            );
            if link.send_pdu(&rejection.pdu()).await.is_ok() {
                link.hang_up(artim).await;
            }
            return Err(Refusal::Said(rejection));
        }
    };
    accept(app, link, artim, request, session, place).await
}

async fn unasked(link: Link, artim: Duration) -> Result<Admitted, Refusal> {
    link.abort(AbortRQSource::ServiceProvider(AbortReason::UnexpectedPdu), artim).await;
    Err(Refusal::Gone(Ended::violation(AbortReason::UnexpectedPdu, "something else than a request for an association")))
}

async fn accept(
    app: &App,
    mut link: Link,
    artim: Duration,
    request: AssociationRQ,
    mut session: Session,
    place: Place,
) -> Result<Admitted, Refusal> {
    let workitems = session.vendor.is_none() && session.node.workitems;
    let Ok(negotiated) = negotiated(&request, &session.node, workitems) else {
        link.abort(AbortRQSource::ServiceProvider(AbortReason::InvalidPduParameter), artim).await;
        let what = "presentation contexts with even or equal ids";
        return Err(Refusal::Gone(Ended::violation(AbortReason::InvalidPduParameter, what)));
    };
    session.extended = extended(&request.user_variables);
    let peer_pdu = announced(&request.user_variables);
    let answer = answer(request, &negotiated, &session.extended, app.config.dimse.pdu_bytes);
    link.send_pdu(&Pdu::AssociationAC(answer)).await.map_err(Refusal::Gone)?;
    session.contexts = negotiated.contexts.into_iter().flatten().map(|context| (context.id, context)).collect();
    metrics::counter!("medvan_associations_total", "outcome" => "accepted").increment(1);
    Ok(Admitted { association: Association::new(link, peer_pdu, artim), session, place })
}

async fn decide(app: &App, request: &AssociationRQ, peer: IpAddr) -> Result<(Session, Place), Rejection> {
    if app.tasks.is_stopping() {
        return Err(Rejection::Stopping);
    }
    if request.protocol_version & 1 == 0 {
        return Err(Rejection::Version);
    }
    if request.application_context_name.trim_matches([' ', '\0']) != APPLICATION_CONTEXT {
        return Err(Rejection::ApplicationContext);
    }
    let (hospital, imaging) = called(app, &request.called_ae_title).ok_or(Rejection::CalledTitle)?;
    let calling = AeTitle::parse(&request.calling_ae_title).map_err(|_| Rejection::CallingTitle)?;
    let (node, vendor) = match imaging.node(&calling).cloned() {
        Some(node) if calls_from_home(&node, peer).await => (node, None),
        Some(_) => return Err(Rejection::Address),
        None => {
            let service = service::calling(app, &hospital, &calling, peer).await;
            let (vendor, node) = service.ok_or(Rejection::CallingTitle)?;
            (node, Some(vendor))
        }
    };
    let caller = match &vendor {
        Some(vendor) => Caller::Vendor(vendor.clone()),
        None => Caller::Node(hospital.clone(), node.ae_title.clone()),
    };
    let place = app.dimse.place(caller).ok_or(Rejection::NoRoom)?;
    let (contexts, extended) = (HashMap::new(), HashMap::new());
    Ok((Session { hospital, imaging, node, vendor, peer, contexts, extended }, place))
}

fn called(app: &App, title: &str) -> Option<(HospitalId, HospitalImaging)> {
    let title = AeTitle::parse(title).ok()?;
    let catalog = app.catalog.current();
    let mut hospitals = catalog.hospitals().map(|view| &view.hospital);
    hospitals.find_map(|hospital| {
        let imaging = hospital.imaging.as_ref().filter(|imaging| imaging.ae_title == title)?;
        Some((hospital.id.clone(), imaging.clone()))
    })
}

pub(super) async fn calls_from_home(node: &Node, peer: IpAddr) -> bool {
    if node.any_address {
        return true;
    }
    let peer = peer.to_canonical();
    if let Ok(address) = node.host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address.to_canonical() == peer;
    }
    match timeout(LOOK_UP, tokio::net::lookup_host((node.host.as_str(), 0))).await {
        Ok(Ok(addresses)) => addresses.into_iter().any(|address| address.ip().to_canonical() == peer),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(node = %node.ae_title, host = node.host, "the addresses of a node's host cannot be looked up");
            false
        }
    }
}

fn negotiated(
    request: &AssociationRQ,
    node: &Node,
    workitems: bool,
) -> Result<Negotiated, medvan_imaging::dimse::negotiation::NotAProposal> {
    let proposals: Vec<Proposal> = request
        .presentation_contexts
        .iter()
        .map(|proposed| Proposal {
            id: proposed.id,
            abstract_syntax: proposed.abstract_syntax.clone(),
            transfer_syntaxes: proposed.transfer_syntaxes.clone(),
        })
        .collect();
    let roles: Vec<(Uid, Roles)> = request
        .user_variables
        .iter()
        .filter_map(|item| match item {
            UserVariableItem::ScuScpRoleSelectionSubItem(class, RequestorRoles { scu, scp }) => {
                Some((Uid::parse(class).ok()?, Roles { scu: *scu, scp: *scp }))
            }
            _ => None,
        })
        .collect();
    let permissions = Permissions { store: node.store, query: node.query, retrieve: node.retrieve, workitems };
    negotiate(&proposals, &roles, permissions)
}

/// What is asked for beyond the baseline and can be had (PS3.4 tables C.5-1 to C.5-4): of C-FIND everything but a view of
/// enhanced multi-frame images as classic ones, of C-MOVE and C-GET relational retrieval.
fn extended(asked: &[UserVariableItem]) -> HashMap<Uid, Vec<u8>> {
    const FIND: &[u8] = &[1, 1, 1, 1, 0, 1, 1];
    const RETRIEVE: &[u8] = &[1];
    let offered = |service| match service {
        Service::Find(_) => Some(FIND),
        Service::Move(_) | Service::Get(_) => Some(RETRIEVE),
        _ => None,
    };
    asked
        .iter()
        .filter_map(|item| {
            let UserVariableItem::SopClassExtendedNegotiationSubItem(class, asked) = item else {
                return None;
            };
            let class = Uid::parse(class).ok()?;
            let offered = offered(Service::of(&class)?)?;
            let agreed = asked.iter().zip(offered).map(|(asked, offered)| u8::from(*asked == 1) & offered).collect();
            Some((class, agreed))
        })
        .collect()
}

impl Session {
    /// What was agreed on for C-FIND.
    pub(super) fn extended(&self, class: &Uid) -> Extended {
        let agreed = |byte: usize| self.is_agreed(class, byte);
        Extended {
            combined_date_time: agreed(2),
            fuzzy: agreed(3),
            timezone: agreed(4),
            empty_value: agreed(6),
            multiple_value: agreed(7),
        }
    }

    /// Whether the byte of this number, from 1, was agreed on for a SOP class.
    pub(super) fn is_agreed(&self, class: &Uid, byte: usize) -> bool {
        self.extended.get(class).and_then(|agreed| agreed.get(byte - 1)) == Some(&1)
    }
}

/// The longest PDU that the peer takes.
pub(super) fn announced(user_variables: &[UserVariableItem]) -> u32 {
    let mut lengths = user_variables.iter().filter_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    lengths.next().unwrap_or(0)
}

/// What is said about ourselves in every negotiation.
pub(super) fn own_variables(pdu_bytes: u32) -> Vec<UserVariableItem> {
    vec![
        UserVariableItem::MaxLength(pdu_bytes),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
    ]
}

fn answer(
    request: AssociationRQ,
    negotiated: &Negotiated,
    extended: &HashMap<Uid, Vec<u8>>,
    pdu_bytes: u32,
) -> AssociationAC {
    let mut user_variables = own_variables(pdu_bytes);
    user_variables.extend(negotiated.roles.iter().map(|(class, Roles { scu, scp })| {
        UserVariableItem::ScuScpRoleSelectionSubItem(class.to_string(), RequestorRoles { scu: *scu, scp: *scp })
    }));
    user_variables.extend(extended.iter().map(|(class, agreed)| {
        UserVariableItem::SopClassExtendedNegotiationSubItem(class.to_string(), agreed.clone())
    }));
    AssociationAC {
        protocol_version: 1,
        calling_ae_title: request.calling_ae_title,
        called_ae_title: request.called_ae_title,
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: negotiated.contexts.iter().map(result).collect(),
        user_variables,
    }
}

fn result(decided: &Result<Context, (u8, Reason)>) -> PresentationContextResult {
    match decided {
        Ok(context) => PresentationContextResult {
            id: context.id,
            reason: PresentationContextResultReason::Acceptance,
            transfer_syntax: context.syntax.uid().to_string(),
        },
        Err((id, reason)) => PresentationContextResult {
            id: *id,
            reason: match reason {
                Reason::NotPermitted => PresentationContextResultReason::UserRejection,
                Reason::AbstractSyntax => PresentationContextResultReason::AbstractSyntaxNotSupported,
                Reason::TransferSyntaxes => PresentationContextResultReason::TransferSyntaxesNotSupported,
            },
            // Not significant, but a sub-item that must be there (PS3.8 §9.3.3.2).
            transfer_syntax: IMPLICIT_LITTLE.to_owned(),
        },
    }
}

impl Rejection {
    /// In one word, for logs and metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::CalledTitle => "unknown-called-title",
            Self::CallingTitle => "unknown-calling-title",
            Self::Address => "unknown-address",
            Self::ApplicationContext => "unknown-application-context",
            Self::Version => "unknown-version",
            Self::NoRoom => "no-room",
            Self::Stopping => "stopping",
        }
    }

    fn pdu(self) -> Pdu {
        use AssociationRJResult::{Permanent, Transient};
        let (result, source) = match self {
            Self::CalledTitle => (Permanent, AssociationRJSource::ServiceUser(UserReason::CalledAETitleNotRecognized)),
            Self::CallingTitle | Self::Address => {
                (Permanent, AssociationRJSource::ServiceUser(UserReason::CallingAETitleNotRecognized))
            }
            Self::ApplicationContext => {
                (Permanent, AssociationRJSource::ServiceUser(UserReason::ApplicationContextNameNotSupported))
            }
            Self::Version => {
                (Permanent, AssociationRJSource::ServiceProviderASCE(AcseReason::ProtocolVersionNotSupported))
            }
            Self::NoRoom => {
                (Transient, AssociationRJSource::ServiceProviderPresentation(Congestion::LocalLimitExceeded))
            }
            Self::Stopping => {
                (Transient, AssociationRJSource::ServiceProviderPresentation(Congestion::TemporaryCongestion))
            }
        };
        Pdu::AssociationRJ(AssociationRJ { result, source })
    }
}

/// An AE title for the log: whoever calls may have written anything there.
fn plain(title: &str) -> String {
    title.chars().take(16).map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' }).collect()
}
