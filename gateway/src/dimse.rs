//! The DICOM network: associations that hospitals' nodes ask for, and those that the gateway asks for (PS3.7, PS3.8).
//!
//! From the wire upwards: a [`link`] is bytes and PDUs, an [`association`] is messages and the rules of who speaks when. The
//! [`listener`] takes connections in, [`admission`] decides who is let in as whom, the [`provider`] answers what is asked. The
//! [`caller`] goes the other way: it asks a node for an association and sends. What must arrive whatever happens goes
//! through the [`outbox`]; what happens to workitems through [`events`]. AI services may be application entities, too ([`service`]).
//!
//! Everything that is waited for has an end, and what one association holds in memory is a few PDUs: instances stream to
//! the archive and from it.

mod admission;
mod archive;
mod association;
mod caller;
mod events;
mod link;
mod listener;
mod network;
mod outbox;
mod provider;
mod reading;
mod service;

pub(crate) use archive::NodeArchive;
pub(crate) use caller::SendFault;
pub use caller::{CallFault, echo};
pub(crate) use events::tell_subscribers;
pub use listener::{DimseListenError, DimseListener};
pub use network::Network;
pub(crate) use outbox::deliver;
pub use outbox::send;
pub(crate) use service::{ServiceFault, send_to_service, service_node};
