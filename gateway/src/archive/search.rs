//! [`Search`]: results of a query, one after the other, in the order in which they came to the archive.
//!
//! The index narrows, the query decides: each candidate is looked at by the one rule that QIDO-RS and C-FIND share, so the
//! index can leave out too little but never anything. The order is that of the rows, so a page does not move when
//! something is stored meanwhile.

use std::collections::{HashMap, VecDeque};

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag,
    attributes::{self, AttributePath, Attributes},
    json,
    query::{Include, Level, Narrow, Query, Selector, level_of},
};

use super::{Archive, ReadFault};
use crate::{
    catalog::HospitalId,
    store::{FoundInstance, FoundSeries, FoundStudy, StoreError},
};

/// Candidates that are looked at for one search: beyond that the question is too broad for an answer in time.
const MOST: u64 = 200_000;
/// Candidates of the first look, and of each further one.
const FIRST: u32 = 200;
const FURTHER: u32 = 2_000;

/// Why a search has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchFault {
    /// The caller's: too much would have to be looked at.
    #[error("the search would have to look at more than {MOST} candidates")]
    TooBroad,
    /// Ours: the index does not answer.
    #[error("the index does not answer")]
    Store(#[from] StoreError),
    /// Ours: an instance cannot be read.
    #[error("a stored instance cannot be read")]
    Read(#[from] ReadFault),
}

/// A search under way.
#[derive(Debug)]
pub(crate) struct Search {
    archive: Archive,
    hospital: HospitalId,
    query: Query,
    narrow: Vec<Narrow>,
    /// Whether instances must be read, because something is asked that the index has not.
    reads: bool,
    /// Whether the SOP classes of each study are asked for: they are in no row of a study.
    wants_classes: bool,
    candidates: VecDeque<Attributes>,
    after: i64,
    looked: u64,
    is_last: bool,
    studies: HashMap<i64, Attributes>,
    series: HashMap<i64, (i64, Attributes)>,
}

impl Archive {
    /// Begins a search.
    pub(crate) fn search(&self, hospital: &HospitalId, query: Query) -> Search {
        Search {
            archive: self.clone(),
            hospital: hospital.clone(),
            narrow: query.narrow(),
            reads: query.level() == Level::Instance && asks_for_more(&query),
            wants_classes: asks_for(&query, |tag| tag == tags::SOP_CLASSES_IN_STUDY),
            query,
            candidates: VecDeque::new(),
            after: 0,
            looked: 0,
            is_last: false,
            studies: HashMap::new(),
            series: HashMap::new(),
        }
    }
}

impl Search {
    /// The question.
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// All that is known of the next result, upper levels included; `None` when there is no further one.
    ///
    /// # Errors
    /// [`SearchFault`]; the search is over then.
    pub(crate) async fn next(&mut self) -> Result<Option<Attributes>, SearchFault> {
        loop {
            while let Some(candidate) = self.candidates.pop_front() {
                if self.query.matches(&candidate) {
                    return Ok(Some(candidate));
                }
            }
            if self.is_last {
                return Ok(None);
            }
            self.look().await?;
        }
    }

    async fn look(&mut self) -> Result<(), SearchFault> {
        if self.looked >= MOST {
            return Err(SearchFault::TooBroad);
        }
        let page = if self.looked == 0 { FIRST } else { FURTHER };
        let found = match self.query.level() {
            Level::Study => self.look_at_studies(page).await?,
            Level::Series => self.look_at_series(page).await?,
            Level::Instance => self.look_at_instances(page).await?,
            // They are not images.
            Level::Workitem => 0,
        };
        self.looked += found as u64;
        self.is_last = found < page as usize;
        Ok(())
    }

    async fn look_at_studies(&mut self, page: u32) -> Result<usize, SearchFault> {
        let found = self.archive.0.store.find_studies(&self.hospital, &self.narrow, self.after, page).await?;
        self.after = found.last().map_or(self.after, |study| study.id);
        for study in &found {
            let mut candidate = study_attributes(study);
            if self.wants_classes {
                let classes = self.archive.0.store.classes_of(&self.hospital, study.id).await?;
                candidate.put_texts(tags::SOP_CLASSES_IN_STUDY, classes);
            }
            self.candidates.push_back(candidate);
        }
        Ok(found.len())
    }

    async fn look_at_series(&mut self, page: u32) -> Result<usize, SearchFault> {
        let found = self.archive.0.store.find_series(&self.hospital, &self.narrow, self.after, page).await?;
        self.after = found.last().map_or(self.after, |series| series.id);
        self.know_studies(found.iter().map(|series| series.study)).await?;
        let candidates = found.iter().map(|series| joined(self.studies.get(&series.study), series_attributes(series)));
        self.candidates.extend(candidates);
        Ok(found.len())
    }

    async fn look_at_instances(&mut self, page: u32) -> Result<usize, SearchFault> {
        let found = self.archive.0.store.find_instances(&self.hospital, &self.narrow, self.after, page).await?;
        self.after = found.last().map_or(self.after, |instance| instance.id);
        self.know_series(&found).await?;
        for instance in &found {
            let own = self.instance_attributes(instance).await?;
            let (study, series) = self.series.get(&instance.series).map(|(study, series)| (study, series)).unzip();
            let upper = joined(study.and_then(|study| self.studies.get(study)), series.cloned().unwrap_or_default());
            self.candidates.push_back(joined(Some(&upper), own));
        }
        Ok(found.len())
    }

    async fn know_studies(&mut self, rows: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        let mut unknown: Vec<i64> = rows.filter(|row| !self.studies.contains_key(row)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let found = self.archive.0.store.studies_by_row(&self.hospital, &unknown).await?;
            self.studies.extend(found.iter().map(|study| (study.id, study_attributes(study))));
        }
        Ok(())
    }

    async fn know_series(&mut self, instances: &[FoundInstance]) -> Result<(), StoreError> {
        let rows = instances.iter().map(|instance| instance.series);
        let mut unknown: Vec<i64> = rows.filter(|row| !self.series.contains_key(row)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = self.archive.0.store.series_by_row(&self.hospital, &unknown).await?;
        self.series.extend(found.iter().map(|series| (series.id, (series.study, series_attributes(series)))));
        self.know_studies(found.iter().map(|series| series.study)).await
    }

    async fn instance_attributes(&self, instance: &FoundInstance) -> Result<Attributes, ReadFault> {
        let mut attributes = if self.reads {
            match self.archive.data_set(&self.hospital, instance.place).await {
                Ok(file) => attributes::read(&file.data_set, &|_: &AttributePath| None),
                // One instance that is broken must not hide all the others; the index still knows it. One that cannot be read now
                // may match: without it there is no answer.
                Err(error @ ReadFault::Instance(_)) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a stored instance cannot be read");
                    Attributes::new()
                }
                Err(fault) => return Err(fault),
            }
        } else {
            Attributes::new()
        };
        put_columns(&mut attributes, instance);
        Ok(attributes)
    }
}

/// What the index knows of an instance itself.
fn put_columns(attributes: &mut Attributes, instance: &FoundInstance) {
    attributes.put_text(tags::SOP_CLASS_UID, instance.class.as_str());
    attributes.put_text(tags::SOP_INSTANCE_UID, instance.uid.as_str());
    attributes.put_text(tags::AVAILABLE_TRANSFER_SYNTAX_UID, instance.syntax.uid().as_str());
    let columns = [
        (tags::INSTANCE_NUMBER, instance.number),
        (tags::NUMBER_OF_FRAMES, instance.frames),
        (tags::ROWS, instance.rows),
        (tags::COLUMNS, instance.columns),
        (tags::BITS_ALLOCATED, instance.bits),
    ];
    for (tag, value) in columns {
        match value.map(u64::try_from) {
            Some(Ok(number)) => attributes.put_number(tag, number),
            // A negative instance number is legal: an IS may be.
            Some(Err(_)) if tag == tags::INSTANCE_NUMBER => {
                attributes.put_text(tag, value.map(|number| number.to_string()).unwrap_or_default());
            }
            _ => {}
        }
    }
}

/// All that the index knows of an instance by itself: what there is to say of one whose bytes cannot be read any more.
pub(crate) fn indexed(instance: &FoundInstance) -> Attributes {
    let mut attributes = Attributes::new();
    put_columns(&mut attributes, instance);
    attributes.put_text(tags::STUDY_INSTANCE_UID, instance.study_uid.as_str());
    attributes.put_text(tags::SERIES_INSTANCE_UID, instance.series_uid.as_str());
    attributes.put_text(tags::INSTANCE_AVAILABILITY, "UNAVAILABLE");
    attributes
}

/// Whether something of the instance itself is asked for that the index has not.
fn asks_for_more(query: &Query) -> bool {
    const INDEXED: &[Tag] = &[
        tags::SOP_CLASS_UID,
        tags::SOP_INSTANCE_UID,
        tags::INSTANCE_NUMBER,
        tags::NUMBER_OF_FRAMES,
        tags::ROWS,
        tags::COLUMNS,
        tags::BITS_ALLOCATED,
        tags::AVAILABLE_TRANSFER_SYNTAX_UID,
        tags::INSTANCE_AVAILABILITY,
        tags::RETRIEVE_URL,
    ];
    query.include() == &Include::All
        || asks_for(query, |tag| level_of(tag) == Level::Instance && !INDEXED.contains(&tag))
}

/// Whether such an attribute is searched or asked for.
fn asks_for(query: &Query, is_such: impl Fn(Tag) -> bool) -> bool {
    let first = |path: &[Selector]| path.first().is_some_and(|selector| is_such(selector.tag));
    let included = match query.include() {
        Include::All => false,
        Include::Only(paths) => paths.iter().any(|path| first(path)),
    };
    included || query.keys().iter().any(|key| first(&key.path))
}

/// Attributes of a level, and of the levels above it.
fn joined(upper: Option<&Attributes>, mut own: Attributes) -> Attributes {
    for (tag, attribute) in upper.into_iter().flatten() {
        if own.get(*tag).is_none() {
            own.put(*tag, attribute.clone());
        }
    }
    own
}

fn study_attributes(study: &FoundStudy) -> Attributes {
    let mut attributes = json::parse(study.attributes.as_bytes()).unwrap_or_default();
    attributes.put_text(tags::STUDY_INSTANCE_UID, study.uid.as_str());
    attributes.put_texts(tags::MODALITIES_IN_STUDY, study.modalities.iter().cloned());
    attributes.put_number(tags::NUMBER_OF_STUDY_RELATED_SERIES, study.series);
    attributes.put_number(tags::NUMBER_OF_STUDY_RELATED_INSTANCES, study.instances);
    attributes.put_text(tags::INSTANCE_AVAILABILITY, "ONLINE");
    attributes
}

fn series_attributes(series: &FoundSeries) -> Attributes {
    let mut attributes = json::parse(series.attributes.as_bytes()).unwrap_or_default();
    attributes.put_text(tags::SERIES_INSTANCE_UID, series.uid.as_str());
    attributes.put_number(tags::NUMBER_OF_SERIES_RELATED_INSTANCES, series.instances);
    attributes
}
