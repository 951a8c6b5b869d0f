//! [`Association`]: messages on a connection (PS3.7 §6.3, annex E).

use std::{collections::VecDeque, io, time::Duration};

use bytes::Bytes;
use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AbortRQSource, Pdu};
use medvan_imaging::dimse::{Command, Message, NotACommand, Response};

use super::link::{Fragment, Link, PDV_HEADER, Unit, put_data};
use crate::archive::ReadFault;

/// Bytes of a command set; most have a few hundred.
const LONGEST_COMMAND: usize = 64 << 10;
/// Bytes of an identifier or a report that is read whole: ten thousand UIDs and some.
const LONGEST_IDENTIFIER: usize = 4 << 20;
/// Data in one PDU that we send, whatever the peer would take.
const LARGEST_SENT: usize = 128 << 10;
/// A peer that takes less than this in a PDU gets more all the same: PDV by PDV it would take for ever.
const SMALLEST_SENT: usize = 1024;

/// An association that holds.
#[derive(Debug)]
pub(super) struct Association {
    link: Link,
    /// Data that fits into one PDU for this peer.
    room: usize,
    /// How long the peer has to hang up.
    artim: Duration,
    /// The command that is coming in.
    command: Option<(u8, Vec<u8>)>,
    /// What was heard while only a C-CANCEL was listened for.
    kept: VecDeque<Said>,
}

/// What a peer says.
#[derive(Debug)]
pub(super) enum Said {
    /// A command. If it has a data set, that must be read before the next thing is listened to.
    Command {
        /// In which presentation context.
        context: u8,
        /// The command.
        message: Message,
    },
    /// It is done and wants to end the association.
    Release,
}

/// Why an association ended otherwise than by release.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The peer wanted so.
    #[error("the peer aborted the association")]
    Aborted,
    /// The peer hung up.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer said nothing, or took nothing, for too long.
    #[error("the peer was silent for too long")]
    Silent,
    /// The connection broke.
    #[error("the connection failed: {0}")]
    Io(#[source] io::Error),
    /// The peer does not keep to the protocol.
    #[error("the peer broke the protocol: {what}")]
    Violation {
        /// As the peer is told.
        reason: AbortReason,
        /// As people are told.
        what: &'static str,
    },
    /// The peer wanted to end it in the middle of something.
    #[error("the peer released the association before everything was said")]
    Released,
    /// A stored instance could not be read to its end: what was begun cannot be finished.
    #[error("a stored instance cannot be read to its end: {0}")]
    Unreadable(#[source] ReadFault),
    /// The hospital took the node out, or changed what it may.
    #[error("the hospital changed the node's settings")]
    Dismissed,
    /// The process ends.
    #[error("the gateway is stopping")]
    Stopping,
}

impl Association {
    /// `peer_pdu` is the longest PDU that the peer takes, as it announced it; 0 means any.
    pub(super) fn new(link: Link, peer_pdu: u32, artim: Duration) -> Self {
        let announced = usize::try_from(peer_pdu).unwrap_or(usize::MAX);
        let room = match announced {
            0 => LARGEST_SENT,
            announced => announced.clamp(SMALLEST_SENT, LARGEST_SENT),
        };
        // Fragments have an even length (PS3.8 annex E.2).
        let room = (room - PDV_HEADER) & !1;
        Self { link, room, artim, command: None, kept: VecDeque::new() }
    }

    /// The next thing that the peer says. A call that is given up loses nothing.
    pub(super) async fn listen(&mut self) -> Result<Said, Ended> {
        match self.kept.pop_front() {
            Some(said) => Ok(said),
            None => self.hear().await,
        }
    }

    /// What is said next, put behind what was kept.
    async fn hear(&mut self) -> Result<Said, Ended> {
        loop {
            match self.link.next().await? {
                Unit::Fragment(fragment) => {
                    if let Some((context, message)) = self.command(&fragment)? {
                        return Ok(Said::Command { context, message });
                    }
                }
                Unit::Pdu(pdu) => return said(&pdu),
            }
        }
    }

    /// Listens while something else goes on, for a C-CANCEL above all. It must be given up when that is over, which it
    /// may be at any time.
    pub(super) async fn overhear(&mut self) -> Ended {
        // One thing may wait; a peer that says more while it waits for an answer has not negotiated that.
        while self.kept.len() < 2 {
            match self.hear().await {
                Ok(Said::Command { message, .. }) if message.has_data_set => {
                    return Ended::violation(
                        AbortReason::UnexpectedPdu,
                        "a second request before the first was answered",
                    );
                }
                Ok(said) => self.kept.push_back(said),
                // The other side may be quiet for as long as we work.
                Err(Ended::Silent) => {}
                Err(ended) => return ended,
            }
        }
        std::future::pending().await
    }

    /// The peer's answer to a request of ours. A C-CANCEL may come before it, and is kept.
    pub(super) async fn answer(&mut self, message_id: u16) -> Result<Response, Ended> {
        loop {
            let (context, message) = match self.hear().await? {
                Said::Command { context, message } => (context, message),
                Said::Release => return Err(Ended::Released),
            };
            match message.command {
                Command::Response(response) if response.to == message_id => {
                    if message.has_data_set {
                        self.skip(context).await?;
                    }
                    return Ok(response);
                }
                Command::Cancel { .. } if self.kept.is_empty() => {
                    self.kept.push_back(Said::Command { context, message });
                }
                Command::Cancel { .. } => {}
                _ => return Err(Ended::unexpected("something else than the answer that was waited for")),
            }
        }
    }

    /// Takes out a C-CANCEL of this request that came in the meantime.
    pub(super) fn is_cancelled(&mut self, message_id: u16) -> bool {
        let before = self.kept.len();
        self.kept.retain(|said| {
            let Said::Command { message, .. } = said else { return true };
            !matches!(message.command, Command::Cancel { to } if to == message_id)
        });
        self.kept.len() < before
    }

    fn command(&mut self, fragment: &Fragment) -> Result<Option<(u8, Message)>, Ended> {
        if !fragment.is_command {
            return Err(Ended::violation(AbortReason::UnexpectedPdu, "a data set without a command"));
        }
        let (context, bytes) = self.command.get_or_insert_with(|| (fragment.context, Vec::new()));
        if *context != fragment.context {
            return Err(Ended::violation(AbortReason::InvalidPduParameter, "a command in two presentation contexts"));
        }
        if bytes.len() + fragment.bytes.len() > LONGEST_COMMAND {
            return Err(Ended::violation(AbortReason::InvalidPduParameter, "a command longer than any"));
        }
        bytes.extend_from_slice(&fragment.bytes);
        if !fragment.is_last {
            return Ok(None);
        }
        let (context, bytes) = self.command.take().unwrap_or_default();
        Ok(Some((context, Message::read(&bytes)?)))
    }

    /// The next bytes of the data set of the message that was just heard, and whether they are the last.
    pub(super) async fn data(&mut self, context: u8) -> Result<(Bytes, bool), Ended> {
        match self.link.next().await? {
            Unit::Fragment(fragment) if fragment.is_command => {
                Err(Ended::violation(AbortReason::UnexpectedPdu, "a command in the middle of a data set"))
            }
            Unit::Fragment(fragment) if fragment.context != context => {
                Err(Ended::violation(AbortReason::InvalidPduParameter, "a data set in two presentation contexts"))
            }
            Unit::Fragment(fragment) => Ok((fragment.bytes, fragment.is_last)),
            Unit::Pdu(pdu) => Err(match said(&pdu) {
                Ok(_) => Ended::Released,
                Err(ended) => ended,
            }),
        }
    }

    /// A data set that is read whole; none where it is longer than any that is.
    pub(super) async fn whole(&mut self, context: u8) -> Result<Option<Vec<u8>>, Ended> {
        let mut whole = Some(Vec::new());
        loop {
            let (bytes, is_last) = self.data(context).await?;
            whole = whole.filter(|whole: &Vec<u8>| whole.len() + bytes.len() <= LONGEST_IDENTIFIER);
            if let Some(whole) = &mut whole {
                whole.extend_from_slice(&bytes);
            }
            if is_last {
                return Ok(whole);
            }
        }
    }

    /// Reads a data set and forgets it.
    pub(super) async fn skip(&mut self, context: u8) -> Result<(), Ended> {
        while !self.data(context).await?.1 {}
        Ok(())
    }

    /// Says a message without a data set, or with one that is short.
    pub(super) async fn say(&mut self, context: u8, message: &Message, data_set: Option<&[u8]>) -> Result<(), Ended> {
        let mut pdus = self.command_pdus(context, message);
        if let Some(data_set) = data_set {
            self.data_pdus(&mut pdus, context, data_set);
        }
        self.link.send(&pdus).await
    }

    /// Says a command whose data set follows with [`Self::send_data`].
    pub(super) async fn begin(&mut self, context: u8, message: &Message) -> Result<(), Ended> {
        let pdus = self.command_pdus(context, message);
        self.link.send(&pdus).await
    }

    /// Sends some of a data set. The last piece of it must be said to be so, and may be empty.
    pub(super) async fn send_data(&mut self, context: u8, data: &[u8], is_last: bool) -> Result<(), Ended> {
        let mut pdus = Vec::with_capacity(data.len() + 64);
        let mut rest = data;
        while rest.len() > self.room {
            let (piece, after) = rest.split_at(self.room);
            put_data(&mut pdus, context, false, false, piece);
            rest = after;
        }
        put_data(&mut pdus, context, false, is_last, rest);
        self.link.send(&pdus).await
    }

    fn command_pdus(&self, context: u8, message: &Message) -> Vec<u8> {
        let command = message.write();
        let mut pdus = Vec::with_capacity(command.len() + 64);
        let pieces = command.chunks(self.room);
        let last = pieces.len().saturating_sub(1);
        for (number, piece) in pieces.enumerate() {
            put_data(&mut pdus, context, true, number == last, piece);
        }
        pdus
    }

    fn data_pdus(&self, pdus: &mut Vec<u8>, context: u8, data_set: &[u8]) {
        let pieces = data_set.chunks(self.room);
        let last = pieces.len().saturating_sub(1);
        for (number, piece) in pieces.enumerate() {
            put_data(pdus, context, false, number == last, piece);
        }
        if data_set.is_empty() {
            put_data(pdus, context, false, true, &[]);
        }
    }

    /// Agrees to the end that the peer wants.
    pub(super) async fn agree_to_release(mut self) {
        if self.link.send_pdu(&Pdu::ReleaseRP).await.is_ok() {
            self.link.hang_up(self.artim).await;
        }
    }

    /// Ends the association as the one who asked for it.
    pub(super) async fn release(mut self) {
        if self.link.send_pdu(&Pdu::ReleaseRQ).await.is_err() {
            return;
        }
        let artim = self.artim;
        let agreed = tokio::time::timeout(artim, async {
            loop {
                match self.link.next().await {
                    Ok(Unit::Pdu(pdu)) if matches!(*pdu, Pdu::ReleaseRQ) => {
                        // Both at once: the one who asked for the association answers first (PS3.8 §7.2.2).
                        self.link.send_pdu(&Pdu::ReleaseRP).await?;
                    }
                    Ok(Unit::Fragment(_)) => {}
                    Ok(Unit::Pdu(_)) => return Ok(()),
                    Err(ended) => return Err(ended),
                }
            }
        });
        if matches!(agreed.await, Ok(Ok(()))) {
            self.link.hang_up(artim).await;
        }
    }

    /// Ends the association at once, as far as its end does not say that it is gone already.
    pub(super) async fn abort(self, ended: &Ended) {
        let source = match ended {
            Ended::Aborted | Ended::Closed | Ended::Io(_) => return,
            Ended::Violation { reason, .. } => AbortRQSource::ServiceProvider(reason.clone()),
            Ended::Silent | Ended::Released | Ended::Unreadable(_) | Ended::Dismissed | Ended::Stopping => {
                AbortRQSource::ServiceProvider(AbortReason::ReasonNotSpecified)
            }
        };
        self.link.abort(source, self.artim).await;
    }
}

fn said(pdu: &Pdu) -> Result<Said, Ended> {
    match pdu {
        Pdu::ReleaseRQ => Ok(Said::Release),
        Pdu::AbortRQ { .. } => Err(Ended::Aborted),
        _ => Err(Ended::violation(AbortReason::UnexpectedPdu, "a PDU that has no place here")),
    }
}

impl Ended {
    pub(super) fn violation(reason: AbortReason, what: &'static str) -> Self {
        Self::Violation { reason, what }
    }

    /// Something was said that has no place where it was said.
    pub(super) fn unexpected(what: &'static str) -> Self {
        Self::violation(AbortReason::UnexpectedPdu, what)
    }
}

impl From<NotACommand> for Ended {
    fn from(error: NotACommand) -> Self {
        tracing::debug!(%error, "a command that cannot be read");
        Self::violation(AbortReason::InvalidPduParameter, "a command that cannot be read")
    }
}
