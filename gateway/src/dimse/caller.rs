//! [`Called`]: an association that the gateway asked a node for: it echoes, stores and reports (PS3.7 §9.1.1, §9.1.5, §10.1.1).

pub(super) mod asking;

use std::{collections::HashMap, io, net::SocketAddr, time::Duration};

use dicom_ul::pdu::{
    AbortRQSource, AssociationAC, AssociationRJ, AssociationRJResult, AssociationRQ, Pdu, PresentationContextProposed,
    PresentationContextResultReason, RequestorRoles, UserVariableItem,
};
use medvan_adapters::http::Guard;
use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    dataset::Dataset,
    dimse::{
        CommitmentReport, Message, MoveOriginator, Operation, Priority, Request, Response, STORAGE_COMMITMENT,
        STORAGE_COMMITMENT_INSTANCE, Status, VERIFICATION, bytes_of,
        negotiation::{Proposal, Roles},
        sending::{Accepted, context_for},
    },
    transfer_syntax::{EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE},
    ups::{SopClass, UPS_PUSH},
};
use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use url::Host;

use super::{
    Network,
    admission::{APPLICATION_CONTEXT, announced, own_variables},
    association::{Association, Ended},
    link::{Link, Unit, Wire},
    reading::Chunks,
};
use crate::{
    App,
    archive::ReadFault,
    catalog::{HospitalId, Node},
    store::FoundInstance,
};

/// An association that the gateway asked for.
#[derive(Debug)]
pub(super) struct Called {
    association: Association,
    accepted: Vec<Accepted>,
    last_message: u16,
}

/// Why a node could not be called. In the peer's own words, where it had some.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// It listens to nobody.
    #[error("the node has no port to be called on")]
    NoPort,
    /// The operator did not open the way to it.
    #[error("the node's host or port is not in outgoing.allowed_hosts")]
    NotAllowed,
    /// It wants TLS and there is nothing to judge its certificate by.
    #[error("the node wants TLS, and dimse.tls.authorities is not set")]
    NoAuthorities,
    /// It cannot be reached.
    #[error("the node cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// It did not answer in time.
    #[error("the node did not answer in time")]
    Slow,
    /// It does not want an association.
    #[error("{0}")]
    Rejected(Rejected),
    /// It does not take what was proposed.
    #[error("the node accepts none of the presentation contexts")]
    NothingAccepted,
    /// The association ended before it was done.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// What was to be asked cannot be written.
    #[error("what was to be asked cannot be written")]
    Unaskable,
    /// What it gives cannot be taken now.
    #[error("what the node gives cannot be taken: {0}")]
    NotTaken(String),
    /// It answered, but not with success.
    #[error("the node answered {0}")]
    Answered(String),
}

/// An A-ASSOCIATE-RJ.
#[derive(Debug, thiserror::Error)]
#[error("the node rejected the association{}: {why}", if *.is_transient { " for now" } else { "" })]
pub struct Rejected {
    is_transient: bool,
    why: String,
}

impl CallFault {
    /// Whether nothing that the node itself says stands against another try.
    pub(super) fn is_of_the_way(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Slow | Self::Ended(_) => true,
            Self::Rejected(rejected) => rejected.is_transient,
            _ => false,
        }
    }
}

/// Why an instance was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendFault {
    /// The peer has no presentation context for it.
    #[error("the node accepts neither {0} nor anything that it could be written in without touching its pixels")]
    NoContext(Uid),
    /// It cannot be read here.
    #[error(transparent)]
    Read(#[from] ReadFault),
    /// The association ended.
    #[error(transparent)]
    Ended(#[from] Ended),
}

/// Asks a node of a hospital whether it is there (C-ECHO).
///
/// # Errors
/// It is not, or does not say so.
pub async fn echo(network: &Network, own: &AeTitle, node: &Node) -> Result<(), CallFault> {
    let syntaxes = vec![EXPLICIT_LITTLE.to_owned(), IMPLICIT_LITTLE.to_owned()];
    let proposal = Proposal { id: 1, abstract_syntax: VERIFICATION.to_owned(), transfer_syntaxes: syntaxes };
    let mut called = Called::call(network, own, node, &[proposal], &[]).await?;
    let answer = called.echo().await;
    called.end(answer.as_ref().err()).await;
    let answer = answer?;
    if answer.status == Status::SUCCESS { Ok(()) } else { Err(CallFault::Answered(answer.in_words())) }
}

impl Called {
    /// Asks for an association.
    pub(super) async fn call(
        network: &Network,
        own: &AeTitle,
        node: &Node,
        proposals: &[Proposal],
        roles: &[(Uid, Roles)],
    ) -> Result<Self, CallFault> {
        Self::call_by(network, network.guard(), own, node, proposals, roles).await
    }

    /// The same where other rules say which addresses may be called.
    pub(super) async fn call_by(
        network: &Network,
        guard: &Guard,
        own: &AeTitle,
        node: &Node,
        proposals: &[Proposal],
        roles: &[(Uid, Roles)],
    ) -> Result<Self, CallFault> {
        let settings = network.settings();
        let artim = Duration::from_secs(settings.artim_seconds);
        let wire = timeout(artim, reach(network, guard, node)).await.map_err(|_| CallFault::Slow)??;
        let mut link = Link::new(wire, settings.pdu_bytes, Duration::from_secs(settings.idle_seconds));
        link.send_pdu(&Pdu::AssociationRQ(request(own, node, proposals, roles, settings.pdu_bytes))).await?;
        let answer = timeout(artim, link.next()).await.map_err(|_| CallFault::Slow)?;
        let accepted = match answer {
            Ok(Unit::Pdu(pdu)) => match *pdu {
                Pdu::AssociationAC(accepted) => accepted,
                Pdu::AssociationRJ(rejected) => return Err(CallFault::Rejected(words(&rejected))),
                Pdu::AbortRQ { .. } => return Err(Ended::Aborted.into()),
                _ => return Err(strange(link, artim).await),
            },
            Ok(Unit::Fragment(_)) => return Err(strange(link, artim).await),
            Err(ended) => return Err(ended.into()),
        };
        let contexts = held(&accepted, proposals);
        let association = Association::new(link, announced(&accepted.user_variables), artim);
        if contexts.is_empty() {
            association.release().await;
            return Err(CallFault::NothingAccepted);
        }
        Ok(Self { association, accepted: contexts, last_message: 0 })
    }

    async fn echo(&mut self) -> Result<Response, Ended> {
        let class = Uid::known(VERIFICATION);
        let context = self.context_of(&class)?;
        let request = self.request(class, Operation::Echo);
        self.association.say(context.id, &Message::alone(request.clone().into()), None).await?;
        self.association.answer(request.message_id).await
    }

    /// Sends a stored instance; how the peer took it is in its answer.
    pub(super) async fn store(
        &mut self,
        app: &App,
        hospital: &HospitalId,
        found: &FoundInstance,
        originator: Option<MoveOriginator>,
    ) -> Result<Response, SendFault> {
        let (context, form) = context_for(&self.accepted, &found.class, &found.syntax)
            .map(|(context, form)| (context.id, form))
            .ok_or_else(|| SendFault::NoContext(found.syntax.uid().clone()))?;
        let chunks = Chunks::begin(&app.archive, hospital, found.place, form).await?;
        let operation = Operation::Store { instance: found.uid.clone(), priority: Priority::Medium, originator };
        let request = self.request(found.class.clone(), operation);
        let message_id = request.message_id;
        send(&mut self.association, context, request, chunks).await?;
        Ok(self.association.answer(message_id).await?)
    }

    /// Reports on a storage commitment; the gateway must have asked for the role of the one who is asked.
    pub(super) async fn report(&mut self, report: &CommitmentReport) -> Result<Response, Ended> {
        let class = Uid::known(STORAGE_COMMITMENT);
        let context = self.context_of(&class)?;
        self.last_message = self.last_message.wrapping_add(1);
        say_report(&mut self.association, context.id, &context.syntax, self.last_message, report).await?;
        self.association.answer(self.last_message).await
    }

    /// Tells a subscriber of an event of a workitem; the gateway must have asked for the role of the one who is asked.
    pub(super) async fn tell(&mut self, workitem: &Uid, event_type: u16, event: &Dataset) -> Result<Response, Ended> {
        let context = self.context_of(&Uid::known(SopClass::Event.uid()))?;
        let operation = Operation::EventReport { instance: workitem.clone(), event_type };
        // Every workitem is an instance of UPS Push (PS3.4 §CC.3.1).
        let request = self.request(Uid::known(UPS_PUSH), operation);
        let message_id = request.message_id;
        let data_set = bytes_of(event, context.syntax.encoding == Encoding::ExplicitLittle);
        self.association.say(context.id, &Message::with_data_set(request.into()), Some(&data_set)).await?;
        self.association.answer(message_id).await
    }

    /// Ends the association: in peace, or because it broke.
    pub(super) async fn end(self, broken: Option<&Ended>) {
        match broken {
            None => self.association.release().await,
            Some(ended) => self.association.abort(ended).await,
        }
    }

    fn request(&mut self, class: Uid, operation: Operation) -> Request {
        self.last_message = self.last_message.wrapping_add(1);
        Request { message_id: self.last_message, class, operation }
    }

    fn context_of(&self, class: &Uid) -> Result<Accepted, Ended> {
        let context = self.accepted.iter().find(|context| context.class == *class);
        context.cloned().ok_or(Ended::Released)
    }
}

/// Sends a C-STORE request with its data set.
pub(super) async fn send(
    association: &mut Association,
    context: u8,
    request: Request,
    mut chunks: Chunks,
) -> Result<(), Ended> {
    association.begin(context, &Message::with_data_set(request.into())).await?;
    while let Some((chunk, is_last)) = chunks.next().await.map_err(Ended::Unreadable)? {
        association.send_data(context, &chunk, is_last).await?;
    }
    Ok(())
}

/// Says an N-EVENT-REPORT request.
pub(super) async fn say_report(
    association: &mut Association,
    context: u8,
    syntax: &TransferSyntax,
    message_id: u16,
    report: &CommitmentReport,
) -> Result<(), Ended> {
    let operation =
        Operation::EventReport { instance: Uid::known(STORAGE_COMMITMENT_INSTANCE), event_type: report.event_type() };
    let request = Request { message_id, class: Uid::known(STORAGE_COMMITMENT), operation };
    let data_set = bytes_of(&report.data_set(), syntax.encoding == Encoding::ExplicitLittle);
    association.say(context, &Message::with_data_set(request.into()), Some(&data_set)).await
}

/// Connects to a node, if the way to it is open.
async fn reach(network: &Network, guard: &Guard, node: &Node) -> Result<Wire, CallFault> {
    let port = node.port.ok_or(CallFault::NoPort)?;
    let host = host_of(node).ok_or(CallFault::NotAllowed)?;
    guard.check_node(&host, port).map_err(|_| CallFault::NotAllowed)?;
    let addresses = addresses(&host, port).await.map_err(CallFault::Unreachable)?;
    if addresses.iter().any(|address| !guard.admits_node(&host, address.ip())) {
        return Err(CallFault::NotAllowed);
    }
    let stream = TcpStream::connect(addresses.as_slice()).await.map_err(CallFault::Unreachable)?;
    if !node.tls {
        return Ok(Wire::Plain(stream));
    }
    let connector = network.connector().ok_or(CallFault::NoAuthorities)?;
    let name = ServerName::try_from(bare(&node.host).to_owned()).map_err(|_| CallFault::NotAllowed)?;
    let stream = connector.connect(name, stream).await.map_err(CallFault::Unreachable)?;
    Ok(Wire::Tls(Box::new(stream.into())))
}

fn host_of(node: &Node) -> Option<Host> {
    let bare = bare(&node.host);
    bare.parse().map(Host::Ipv6).or_else(|_| Host::parse(bare)).ok()
}

/// An IPv6 address may stand in brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Every address behind a host. The connection is made to these and no others: a second look-up might give others.
async fn addresses(host: &Host, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(match host {
        Host::Ipv4(address) => vec![(*address, port).into()],
        Host::Ipv6(address) => vec![(*address, port).into()],
        Host::Domain(name) => tokio::net::lookup_host((name.as_str(), port)).await?.collect(),
    })
}

fn request(
    own: &AeTitle,
    node: &Node,
    proposals: &[Proposal],
    roles: &[(Uid, Roles)],
    pdu_bytes: u32,
) -> AssociationRQ {
    let mut user_variables = own_variables(pdu_bytes);
    user_variables.extend(roles.iter().map(|(class, Roles { scu, scp })| {
        UserVariableItem::ScuScpRoleSelectionSubItem(class.to_string(), RequestorRoles { scu: *scu, scp: *scp })
    }));
    AssociationRQ {
        protocol_version: 1,
        calling_ae_title: own.to_string(),
        called_ae_title: node.ae_title.to_string(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: proposals
            .iter()
            .map(|proposal| PresentationContextProposed {
                id: proposal.id,
                abstract_syntax: proposal.abstract_syntax.clone(),
                transfer_syntaxes: proposal.transfer_syntaxes.clone(),
            })
            .collect(),
        user_variables,
    }
}

/// The contexts that were proposed and hold; an answer about others, or with a syntax that was not proposed, means nothing.
fn held(answer: &AssociationAC, proposals: &[Proposal]) -> Vec<Accepted> {
    let by_id: HashMap<u8, &Proposal> = proposals.iter().map(|proposal| (proposal.id, proposal)).collect();
    let results = answer.presentation_contexts.iter();
    results
        .filter(|result| result.reason == PresentationContextResultReason::Acceptance)
        .filter_map(|result| {
            let proposal = by_id.get(&result.id)?;
            let syntax = Uid::parse(&result.transfer_syntax).ok()?;
            let class = Uid::parse(&proposal.abstract_syntax).ok()?;
            let was_proposed = proposal.transfer_syntaxes.iter().any(|proposed| *proposed == *syntax.as_str());
            was_proposed.then(|| Accepted { id: result.id, class, syntax: TransferSyntax::of(syntax) })
        })
        .collect()
}

fn words(rejected: &AssociationRJ) -> Rejected {
    Rejected { is_transient: rejected.result == AssociationRJResult::Transient, why: rejected.source.to_string() }
}

async fn strange(link: Link, artim: Duration) -> CallFault {
    let ended = Ended::unexpected("no answer to the request for an association");
    if let Ended::Violation { reason, .. } = &ended {
        link.abort(AbortRQSource::ServiceProvider(reason.clone()), artim).await;
    }
    ended.into()
}
