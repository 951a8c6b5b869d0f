//! What may be said on an association that a peer asks for (PS3.8 §7.1.1.13; PS3.7 §D.3.3.4).

use crate::{
    TransferSyntax, Uid,
    transfer_syntax::{EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE, Pixels},
};

use super::service::Service;

/// A presentation context that the peer proposes.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its id: odd, once in a request.
    pub id: u8,
    /// The SOP class.
    pub abstract_syntax: String,
    /// How data sets may be written, in the order of the proposal.
    pub transfer_syntaxes: Vec<String>,
}

/// The roles that the peer may take for a SOP class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// It asks.
    pub scu: bool,
    /// It is asked.
    pub scp: bool,
}

/// What the peer may do here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Store instances, and have them answered for.
    pub store: bool,
    /// Search.
    pub query: bool,
    /// Have instances sent.
    pub retrieve: bool,
    /// Create, find, perform and watch workitems.
    pub workitems: bool,
}

/// A presentation context that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its id.
    pub id: u8,
    /// The SOP class.
    pub class: Uid,
    /// What it is for.
    pub service: Service,
    /// How data sets are written.
    pub syntax: TransferSyntax,
    /// Who asks and who is asked.
    pub roles: Roles,
}

/// Why a presentation context does not hold (PS3.8 table 9-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// This peer may not (1, user rejection).
    NotPermitted,
    /// The SOP class is not served here (3).
    AbstractSyntax,
    /// None of the transfer syntaxes is known here (4).
    TransferSyntaxes,
}

/// What came of a request for an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Each proposal in its order: the context that holds, or its id and why it does not.
    pub contexts: Vec<Result<Context, (u8, Reason)>>,
    /// The roles that the peer gets for the classes for which it asked for some.
    pub roles: Vec<(Uid, Roles)>,
}

/// The request breaks PS3.8 itself: ids that are even, or twice there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("presentation context ids must be odd, and each there once")]
pub struct NotAProposal;

impl Roles {
    /// The roles where nothing was said about them (PS3.7 §D.3.3.4).
    pub const DEFAULT: Self = Self { scu: true, scp: false };
}

/// Decides about every proposal. `roles` are those that the peer asks for.
///
/// # Errors
/// The request breaks PS3.8.
pub fn negotiate(
    proposals: &[Proposal],
    roles: &[(Uid, Roles)],
    permissions: Permissions,
) -> Result<Negotiated, NotAProposal> {
    let mut seen = [false; 256];
    for proposal in proposals {
        if proposal.id % 2 == 0 || std::mem::replace(&mut seen[usize::from(proposal.id)], true) {
            return Err(NotAProposal);
        }
    }
    let roles: Vec<(Uid, Roles)> = roles
        .iter()
        .filter_map(|(class, asked)| {
            let granted = grant(Service::of(class)?, *asked, permissions);
            Some((class.clone(), granted))
        })
        .collect();
    let contexts = proposals.iter().map(|proposal| decide(proposal, &roles, permissions)).collect();
    Ok(Negotiated { contexts, roles })
}

fn decide(proposal: &Proposal, roles: &[(Uid, Roles)], permissions: Permissions) -> Result<Context, (u8, Reason)> {
    let refused = |reason| (proposal.id, reason);
    let class = Uid::parse(&proposal.abstract_syntax).map_err(|_| refused(Reason::AbstractSyntax))?;
    let service = Service::of(&class).ok_or(refused(Reason::AbstractSyntax))?;
    let granted = roles.iter().find(|(of, _)| *of == class).map(|(_, granted)| *granted);
    let roles = granted.unwrap_or_else(|| grant(service, Roles::DEFAULT, permissions));
    if !roles.scu && !roles.scp {
        return Err(refused(Reason::NotPermitted));
    }
    let syntax = choose(service, &proposal.transfer_syntaxes).ok_or(refused(Reason::TransferSyntaxes))?;
    Ok(Context { id: proposal.id, class, service, syntax, roles })
}

/// Of the roles that it asked for those that it may have. Only for storage can it be the one who is asked: in a C-GET.
fn grant(service: Service, asked: Roles, permissions: Permissions) -> Roles {
    let (scu, scp) = match service {
        Service::Verification => (true, false),
        Service::Storage => (permissions.store, permissions.retrieve),
        Service::StorageCommitment => (permissions.store, false),
        Service::Find(_) => (permissions.query, false),
        Service::Workitems(_) => (permissions.workitems, false),
        Service::Move(_) | Service::Get(_) => (permissions.retrieve, false),
    };
    Roles { scu: asked.scu && scu, scp: asked.scp && scp }
}

/// For images the peer's own order counts: its first is mostly how it has them, and nothing is lost by converting. For the rest
/// explicit VR is better, as a private attribute says what it is.
fn choose(service: Service, proposed: &[String]) -> Option<TransferSyntax> {
    let mut proposed = proposed.iter().filter_map(|text| Uid::parse(text).ok()).map(TransferSyntax::of);
    if service == Service::Storage {
        return proposed.find(|syntax| syntax.pixels != Pixels::Unknown);
    }
    proposed
        .filter(|syntax| matches!(syntax.uid().as_str(), EXPLICIT_LITTLE | IMPLICIT_LITTLE))
        .min_by_key(|syntax| syntax.encoding == Encoding::ImplicitLittle)
}
