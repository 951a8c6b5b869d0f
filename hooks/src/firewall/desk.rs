//! The desk takes the notes of one check and knows the place that is being looked at.

use std::borrow::Cow;

use serde::Serialize;

use super::{Checked, Policy, Rule, rules::Stop};
use crate::response::Response;

/// An answer can break rules a million times; the record of it must stay small.
const MOST_NOTES: usize = 256;

/// Characters of all details of an answer together, the bound on the work of making them harmless.
const MOST_DETAIL: usize = 262_144;

/// Something that was mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// The rule's id.
    pub rule: &'static str,
    /// Where in the vendor's own answer, as in `cards[0].suggestions[1].label`.
    pub place: String,
}

/// Something that was held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// The rule's id.
    pub rule: &'static str,
    /// The unit that was held back: `cards[0]`, `cards[0].links[2]`, `systemActions[0]`.
    pub place: String,
    /// What is wrong, and where inside the unit.
    pub reason: String,
}

/// Why a unit cannot go on. Travels up to the unit that is to be held back.
pub(super) struct Fault {
    pub(super) rule: &'static Rule,
    pub(super) reach: Reach,
    at: String,
    reason: Cow<'static, str>,
}

/// How much falls with a fault.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The unit it is found in.
    Unit,
    /// The whole card around it.
    Card,
}

/// The notes of one check.
pub(crate) struct Desk<'p> {
    pub(super) policy: &'p Policy<'p>,
    place: String,
    repairs: Vec<Repair>,
    quarantined: Vec<Quarantine>,
    unlisted: usize,
    /// Characters of detail that the rest of the answer may still bring.
    pub(super) detail_left: usize,
}

impl<'p> Desk<'p> {
    pub(super) fn new(policy: &'p Policy<'p>) -> Self {
        Self {
            policy,
            place: String::new(),
            repairs: Vec::new(),
            quarantined: Vec::new(),
            unlisted: 0,
            detail_left: MOST_DETAIL,
        }
    }

    /// Looks at a member of the present place.
    pub(super) fn within<T>(&mut self, member: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.place.len();
        self.enter(member);
        let seen = look(self);
        self.place.truncate(outer);
        seen
    }

    /// Looks at an element of the present place.
    pub(super) fn at<T>(&mut self, index: usize, look: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.place.len();
        self.place.push_str(&format!("[{index}]"));
        let seen = look(self);
        self.place.truncate(outer);
        seen
    }

    /// Notes that `member` of the present place was mended; an empty name means the place itself.
    pub(super) fn repair(&mut self, rule: &'static Rule, member: &str) {
        if self.repairs.len() == MOST_NOTES {
            self.unlisted += 1;
            return;
        }
        let place = self.within(member, |desk| desk.place.clone());
        self.repairs.push(Repair { rule: rule.id, place });
    }

    /// A fault at the present place.
    pub(super) fn fault(&self, rule: &'static Rule, stop: impl Into<Stop>) -> Fault {
        let stop = stop.into();
        Fault { rule, reach: stop.reach, at: self.place.clone(), reason: stop.reason }
    }

    /// Notes that the present place is held back because of `fault`.
    pub(super) fn quarantine(&mut self, fault: Fault) {
        if self.quarantined.len() == MOST_NOTES {
            self.unlisted += 1;
            return;
        }
        let inside = fault.at.strip_prefix(&self.place).unwrap_or_default();
        let inside = inside.trim_start_matches('.');
        let reason = match inside {
            "" => fault.reason.into_owned(),
            inside => format!("{inside}: {}", fault.reason),
        };
        self.quarantined.push(Quarantine { rule: fault.rule.id, place: self.place.clone(), reason });
    }

    /// Whether the present place is a part of a card.
    pub(super) fn is_inside_a_card(&self) -> bool {
        self.place.starts_with("cards[") && self.place.contains('.')
    }

    pub(super) fn close(self, response: Response) -> Checked {
        Checked { response, repairs: self.repairs, quarantined: self.quarantined, unlisted: self.unlisted }
    }

    fn enter(&mut self, member: &str) {
        if !self.place.is_empty() && !member.is_empty() {
            self.place.push('.');
        }
        self.place.push_str(member);
    }
}
