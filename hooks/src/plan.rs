//! One plan of prefetch for all services of a call.
//!
//! The standard lets a client "compute an efficient set of prefetch templates from multiple CDS Services" (item 19), and
//! binds it: what a service receives is what its own query would have given (item 21), and nothing that another service
//! asked for (item 22). So sharing happens between *resolved queries* only, and [`Plan::slice`] hands out own keys only.
//!
//! ```text
//! let mut plan = Plan::new(&request, &members, &union, today);
//! loop {
//!     let queries = plan.queries();      // distinct, not sent by the EHR, not asked before
//!     if queries.is_empty() { break }
//!     // fetch them in parallel, then for each: plan.supply(query, state)
//! }
//! let prefetch = plan.slice(member, EmptySearch::Null);
//! ```

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use time::Date;

mod story;
mod union;
mod want;

pub use story::{KeyStory, Origin};
pub use union::{Union, union};

use want::{Answer, Want};

use crate::{
    Request,
    prefetch::{EmptySearch, Omission, PrefetchState},
    template::{Known, Query, Resolution, Scope, Template, Unresolvable},
};

/// What is known, asked and still missing, for all services of one call.
#[derive(Debug)]
pub struct Plan<'a> {
    scope: Scope<'a>,
    members: Vec<IndexMap<&'a str, Want<'a>>>,
    /// What the EHR sent, by the key it sent it under.
    sent: HashMap<&'a str, Answer>,
    /// What is known by query: from the EHR, or supplied.
    known: HashMap<Query, Answer>,
    asked: HashSet<Query>,
}

impl<'a> Plan<'a> {
    /// Plans for the services of a call, given as name and templates, in the order of [`Plan::slice`]. `union` is the one whose
    /// prefetch was published for the service id that was called.
    pub fn new(
        request: &'a Request,
        members: &[(&str, &'a IndexMap<String, Template>)],
        union: &Union,
        today: Date,
    ) -> Self {
        let mut plan = Self {
            scope: Scope::new(request, today),
            members: Vec::with_capacity(members.len()),
            sent: request
                .prefetch
                .iter()
                .map(|(key, json)| (key.as_str(), Answer::of(PrefetchState::of(json.clone()), Origin::Ehr)))
                .collect(),
            known: HashMap::new(),
            asked: HashSet::new(),
        };
        for (service, templates) in members {
            let want = |(key, template): (&'a String, &'a Template)| {
                let published = union.key(service, key, template);
                let sent = published.and_then(|key| request.prefetch.get_key_value(key)).map(|(key, _)| key.as_str());
                (key.as_str(), Want { template, resolution: Resolution::Waiting, sent })
            };
            plan.members.push(templates.iter().map(want).collect());
        }
        plan.resolve();
        plan.share_what_was_sent();
        plan
    }

    /// The queries to make now: each distinct one once over the life of the plan. Ask again after supplying their answers:
    /// templates may depend on them. Empty when nothing is left to ask.
    pub fn queries(&mut self) -> Vec<Query> {
        self.resolve();
        let mut queries = Vec::new();
        for want in self.members.iter().flat_map(IndexMap::values) {
            let Some(query) = want.query().filter(|_| self.state(want).is_none()) else {
                continue;
            };
            if self.asked.insert(query.clone()) {
                queries.push(query.clone());
            }
        }
        queries
    }

    /// The answer to one of the queries.
    pub fn supply(&mut self, query: Query, state: PrefetchState) {
        self.known.insert(query, Answer::of(state, Origin::FhirServer));
    }

    /// What one service receives: exactly its own keys, searches without a match told in its style.
    pub fn slice(&self, member: usize, style: EmptySearch) -> IndexMap<String, PrefetchState> {
        let wants = self.members.get(member).into_iter().flatten();
        wants
            .map(|(key, want)| {
                let (state, _) = self.outcome(want);
                ((*key).to_owned(), state.in_style(style, want.template.is_search()))
            })
            .collect()
    }

    /// The same without content, for the record.
    pub fn explain(&self, member: usize) -> Vec<KeyStory> {
        let wants = self.members.get(member).into_iter().flatten();
        wants
            .map(|(key, want)| {
                let (state, origin) = self.outcome(want);
                let reason = match &state {
                    PrefetchState::Omitted(omission) => Some(omission.to_string()),
                    PrefetchState::Null | PrefetchState::Failed(_) | PrefetchState::Resource(_) => None,
                };
                KeyStory { key: (*key).to_owned(), state: state.word(), origin, reason }
            })
            .collect()
    }

    /// Resolves what can be resolved now. A template that waits for a key comes again when that key is known.
    fn resolve(&mut self) {
        for member in 0..self.members.len() {
            for position in 0..self.members[member].len() {
                if self.members[member][position].resolution != Resolution::Waiting {
                    continue;
                }
                let keys = |key: &str| self.known_under(member, key);
                let resolution = self.members[member][position].template.resolve(&self.scope, &keys);
                self.members[member][position].resolution = resolution;
            }
        }
    }

    fn known_under(&self, member: usize, key: &str) -> Known<'_> {
        let Some(want) = self.members[member].get(key) else {
            return Known::Nothing;
        };
        match (self.answer(want), &want.resolution) {
            (Some(answer), _) => answer.known(),
            (None, Resolution::Unresolvable(_)) => Known::Nothing,
            (None, Resolution::Query(_) | Resolution::Waiting) => Known::NotYet,
        }
    }

    /// What the EHR sent for one template is the answer to every template of the same query: a resource before a failure.
    fn share_what_was_sent(&mut self) {
        for want in self.members.iter().flat_map(IndexMap::values) {
            let (Some(query), Some(sent)) = (want.query(), want.sent.and_then(|key| self.sent.get(key))) else {
                continue;
            };
            let better = self.known.get(query).is_none_or(|known| known.is_failed() && !sent.is_failed());
            if better {
                self.known.insert(query.clone(), Answer::of(sent.state.clone(), Origin::Ehr));
            }
        }
    }

    /// The answer for a key, if there is one yet: what was sent under it, then what is known for its query.
    fn answer(&self, want: &Want<'a>) -> Option<&Answer> {
        let sent = want.sent.and_then(|key| self.sent.get(key)).filter(|sent| want.believes(sent));
        let shared = want.query().and_then(|query| self.known.get(query));
        match (sent, shared) {
            (Some(sent), Some(shared)) if sent.is_failed() => Some(shared),
            (sent, shared) => sent.or(shared),
        }
    }

    fn state(&self, want: &Want<'a>) -> Option<&PrefetchState> {
        self.answer(want).map(|answer| &answer.state)
    }

    fn outcome(&self, want: &Want<'a>) -> (PrefetchState, Origin) {
        if let Some(answer) = self.answer(want) {
            return (answer.state.clone(), answer.origin);
        }
        let omission = match &want.resolution {
            Resolution::Query(_) => Omission::NotAsked,
            Resolution::Unresolvable(reason) => Omission::Unresolvable(*reason),
            Resolution::Waiting => Omission::Unresolvable(Unresolvable::Dependency),
        };
        (PrefetchState::Omitted(omission), Origin::Nobody)
    }
}
