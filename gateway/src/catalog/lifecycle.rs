//! The states of a version and the moves between them. Pure; the table below is the whole of it.
//!
//! ```text
//! draft ─submit─► submitted ─approve─► approved ─suspend─► suspended
//!   ▲                 │                   ▲                   │
//!   └─────reject──────┘                   └─────reinstate─────┘
//! every state but withdrawn ─withdraw─► withdrawn (for ever)
//! ```
//!
//! The vendor moves its own drafts; every other move is the governor's alone: a vendor cannot approve itself and the
//! operator of the platform cannot approve either.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Registered by the vendor, not yet up for review.
    Draft,
    /// Up for review.
    Submitted,
    /// May serve.
    Approved,
    /// Was approved; must not serve now.
    Suspended,
    /// Over for ever.
    Withdrawn,
}

/// What somebody wants done with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Move {
    /// The vendor asks for review.
    Submit,
    /// The governor lets it serve.
    Approve,
    /// The governor sends it back.
    Reject,
    /// The governor stops it.
    Suspend,
    /// The governor lets it serve again.
    Reinstate,
    /// The governor ends it.
    Withdraw,
}

/// A move that the table does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version in state '{}' cannot {}: possible from here: {}", .from.word(), .wanted.word(), possible(*.from))]
pub struct NoSuchMove {
    /// The state it is in.
    pub from: State,
    /// What was wanted.
    pub wanted: Move,
}

/// Every move there is.
const TABLE: &[(State, Move, State)] = &[
    (State::Draft, Move::Submit, State::Submitted),
    (State::Submitted, Move::Approve, State::Approved),
    (State::Submitted, Move::Reject, State::Draft),
    (State::Approved, Move::Suspend, State::Suspended),
    (State::Suspended, Move::Reinstate, State::Approved),
    (State::Draft, Move::Withdraw, State::Withdrawn),
    (State::Submitted, Move::Withdraw, State::Withdrawn),
    (State::Approved, Move::Withdraw, State::Withdrawn),
    (State::Suspended, Move::Withdraw, State::Withdrawn),
];

impl State {
    /// All states, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Submitted, Self::Approved, Self::Suspended, Self::Withdrawn];

    /// The state after `wanted`.
    pub fn after(self, wanted: Move) -> Result<Self, NoSuchMove> {
        TABLE
            .iter()
            .find(|(from, by, _)| (*from, *by) == (self, wanted))
            .map(|(_, _, to)| *to)
            .ok_or(NoSuchMove { from: self, wanted })
    }

    /// Its name in JSON and in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl Move {
    /// All moves.
    pub const ALL: [Self; 6] =
        [Self::Submit, Self::Approve, Self::Reject, Self::Suspend, Self::Reinstate, Self::Withdraw];

    /// Its name in JSON and in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Withdraw => "withdraw",
        }
    }

    /// The state that it leads to, from wherever it is possible.
    pub const fn target(self) -> State {
        match self {
            Self::Submit => State::Submitted,
            Self::Approve | Self::Reinstate => State::Approved,
            Self::Reject => State::Draft,
            Self::Suspend => State::Suspended,
            Self::Withdraw => State::Withdrawn,
        }
    }

    /// Whether only the governor may make it.
    pub const fn is_governors(self) -> bool {
        !matches!(self, Self::Submit)
    }
}

fn possible(from: State) -> String {
    let moves: Vec<_> = TABLE.iter().filter(|(state, _, _)| *state == from).map(|(_, by, _)| by.word()).collect();
    if moves.is_empty() { "nothing".to_owned() } else { moves.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: State, moves: &[Move]) {
        let possible: Vec<_> = Move::ALL.into_iter().filter(|wanted| from.after(*wanted).is_ok()).collect();
        assert_eq!(possible, moves, "from {from:?}");
    }

    #[test]
    fn each_state_allows_exactly_these_moves() {
        check(State::Draft, &[Move::Submit, Move::Withdraw]);
        check(State::Submitted, &[Move::Approve, Move::Reject, Move::Withdraw]);
        check(State::Approved, &[Move::Suspend, Move::Withdraw]);
        check(State::Suspended, &[Move::Reinstate, Move::Withdraw]);
        check(State::Withdrawn, &[]);
    }

    #[test]
    fn a_move_leads_to_its_target_wherever_it_is_possible() {
        for (_, by, to) in TABLE {
            assert_eq!(*to, by.target());
        }
    }

    #[test]
    fn only_the_governors_moves_lead_to_approved() {
        for (_, by, to) in TABLE {
            assert!(*to != State::Approved || by.is_governors());
        }
    }

    #[test]
    fn a_refused_move_says_what_is_possible() {
        let error = State::Submitted.after(Move::Suspend).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a version in state 'submitted' cannot suspend: possible from here: approve, reject, withdraw"
        );
    }

    #[test]
    fn every_state_is_found_by_its_word() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
