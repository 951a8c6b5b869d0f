//! [`Exchange`]: everything that one call leaves behind, gathered while it runs, written once at its end.
//!
//! Handlers only annotate; the record is made here and nowhere else, also for calls that failed. The answer leaves
//! after the record is durable (design, invariant 5): what a hospital disclosed is never unrecorded.

use std::{sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use medvan_hooks::request::Request;
use medvan_profiles::identity;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    caller::CdsClient,
    explanation::{Explanation, ServiceNote, Status},
    refusal::Refusal,
    scorecard,
};
use crate::{
    App,
    catalog::{ClientId, HospitalId, Member, Offer},
    store::{ExchangeRecord, IssuedCard, Mark, Replay, UsageRow},
};

/// Stands in the record for a service id that the hospital is not enrolled for.
const UNKNOWN_OFFER: &str = "unknown";

/// How long the record may take. A store that is slower than this is as good as none: the EHR is told to try again.
const RECORDING: Duration = Duration::from_secs(5);

/// Warnings that one exchange keeps.
const WARNINGS: usize = 32;

/// One exchange while it runs.
pub(crate) struct Exchange {
    pub(crate) id: Uuid,
    pub(crate) explanation: Explanation,
    pub(crate) cards: Vec<IssuedCard>,
    pub(crate) usage: Vec<UsageRow>,
    /// Whether a place in a trial was asked for.
    pub(crate) on_trial: bool,
    marks: Vec<Mark>,
    hospital: HospitalId,
    client: ClientId,
    hook: String,
    offer: String,
    replay: Option<Replay>,
    received_at: OffsetDateTime,
    start: Instant,
}

impl Exchange {
    /// Opens the record of a believed caller's call.
    pub(crate) fn begin(caller: &CdsClient, offer: &str, received_at: OffsetDateTime, start: Instant) -> Self {
        Self {
            id: Uuid::now_v7(),
            explanation: Explanation::default(),
            cards: Vec::new(),
            usage: Vec::new(),
            on_trial: false,
            marks: Vec::new(),
            hospital: caller.hospital_id().clone(),
            client: caller.client().id.clone(),
            hook: String::new(),
            // A name that is no offer's may hold anything, a patient's id too: it is not kept.
            offer: caller.hospital().offer(offer).map_or_else(|| UNKNOWN_OFFER.to_owned(), |offer| offer.id.clone()),
            replay: caller.replay().cloned(),
            received_at,
            start,
        }
    }

    /// Finds the offer of the request's hook, checks the request against that hook, and stops data of other patients.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] for another hook, a context that breaks the hook's rules, or one that speaks of two
    /// patients.
    pub(crate) fn read(&mut self, request: &mut Request, offers: Vec<Arc<Offer>>) -> Result<Arc<Offer>, Refusal> {
        let hooks: Vec<&str> = offers.iter().map(|offer| offer.hook.as_str()).collect();
        let other_hook = Refusal::malformed("hook", format!("this service is for the hook {}", hooks.join(", ")));
        self.hook = hooks.join(" ");
        let offer = offers.into_iter().find(|offer| offer.hook == request.hook).ok_or(other_hook)?;
        self.hook.clone_from(&offer.hook);
        let warnings = request.check()?;
        self.explanation.warnings.extend(warnings.iter().take(WARNINGS).map(ToString::to_string));
        self.stop_other_patients(request, &offer)?;
        Ok(offer)
    }

    /// Notes something that the caller should mend.
    pub(crate) fn warn(&mut self, warning: &str) {
        self.explanation.warnings.push(warning.to_owned());
    }

    /// Milliseconds since the request arrived.
    pub(crate) fn elapsed_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }

    /// Notes one service's part, and counts it for the vendor's scorecard.
    pub(crate) fn note(&mut self, member: &Member, note: ServiceNote) {
        self.marks.extend(scorecard::marks(member, "asked", &note));
        metrics::counter!("medvan_service_answers_total", "service" => note.service.clone(), "status" => note.status.word())
            .increment(1);
        metrics::histogram!("medvan_service_seconds", "service" => note.service.clone()).record(note.elapsed_ms / 1e3);
        self.explanation.services.push(note);
    }

    /// Whether every service that was asked said that it lacks data.
    pub(crate) fn nothing_evaluable(&self) -> bool {
        let shown = || self.explanation.services.iter().filter(|note| note.mode != "shadow");
        shown().any(|note| note.status == Status::NotEvaluable)
            && shown().all(|note| note.status == Status::NotEvaluable)
    }

    /// Makes the record durable, then gives the answer.
    pub(crate) async fn finish(mut self, app: &App, answer: Result<Vec<u8>, Refusal>) -> Response {
        self.explanation.refusal = answer.as_ref().err().map(Refusal::word);
        let status = answer.as_ref().map_or_else(Refusal::status, |_| StatusCode::OK);
        metrics::counter!("medvan_calls_total", "hospital" => self.hospital.to_string(), "status" => status.as_u16().to_string())
            .increment(1);
        let (exchange, services) = (self.id, self.explanation.services.len());
        let recorded = tokio::time::timeout(RECORDING, app.store.record(self.into_record(status))).await;
        if !matches!(recorded, Ok(Ok(()))) {
            // What was sent to services cannot be taken back: at least the log knows that something was.
            tracing::error!(%exchange, services, "an exchange was not recorded; its answer was withheld");
            return Refusal::NotRecorded.into_response();
        }
        match answer {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(refusal) => refusal.into_response(),
        }
    }

    fn into_record(self, status: StatusCode) -> ExchangeRecord {
        let duration = self.start.elapsed();
        ExchangeRecord {
            id: self.id,
            hospital: self.hospital,
            client: self.client,
            hook: self.hook,
            offer: self.offer,
            received_at: self.received_at,
            status: status.as_u16(),
            duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
            explanation: serde_json::to_string(&self.explanation).unwrap_or_default(),
            on_trial: self.on_trial,
            replay: self.replay,
            cards: self.cards,
            usage: self.usage,
            marks: self.marks,
        }
    }

    /// A prefetched resource of another patient goes no further; a context that names two patients is refused.
    fn stop_other_patients(&mut self, request: &mut Request, offer: &Offer) -> Result<(), Refusal> {
        let Some(patient) = request.patient_id().map(str::to_owned) else { return Ok(()) };
        for (field, value) in &request.context {
            if value.as_str().starts_with(['{', '[']) && identity::check_json(value, &patient).is_err() {
                let place = format!("context.{field}");
                return Err(Refusal::malformed(
                    &place,
                    "it holds a resource of another patient than context.patientId",
                ));
            }
        }
        let published = offer.union.prefetch();
        let mut stopped = Vec::new();
        request.prefetch.retain(|key, value| {
            let own = identity::check_json(value, &patient).is_ok();
            if !own {
                // A key that was not published is the sender's own word, and may say anything.
                stopped.push(if published.contains_key(key) { key.clone() } else { "(unpublished)".to_owned() });
            }
            own
        });
        for key in stopped.iter().take(WARNINGS) {
            self.warn(&format!("prefetch.{key}: stopped, it holds a resource of another patient"));
        }
        Ok(())
    }
}
