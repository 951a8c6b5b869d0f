//! Asking every service at once, each with exactly its own data, within its own deadline.
//!
//! A service that fails, hangs or talks nonsense costs nobody else anything: each is asked in a task of its own, and
//! its share of the answer is decided at its deadline. A late answer is still waited for a while, for the record.

mod ask;
mod outgoing;
mod verdict;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use medvan_hooks::{plan::Plan, response::Response};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::{
    Call,
    exchange::Exchange,
    explanation::{ServiceNote, Status},
};
use crate::{
    catalog::{Member, Mode},
    store::TrialAsk,
};

use ask::Ask;

/// What one service of the offer came to.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) member: Arc<Member>,
    pub(crate) note: ServiceNote,
    /// Its checked answer, where there is one that may be shown.
    pub(crate) response: Option<Response>,
}

/// All services' parts, in the offer's order, whoever answered first.
pub(crate) struct AllHeard {
    pub(crate) heard: Vec<Heard>,
    /// Where shadow services wait for what the doctor sees, to compare theirs with it.
    pub(crate) shown: ShownCards,
}

/// What the doctor sees, told once it is known.
pub(crate) type ShownCards = watch::Sender<Option<Arc<Response>>>;

/// All services of the offer, asked and not yet heard.
pub(crate) struct Asked {
    /// In the offer's order.
    parts: Vec<Part>,
    /// Until when they are listened to.
    until: Instant,
    shown: ShownCards,
}

/// Asks all services of the offer. Those on trial need a place first, which the store must promise; the others do not
/// wait for that.
pub(crate) async fn ask_all(call: &Call<'_>, plan: &Plan<'_>, exchange: &mut Exchange) -> Asked {
    let shown = watch::Sender::new(None);
    let (on_trial, others): (Vec<usize>, Vec<usize>) =
        (0..call.offer.members.len()).partition(|index| matches!(call.offer.members[*index].mode, Mode::Trial { .. }));
    let mut parts: Vec<(usize, Part)> =
        others.into_iter().map(|index| (index, start(call, plan, index, exchange.id, &shown))).collect();
    exchange.on_trial = !on_trial.is_empty();
    let admissions = on_trial.iter().map(|index| admitted(call, &call.offer.members[*index], exchange.id));
    let admissions = join_all(admissions).await;
    for (index, admitted) in on_trial.into_iter().zip(admissions) {
        let part = if admitted {
            start(call, plan, index, exchange.id, &shown)
        } else {
            Part::Known(Arc::clone(&call.offer.members[index]), Status::TrialEnded)
        };
        parts.push((index, part));
    }
    parts.sort_by_key(|(index, _)| *index);
    let parts = parts.into_iter().map(|(_, part)| part).collect();
    Asked { parts, until: call.deadline.services_until + GRACE, shown }
}

impl Asked {
    /// What each came to, at their deadline at the latest.
    pub(crate) async fn heard(self) -> AllHeard {
        let heard = join_all(self.parts.into_iter().map(|part| part.heard(self.until))).await;
        AllHeard { heard, shown: self.shown }
    }
}

/// A service's own task tells its part at the deadline; whatever holds it up beyond this costs only its own cards.
const GRACE: Duration = Duration::from_millis(10);

/// One service's part while the others are still being started.
enum Part {
    Asked { unheard: Box<Heard>, since: Instant, told: oneshot::Receiver<Heard> },
    Known(Arc<Member>, Status),
}

impl Part {
    async fn heard(self, until: Instant) -> Heard {
        match self {
            Self::Known(member, status) => Heard::without_answer(member, status),
            Self::Asked { mut unheard, since, told } => {
                let told = timeout_at(until, told).await;
                if let Ok(Ok(heard)) = told {
                    return heard;
                }
                // The task ends without a word only by a panic: then the service counts as failed.
                unheard.note.status = if told.is_ok() { Status::Failed } else { Status::TimedOut };
                unheard.note.elapsed_ms = since.elapsed().as_secs_f64() * 1e3;
                *unheard
            }
        }
    }
}

impl Heard {
    fn without_answer(member: Arc<Member>, status: Status) -> Self {
        let note = ServiceNote::of(&member, status);
        Self { member, note, response: None }
    }
}

fn start(call: &Call<'_>, plan: &Plan<'_>, index: usize, exchange: Uuid, shown: &ShownCards) -> Part {
    let member = &call.offer.members[index];
    let ask = Ask::new(call, plan, index, exchange);
    let (tell, told) = oneshot::channel();
    if member.mode == Mode::Shadow {
        // Nobody waits for a shadow service; what came of it is added to the record.
        call.app.tasks.spawn("shadow service", ask.in_the_shadow(shown.subscribe()));
        Part::Known(Arc::clone(member), Status::Shadowed)
    } else {
        let part = Part::Asked { unheard: Box::new(ask.unheard()), since: Instant::now(), told };
        call.app.tasks.spawn("service", ask.in_the_light(tell));
        part
    }
}

/// Whether a trial has a place left for this call.
async fn admitted(call: &Call<'_>, member: &Member, exchange: Uuid) -> bool {
    let Mode::Trial { quota, until } = member.mode else { return true };
    if call.at >= until {
        return false;
    }
    let ask = TrialAsk {
        exchange,
        hospital: call.caller.hospital_id().clone(),
        service: member.name.clone(),
        key: call.key,
        quota,
        now: call.at,
        held_from: call.at,
    };
    // A store that cannot promise a place in time gives none: a trial is never overrun.
    let promised = timeout_at(call.deadline.services_until, call.app.store.admit_trial(ask)).await;
    promised.is_ok_and(|promised| promised.unwrap_or(false))
}
