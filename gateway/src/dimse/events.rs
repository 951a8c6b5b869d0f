//! Telling subscribers by N-EVENT-REPORT what happened to workitems (PS3.4 §CC.2.4): each is called when there is something to tell,
//! over an association on which the gateway is the one that asks and the SCP of UPS Event.
//!
//! The events are rows that wait for their subscriber ([`crate::store`]), the same that a WebSocket replays. A subscriber that cannot be
//! reached is called again with growing pauses, as often as anything else that goes out; then it is left alone until it asks for
//! something itself. Its events wait. A few subscribers of a hospital are called at once, so that those that hang keep nobody
//! else's waiting.

use std::{collections::HashSet, time::Duration};

use dicom_dictionary_std::tags;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use medvan_imaging::{
    AeTitle, Uid,
    attributes::Attributes,
    dimse::{
        Outcome, Response,
        negotiation::{Proposal, Roles},
    },
    transfer_syntax::{EXPLICIT_LITTLE, IMPLICIT_LITTLE},
    ups::SopClass,
};
use tokio::time::{Instant, timeout};

use super::{
    association::Ended,
    caller::{CallFault, Called},
    outbox::may_change,
    provider::in_some_charset,
};
use crate::{
    App,
    catalog::{HospitalId, Node},
    outbox::next_attempt,
    store::{DueSubscriber, StoreError},
};

/// Subscribers that are called at once, and those of one hospital.
const CALLS: usize = 16;
const CALLS_OF_HOSPITAL: usize = 4;
/// Events that are read at once, and those that go over one association.
const AT_ONCE: u32 = 50;
const ON_ONE_ASSOCIATION: usize = 500;
/// So long an association goes on with the next event: others wait for its place.
const LONGEST: Duration = Duration::from_secs(60);
/// Characters of an AE title.
const AE_TITLE: usize = 16;
/// How often it is looked for what happened.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Who is being called.
type Running = HashSet<(HospitalId, AeTitle)>;

/// Why a subscriber did not get all its events.
#[derive(Debug, thiserror::Error)]
enum Untold {
    /// The hospital has no such node any more, or it may not hear.
    #[error("the hospital has no such node")]
    NoNode,
    /// There is no association.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// It ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The subscriber cannot take an event now.
    #[error("the subscriber answered {0}")]
    NotNow(String),
    /// The index does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells until the process stops.
pub(crate) async fn tell_subscribers(app: App) {
    let (mut calls, mut running) = (FuturesUnordered::new(), Running::new());
    while !app.tasks.is_stopping() {
        match claim(&app, &running).await {
            Ok(claimed) => {
                for due in claimed {
                    let who = (due.hospital.clone(), due.ae_title.clone());
                    running.insert(who.clone());
                    let call = app.tasks.spawn("workitem events", call(app.clone(), due));
                    calls.push(async move {
                        let _ = call.await;
                        who
                    });
                }
            }
            Err(error) => tracing::error!(%error, "it cannot be read who is to hear of workitems"),
        }
        tokio::select! {
            Some(who) = calls.next() => {
                running.remove(&who);
            }
            () = app.tasks.stopping() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Those that are due, as far as there is room beside those that are being called.
async fn claim(app: &App, running: &Running) -> Result<Vec<DueSubscriber>, StoreError> {
    let now = app.clock.now();
    let mut taken = running.clone();
    let mut claimed = Vec::new();
    for due in app.store.due_subscribers(now, app.config.outbox.attempts).await? {
        let who = (due.hospital.clone(), due.ae_title.clone());
        let of_hospital = taken.iter().filter(|(hospital, _)| *hospital == due.hospital).count();
        if taken.len() >= CALLS || of_hospital >= CALLS_OF_HOSPITAL || taken.contains(&who) {
            continue;
        }
        if app.store.claim_subscriber(&due, now + lease(app)).await? {
            taken.insert(who);
            claimed.push(due);
        }
    }
    Ok(claimed)
}

/// Longer than one event can take.
fn lease(app: &App) -> time::Duration {
    let seconds =
        app.config.outbox.lease_seconds.max(app.config.dimse.idle_seconds).max(app.config.dimse.artim_seconds);
    time::Duration::seconds(i64::try_from(seconds.saturating_mul(3)).unwrap_or(180))
}

/// Calls one subscriber, and notes when the next call is due.
async fn call(app: App, due: DueSubscriber) {
    let mut told = 0;
    let went = tell(&app, &due, &mut told).await;
    let now = app.clock.now();
    let (next, tries, outcome) = match &went {
        Ok(()) => (now, 0, "told"),
        Err(_) if app.tasks.is_stopping() => (now, due.tries, "stopped"),
        Err(fault) => {
            let tries = if told > 0 { 1 } else { due.tries.saturating_add(1) };
            // Not in the peer's own words: they may name a patient.
            tracing::info!(hospital = %due.hospital, node = %due.ae_title, tries, fault = fault.word(), "a subscriber was not told");
            (next_attempt(now, tries.into(), app.config.outbox.first_retry_ms), tries, fault.word())
        }
    };
    metrics::counter!("medvan_subscriber_calls_total", "outcome" => outcome).increment(1);
    if let Err(error) = app.store.subscriber_called(&due, next, tries).await {
        tracing::error!(%error, "a subscriber is called again at the end of its lease");
    }
}

/// Tells what waits for a subscriber.
async fn tell(app: &App, due: &DueSubscriber, told: &mut usize) -> Result<(), Untold> {
    let (own, node) = receiver(app, due).ok_or(Untold::NoNode)?;
    // The roles are reversed: the one who asks for this association is the one who is asked (PS3.4 §CC.2.4.3).
    let event = SopClass::Event.uid();
    let roles = [(Uid::known(event), Roles { scu: false, scp: true })];
    let syntaxes = vec![EXPLICIT_LITTLE.to_owned(), IMPLICIT_LITTLE.to_owned()];
    let proposal = Proposal { id: 1, abstract_syntax: event.to_owned(), transfer_syntaxes: syntaxes };
    let mut called = Called::call(&app.dimse, &own, &node, &[proposal], &roles).await?;
    let went = tell_each(app, due, &mut called, told).await;
    called.end(if let Err(Untold::Ended(ended)) = &went { Some(ended) } else { None }).await;
    went
}

async fn tell_each(app: &App, due: &DueSubscriber, called: &mut Called, told: &mut usize) -> Result<(), Untold> {
    let begin = Instant::now();
    // However slowly a subscriber answers, it has answered each event by then.
    let one = Duration::from_secs(app.config.dimse.idle_seconds);
    while *told < ON_ONE_ASSOCIATION && begin.elapsed() < LONGEST {
        let notices = app.store.workitem_notices(&due.hospital, &due.ae_title, AT_ONCE).await?;
        if notices.is_empty() {
            break;
        }
        for notice in notices {
            if app.tasks.is_stopping() {
                return Err(Ended::Stopping.into());
            }
            if begin.elapsed() >= LONGEST {
                break;
            }
            let event = in_some_charset(&with_short_names(notice.event.attributes), &[]);
            let answer = timeout(one, called.tell(&notice.workitem, notice.event.kind, &event))
                .await
                .map_err(|_| Ended::Silent)??;
            if is_for_later(&answer) {
                return Err(Untold::NotNow(answer.in_words()));
            }
            // Whatever else it answered, it has heard of it.
            app.store.subscriber_took(due, notice.id, app.clock.now() + lease(app)).await?;
            *told += 1;
        }
    }
    Ok(())
}

/// By UPS-RS whoever asks for a cancellation is a client with an id, which may be longer than an AE title (PS3.5 §6.2).
fn with_short_names(mut event: Attributes) -> Attributes {
    if let Some(name) = event.text(tags::REQUESTING_AE) {
        event.put_text(tags::REQUESTING_AE, name.chars().take(AE_TITLE).collect::<String>());
    }
    event
}

fn is_for_later(answer: &Response) -> bool {
    answer.status.outcome() == Outcome::Failure && may_change(answer)
}

/// The gateway's own title and the node to call, if it is one that may hear of workitems.
fn receiver(app: &App, due: &DueSubscriber) -> Option<(AeTitle, Node)> {
    let catalog = app.catalog.current();
    let imaging = catalog.hospital(&due.hospital)?.hospital.imaging.clone()?;
    let node = imaging.node(&due.ae_title).filter(|node| node.workitems)?.clone();
    Some((imaging.ae_title, node))
}

impl Untold {
    /// In one word, for logs and metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::NoNode => "no-node",
            Self::Call(_) => "unreachable",
            Self::Ended(_) => "ended",
            Self::NotNow(_) => "refused-for-now",
            Self::Store(_) => "index",
        }
    }
}
