//! What one service wants under one key, and an answer to it.

use std::sync::OnceLock;

use serde_json::Value;

use super::Origin;
use crate::{
    prefetch::PrefetchState,
    template::{Known, Query, Resolution, Template},
};

/// One key of one service.
#[derive(Debug)]
pub(super) struct Want<'a> {
    pub(super) template: &'a Template,
    pub(super) resolution: Resolution,
    /// The key under which the EHR sent it.
    pub(super) sent: Option<&'a str>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) state: PrefetchState,
    value: OnceLock<Value>,
    pub(super) origin: Origin,
}

impl Want<'_> {
    pub(super) fn query(&self) -> Option<&Query> {
        match &self.resolution {
            Resolution::Query(query) => Some(query),
            Resolution::Unresolvable(_) | Resolution::Waiting => None,
        }
    }

    /// A client that puts an unresolved token into a search gets an empty Bundle and sends it (seen in the public sandbox):
    /// where we cannot resolve the template either, only an answer that says something is believed.
    pub(super) fn believes(&self, sent: &Answer) -> bool {
        match self.resolution {
            Resolution::Unresolvable(_) => sent.state.is_informative(),
            Resolution::Query(_) | Resolution::Waiting => true,
        }
    }
}

impl Answer {
    pub(super) fn of(state: PrefetchState, origin: Origin) -> Self {
        let origin = if matches!(state, PrefetchState::Omitted(_)) { Origin::Nobody } else { origin };
        Self { state, value: OnceLock::new(), origin }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self.state, PrefetchState::Failed(_))
    }

    pub(super) fn known(&self) -> Known<'_> {
        match &self.state {
            PrefetchState::Resource(json) => Known::Value(self.value.get_or_init(|| json.value())),
            PrefetchState::Omitted(_) | PrefetchState::Null | PrefetchState::Failed(_) => Known::Nothing,
        }
    }
}
