//! The firewall: what a vendor answered becomes an answer that obeys the standard, or is held back.
//!
//! A vendor's answer is untrusted input. Every real service that was looked at breaks a SHALL somewhere, so refusing
//! each such answer would leave hospitals without guidance, and passing it on would leave the EHR to cope.
//! Therefore: what can be mended in exactly one way is mended and noted as a [`Repair`]; what cannot is held back in
//! the smallest unit that still makes sense (a link, a suggestion, a card) and noted as a [`Quarantine`]; only a body
//! that is no answer at all is refused ([`NotAResponse`]). Notes name places and rules, never content.
//!
//! The rules are one visible list, [`rules()`]. Reading order: `read` walks the body, `parts` its
//! cards, `members` opens one object, `desk` takes the notes, `rules/` holds one file for each subject.

mod cut;
mod desk;
mod members;
mod node;
mod parts;
mod prune;
mod read;
mod rules;
mod target;
#[cfg(test)]
mod tests;
mod walk;

use medvan_profiles::{JsonError, Limits, json};

use self::{desk::Desk, node::Node};
pub use self::{
    desk::{Quarantine, Repair},
    rules::{Rule, rules},
};
use crate::response::Response;

/// What a hospital lets this service put before its users.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// The patient of the call (`context.patientId`). `None` only for hooks that have none.
    pub patient_id: Option<&'a str>,
    /// Hosts that links, `source.url` and `source.icon` may point to: `host`, `host:port` or `*.domain`.
    pub link_hosts: &'a [String],
    /// Whether `http` is tolerated towards this machine itself (the loopback profile).
    pub loopback: bool,
    /// Resource types that this service's system actions may touch; empty refuses all system actions.
    pub system_actions: &'a [String],
}

/// An answer that may go on, and everything that was done to make it so.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checked {
    /// What obeys the standard.
    pub response: Response,
    /// What was mended, in the order of the body.
    pub repairs: Vec<Repair>,
    /// What was held back, in the order of the body.
    pub quarantined: Vec<Quarantine>,
    /// Notes beyond the first 256 of each kind: counted, not listed.
    pub unlisted: usize,
}

/// The body is not an answer in the sense of the standard; nothing of it can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAResponse {
    /// Not JSON, or JSON that two parsers may read differently.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] JsonError),
    /// Some other JSON value.
    #[error("the answer is not a JSON object")]
    NotAnObject,
    /// "An object containing a `cards` array" is the one thing every answer must be.
    #[error("the answer has no `cards` array")]
    NoCards,
}

/// Reads a vendor's answer and applies every rule to it.
pub fn check(body: &[u8], policy: &Policy<'_>) -> Result<Checked, NotAResponse> {
    json::scan(body, &Limits::MESSAGE)?;
    let node: Node<'_> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let mut desk = Desk::new(policy);
    let response = read::response(node, &mut desk)?;
    Ok(desk.close(response))
}

fn unreadable(error: &serde_json::Error) -> JsonError {
    JsonError::Syntax { line: error.line(), column: error.column() }
}
