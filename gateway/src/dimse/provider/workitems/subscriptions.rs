//! N-ACTION 3 to 5: who hears of workitems (PS3.4 §CC.2.3): of one, of all, or of those that match.
//!
//! A node subscribes itself and nobody else: what it may lock and hear is its own affair. If it listens on a port it is called with
//! the events ([`crate::dimse::tell_subscribers`]); one that only calls hears by a WebSocket of UPS-RS under its AE title.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    AeTitle, Uid,
    attributes::Attributes,
    dimse::{Request, Response, Status},
    query::{Level, Query, parameters_of},
};

use super::{Provider, invalid};
use crate::store::{StoreError, Subscribed, Worklist};

/// Bytes of a filter, which is matched with every workitem that comes or changes.
const LONGEST_FILTER: usize = 8 << 10;

impl Provider {
    pub(super) async fn subscribe(
        &self,
        request: &Request,
        uid: &Uid,
        given: Attributes,
    ) -> Result<Response, StoreError> {
        let receiver = match self.receiver(request, &given) {
            Ok(receiver) => receiver,
            Err(answer) => return Ok(answer),
        };
        let has_lock = match given.text(tags::DELETION_LOCK).as_deref() {
            Some("TRUE") => true,
            None | Some("" | "FALSE") => false,
            Some(_) => return Ok(invalid(request, "DeletionLock must be TRUE or FALSE")),
        };
        let (store, hospital, now) = (&self.app.store, &self.session.hospital, self.app.clock.now());
        let subscribed = match uid.as_str() {
            Worklist::ALL => store.subscribe_to_worklist(hospital, &Worklist::All, &receiver, has_lock, now).await?,
            Worklist::FILTERED => match filter(given) {
                Ok(pairs) => {
                    let worklist = Worklist::Filtered(pairs);
                    store.subscribe_to_worklist(hospital, &worklist, &receiver, has_lock, now).await?
                }
                Err((status, reason)) => return Ok(Response::to(request, status).because(reason)),
            },
            _ => store.subscribe_to_workitem(hospital, uid, &receiver, has_lock, now).await?,
        };
        match subscribed {
            Subscribed::Done => {}
            Subscribed::NoWorkitem => return self.no_such(request, uid).await,
            Subscribed::TooMany => {
                let answer = Response::to(request, Status::RESOURCE_LIMITATION);
                return Ok(answer.because("the hospital has as many subscribers as it may have"));
            }
        }
        if self.session.node.port.is_some() {
            store.call_subscriber(hospital, &receiver, now).await?;
        }
        Ok(Response::to(request, Status::SUCCESS))
    }

    /// What nobody is subscribed to is not hearing of it already, as was asked.
    pub(super) async fn unsubscribe(
        &self,
        request: &Request,
        uid: &Uid,
        given: &Attributes,
    ) -> Result<Response, StoreError> {
        let receiver = match self.receiver(request, given) {
            Ok(receiver) => receiver,
            Err(answer) => return Ok(answer),
        };
        let (store, hospital) = (&self.app.store, &self.session.hospital);
        if let Some(worklist) = worklist(uid) {
            store.unsubscribe_from_worklist(hospital, &worklist, &receiver).await?;
        } else if !store.unsubscribe_from_workitem(hospital, uid, &receiver).await?
            && store.workitem(hospital, uid).await?.is_none()
        {
            return self.no_such(request, uid).await;
        }
        Ok(Response::to(request, Status::SUCCESS))
    }

    pub(super) async fn suspend(
        &self,
        request: &Request,
        uid: &Uid,
        given: &Attributes,
    ) -> Result<Response, StoreError> {
        let receiver = match self.receiver(request, given) {
            Ok(receiver) => receiver,
            Err(answer) => return Ok(answer),
        };
        let Some(worklist) = worklist(uid) else {
            let answer = Response::to(request, Status::WRONG_INSTANCE);
            return Ok(answer.because("only a subscription to a worklist can be suspended"));
        };
        self.app.store.suspend_worklist(&self.session.hospital, &worklist, &receiver).await?;
        Ok(Response::to(request, Status::SUCCESS))
    }

    /// Receiving AE: the one who asks.
    fn receiver(&self, request: &Request, given: &Attributes) -> Result<AeTitle, Response> {
        let text = given.text(tags::RECEIVING_AE).unwrap_or_default();
        let receiver = AeTitle::parse(&text).map_err(|_| invalid(request, "ReceivingAE is missing or no AE title"))?;
        if receiver == self.session.node.ae_title {
            return Ok(receiver);
        }
        match self.session.imaging.node(&receiver) {
            None => Err(Response::to(request, Status::UNKNOWN_RECEIVER)),
            Some(_) => {
                let answer = Response::to(request, Status::NOT_AUTHORIZED);
                Err(answer.because("a node may subscribe itself only"))
            }
        }
    }
}

/// What an instance stands for that is no workitem; which workitems match says nothing of who is subscribed.
fn worklist(uid: &Uid) -> Option<Worklist> {
    match uid.as_str() {
        Worklist::ALL => Some(Worklist::All),
        Worklist::FILTERED => Some(Worklist::Filtered(Vec::new())),
        _ => None,
    }
}

/// The matching keys beside what the action itself says. One that is not understood is refused: without it, its subscriber would hear
/// of more than they asked for.
fn filter(mut given: Attributes) -> Result<Vec<(String, String)>, (Status, String)> {
    for tag in [tags::RECEIVING_AE, tags::DELETION_LOCK, tags::REQUESTING_AE] {
        given.remove(tag);
    }
    let wrong = |error: &dyn std::fmt::Display| (Status::INVALID_ARGUMENT, error.to_string());
    let pairs = parameters_of(&given).map_err(|error| wrong(&error))?;
    if pairs.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LONGEST_FILTER {
        return Err((Status::RESOURCE_LIMITATION, "the filter is too long".to_owned()));
    }
    let keys = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let (_, warnings) = Query::from_parameters(Level::Workitem, keys).map_err(|error| wrong(&error))?;
    match warnings.first() {
        None => Ok(pairs),
        Some(warning) => Err(wrong(warning)),
    }
}
