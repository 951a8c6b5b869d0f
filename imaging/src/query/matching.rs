//! Trying keys on a candidate (PS3.4 §C.2.2.2).

use std::borrow::Cow;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::{
    DEPTH, Key, Matching, Query, QueryError, Range, Selector,
    key::{Decimal, path_name},
    moment::{self, DAY},
};
use crate::attributes::{Attribute, Attributes, Content, Number};

/// Keys of one data set or item that constrain it.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) tests: Vec<Test>,
    pub(super) combined: Vec<Combined>,
    sequences: Vec<(Selector, Group)>,
}

#[derive(Debug, Clone)]
pub(super) struct Test {
    pub(super) selector: Selector,
    vr: VR,
    pub(super) matching: Matching,
}

/// A range of dates and one of times that make one range of moments (§C.2.2.2.5.4).
#[derive(Debug, Clone)]
pub(super) struct Combined {
    pub(super) date: Tag,
    time: Tag,
    pub(super) dates: Range,
    moments: Range,
}

/// Offsets from UTC of the query and of the candidate, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zones {
    asked: Option<i64>,
    stored: Option<i64>,
}

/// Dates and the times of day that belong to them.
const PAIRS: &[(Tag, Tag)] = &[
    (tags::STUDY_DATE, tags::STUDY_TIME),
    (tags::SERIES_DATE, tags::SERIES_TIME),
    (tags::ACQUISITION_DATE, tags::ACQUISITION_TIME),
    (tags::CONTENT_DATE, tags::CONTENT_TIME),
    (tags::INSTANCE_CREATION_DATE, tags::INSTANCE_CREATION_TIME),
    (tags::PATIENT_BIRTH_DATE, tags::PATIENT_BIRTH_TIME),
    (tags::PERFORMED_PROCEDURE_STEP_START_DATE, tags::PERFORMED_PROCEDURE_STEP_START_TIME),
    (tags::PERFORMED_PROCEDURE_STEP_END_DATE, tags::PERFORMED_PROCEDURE_STEP_END_TIME),
    (tags::SCHEDULED_PROCEDURE_STEP_START_DATE, tags::SCHEDULED_PROCEDURE_STEP_START_TIME),
    (tags::SCHEDULED_PROCEDURE_STEP_END_DATE, tags::SCHEDULED_PROCEDURE_STEP_END_TIME),
];

impl Query {
    /// Whether a candidate is a result. It has the attributes of its own level and of those above together, with
    /// Modalities in Study and the like where they are searched.
    pub fn matches(&self, candidate: &Attributes) -> bool {
        self.root.matches(candidate, self.zones(candidate))
    }

    pub(super) fn zones(&self, candidate: &Attributes) -> Zones {
        let stored = candidate.text(tags::TIMEZONE_OFFSET_FROM_UTC);
        Zones { asked: self.zone, stored: stored.and_then(|text| moment::offset(text.trim())) }
    }
}

impl Zones {
    /// What brings a stored time into the query's time zone.
    fn shift(self) -> i64 {
        self.asked.zip(self.stored).map_or(0, |(asked, stored)| asked - stored)
    }
}

impl Group {
    /// Keys with values, those of one sequence together: one item must match them all (§C.2.2.2.6).
    pub(super) fn of(keys: &[Key], combined: bool) -> Result<Self, QueryError> {
        let mut root = Self::default();
        for key in keys.iter().filter(|key| !key.matching.is_universal()) {
            let Some((last, sequences)) = key.path.split_last() else { continue };
            if sequences.len() > DEPTH {
                return Err(QueryError::TooMuch);
            }
            let group = sequences.iter().fold(&mut root, Self::inside);
            group.tests.push(Test { selector: last.clone(), vr: key.vr, matching: key.matching.clone() });
        }
        root.finish(combined, &mut Vec::new())?;
        Ok(root)
    }

    fn inside<'a>(group: &'a mut Self, sequence: &Selector) -> &'a mut Self {
        let at = group.sequences.iter().position(|(selector, _)| selector == sequence).unwrap_or_else(|| {
            group.sequences.push((sequence.clone(), Self::default()));
            group.sequences.len() - 1
        });
        &mut group.sequences[at].1
    }

    /// The group of a sequence, where one has keys.
    pub(super) fn at(&self, sequence: &Selector) -> Option<&Self> {
        self.sequences.iter().find(|(selector, _)| selector == sequence).map(|(_, group)| group)
    }

    fn finish(&mut self, combined: bool, way: &mut Vec<Tag>) -> Result<(), QueryError> {
        if combined {
            PAIRS.iter().for_each(|(date, time)| self.combine(*date, *time));
        }
        let ordered = |range: &Range, tag| match range.is_ordered() {
            true => Ok(()),
            false => Err(out_of_order(way, tag)),
        };
        for test in &self.tests {
            if let Matching::Range(range) = &test.matching {
                ordered(range, test.selector.tag)?;
            }
        }
        self.combined.iter().try_for_each(|pair| ordered(&pair.moments, pair.date))?;
        for (selector, group) in &mut self.sequences {
            way.push(selector.tag);
            group.finish(combined, way)?;
            way.pop();
        }
        Ok(())
    }

    fn combine(&mut self, date: Tag, time: Tag) {
        let range = |tag| self.tests.iter().find(|test| test.selector.tag == tag).and_then(Test::range);
        let (Some(dates), Some(times)) = (range(date), range(time)) else { return };
        let Some(moments) = Range::combined(dates, times) else { return };
        self.combined.push(Combined { date, time, dates: dates.clone(), moments });
        self.tests.retain(|test| test.selector.tag != date && test.selector.tag != time);
    }

    pub(super) fn matches(&self, item: &Attributes, zones: Zones) -> bool {
        self.tests.iter().all(|test| test.matches(item, zones))
            && self.combined.iter().all(|combined| combined.matches(item, zones))
            && self.sequences.iter().all(|(selector, group)| {
                let items = selector.find(item).map(|(_, attribute)| &attribute.content);
                matches!(items, Some(Content::Items(items)) if items.iter().any(|item| group.matches(item, zones)))
            })
    }
}

fn out_of_order(way: &[Tag], tag: Tag) -> QueryError {
    let path: Vec<Tag> = way.iter().copied().chain([tag]).collect();
    QueryError::Value { attribute: path_name(&path), expected: "a range whose end is not before its beginning" }
}

impl Combined {
    fn matches(&self, item: &Attributes, zones: Zones) -> bool {
        let Some(day) = first(item, self.date, VR::DA) else { return false };
        match first(item, self.time, VR::TM) {
            Some(time) => self.moments.holds(day + time + zones.shift(), None, None),
            // Without a time of day the date is all that can be asked.
            None => self.dates.holds(day, None, None),
        }
    }
}

/// The first value of a date or time of day.
fn first(item: &Attributes, tag: Tag, vr: VR) -> Option<i64> {
    moment::read(vr, item.text(tag)?.trim()).map(|written| written.earliest)
}

impl Test {
    fn range(&self) -> Option<&Range> {
        match &self.matching {
            Matching::Range(range) => Some(range),
            _ => None,
        }
    }

    fn matches(&self, item: &Attributes, zones: Zones) -> bool {
        self.fits(&self.matching, item, zones)
    }

    fn fits(&self, matching: &Matching, item: &Attributes, zones: Zones) -> bool {
        let attribute = || self.selector.find(item).map(|(_, attribute)| attribute);
        match matching {
            Matching::Universal => true,
            Matching::Empty => attribute().is_none_or(Attribute::is_empty),
            Matching::AnyOf(several) => several.iter().any(|one| self.fits(one, item, zones)),
            Matching::AllOf(several) => several.iter().all(|one| self.fits(one, item, zones)),
            Matching::PrivateCreator(creator) => has_creator(item, self.selector.tag, creator.as_str()),
            Matching::Range(range) => attribute().is_some_and(|attribute| self.in_range(range, attribute, item, zones)),
            one => attribute().is_some_and(|attribute| has_value(one, attribute)),
        }
    }

    fn in_range(&self, range: &Range, attribute: &Attribute, item: &Attributes, zones: Zones) -> bool {
        any_text(attribute, |text| {
            let Some(stored) = moment::read(self.vr, text.trim()) else { return false };
            match self.vr {
                VR::DT => range.holds(stored.earliest, stored.offset.or(zones.stored), zones.asked),
                VR::DA => range.holds(stored.earliest + self.shift_of_day(item, zones), None, None),
                _ => range.holds((stored.earliest + zones.shift()).rem_euclid(DAY), None, None),
            }
        })
    }

    /// A date in another time zone depends on its time of day; without one it is left as it is.
    fn shift_of_day(&self, item: &Attributes, zones: Zones) -> i64 {
        let time = PAIRS.iter().find(|(date, _)| *date == self.selector.tag).map(|(_, time)| *time);
        let time = time.filter(|_| zones.shift() != 0).and_then(|time| first(item, time, VR::TM));
        time.map_or(0, |time| (time + zones.shift()).div_euclid(DAY) * DAY)
    }
}

fn has_creator(item: &Attributes, tag: Tag, creator: &str) -> bool {
    (0x0010..=0x00FF).any(|block| item.text(Tag(tag.group(), block)).is_some_and(|text| bare(&text) == creator))
}

fn has_value(matching: &Matching, attribute: &Attribute) -> bool {
    match matching {
        Matching::Single(asked) => any_text(attribute, |text| bare(text) == asked.as_str()),
        Matching::Wildcard(pattern) => any_text(attribute, |text| pattern.matches(bare(text))),
        Matching::UidList(uids) => {
            any_text(attribute, |text| uids.binary_search_by(|uid| uid.as_str().cmp(bare(text))).is_ok())
        }
        Matching::Number(number) => has_number(*number, attribute),
        Matching::Name(pattern) => match &attribute.content {
            Content::Names(names) => names.iter().flatten().any(|name| pattern.matches(name)),
            _ => false,
        },
        _ => false,
    }
}

fn has_number(asked: Decimal, attribute: &Attribute) -> bool {
    let same = |stored: &Number| match (*stored, asked) {
        (Number::Signed(stored), Decimal::Whole(asked)) => i128::from(stored) == asked,
        (Number::Unsigned(stored), Decimal::Whole(asked)) => i128::from(stored) == asked,
        (Number::Signed(_) | Number::Unsigned(_), Decimal::Fraction(..)) => false,
        (Number::Single(stored), asked) => stored == asked.as_single(),
        (Number::Double(stored), asked) => stored == asked.as_double(),
    };
    match &attribute.content {
        Content::Numbers(numbers) => numbers.iter().flatten().any(same),
        _ => any_text(attribute, |text| asked.equals_text(text)),
    }
}

/// Whether one value passes. Bytes of an unknown VR are tried as text: what else they could be nobody knows.
fn any_text(attribute: &Attribute, passes: impl Fn(&str) -> bool) -> bool {
    let passes = |text: Cow<'_, str>| passes(&text);
    match &attribute.content {
        Content::Text(texts) => texts.iter().flatten().any(|text| passes(Cow::Borrowed(text))),
        Content::Numbers(numbers) => numbers.iter().flatten().any(|number| passes(Cow::Owned(number.to_string()))),
        Content::Names(names) => names.iter().flatten().any(|name| passes(Cow::Owned(name.to_string()))),
        Content::Inline(bytes) if attribute.vr == VR::UN => passes(String::from_utf8_lossy(bytes)),
        Content::Empty | Content::Items(_) | Content::Inline(_) | Content::Elsewhere(_) => false,
    }
}

/// A text without what does not count (PS3.5 §6.2).
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches([' ', '\0'])
}
