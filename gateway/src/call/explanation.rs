//! The explanation of one exchange: who was asked, what each was sent (keys and states, never content), how long it
//! took, what was repaired, suppressed, and why. It is stored with the exchange and read at
//! `/api/v1/exchanges/{id}`.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::images::ImagesNote;

/// Everything that is told about one exchange. No field holds clinical content or a patient's or user's id.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    /// Why no cards were given, where none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<&'static str>,
    /// What the caller did that the standard asks otherwise, and what was made of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// The queries that went to the hospital's FHIR server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) queries: Vec<QueryNote>,
    /// One note for each service of the offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) services: Vec<ServiceNote>,
    /// What was told of the patient's images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<ImagesNote>,
    /// What the merge hid or joined, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) suppressed: Vec<Note>,
    /// Which key put each card where it stands.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) placements: Value,
    /// Suggestions of several services that would overwrite each other's change.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) conflicts: Value,
    /// What the EHR's dialect made necessary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) adaptations: Vec<Note>,
    /// Milliseconds of each step.
    pub(crate) elapsed: Elapsed,
}

/// Milliseconds from the request's arrival to the end of each step.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Elapsed {
    /// Data is there.
    pub(crate) prefetched_ms: f64,
    /// Services answered or were given up.
    pub(crate) answered_ms: f64,
    /// The answer is ready to be recorded.
    pub(crate) merged_ms: f64,
}

/// One query to the hospital's FHIR server, without its values.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryNote {
    /// The resource type asked for.
    pub(crate) resource_type: String,
    /// What came of it: `resource`, `null`, `failed`, `omitted`.
    pub(crate) state: &'static str,
    /// Pages that were read.
    pub(crate) pages: usize,
    /// Milliseconds it took, all pages together.
    pub(crate) elapsed_ms: f64,
}

/// One service's part in the exchange.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceNote {
    /// `vendor.service`.
    pub(crate) service: String,
    /// The version asked.
    pub(crate) version: String,
    /// `live`, `shadow` or `trial`.
    pub(crate) mode: &'static str,
    /// What came of it; see [`Status`].
    pub(crate) status: Status,
    /// Prefetch keys it was sent, with the state of each.
    pub(crate) sent: IndexMap<String, &'static str>,
    /// Of these, the keys that the EHR did not send and the gateway asked its FHIR server for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fetched: Vec<String>,
    /// Why each omitted key is omitted.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) omitted: IndexMap<String, String>,
    /// Bytes sent to it.
    pub(crate) request_bytes: usize,
    /// Bytes it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_bytes: Option<usize>,
    /// Milliseconds until its answer, or until it was given up.
    pub(crate) elapsed_ms: f64,
    /// Cards of it that passed the checks.
    pub(crate) cards: usize,
    /// What was repaired in its answer: rule and place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) repairs: Vec<Note>,
    /// What was taken out of its answer: rule, place and reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) quarantined: Vec<Note>,
    /// Repairs and quarantines beyond those listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) unlisted: usize,
    /// Its earlier cards were given again, because it missed this call (see the hospital's `missedHook`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) re_emitted: bool,
}

/// What came of asking one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It answered in time, and its answer could be used.
    Answered,
    /// It said 412: it lacks data. Not a failure of the service.
    NotEvaluable,
    /// No answer within its time.
    TimedOut,
    /// It could not be reached, or broke off.
    Unreachable,
    /// It answered with another status than 200 and 412.
    Failed,
    /// Its answer is no CDS Hooks response, or too large.
    Unusable,
    /// It failed so often of late that it was left alone for a while.
    Resting,
    /// It already answers as many calls as it allows.
    Busy,
    /// The call holds more data than it takes.
    RequestTooLarge,
    /// Its trial is over.
    TrialEnded,
    /// A shadow service: its answer is compared later and never shown.
    Shadowed,
}

impl Status {
    /// The status as it is counted; the same word as in the explanation.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotEvaluable => "not-evaluable",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
            Self::Unusable => "unusable",
            Self::Resting => "resting",
            Self::Busy => "busy",
            Self::RequestTooLarge => "request-too-large",
            Self::TrialEnded => "trial-ended",
            Self::Shadowed => "shadowed",
        }
    }
}

/// One thing that was changed, taken out or joined.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    /// The rule that did it.
    pub(crate) rule: String,
    /// Where: a place such as `cards[0].links[1]`, or a service's name.
    pub(crate) place: String,
    /// Why, where the rule does not say it already.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
