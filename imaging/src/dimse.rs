//! DIMSE: the messages of a DICOM network, and what is decided about them (PS3.7; PS3.4 annexes A to C and J).
//!
//! A message is a command set and perhaps a data set. [`Command`] is the first; the second goes past as bytes. What may be
//! said on an association is settled once at its beginning: [`negotiation`] for the side that is called,
//! [`sending`] for the side that calls.

mod command;
mod commitment;
mod fields;
pub mod negotiation;
mod retrieval;
pub mod sending;
mod service;
mod status;
#[cfg(test)]
mod tests;

pub use command::{
    Command, CommandField, Message, MoveOriginator, NotACommand, Operation, Priority, Request, Response, SubOperations,
};
pub use commitment::{Commitment, CommitmentReport, Reference};
pub use retrieval::{Level, NotASelection, Root, Selection};
pub use service::{STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, Service, VERIFICATION};
pub use status::{Outcome, Status};

use crate::dataset::{Dataset, Piece, write};

/// A small data set as bytes: an identifier or a report. Values that were left in a source are not part of it.
pub fn bytes_of(data_set: &Dataset, explicit: bool) -> Vec<u8> {
    write(data_set, explicit)
        .into_iter()
        .flat_map(|piece| match piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Copy { .. } => Vec::new(),
        })
        .collect()
}
