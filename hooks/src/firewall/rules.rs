//! Every rule of the firewall, in the order in which a card meets them.
//!
//! A rule either is a function over one thing that has been read, or is noticed on the way to one.
//! To add one: write it in the file of its subject and put it on the list; the list is what the vendor's scorecard
//! and the documentation show.

mod action;
mod autolaunch;
mod counts;
mod detail;
pub(super) mod identity;
mod link;
mod override_reason;
pub(super) mod reading;
mod selection;
mod source;
mod summary;
pub(super) mod system_action;

use std::borrow::Cow;

pub(super) use self::counts::{MOST, TOO_MANY, most_urgent};
use super::desk::{Desk, Reach};
use crate::card::{Action, Card, Coding, Link, Source, Suggestion};

/// One rule: its name, where it comes from, what it does.
#[derive(Debug)]
pub struct Rule {
    /// Stable name, used in scorecards and explanations.
    pub id: &'static str,
    /// Section of the standard, or the reason why we ask for it.
    pub basis: &'static str,
    /// What the firewall does about a breach.
    pub does: &'static str,
    pub(super) look: Look,
}

/// What a rule is applied to.
#[derive(Debug)]
pub(super) enum Look {
    /// Noticed by the reader, or by the function of a neighbouring rule.
    OnTheWay,
    Action(fn(&mut Action, &mut Desk<'_>) -> Verdict),
    SystemAction(fn(&mut Action, &mut Desk<'_>) -> Verdict),
    Suggestion(fn(&mut Suggestion, &mut Desk<'_>) -> Verdict),
    Link(fn(&mut Link, &mut Desk<'_>) -> Verdict),
    Source(fn(&mut Source, &mut Desk<'_>) -> Verdict),
    OverrideReason(fn(&mut Coding, &mut Desk<'_>) -> Verdict),
    Card(fn(&mut Card, &mut Desk<'_>) -> Verdict),
}

/// Whether the thing may go on; if not, why not.
pub(super) type Verdict = Result<(), Stop>;

/// Why a thing may not go on, and how much falls with it.
pub(super) struct Stop {
    pub(super) reason: Cow<'static, str>,
    pub(super) reach: Reach,
}

impl Stop {
    /// The whole card falls.
    fn the_card(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), reach: Reach::Card }
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Stop {
    fn from(reason: T) -> Self {
        Self { reason: reason.into(), reach: Reach::Unit }
    }
}

/// All rules.
pub fn rules() -> &'static [&'static Rule] {
    &[
        &reading::EMPTY_MEMBER,
        &reading::WRONG_KIND,
        &reading::UNKNOWN_MEMBER,
        &reading::MISSING_MEMBER,
        &reading::UNKNOWN_CODE,
        &counts::TOO_MANY,
        &identity::FOREIGN_PATIENT,
        &action::RESOURCE,
        &action::ID_OF_NEW,
        &action::DELETE_BY_RESOURCE,
        &action::DESCRIPTION,
        &system_action::PLACE,
        &system_action::NOT_ALLOWED,
        &source::TARGET,
        &source::TOPIC,
        &link::TARGET,
        &link::APP_CONTEXT,
        &override_reason::INCOMPLETE,
        &selection::MISSING,
        &selection::SEVERAL_RECOMMENDED,
        &autolaunch::ON_CRITICAL,
        &summary::TOO_LONG,
        &detail::TOO_LONG,
        &detail::MARKDOWN,
    ]
}
