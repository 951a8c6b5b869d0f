//! [`Provider`]: answers what a node asks on its association, one request after the other.

mod commitment;
mod find;
mod result;
mod retrieve;
mod store;

use std::{collections::VecDeque, io::Cursor, sync::Arc, time::Duration};

use dicom_dictionary_std::tags;
use dicom_ul::pdu::AbortRQServiceProviderReason as AbortReason;
use medvan_imaging::{
    dataset::{Dataset, Limits, Seekable, read},
    dimse::{Command, Message, Operation, Outcome, Request, Response, Service, Status, negotiation::Context},
    transfer_syntax::Encoding,
};
use uuid::Uuid;

use super::{
    admission::{Admitted, Session},
    association::{Association, Ended, Said},
    network::Place,
    service::service_nodes,
};
use crate::{App, archive::Arrival, store::Origin};
use commitment::Owed;

/// Bounds of an identifier or an action: no pixels, but long lists.
const LIMITS: Limits = Limits { depth: 16, elements: 400_000, text: 4 << 20, binary: 64 << 10, total: 8 << 20 };
/// A node that is quiet for so long after an N-ACTION waits for its report here; one that does not hangs up sooner.
const QUIET: Duration = Duration::from_millis(700);

/// Answers what a node asks.
#[derive(Debug)]
pub(super) struct Provider {
    app: App,
    association: Association,
    session: Arc<Session>,
    /// Where all instances of this association come from.
    origin: Origin,
    /// Instances on their way in; begins with the first C-STORE.
    arrival: Option<Arrival>,
    /// Reports that the node waits for.
    owed: VecDeque<Owed>,
    last_message: u16,
    _place: Place,
}

/// Why a request's data set cannot be taken.
enum Unreadable {
    TooLong,
    Broken,
}

impl Provider {
    pub(super) fn new(app: App, admitted: Admitted) -> Self {
        let Admitted { association, session, place } = admitted;
        let origin = Origin {
            id: Uuid::now_v7(),
            protocol: crate::store::Protocol::CStore,
            source: session.node.ae_title.to_string(),
            called: Some(session.imaging.ae_title.to_string()),
            peer: session.peer,
            at: app.clock.now(),
        };
        Self {
            app,
            association,
            session: Arc::new(session),
            origin,
            arrival: None,
            owed: VecDeque::new(),
            last_message: 0,
            _place: place,
        }
    }

    /// Answers until the association ends.
    pub(super) async fn run(mut self) {
        let (hospital, node) = (self.session.hospital.clone(), self.session.node.ae_title.clone());
        tracing::debug!(%hospital, %node, peer = %self.session.peer, "association accepted");
        let served = self.serve().await;
        if let (Err(_), Some(arrival)) = (&served, &self.arrival) {
            arrival.cut().await;
        }
        self.arrival = None;
        self.give_back_what_is_owed().await;
        match served {
            Ok(()) => self.association.agree_to_release().await,
            Err(ended) => {
                tracing::info!(%hospital, %node, %ended, "association ended");
                self.association.abort(&ended).await;
            }
        }
    }

    async fn serve(&mut self) -> Result<(), Ended> {
        loop {
            let said = tokio::select! {
                said = self.association.listen() => said?,
                () = self.app.tasks.stopping() => return Err(Ended::Stopping),
                () = tokio::time::sleep(QUIET), if !self.owed.is_empty() => {
                    self.report().await?;
                    continue;
                }
            };
            match said {
                Said::Release => return Ok(()),
                Said::Command { .. } if !self.is_still_welcome() => return Err(Ended::Dismissed),
                Said::Command { context, message } => self.hear(context, message).await?,
            }
        }
    }

    /// What a hospital changes about a node holds at once, not only for its next association.
    fn is_still_welcome(&self) -> bool {
        let Session { hospital, imaging: before, node, vendor, .. } = &*self.session;
        let catalog = self.app.catalog.current();
        let Some(view) = catalog.hospital(hospital) else { return false };
        let Some(now) = view.hospital.imaging.as_ref().filter(|now| now.ae_title == before.ae_title) else {
            return false;
        };
        match vendor {
            None => now.node(&node.ae_title) == Some(node),
            Some(vendor) => service_nodes(view).any(|(of, known)| of == vendor && known == *node),
        }
    }

    /// Long work ends between two of its parts when the process is to end.
    fn goes_on(&self) -> Result<(), Ended> {
        if self.app.tasks.is_stopping() { Err(Ended::Stopping) } else { Ok(()) }
    }

    async fn hear(&mut self, id: u8, message: Message) -> Result<(), Ended> {
        let Some(context) = self.session.contexts.get(&id).cloned() else {
            let what = "a presentation context that was not accepted";
            return Err(Ended::violation(AbortReason::InvalidPduParameter, what));
        };
        let has_data_set = message.has_data_set;
        match message.command {
            Command::Request(request) => self.request(&context, request, has_data_set).await,
            // What it was about is over already.
            Command::Cancel { .. } => Ok(()),
            Command::Mistyped { message_id, field, tag } => {
                let answer = Response::new(message_id, field, Status::MISTYPED_ARGUMENT);
                self.refuse(&context, has_data_set, Response { offending: vec![tag], ..answer }).await
            }
            Command::Response(_) => Err(Ended::unexpected("an answer to nothing")),
        }
    }

    async fn request(&mut self, context: &Context, request: Request, has_data_set: bool) -> Result<(), Ended> {
        let is_for_services = matches!(context.service, Service::Verification | Service::Storage);
        if self.session.vendor.is_some() && !is_for_services {
            // It brings results, and hears nothing of what else the hospital has.
            return self.refuse(context, has_data_set, Response::to(&request, Status::NOT_AUTHORIZED)).await;
        }
        if request.class != context.class {
            let answer = Response::to(&request, Status::SOP_CLASS_NOT_SUPPORTED);
            let answer = answer.because("the SOP class is not that of its presentation context");
            let offending = vec![tags::AFFECTED_SOP_CLASS_UID];
            return self.refuse(context, has_data_set, Response { offending, ..answer }).await;
        }
        match (&request.operation, context.service) {
            (Operation::Echo, Service::Verification) => {
                self.refuse(context, has_data_set, Response::to(&request, Status::SUCCESS)).await
            }
            (Operation::Store { instance, .. }, Service::Storage) if has_data_set => {
                let instance = instance.clone();
                self.store(context, &request, instance).await
            }
            (Operation::Find { .. }, Service::Find(root)) if has_data_set => self.find(context, &request, root).await,
            (Operation::Get { .. }, Service::Get(root)) if has_data_set => self.get(context, &request, root).await,
            (Operation::Move { destination, .. }, Service::Move(root)) if has_data_set => {
                let destination = destination.clone();
                self.r#move(context, &request, root, destination).await
            }
            (Operation::Action { instance, action_type }, Service::StorageCommitment) if has_data_set => {
                let (instance, action_type) = (instance.clone(), *action_type);
                self.commitment(context, &request, &instance, action_type).await
            }
            (Operation::Echo | Operation::Other(_) | Operation::EventReport { .. }, _) => {
                self.refuse(context, has_data_set, Response::to(&request, Status::UNRECOGNIZED_OPERATION)).await
            }
            _ if !has_data_set => {
                let answer = Response::to(&request, Status::MISTYPED_ARGUMENT).because("the data set is missing");
                self.answer(context, answer).await
            }
            _ => self.refuse(context, has_data_set, Response::to(&request, Status::UNRECOGNIZED_OPERATION)).await,
        }
    }

    /// Answers without having looked at the data set.
    async fn refuse(&mut self, context: &Context, has_data_set: bool, answer: Response) -> Result<(), Ended> {
        if has_data_set {
            self.association.skip(context.id).await?;
        }
        self.answer(context, answer).await
    }

    /// The last answer to a request.
    async fn answer(&mut self, context: &Context, answer: Response) -> Result<(), Ended> {
        count(&answer);
        self.association.say(context.id, &Message::alone(answer.into()), None).await
    }

    /// The data set of a request, read whole.
    async fn data_set(&mut self, context: &Context) -> Result<Result<Dataset, Unreadable>, Ended> {
        let Some(bytes) = self.association.whole(context.id).await? else {
            return Ok(Err(Unreadable::TooLong));
        };
        Ok(data_set(&bytes, context.syntax.encoding).ok_or(Unreadable::Broken))
    }
}

fn data_set(bytes: &[u8], encoding: Encoding) -> Option<Dataset> {
    let mut source = Seekable::new(Cursor::new(bytes)).ok()?;
    read(&mut source, encoding, &LIMITS).ok()
}

impl Unreadable {
    /// The answer to a request with such a data set.
    fn answer(&self, request: &Request) -> Response {
        match self {
            Self::TooLong => Response::to(request, Status::OUT_OF_RESOURCES).because("the data set is too long"),
            Self::Broken => Response::to(request, Status::DATA_SET_MISMATCH).because("the data set cannot be read"),
        }
    }
}

fn count(answer: &Response) {
    let outcome = match answer.status.outcome() {
        Outcome::Success => "success",
        Outcome::Warning => "warning",
        Outcome::Failure => "failure",
        Outcome::Cancel => "cancelled",
        Outcome::Pending => return,
    };
    metrics::counter!("medvan_dimse_requests_total", "command" => answer.field.word(), "outcome" => outcome)
        .increment(1);
}
