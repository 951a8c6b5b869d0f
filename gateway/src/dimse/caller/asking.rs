//! What is asked of an archive: C-FIND, C-MOVE to ourselves, C-GET (PS3.7 §9.1.2 to §9.1.4; PS3.4 annex C), as the one who asks.

use std::io::Cursor;

use bytes::Bytes;
use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    attributes::{self, AttributePath, Attributes},
    dataset::{Dataset, Limits, Seekable, read},
    dimse::{Command, Message, Operation, Outcome, Priority, Request, Response, Status, bytes_of},
    file::head,
    transfer_syntax::Encoding,
};

use super::{Accepted, CallFault, Called, Ended};
use crate::{
    archive::{Arrival, Expected},
    dimse::association::Said,
};

/// Study Root Query/Retrieve Information Model (PS3.4 §C.6.2): FIND, MOVE, GET.
pub(in crate::dimse) const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
pub(in crate::dimse) const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
pub(in crate::dimse) const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";

/// Answers to one question that are read, and their bytes. What comes after is not waited for.
const ANSWERS: usize = 20_000;
const BYTES: usize = 16 << 20;
/// Bounds of one answer.
const LIMITS: Limits = Limits { depth: 8, elements: 4_000, text: 64 << 10, binary: 4 << 10, total: 1 << 20 };

impl Called {
    /// Asks what there is like this (C-FIND), and hands over each answer that can be read. Gives whether that was all; where there
    /// is more than anybody reads, the association is of no further use.
    pub(in crate::dimse) async fn find(
        &mut self,
        identifier: &Attributes,
        take: &mut (dyn FnMut(Attributes) + Send),
    ) -> Result<bool, CallFault> {
        let context = self.context_of(&Uid::known(FIND))?;
        let asked = self.ask(&context, Operation::Find { priority: Priority::Medium }, identifier).await?;
        let (mut answers, mut bytes) = (0, 0);
        loop {
            let (heard, message) = self.hear().await?;
            let Command::Response(answer) = message.command else {
                return Err(Ended::unexpected("something else than the answer to a search").into());
            };
            let data_set = if message.has_data_set { self.association.whole(heard).await? } else { None };
            if answer.to != asked {
                return Err(Ended::unexpected("an answer to something else").into());
            }
            if answer.status.outcome() != Outcome::Pending {
                return ended(&answer).map(|()| true);
            }
            answers += 1;
            bytes += data_set.as_ref().map_or(0, Vec::len);
            if answers > ANSWERS || bytes > BYTES {
                return Ok(false);
            }
            let told = data_set.and_then(|bytes| data_set_of(&bytes, context.syntax.encoding));
            if let Some(told) = told {
                take(attributes::read(&told, &|_: &AttributePath| None));
            }
        }
    }

    /// Has instances sent to an application (C-MOVE): when it is answered they were sent, or it is known that they were not.
    pub(in crate::dimse) async fn move_to(
        &mut self,
        destination: &AeTitle,
        identifier: &Attributes,
    ) -> Result<(), CallFault> {
        let context = self.context_of(&Uid::known(MOVE))?;
        let operation = Operation::Move { priority: Priority::Medium, destination: Some(destination.clone()) };
        let asked = self.ask(&context, operation, identifier).await?;
        loop {
            let answer = self.association.answer(asked).await?;
            if answer.status.outcome() != Outcome::Pending {
                return ended(&answer);
            }
        }
    }

    /// Has instances of a study given over this association (C-GET), at most so many.
    pub(in crate::dimse) async fn get(
        &mut self,
        identifier: &Attributes,
        study: &Uid,
        most: usize,
        arrival: &mut Arrival,
    ) -> Result<(), CallFault> {
        let context = self.context_of(&Uid::known(GET))?;
        let asked = self.ask(&context, Operation::Get { priority: Priority::Medium }, identifier).await?;
        let mut given = 0;
        loop {
            let (heard, message) = self.hear().await?;
            match message.command {
                Command::Response(answer) if answer.to == asked => {
                    if message.has_data_set {
                        self.association.skip(heard).await?;
                    }
                    if answer.status.outcome() != Outcome::Pending {
                        return ended(&answer);
                    }
                }
                Command::Request(request) if message.has_data_set => {
                    given += 1;
                    if given > most {
                        return Err(CallFault::Answered("with more instances than were asked for".to_owned()));
                    }
                    self.take(heard, &request, study, arrival).await?;
                }
                _ => return Err(Ended::unexpected("neither an instance nor an answer").into()),
            }
        }
    }

    /// An instance that is given, kept as it comes behind the head of a file (PS3.10 §7.1).
    async fn take(&mut self, id: u8, request: &Request, study: &Uid, arrival: &mut Arrival) -> Result<(), CallFault> {
        let Operation::Store { instance, .. } = &request.operation else {
            return Err(Ended::unexpected("something else than an instance").into());
        };
        let syntax = self.accepted.iter().find(|context| context.id == id).map(|context| context.syntax.clone());
        let Some(syntax) = syntax else {
            return Err(Ended::unexpected("a presentation context that was not accepted").into());
        };
        let received = self.receive(id, request, instance, &syntax, arrival).await;
        if received.is_err() {
            arrival.abandon().await;
        }
        received?;
        let object = Some((request.class.clone(), instance.clone()));
        arrival.finish(Expected { study: Some(study.clone()), object }).await;
        let is_stored = arrival.commit().await.pop().is_some_and(|stored| stored.outcome.is_ok());
        let status = if is_stored { Status::SUCCESS } else { Status::CANNOT_UNDERSTAND };
        let answer = Message::alone(Response::to(request, status).into());
        Ok(self.association.say(id, &answer, None).await?)
    }

    async fn receive(
        &mut self,
        id: u8,
        request: &Request,
        instance: &Uid,
        syntax: &TransferSyntax,
        arrival: &mut Arrival,
    ) -> Result<(), Ended> {
        arrival.write(Bytes::from(head(&request.class, instance, syntax))).await;
        loop {
            let (bytes, is_last) = self.association.data(id).await?;
            if !bytes.is_empty() {
                arrival.write(bytes).await;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Says a request with its identifier; gives its message id.
    async fn ask(
        &mut self,
        context: &Accepted,
        operation: Operation,
        identifier: &Attributes,
    ) -> Result<u16, CallFault> {
        let data_set = attributes::write(identifier, &mut |_: &str| None).map_err(|_| CallFault::Unaskable)?;
        let data_set = bytes_of(&data_set, context.syntax.encoding == Encoding::ExplicitLittle);
        let request = self.request(context.class.clone(), operation);
        let asked = request.message_id;
        self.association.say(context.id, &Message::with_data_set(request.into()), Some(&data_set)).await?;
        Ok(asked)
    }

    async fn hear(&mut self) -> Result<(u8, Message), Ended> {
        match self.association.listen().await? {
            Said::Command { context, message } => Ok((context, message)),
            Said::Release => Err(Ended::Released),
        }
    }
}

/// The last answer: with warnings something came all the same, and what is there is looked at.
fn ended(answer: &Response) -> Result<(), CallFault> {
    match answer.status.outcome() {
        Outcome::Success | Outcome::Warning => Ok(()),
        _ => Err(CallFault::Answered(answer.in_words())),
    }
}

fn data_set_of(bytes: &[u8], encoding: Encoding) -> Option<Dataset> {
    read(&mut Seekable::new(Cursor::new(bytes)).ok()?, encoding, &LIMITS).ok()
}
