//! Reads a feedback body, item by item.

use std::collections::HashSet;

use indexmap::IndexMap;
use medvan_profiles::Json;
use serde::de::DeserializeOwned;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    AcceptedSuggestion, Feedback, FeedbackError, Outcome, OverrideReason, Problem, Received, Tolerated, Warning,
};
use crate::card::Coding;

/// No user answers more cards between two calls.
const MOST_ITEMS: usize = 1_000;

type Members = IndexMap<String, Json>;

/// Reads a body that passed the scan.
pub(super) fn body(body: &[u8]) -> Result<Received, FeedbackError> {
    let whole = serde_json::from_slice(body).map_err(|_| FeedbackError::at("$this", Problem::NoFeedback))?;
    let mut warnings = Vec::new();
    let items = items(&whole, &mut warnings)?;
    if items.len() > MOST_ITEMS {
        return Err(FeedbackError::at("feedback", Problem::TooMany));
    }
    let mut feedback = Vec::with_capacity(items.len());
    for (index, json) in items.iter().enumerate() {
        feedback.push(Item::open(json, index, &mut warnings)?.read()?);
    }
    Ok(Received { feedback: each_once(feedback), warnings })
}

fn items(whole: &Json, warnings: &mut Vec<Warning>) -> Result<Vec<Json>, FeedbackError> {
    let bare = Warning { place: "$this".to_owned(), tolerated: Tolerated::BareItems };
    if let Some(list) = read::<Vec<Json>>(whole) {
        warnings.push(bare);
        return Ok(list);
    }
    let members: Members = read(whole).ok_or_else(|| FeedbackError::at("$this", Problem::NoFeedback))?;
    match members.get("feedback") {
        Some(list) => read(list).ok_or_else(|| FeedbackError::at("feedback", Problem::NoFeedback)),
        None if members.contains_key("card") => {
            warnings.push(bare);
            Ok(vec![whole.clone()])
        }
        None => Err(FeedbackError::at("feedback", Problem::NoFeedback)),
    }
}

/// A client that sends an answer again within one body means it once.
fn each_once(mut feedback: Vec<Feedback>) -> Vec<Feedback> {
    let mut seen = HashSet::new();
    feedback.retain(|item| seen.insert((item.card.clone(), item.outcome, item.outcome_timestamp.clone())));
    feedback
}

fn read<T: DeserializeOwned>(json: &Json) -> Option<T> {
    serde_json::from_str(json.as_str()).ok()
}

/// serde's structs read arrays too; the standard's objects are objects.
fn read_object<T: DeserializeOwned>(json: &Json) -> Option<T> {
    if json.is_object() { read(json) } else { None }
}

fn read_objects<T: DeserializeOwned>(json: &Json) -> Option<Vec<T>> {
    read::<Vec<Json>>(json)?.iter().map(read_object).collect()
}

fn read_reason(json: &Json) -> Option<OverrideReason> {
    let members: Members = read(json)?;
    let is_coding = |reason: &Json| reason.is_null() || reason.is_object();
    if members.get("reason").is_none_or(is_coding) { read(json) } else { None }
}

struct Item<'w> {
    members: Members,
    place: String,
    warnings: &'w mut Vec<Warning>,
}

impl<'w> Item<'w> {
    fn open(json: &Json, index: usize, warnings: &'w mut Vec<Warning>) -> Result<Self, FeedbackError> {
        let place = format!("feedback[{index}]");
        let mut members: Members = read(json).ok_or_else(|| FeedbackError::at(&place, Problem::NotAnObject))?;
        members.retain(|_, value| !matches!(value.as_str(), "null" | "\"\"" | "[]" | "{}"));
        Ok(Self { members, place, warnings })
    }

    fn read(mut self) -> Result<Feedback, FeedbackError> {
        let outcome = self.outcome()?;
        Ok(Feedback {
            card: self.text("card")?,
            outcome,
            accepted_suggestions: self.accepted_suggestions(outcome)?,
            override_reason: self.override_reason()?,
            outcome_timestamp: self.timestamp()?,
            extension: self.members.get("extension").and_then(read).unwrap_or_default(),
        })
    }

    fn outcome(&self) -> Result<Outcome, FeedbackError> {
        let outcome = self.text("outcome")?;
        match outcome.as_str() {
            "accepted" => Ok(Outcome::Accepted),
            "overridden" => Ok(Outcome::Overridden),
            _ => Err(self.error("outcome", Problem::NotAnOutcome)),
        }
    }

    fn accepted_suggestions(&mut self, outcome: Outcome) -> Result<Vec<AcceptedSuggestion>, FeedbackError> {
        let name = "acceptedSuggestions";
        let nothing = self.error(name, Problem::NothingAccepted);
        let suggestions: Vec<AcceptedSuggestion> = match self.members.get(name) {
            None => Vec::new(),
            Some(json) => match read_objects(json) {
                Some(suggestions) => suggestions,
                None => self.bare_ids(name).ok_or_else(|| nothing.clone())?,
            },
        };
        let is_incomplete = suggestions.iter().any(|suggestion| suggestion.id.trim().is_empty());
        let is_missing = outcome == Outcome::Accepted && suggestions.is_empty();
        if is_incomplete || is_missing { Err(nothing) } else { Ok(suggestions) }
    }

    fn bare_ids(&mut self, name: &str) -> Option<Vec<AcceptedSuggestion>> {
        let ids: Vec<String> = read(self.members.get(name)?)?;
        self.warn(name, Tolerated::BareIds);
        Some(ids.into_iter().map(|id| AcceptedSuggestion { id }).collect())
    }

    fn override_reason(&mut self) -> Result<Option<OverrideReason>, FeedbackError> {
        let name = "overrideReason";
        let Some(json) = self.members.get(name) else {
            return Ok(None);
        };
        let empty = self.error(name, Problem::EmptyReason);
        if let Some(comment) = read::<String>(json) {
            self.warn(name, Tolerated::TextReason);
            return Ok(Some(OverrideReason { reason: None, user_comment: Some(comment) }));
        }
        let flat = read_object::<Coding>(json).filter(|coding| coding.code.is_some());
        let mut reason = read_reason(json).ok_or_else(|| empty.clone())?;
        reason.reason = reason.reason.filter(|coding| *coding != Coding::default());
        reason.user_comment = reason.user_comment.filter(|comment| !comment.trim().is_empty());
        if reason.reason.is_none() && flat.is_some() {
            self.warn(name, Tolerated::FlatReason);
            reason.reason = flat;
        }
        let is_empty = reason.reason.is_none() && reason.user_comment.is_none();
        if is_empty { Err(empty) } else { Ok(Some(reason)) }
    }

    fn timestamp(&mut self) -> Result<String, FeedbackError> {
        let name = "outcomeTimestamp";
        let text = self.text(name)?;
        let no_time = |_| self.error(name, Problem::NotATime);
        let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(no_time)?;
        if time.offset() == UtcOffset::UTC {
            return Ok(text);
        }
        let in_utc = time.checked_to_offset(UtcOffset::UTC).and_then(|time| time.format(&Rfc3339).ok());
        let in_utc = in_utc.ok_or_else(|| self.error(name, Problem::NotATime))?;
        self.warn(name, Tolerated::NotUtc);
        Ok(in_utc)
    }

    fn text(&self, name: &str) -> Result<String, FeedbackError> {
        let text = self.members.get(name).and_then(read);
        text.filter(|text: &String| !text.trim().is_empty()).ok_or_else(|| self.error(name, Problem::NoText))
    }

    fn error(&self, name: &str, problem: Problem) -> FeedbackError {
        FeedbackError::at(format!("{}.{name}", self.place), problem)
    }

    fn warn(&mut self, name: &str, tolerated: Tolerated) {
        self.warnings.push(Warning { place: format!("{}.{name}", self.place), tolerated });
    }
}
