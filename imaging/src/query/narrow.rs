//! [`Narrow`]: what an index may ask beforehand.

use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{
    Matching, Query, date_key,
    matching::{Test, bare},
};
use crate::{
    Uid,
    attributes::{Attribute, Attributes, Content},
    person_name::PersonName,
};

/// A condition that every result fulfils, and perhaps others too. Texts are compared without spaces around them and with
/// their case; dates as [`date_key`] writes them.
#[derive(Clone, PartialEq, Eq)]
pub enum Narrow {
    /// Study Instance UID is one of these.
    StudyInstanceUid(Vec<String>),
    /// Series Instance UID is one of these.
    SeriesInstanceUid(Vec<String>),
    /// SOP Instance UID is one of these.
    SopInstanceUid(Vec<String>),
    /// SOP Class UID is one of these.
    SopClassUid(Vec<String>),
    /// Patient ID.
    PatientId(TextBound),
    /// A folded word of Patient Name ([`crate::person_name::PersonName::search_keys`]) begins like one of these.
    PatientNameWord(Vec<String>),
    /// Accession Number.
    AccessionNumber(TextBound),
    /// Study ID.
    StudyId(TextBound),
    /// Modality is one of these.
    Modality(Vec<String>),
    /// One of these is among Modalities in Study.
    ModalitiesInStudy(Vec<String>),
    /// Study Date, both ends included.
    StudyDate {
        /// The first day, `YYYYMMDD`.
        from: Option<String>,
        /// The last day.
        to: Option<String>,
    },
}

/// A condition on a text.
#[derive(Clone, PartialEq, Eq)]
pub enum TextBound {
    /// It is one of these.
    Exact(Vec<String>),
    /// It begins with this.
    Prefix(String),
}

impl fmt::Debug for Narrow {
    /// What it is about; the values may be a patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StudyInstanceUid(_) => "StudyInstanceUid",
            Self::SeriesInstanceUid(_) => "SeriesInstanceUid",
            Self::SopInstanceUid(_) => "SopInstanceUid",
            Self::SopClassUid(_) => "SopClassUid",
            Self::PatientId(_) => "PatientId",
            Self::PatientNameWord(_) => "PatientNameWord",
            Self::AccessionNumber(_) => "AccessionNumber",
            Self::StudyId(_) => "StudyId",
            Self::Modality(_) => "Modality",
            Self::ModalitiesInStudy(_) => "ModalitiesInStudy",
            Self::StudyDate { .. } => "StudyDate",
        })
    }
}

impl fmt::Debug for TextBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(texts) => write!(f, "Exact({} texts)", texts.len()),
            Self::Prefix(prefix) => write!(f, "Prefix({} bytes)", prefix.len()),
        }
    }
}

impl Query {
    /// Conditions for an index: whatever [`Query::matches`] also fulfils all of them.
    pub fn narrow(&self) -> Vec<Narrow> {
        let mut conditions: Vec<Narrow> = self.root.tests.iter().flat_map(|test| self.conditions(test)).collect();
        let combined = self.root.combined.iter().filter(|combined| combined.date == tags::STUDY_DATE);
        conditions.extend(combined.map(|combined| self.study_date(&combined.dates)));
        conditions
    }

    fn conditions(&self, test: &Test) -> Vec<Narrow> {
        let each = match &test.matching {
            Matching::AllOf(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        };
        each.iter().filter_map(|matching| self.condition(test.selector.tag, matching)).collect()
    }

    fn condition(&self, tag: Tag, matching: &Matching) -> Option<Narrow> {
        Some(match tag {
            tags::STUDY_INSTANCE_UID => Narrow::StudyInstanceUid(uids(matching)?),
            tags::SERIES_INSTANCE_UID => Narrow::SeriesInstanceUid(uids(matching)?),
            tags::SOP_INSTANCE_UID => Narrow::SopInstanceUid(uids(matching)?),
            tags::SOP_CLASS_UID => Narrow::SopClassUid(uids(matching)?),
            tags::PATIENT_ID => Narrow::PatientId(text_bound(matching)?),
            tags::PATIENT_NAME => Narrow::PatientNameWord(name_prefixes(matching)?),
            tags::ACCESSION_NUMBER => Narrow::AccessionNumber(text_bound(matching)?),
            tags::STUDY_ID => Narrow::StudyId(text_bound(matching)?),
            tags::MODALITY => Narrow::Modality(exact(matching)?),
            tags::MODALITIES_IN_STUDY => Narrow::ModalitiesInStudy(exact(matching)?),
            tags::STUDY_DATE => match matching {
                Matching::Range(range) => self.study_date(range),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// In another time zone it may be the day before or after.
    fn study_date(&self, range: &super::Range) -> Narrow {
        let (from, to) = range.days(i64::from(self.zone.is_some()) * 2);
        Narrow::StudyDate { from, to }
    }
}

impl Narrow {
    /// Whether a candidate fulfils it: what an index asks, as a rule.
    pub fn admits(&self, candidate: &Attributes) -> bool {
        let one_of = |tag, texts: &[String]| has(candidate, tag, |text| texts.iter().any(|one| one == text));
        match self {
            Self::StudyInstanceUid(uids) => one_of(tags::STUDY_INSTANCE_UID, uids),
            Self::SeriesInstanceUid(uids) => one_of(tags::SERIES_INSTANCE_UID, uids),
            Self::SopInstanceUid(uids) => one_of(tags::SOP_INSTANCE_UID, uids),
            Self::SopClassUid(uids) => one_of(tags::SOP_CLASS_UID, uids),
            Self::PatientId(bound) => has(candidate, tags::PATIENT_ID, |text| bound.admits(text)),
            Self::PatientNameWord(prefixes) => has_word(candidate, tags::PATIENT_NAME, prefixes),
            Self::AccessionNumber(bound) => has(candidate, tags::ACCESSION_NUMBER, |text| bound.admits(text)),
            Self::StudyId(bound) => has(candidate, tags::STUDY_ID, |text| bound.admits(text)),
            Self::Modality(modalities) => one_of(tags::MODALITY, modalities),
            Self::ModalitiesInStudy(modalities) => one_of(tags::MODALITIES_IN_STUDY, modalities),
            Self::StudyDate { from, to } => has(candidate, tags::STUDY_DATE, |text| {
                let day = date_key(text);
                let after = |from: &String| day.as_ref().is_some_and(|day| day >= from);
                let before = |to: &String| day.as_ref().is_some_and(|day| day <= to);
                from.as_ref().is_none_or(after) && to.as_ref().is_none_or(before)
            }),
        }
    }
}

impl TextBound {
    /// Whether a text without spaces around it fulfils it.
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Self::Exact(texts) => texts.iter().any(|one| one == text),
            Self::Prefix(prefix) => text.starts_with(prefix),
        }
    }
}

fn has_word(candidate: &Attributes, tag: Tag, prefixes: &[String]) -> bool {
    let Some(Content::Names(names)) = candidate.get(tag).map(|attribute| &attribute.content) else { return false };
    let mut words = names.iter().flatten().flat_map(PersonName::search_keys);
    words.any(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)))
}

fn has(candidate: &Attributes, tag: Tag, passes: impl Fn(&str) -> bool) -> bool {
    let texts = candidate.get(tag).map(Attribute::texts).unwrap_or_default();
    texts.iter().flatten().any(|text| passes(bare(text)))
}

fn uids(matching: &Matching) -> Option<Vec<String>> {
    match matching {
        Matching::UidList(uids) => Some(uids.iter().map(|uid: &Uid| uid.as_str().to_owned()).collect()),
        _ => None,
    }
}

fn name_prefixes(matching: &Matching) -> Option<Vec<String>> {
    match matching {
        Matching::Name(pattern) => pattern.keys(),
        Matching::AnyOf(several) => {
            several.iter().map(name_prefixes).collect::<Option<Vec<_>>>().map(|each| each.concat())
        }
        _ => None,
    }
}

fn exact(matching: &Matching) -> Option<Vec<String>> {
    match text_bound(matching)? {
        TextBound::Exact(texts) => Some(texts),
        TextBound::Prefix(_) => None,
    }
}

fn text_bound(matching: &Matching) -> Option<TextBound> {
    match matching {
        Matching::Single(text) => Some(TextBound::Exact(vec![text.as_str().to_owned()])),
        Matching::Wildcard(pattern) => {
            Some(pattern.prefix()).filter(|prefix| !prefix.is_empty()).map(TextBound::Prefix)
        }
        Matching::AnyOf(several) => {
            several.iter().map(exact).collect::<Option<Vec<_>>>().map(|texts| TextBound::Exact(texts.concat()))
        }
        _ => None,
    }
}
