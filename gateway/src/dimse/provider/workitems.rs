//! Unified Procedure Steps by DIMSE (PS3.4 annex CC): the twin of UPS-RS. What a workitem may say and become is decided by
//! [`medvan_imaging::ups`]; here is how it is asked and told.
//!
//! A presentation context is of one of five SOP classes, which says what may be asked in it; what is asked about is an instance of UPS
//! Push all the same (§CC.3.1). Whoever asks is known by the calling AE title: as the requester of a cancellation, and as a subscriber.

mod cancel;
mod create;
mod find;
mod get;
mod set;
mod state;
mod subscriptions;

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Uid,
    attributes::{self, AttributePath, Attributes},
    dataset::Dataset,
    dimse::{Message, Operation, Request, Response, Status, bytes_of, negotiation::Context},
    transfer_syntax::Encoding,
    ups::{Action, Fault, SopClass, UPS_PUSH},
};

use super::{
    Provider, Unreadable, data_set,
    find::{UTF_8, written},
};
use crate::{
    dimse::association::Ended,
    store::{StoreError, Worklist},
    worklist::LARGEST,
};

impl Provider {
    /// Answers whatever is asked in a presentation context of workitems.
    pub(super) async fn workitems(
        &mut self,
        context: &Context,
        class: SopClass,
        request: &Request,
        has_data_set: bool,
    ) -> Result<(), Ended> {
        if let Some(status) = self.stands_against(context, class, request) {
            return self.refuse(context, has_data_set, Response::to(request, status)).await;
        }
        self.is_heard().await;
        let given = match self.given(context, has_data_set).await? {
            Ok(given) => given,
            Err(unreadable) => return self.answer(context, unreadable.workitem_answer(request)).await,
        };
        if matches!(request.operation, Operation::Find { .. }) && !has_data_set {
            let answer = Response::to(request, Status::MISTYPED_ARGUMENT).because("the identifier is missing");
            return self.answer(context, answer).await;
        }
        if matches!(request.operation, Operation::Find { .. }) {
            return self.find_workitems(context, request, &given).await;
        }
        match self.asked_of_instance(request, given).await {
            Ok((answer, None)) => self.answer(context, answer).await,
            Ok((answer, Some(told))) => self.tell_attributes(context, answer, told).await,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a workitem cannot be read or changed");
                let answer = Response::to(request, Status::PROCESSING_FAILURE);
                self.answer(context, answer.because("the index cannot be used now")).await
            }
        }
    }

    /// What forbids a request, whatever its data set says.
    fn stands_against(&self, context: &Context, class: SopClass, request: &Request) -> Option<Status> {
        let is_of_class = request.class.as_str() == UPS_PUSH
            || matches!(request.operation, Operation::Find { .. }) && request.class == context.class;
        match &request.operation {
            operation if !class.has(operation) => Some(Status::UNRECOGNIZED_OPERATION),
            _ if !is_of_class => Some(Status::CLASS_INSTANCE_CONFLICT),
            Operation::Action { action_type, .. } => {
                let is_known = Action::of(*action_type).is_some_and(|action| class.acts(action));
                (!is_known).then_some(Status::NO_SUCH_ACTION)
            }
            _ => None,
        }
    }

    /// A node that says something may be called again with what it missed.
    async fn is_heard(&self) {
        let (hospital, title) = (&self.session.hospital, &self.session.node.ae_title);
        if let Err(error) = self.app.store.subscriber_lives(hospital, title, self.app.clock.now()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a subscriber is not called again");
        }
    }

    /// What a request says; nothing where it has no data set.
    async fn given(&mut self, context: &Context, has_data_set: bool) -> Result<Result<Attributes, Unreadable>, Ended> {
        if !has_data_set {
            return Ok(Ok(Attributes::new()));
        }
        let Some(bytes) = self.association.whole(context.id).await?.filter(|bytes| bytes.len() <= LARGEST) else {
            return Ok(Err(Unreadable::TooLong));
        };
        let nowhere = |_: &AttributePath| None;
        let given = data_set(&bytes, context.syntax.encoding).ok_or(Unreadable::Broken);
        Ok(given.map(|given| attributes::read(&given, &nowhere)))
    }

    /// What is asked of one workitem, and of who hears of them: the answer, and what is told with it.
    async fn asked_of_instance(
        &self,
        request: &Request,
        given: Attributes,
    ) -> Result<(Response, Option<Attributes>), StoreError> {
        let answer = match &request.operation {
            Operation::Create { instance } => self.create_workitem(request, instance.clone(), given).await?,
            Operation::GetAttributes { instance, attributes } => {
                return self.get_workitem(request, instance, attributes).await;
            }
            Operation::SetAttributes { instance } => self.set_workitem(request, instance, given).await?,
            Operation::Action { instance, action_type } => match Action::of(*action_type) {
                Some(Action::ChangeState) => self.change_state(request, instance, &given).await?,
                Some(Action::RequestCancel) => self.request_cancel(request, instance, &given).await?,
                Some(Action::Subscribe) => self.subscribe(request, instance, given).await?,
                Some(Action::Unsubscribe) => self.unsubscribe(request, instance, &given).await?,
                Some(Action::Suspend) => self.suspend(request, instance, &given).await?,
                None => Response::to(request, Status::NO_SUCH_ACTION),
            },
            _ => Response::to(request, Status::UNRECOGNIZED_OPERATION),
        };
        Ok((answer, None))
    }

    async fn tell_attributes(&mut self, context: &Context, answer: Response, told: Attributes) -> Result<(), Ended> {
        super::count(&answer);
        let data_set = bytes_of(&in_some_charset(&told, &[]), context.syntax.encoding == Encoding::ExplicitLittle);
        self.association.say(context.id, &Message::with_data_set(answer.into()), Some(&data_set)).await
    }

    /// Why there is nothing with this UID.
    async fn no_such(&self, request: &Request, uid: &Uid) -> Result<Response, StoreError> {
        let was_deleted = self.app.store.had_workitem(&self.session.hospital, uid).await?;
        let reason = if was_deleted { "the UPS was deleted" } else { "no such UPS" };
        Ok(Response::to(request, Status::NO_SUCH_WORKITEM).because(reason))
    }
}

/// Attributes in the first of these character sets that has every character of them; else without one, else in Unicode.
pub(in crate::dimse) fn in_some_charset(told: &Attributes, wanted: &[Vec<String>]) -> Dataset {
    let last = [Vec::new(), vec![UTF_8.to_owned()]];
    let found = wanted.iter().chain(&last).find_map(|charset| written(told.clone(), charset.clone()));
    found.unwrap_or_default()
}

/// The instances that stand for all workitems and for those that match.
fn is_well_known(uid: &Uid) -> bool {
    matches!(uid.as_str(), Worklist::ALL | Worklist::FILTERED)
}

fn refused(request: &Request, fault: &Fault) -> Response {
    Response::to(request, Status(fault.status())).because(fault.to_string())
}

fn invalid(request: &Request, reason: &str) -> Response {
    Response::to(request, Status::INVALID_ARGUMENT).because(reason)
}

fn no_room(request: &Request) -> Response {
    Response::to(request, Status::RESOURCE_LIMITATION).because("the hospital has no room for more")
}

impl Unreadable {
    /// The services about instances have other statuses for it than C-FIND (PS3.7 annex C).
    fn workitem_answer(&self, request: &Request) -> Response {
        let limited = || Response::to(request, Status::RESOURCE_LIMITATION).because("the data set is too long");
        match (self, &request.operation) {
            (_, Operation::Find { .. }) => self.answer(request),
            (Self::TooLong, _) => limited(),
            (Self::Broken, _) => {
                Response::to(request, Status::PROCESSING_FAILURE).because("the data set cannot be read")
            }
        }
    }
}

/// The Transaction UID of a request: an error where what stands there is no UID.
fn transaction(given: &Attributes) -> Result<Option<Uid>, Fault> {
    let text = given.text(tags::TRANSACTION_UID).filter(|text| !text.is_empty());
    text.map(|text| Uid::parse(&text)).transpose().map_err(|_| Fault::TransactionIncorrect)
}
