//! [`SopClass`]: the five SOP classes of Unified Procedure Steps, and what may be asked under each (PS3.4 table CC.1.2-1, §CC.3.1).
//!
//! They are five ways to one thing: every workitem is an instance of UPS Push, whichever of them it is asked about by.

use super::UPS_PUSH;
use crate::dimse::Operation;

/// A SOP class of Unified Procedure Steps: what a presentation context is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SopClass {
    /// Create workitems, ask for their cancellation.
    Push,
    /// Hear of workitems.
    Watch,
    /// Find and perform workitems.
    Pull,
    /// Be told of workitems (the gateway asks, the subscriber answers).
    Event,
    /// Find workitems.
    Query,
}

/// What an N-ACTION asks for (tables CC.2.1-1, CC.2.2-1, CC.2.3-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Change the state (1).
    ChangeState,
    /// Ask for the cancellation (2).
    RequestCancel,
    /// Hear of it (3).
    Subscribe,
    /// Hear of it no more (4).
    Unsubscribe,
    /// Hear of no more that comes (5).
    Suspend,
}

impl Action {
    /// All of them by their Action Type ID, which counts from 1.
    const ALL: [Self; 5] = [Self::ChangeState, Self::RequestCancel, Self::Subscribe, Self::Unsubscribe, Self::Suspend];

    /// The one with this Action Type ID (0000,1008).
    pub fn of(action_type: u16) -> Option<Self> {
        Self::ALL.get(usize::from(action_type.checked_sub(1)?)).copied()
    }
}

impl SopClass {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Push, Self::Watch, Self::Pull, Self::Event, Self::Query];

    /// Its UID.
    pub const fn uid(self) -> &'static str {
        match self {
            Self::Push => UPS_PUSH,
            Self::Watch => "1.2.840.10008.5.1.4.34.6.2",
            Self::Pull => "1.2.840.10008.5.1.4.34.6.3",
            Self::Event => "1.2.840.10008.5.1.4.34.6.4",
            Self::Query => "1.2.840.10008.5.1.4.34.6.5",
        }
    }

    /// The one with this UID.
    pub fn of(uid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.uid() == uid)
    }

    /// Whether the SCP does this for whoever asks under this class; of actions [`Self::acts`] says which.
    pub fn has(self, operation: &Operation) -> bool {
        match operation {
            Operation::Create { .. } => self == Self::Push,
            Operation::GetAttributes { .. } => matches!(self, Self::Push | Self::Watch | Self::Pull),
            Operation::SetAttributes { .. } => self == Self::Pull,
            Operation::Find { .. } => matches!(self, Self::Watch | Self::Pull | Self::Query),
            Operation::Action { .. } => matches!(self, Self::Push | Self::Watch | Self::Pull),
            _ => false,
        }
    }

    /// Whether this action is one of the class.
    pub fn acts(self, action: Action) -> bool {
        match action {
            Action::ChangeState => self == Self::Pull,
            Action::RequestCancel => matches!(self, Self::Push | Self::Watch),
            Action::Subscribe | Action::Unsubscribe | Action::Suspend => self == Self::Watch,
        }
    }
}
