//! [`Query`]: one model of a search for QIDO-RS (PS3.18 §8.3.4, §10.6) and C-FIND (PS3.4 §C.2.2.2, §C.6).
//!
//! A candidate is what is known of one study, series or instance together with the levels above it. [`Query::matches`]
//! says whether it is a result, [`Query::answer`] and [`Query::identifier_answer`] what is told of it, and
//! [`Query::narrow`] lets an index leave out most of the others beforehand.
//!
//! An entity whose value is not known matches no value. PS3.4 §C.2.2.1.2 would have it match every one, and so put a study
//! without Patient ID into the list of each patient; who looks for such studies asks for the empty value.

mod answer;
mod error;
mod identifier;
mod key;
mod level;
mod matching;
mod modules;
mod moment;
mod name;
mod narrow;
mod parameters;
mod selection;
#[cfg(test)]
mod tests;
mod wildcard;

pub use answer::{Presence, REQUIRED_INSTANCE, REQUIRED_SERIES, REQUIRED_STUDY, REQUIRED_WORKITEM, Required};
use dicom_core::VR;
use dicom_dictionary_std::tags;
pub use error::{QueryError, Warning};
pub use identifier::{Extended, parameters_of};
pub use key::{Decimal, Key, Matching, Selector, Text};
pub use level::{Level, level_of};
pub use moment::{Range, date_key, moment_key};
pub use name::NamePattern;
pub use narrow::{Narrow, TextBound};
pub use wildcard::Wildcard;

use self::{
    key::{Kinds, path_name},
    matching::Group,
    selection::Selection,
};
use crate::Uid;

/// A search.
#[derive(Debug, Clone)]
pub struct Query {
    level: Level,
    keys: Vec<Key>,
    include: Include,
    limit: Option<u64>,
    offset: u64,
    kinds: Kinds,
    /// Offset from UTC of the dates and times in the keys, in microseconds.
    zone: Option<i64>,
    /// Whether ranges of dates and of times are matched together.
    combined: bool,
    /// Whether the path of the resource names the study, and the series.
    within: Within,
    /// The keys that constrain, as they are tried.
    root: Group,
    /// What an identifier asks for.
    requested: Selection,
}

/// What `includefield` asks for (PS3.18 §8.3.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Include {
    /// All attributes of the level.
    All,
    /// These, beside the required ones.
    Only(Vec<Vec<Selector>>),
}

/// How much of the path to the results is known; more of it is told of each result where it is not (PS3.18 §10.6.3.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    #[default]
    Anything,
    Study,
    Series,
}

/// Keys in a query, in and outside of sequences.
const KEYS: usize = 512;
/// Sequences within sequences.
const DEPTH: usize = 16;

impl Query {
    /// What each result is.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What is searched, and what is asked for without a value.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// What is asked for beside the keys.
    pub fn include(&self) -> &Include {
        &self.include
    }

    /// How many results are wanted at most.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// How many results are passed over.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether names are matched fuzzily.
    pub fn is_fuzzy(&self) -> bool {
        self.kinds.fuzzy
    }

    /// Searches only the study that the path of the resource names.
    ///
    /// # Errors
    /// The query has too many keys.
    pub fn in_study(self, study: &Uid) -> Result<Self, QueryError> {
        self.in_path(tags::STUDY_INSTANCE_UID, study, Within::Study)
    }

    /// Searches only the series that the path of the resource names.
    ///
    /// # Errors
    /// The query has too many keys.
    pub fn in_series(self, series: &Uid) -> Result<Self, QueryError> {
        self.in_path(tags::SERIES_INSTANCE_UID, series, Within::Series)
    }

    fn in_path(mut self, tag: dicom_core::Tag, uid: &Uid, within: Within) -> Result<Self, QueryError> {
        if self.keys.len() >= KEYS {
            return Err(QueryError::TooMuch);
        }
        let path = vec![Selector::of(tag)];
        self.keys.push(Key { path, vr: VR::UI, matching: Matching::UidList(vec![uid.clone()]) });
        self.within = self.within.max(within);
        self.root = Group::of(&self.keys, self.combined)?;
        Ok(self)
    }

    /// Puts the parts together.
    fn new(level: Level, keys: Vec<Key>, kinds: Kinds, combined: bool) -> Result<Self, QueryError> {
        if keys.len() > KEYS {
            return Err(QueryError::TooMuch);
        }
        let root = Group::of(&keys, combined)?;
        Ok(Self {
            level,
            keys,
            include: Include::Only(Vec::new()),
            limit: None,
            offset: 0,
            kinds,
            zone: None,
            combined,
            within: Within::default(),
            root,
            requested: Selection::default(),
        })
    }
}

/// A key of a lower level than the results cannot be searched. Two have a namesake on the study that says the same
/// (PS3.4 table C.3-1), which many clients mean.
fn at_level(level: Level, path: &mut [Selector], constrains: bool) -> Result<(), QueryError> {
    let tag = path[0].tag;
    let of = level_of(tag);
    if of <= level || key::is_private(tag) || !constrains {
        return Ok(());
    }
    match (level, tag, path.len()) {
        (Level::Study, tags::MODALITY, 1) => path[0].tag = tags::MODALITIES_IN_STUDY,
        (Level::Study, tags::SOP_CLASS_UID, 1) => path[0].tag = tags::SOP_CLASSES_IN_STUDY,
        _ => return Err(QueryError::BelowLevel { attribute: path_name(&[tag]), of, level }),
    }
    Ok(())
}
