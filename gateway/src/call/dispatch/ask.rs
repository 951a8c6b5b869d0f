//! [`Ask`]: one service asked once, owning all it needs, so that it can outlive the call it belongs to.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use medvan_adapters::{
    advisor::{self, Advice, AdviseError},
    breaker::Permit,
    concurrency::Place,
    http::Bearer,
};
use medvan_hooks::{
    firewall::{self, Checked, Policy},
    plan::Plan,
    response::Response,
    shadow,
};
use serde_json::{Value, json};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::{
    Heard,
    outgoing::{self, Outbound},
    verdict,
};
use crate::{
    App,
    call::{
        Call,
        explanation::{ServiceNote, Status},
        identity,
        line::{self, Line},
        scorecard, usage,
    },
    catalog::{HospitalId, Member},
    config::ProfileName,
    store::Addendum,
};

/// How long after its deadline an answer is still waited for, to be recorded as late.
const LATE: Duration = Duration::from_secs(10);

/// Kinds of addenda, and of marks on the scorecard.
const LATE_ANSWER: &str = "late";
const SHADOW: &str = "shadow";

/// Bytes from which on an answer is large.
const LARGE: usize = 64 << 10;

/// With less time than this left a service is not asked: its data would be given away for an answer that nobody sees.
const TOO_LATE: Duration = Duration::from_millis(10);

/// One service, about to be asked.
pub(super) struct Ask {
    app: App,
    line: Arc<Line>,
    member: Arc<Member>,
    exchange: Uuid,
    hospital: HospitalId,
    /// What a retried call shares with this one.
    key: [u8; 32],
    outbound: Outbound,
    bearer: Option<Bearer>,
    until: Instant,
    /// The time that the service itself asks for; only who had it can have missed it.
    own_limit: Duration,
    allowed: Arc<Allowed>,
}

/// What the hospital lets this service's answer hold; the owned half of the firewall's [`Policy`].
struct Allowed {
    patient_id: Option<String>,
    link_hosts: Vec<String>,
    system_actions: Vec<String>,
    loopback: bool,
}

impl Ask {
    pub(super) fn new(call: &Call<'_>, plan: &Plan<'_>, index: usize, exchange: Uuid) -> Self {
        let member = Arc::clone(&call.offer.members[index]);
        let own_limit = Duration::from_millis(member.descriptor.limits.deadline_ms.into());
        Self {
            line: call.app.lines.to(&member, &call.app.vendors),
            outbound: outgoing::compose(call, plan, index, &member),
            bearer: bearer(call, &member),
            until: call.deadline.for_service(Instant::now(), own_limit),
            own_limit,
            allowed: Arc::new(Allowed::of(call, &member)),
            app: call.app.clone(),
            hospital: call.caller.hospital_id().clone(),
            member,
            exchange,
            key: call.key,
        }
    }

    /// Its part, should it never be told: also then the record says what was sent.
    pub(super) fn unheard(&self) -> Heard {
        self.heard_nothing(Status::TimedOut, Instant::now())
    }

    /// Asks a service whose answer the doctor may see. Its part is told by its deadline at the latest.
    pub(super) async fn in_the_light(mut self, tell: oneshot::Sender<Heard>) {
        let start = Instant::now();
        // `_place` is held to the end: a late call still occupies the service.
        let line = Arc::clone(&self.line);
        let (_place, permit) = match self.enter(&line).await {
            Ok(entered) => entered,
            Err(status) => return drop(tell.send(self.heard_nothing(status, start))),
        };
        let sent_at = Instant::now();
        let question = self.question();
        let mut answer = line.advisor.advise(question);
        match timeout_at(self.until, &mut answer).await {
            Ok(answer) => {
                line::judge(permit, &answer);
                // Nobody listens any more only where the call itself was lost; its record is lost with it.
                let heard = self.heard(answer, start).await;
                let _ = tell.send(heard);
            }
            Err(_) => {
                // A hospital in a hurry says nothing about the service's health.
                if sent_at.elapsed() >= self.own_limit {
                    permit.failed();
                }
                let _ = tell.send(self.heard_nothing(Status::TimedOut, start));
                let answer = answer.await;
                let late = self.heard(answer, start).await;
                // Nobody saw it: it is no use, but the scorecard counts it.
                self.append(LATE_ANSWER, &late.note, None).await;
            }
        }
    }

    /// Asks a service in shadow mode, and compares its answer with what the doctor saw.
    pub(super) async fn in_the_shadow(mut self, mut shown: watch::Receiver<Option<Arc<Response>>>) {
        let start = Instant::now();
        let line = Arc::clone(&self.line);
        let (_place, permit) = match self.enter(&line).await {
            Ok(entered) => entered,
            Err(status) => return self.append(SHADOW, &self.heard_nothing(status, start).note, None).await,
        };
        let question = self.question();
        let answer = line.advisor.advise(question).await;
        line::judge(permit, &answer);
        let heard = self.heard(answer, start).await;
        // No answer reached the doctor where the sender is gone: then there is nothing to compare with.
        let comparison = match (&heard.response, shown.wait_for(Option::is_some).await) {
            (Some(ours), Ok(shown)) => shown.as_ref().map(|shown| compared(shown, ours)),
            _ => None,
        };
        self.append(SHADOW, &heard.note, comparison).await;
    }

    /// The right to ask, unless there is too much to send or too little time for an answer.
    async fn enter<'l>(&self, line: &'l Line) -> Result<(Place, Permit<'l>), Status> {
        if self.outbound.bytes > self.member.descriptor.limits.request_bytes as usize {
            return Err(Status::RequestTooLarge);
        }
        let entered = line.enter(self.until).await?;
        let time_left = self.until.saturating_duration_since(Instant::now());
        if time_left < TOO_LATE { Err(Status::TimedOut) } else { Ok(entered) }
    }

    /// Gives the body and the token away: while the service thinks, nobody holds them.
    fn question(&mut self) -> advisor::Call {
        advisor::Call {
            body: std::mem::take(&mut self.outbound.body),
            bearer: self.bearer.take(),
            timeout: self.until.saturating_duration_since(Instant::now()) + LATE,
        }
    }

    async fn heard(&self, answer: Result<Advice, AdviseError>, start: Instant) -> Heard {
        let (status, bytes, checked) = match answer {
            Err(error) => (verdict::status(&error), None, None),
            Ok(advice) => {
                let bytes = advice.body.len();
                match self.check(advice.body).await {
                    Some(checked) => (Status::Answered, Some(bytes), Some(checked)),
                    None => (Status::Unusable, Some(bytes), None),
                }
            }
        };
        let mut note = self.note(status, start);
        note.response_bytes = bytes;
        let response = checked.map(|checked| verdict::noted(checked, &mut note));
        Heard { member: Arc::clone(&self.member), note, response }
    }

    /// Applies the firewall. A large answer is looked at beside the runtime: it must not hold up other calls.
    async fn check(&self, body: Bytes) -> Option<Checked> {
        if body.len() <= LARGE {
            return firewall::check(&body, &self.allowed.policy()).ok();
        }
        let allowed = Arc::clone(&self.allowed);
        tokio::task::spawn_blocking(move || firewall::check(&body, &allowed.policy()).ok()).await.ok()?
    }

    fn heard_nothing(&self, status: Status, start: Instant) -> Heard {
        Heard { member: Arc::clone(&self.member), note: self.note(status, start), response: None }
    }

    fn note(&self, status: Status, start: Instant) -> ServiceNote {
        ServiceNote {
            sent: self.outbound.keys.clone(),
            fetched: self.outbound.fetched.clone(),
            omitted: self.outbound.omitted.clone(),
            request_bytes: self.outbound.bytes,
            elapsed_ms: start.elapsed().as_secs_f64() * 1e3,
            ..ServiceNote::of(&self.member, status)
        }
    }

    /// Adds to the record what became known after it. A shadow service that answered was used.
    async fn append(&self, kind: &'static str, note: &ServiceNote, comparison: Option<Value>) {
        let used = kind == SHADOW && note.status == Status::Answered;
        let addendum = Addendum {
            exchange: self.exchange,
            at: self.app.clock.now(),
            kind,
            usage: used.then(|| usage::row(&self.member, self.key)),
            marks: scorecard::marks(&self.member, kind, note),
            note: told(note, comparison),
        };
        if let Err(error) = self.app.store.append(&self.hospital, addendum).await {
            tracing::warn!(%error, kind, "an addendum to an exchange was not recorded");
        }
    }
}

fn told(note: &ServiceNote, comparison: Option<Value>) -> Value {
    let mut told = json!(note);
    if let Some(comparison) = comparison {
        told["comparison"] = comparison;
    }
    told
}

impl Allowed {
    fn of(call: &Call<'_>, member: &Member) -> Self {
        let hospital = &call.caller.hospital().hospital;
        let own_rules = hospital.system_actions.iter().filter(|rule| rule.service == member.name);
        Self {
            patient_id: call.request.patient_id().map(str::to_owned),
            link_hosts: hospital.link_hosts.clone(),
            system_actions: own_rules.flat_map(|rule| rule.resource_types.clone()).collect(),
            loopback: call.app.config.profile == ProfileName::Loopback,
        }
    }

    fn policy(&self) -> Policy<'_> {
        Policy {
            patient_id: self.patient_id.as_deref(),
            link_hosts: &self.link_hosts,
            loopback: self.loopback,
            system_actions: &self.system_actions,
        }
    }
}

/// The comparison in numbers: which topics they are says too much about a patient for a record.
fn compared(shown: &Response, ours: &Response) -> Value {
    let comparison = shadow::compare(shown, ours);
    json!({
        "shown": comparison.live,
        "shadow": comparison.shadow,
        "topicsInBoth": comparison.both.len(),
        "topicsOnlyShown": comparison.only_live.len(),
        "topicsOnlyShadow": comparison.only_shadow.len(),
        "moreUrgent": comparison.more_urgent.len(),
        "lessUrgent": comparison.less_urgent.len(),
    })
}

/// Our own token for this vendor's endpoint, unless the vendor takes none.
fn bearer(call: &Call<'_>, member: &Member) -> Option<Bearer> {
    let recipient = member.token.as_ref()?;
    let tenant = identity::tenant(&call.app.secret, call.caller.hospital_id(), &member.name.vendor);
    call.app.keys.bearer(recipient, Some(&tenant), call.at).ok()
}
