//! C-GET and C-MOVE (PS3.7 §9.1.3, §9.1.4; PS3.4 §C.4.2, §C.4.3): each instance is a sub-operation, counted as it went.

mod progress;

use std::collections::BTreeSet;

use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    dimse::{
        Level, Message, MoveOriginator, Operation, Priority, Request, Response, Root, Selection, Status,
        negotiation::{Context, Proposal},
        sending::{Accepted, context_for, proposals},
    },
    query::{Narrow, TextBound},
};

use super::Provider;
use crate::{
    catalog::Node,
    dimse::{
        association::Ended,
        caller::{CallFault, Called, SendFault, send},
        reading::Chunks,
    },
    store::{FoundInstance, StoreError},
};
use progress::Progress;

/// Instances of one retrieval: what its counts can say (VR US).
const MOST: usize = 65_535;
/// Rows and UIDs that are looked up at once.
const PAGE: u32 = 2_000;
const UIDS: usize = 500;

impl Provider {
    pub(super) async fn get(&mut self, context: &Context, request: &Request, root: Root) -> Result<(), Ended> {
        let Some(found) = self.selected(context, request, root).await? else {
            return Ok(());
        };
        let accepted = self.peers_own_contexts();
        let mut progress = Progress::of(found.len());
        for instance in &found {
            self.goes_on()?;
            match self.store_here(request, &accepted, instance).await {
                Ok(answer) => progress.count(instance, &answer),
                Err(SendFault::Ended(ended)) => return Err(ended),
                Err(fault) => progress.fail(instance, &fault),
            }
            if self.association.is_cancelled(request.message_id) {
                return self.finish_retrieval(context, request, progress, true).await;
            }
            self.tell_progress(context, request, &progress).await?;
        }
        self.finish_retrieval(context, request, progress, false).await
    }

    pub(super) async fn r#move(
        &mut self,
        context: &Context,
        request: &Request,
        root: Root,
        destination: Option<AeTitle>,
    ) -> Result<(), Ended> {
        // Only nodes of the same hospital: nothing goes to another one's.
        let node = destination.and_then(|title| self.session.imaging.node(&title).cloned());
        let Some(node) = node.filter(|node| node.port.is_some()) else {
            let answer = Response::to(request, Status::MOVE_DESTINATION_UNKNOWN);
            let answer = answer.because("this hospital has no such node, or it has no port");
            return self.refuse(context, true, answer).await;
        };
        let Some(found) = self.selected(context, request, root).await? else {
            return Ok(());
        };
        let mut progress = Progress::of(found.len());
        let mut is_cancelled = false;
        for lot in lots(&found) {
            is_cancelled = self.move_lot(context, request, &node, &lot, &mut progress).await?;
            if is_cancelled {
                break;
            }
        }
        self.finish_retrieval(context, request, progress, is_cancelled).await
    }

    /// What the identifier selects; none where it was answered already because it selects nothing.
    async fn selected(
        &mut self,
        context: &Context,
        request: &Request,
        root: Root,
    ) -> Result<Option<Vec<FoundInstance>>, Ended> {
        let is_relational = self.session.is_agreed(&context.class, 1);
        let selection = match self.data_set(context).await? {
            Ok(identifier) => Selection::read(&identifier, root, is_relational)
                .map_err(|error| Response::to(request, Status::DATA_SET_MISMATCH).because(error.to_string())),
            Err(unreadable) => Err(unreadable.answer(request)),
        };
        let found = match selection {
            Ok(selection) => self.look_up(&selection).await.map_err(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "a retrieval failed");
                Response::to(request, Status::CANNOT_UNDERSTAND).because("the index cannot be read now")
            }),
            Err(answer) => Err(answer),
        };
        match found {
            Ok(found) if found.len() > MOST => {
                let answer = Response::to(request, Status::OUT_OF_RESOURCES);
                self.answer(context, answer.because(format!("more than {MOST} instances; ask for fewer"))).await?;
                Ok(None)
            }
            Ok(found) => Ok(Some(found)),
            Err(answer) => {
                self.answer(context, answer).await?;
                Ok(None)
            }
        }
    }

    async fn look_up(&self, selection: &Selection) -> Result<Vec<FoundInstance>, StoreError> {
        let mut found = Vec::new();
        for narrow in narrowings(selection) {
            let mut after = 0;
            loop {
                let page = self.app.store.find_instances(&self.session.hospital, &narrow, after, PAGE).await?;
                let is_last = page.len() < PAGE as usize;
                after = page.last().map_or(after, |last| last.id);
                found.extend(page);
                if is_last || found.len() > MOST {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The contexts of this association in which the node is the one who is asked to store.
    fn peers_own_contexts(&self) -> Vec<Accepted> {
        let contexts = self.session.contexts.values().filter(|context| context.roles.scp);
        let mut accepted: Vec<Accepted> = contexts
            .map(|context| Accepted { id: context.id, class: context.class.clone(), syntax: context.syntax.clone() })
            .collect();
        accepted.sort_by_key(|context| context.id);
        accepted
    }

    /// A sub-operation of a C-GET.
    async fn store_here(
        &mut self,
        request: &Request,
        accepted: &[Accepted],
        found: &FoundInstance,
    ) -> Result<Response, SendFault> {
        let (context, form) = context_for(accepted, &found.class, &found.syntax)
            .map(|(context, form)| (context.id, form))
            .ok_or_else(|| SendFault::NoContext(found.syntax.uid().clone()))?;
        let chunks = Chunks::begin(&self.app.archive, &self.session.hospital, found.place, form).await?;
        self.last_message = next_but(self.last_message, request.message_id);
        let operation = Operation::Store { instance: found.uid.clone(), priority: Priority::Medium, originator: None };
        let store = Request { message_id: self.last_message, class: found.class.clone(), operation };
        send(&mut self.association, context, store, chunks).await?;
        Ok(self.association.answer(self.last_message).await?)
    }

    /// Sends one lot over one association. Gives whether the node does not want it any more.
    async fn move_lot(
        &mut self,
        context: &Context,
        request: &Request,
        node: &Node,
        lot: &Lot<'_>,
        progress: &mut Progress,
    ) -> Result<bool, Ended> {
        let (app, session) = (self.app.clone(), self.session.clone());
        let calling = Called::call(&app.dimse, &session.imaging.ae_title, node, &lot.proposals, &[]);
        let called = tokio::select! {
            called = calling => called,
            ended = self.association.overhear() => return Err(ended),
        };
        let mut called = match called {
            Ok(called) => called,
            Err(fault) => {
                tracing::info!(hospital = %session.hospital, node = %node.ae_title, %fault, "C-MOVE: the node cannot be called");
                lot.instances.iter().for_each(|instance| progress.fail(instance, &fault));
                return Ok(self.association.is_cancelled(request.message_id));
            }
        };
        let originator = MoveOriginator { ae_title: session.node.ae_title.clone(), message_id: request.message_id };
        let mut instances = lot.instances.iter();
        while let Some(instance) = instances.next() {
            if let Err(stopping) = self.goes_on() {
                called.end(Some(&stopping)).await;
                return Err(stopping);
            }
            let storing = called.store(&app, &session.hospital, instance, Some(originator.clone()));
            let stored = tokio::select! {
                stored = storing => stored,
                ended = self.association.overhear() => {
                    called.end(Some(&Ended::Stopping)).await;
                    return Err(ended);
                }
            };
            match stored {
                Ok(answer) => progress.count(instance, &answer),
                Err(SendFault::Ended(ended)) => {
                    let fault = CallFault::Ended(ended);
                    progress.fail(instance, &fault);
                    instances.for_each(|instance| progress.fail(instance, &fault));
                    if let CallFault::Ended(ended) = &fault {
                        called.end(Some(ended)).await;
                    }
                    return Ok(self.association.is_cancelled(request.message_id));
                }
                Err(fault) => progress.fail(instance, &fault),
            }
            if self.association.is_cancelled(request.message_id) {
                called.end(None).await;
                return Ok(true);
            }
            self.tell_progress(context, request, progress).await?;
        }
        called.end(None).await;
        Ok(false)
    }

    async fn tell_progress(&mut self, context: &Context, request: &Request, progress: &Progress) -> Result<(), Ended> {
        if progress.remaining() == 0 {
            return Ok(());
        }
        let pending =
            Response { sub_operations: Some(progress.counts(true)), ..Response::to(request, Status::PENDING) };
        self.association.say(context.id, &Message::alone(pending.into()), None).await
    }

    /// The last answer. What was not sent is named in it (PS3.4 §C.4.2.1.4.2, §C.4.3.1.3.2).
    async fn finish_retrieval(
        &mut self,
        context: &Context,
        request: &Request,
        progress: Progress,
        is_cancelled: bool,
    ) -> Result<(), Ended> {
        let answer = progress.answer(request, is_cancelled);
        super::count(&answer);
        match progress.failed_list(&context.syntax) {
            None => self.association.say(context.id, &Message::alone(answer.into()), None).await,
            Some(list) => {
                let message = Message::with_data_set(answer.into());
                self.association.say(context.id, &message, Some(&list)).await
            }
        }
    }
}

/// What goes over one association: presentation contexts, and the instances of the classes in them.
struct Lot<'a> {
    proposals: Vec<Proposal>,
    instances: Vec<&'a FoundInstance>,
}

fn lots(found: &[FoundInstance]) -> Vec<Lot<'_>> {
    let kinds: Vec<(Uid, TransferSyntax)> =
        found.iter().map(|instance| (instance.class.clone(), instance.syntax.clone())).collect();
    proposals(&kinds)
        .into_iter()
        .map(|proposals| {
            let is_here = |instance: &&FoundInstance| {
                proposals.iter().any(|proposal| proposal.abstract_syntax == instance.class.as_str())
            };
            let instances = found.iter().filter(is_here).collect();
            Lot { proposals, instances }
        })
        .collect()
}

/// A condition of the index, of UIDs.
type Condition = fn(Vec<String>) -> Narrow;

/// A selection as conditions of the index, its lowest list in parts.
fn narrowings(selection: &Selection) -> Vec<Vec<Narrow>> {
    let texts = |uids: &[Uid]| uids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let patient = selection.patient.iter().map(|id| Narrow::PatientId(TextBound::Exact(vec![id.clone()])));
    let in_study = (!selection.studies.is_empty()).then(|| Narrow::StudyInstanceUid(texts(&selection.studies)));
    let in_series = (!selection.series.is_empty()).then(|| Narrow::SeriesInstanceUid(texts(&selection.series)));
    let (above, lowest, narrow): (Vec<Narrow>, _, Condition) = match selection.level {
        Level::Patient => return vec![patient.collect()],
        Level::Study => (patient.collect(), &selection.studies, Narrow::StudyInstanceUid),
        Level::Series => (patient.chain(in_study).collect(), &selection.series, Narrow::SeriesInstanceUid),
        Level::Image => {
            (patient.chain(in_study).chain(in_series).collect(), &selection.instances, Narrow::SopInstanceUid)
        }
    };
    // A UID that is named twice is sent once.
    let lowest: Vec<Uid> = lowest.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let parts = lowest.chunks(UIDS);
    parts.map(|part| above.iter().cloned().chain([narrow(texts(part))]).collect()).collect()
}

/// A message id that is not the retrieval's own.
fn next_but(last: u16, taken: u16) -> u16 {
    let next = last.wrapping_add(1);
    if next == taken { next.wrapping_add(1) } else { next }
}
