//! [`Question`]: what a search asks, checked (FHIR R4 §3.1.1).
//!
//! A parameter that is not known is refused unless `Prefer: handling=lenient` is said: a mistyped `patient` that is passed over
//! would give everybody's results.

use medvan_authoring::Release;
use medvan_imaging::Uid;
use time::{Date, Duration, Month, OffsetDateTime, Time, format_description::well_known::Rfc3339};
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use super::{Kind, Refusal, analyses::compact, capability, parameters::Parameters};
use crate::{catalog::ServiceName, store::PublishedNarrow};

const COUNT: usize = 50;
const MOST: usize = 200;

/// A search.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    pub(super) ids: Option<Vec<String>>,
    pub(super) patient: Option<String>,
    pub(super) study: Option<Uid>,
    pub(super) accession: Option<String>,
    pub(super) modality: Option<String>,
    pub(super) service: Option<ServiceName>,
    pub(super) device: Option<Uuid>,
    pub(super) codes: Option<Vec<String>>,
    /// Codes of parts of the body.
    pub(super) sites: Option<Vec<String>>,
    /// Identifiers, as `[system|]value`.
    pub(super) identifiers: Option<Vec<String>>,
    /// The observation that is derived from a selection.
    pub(super) derived: Option<String>,
    /// The report whose provenance is asked for.
    pub(super) target: Option<Uuid>,
    /// First and last day of the examination.
    pub(super) days: (Option<Date>, Option<Date>),
    /// From when and before when the answer came.
    pub(super) at: (Option<OffsetDateTime>, Option<OffsetDateTime>),
    /// Whether nothing can match: another status than ours is asked for.
    pub(super) is_of_nothing: bool,
    pub(super) count: usize,
    pub(super) after: Option<String>,
    understood: Vec<(String, String)>,
}

impl Question {
    /// Checks the parameters of a search for a type of resource.
    pub(super) fn read(
        kind: Kind,
        release: Release,
        parameters: &Parameters,
        is_lenient: bool,
    ) -> Result<Self, Refusal> {
        let mut question = Self { count: COUNT, ..Self::default() };
        for (name, value) in parameters.iter() {
            let is_control = matches!(name, "_count" | "_after" | "_format");
            let plain = name.split([':', '.']).next().unwrap_or(name);
            if !is_control && !capability::parameters(kind, release).any(|known| known == plain) {
                if is_lenient {
                    continue;
                }
                return Err(Refusal::BadRequest(format!(
                    "a search parameter is not known for {}; GET metadata lists those that are",
                    kind.word()
                )));
            }
            question.take(kind, release, name, value).ok_or_else(|| {
                // The name is one of ours, perhaps with a modifier; the value may be a patient's.
                Refusal::BadRequest(format!("the search parameter {plain} cannot be read, or is given twice"))
            })?;
            if name != "_after" {
                question.understood.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(question)
    }

    /// What was understood, as a query string.
    pub(super) fn understood(&self, after: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.understood);
        if let Some(after) = after {
            query.append_pair("_after", after);
        }
        query.finish()
    }

    /// The analyses that are asked for, or what was made of them; ids, devices and codes are of resources and stand apart.
    pub(super) fn narrow(&self) -> PublishedNarrow {
        PublishedNarrow {
            patient_id: self.patient.clone(),
            study: self.study.clone(),
            service: self.service.clone(),
            study_dates: (self.days.0.map(compact), self.days.1.map(compact)),
            at: self.at,
            ..PublishedNarrow::default()
        }
    }

    fn take(&mut self, kind: Kind, release: Release, name: &str, value: &str) -> Option<()> {
        match name {
            "_format" => Some(()),
            "_count" => {
                self.count = value.parse::<usize>().ok().filter(|count| *count > 0)?.min(MOST);
                Some(())
            }
            "_after" => once(&mut self.after, value.to_owned()),
            "_id" => once(&mut self.ids, value.split(',').map(str::to_owned).collect()),
            "date" | "started" => narrow_days(&mut self.days, value),
            "_lastUpdated" | "issued" | "recorded" => narrow_times(&mut self.at, value),
            "patient" | "subject" | "patient:Patient" | "subject:Patient" => {
                once(&mut self.patient, reference("Patient", value)?)
            }
            "patient:identifier"
            | "subject:identifier"
            | "patient.identifier"
            | "subject.identifier"
            | "patient:Patient.identifier"
            | "subject:Patient.identifier" => once(&mut self.patient, token(value)?),
            "identifier" if kind == Kind::ImagingStudy => self.take_study_or_accession(value),
            "derived-from" if release == Release::R5 && value.contains("ImagingSelection/") => {
                self.take_selection(value)
            }
            "study" | "study-uid" | "imagingStudy" | "derived-from" | "part-of" => once(&mut self.study, study(value)?),
            "modality" => once(&mut self.modality, token(value)?),
            "service" => once(&mut self.service, value.parse().ok()?),
            "device" => once(&mut self.device, reference("Device", value)?.parse().ok()?),
            "target" => {
                let id = value.rsplit('/').next().unwrap_or(value);
                once(&mut self.target, id.split('.').next()?.parse().ok()?)
            }
            "code" => once(&mut self.codes, value.split(',').map(str::to_owned).collect()),
            "body-site" => once(&mut self.sites, value.split(',').map(str::to_owned).collect()),
            "identifier" => once(&mut self.identifiers, value.split(',').map(str::to_owned).collect()),
            "status" => {
                let ours = if kind == Kind::ImagingSelection { "available" } else { "preliminary" };
                self.is_of_nothing |= !value.split(',').any(|status| token(status).as_deref() == Some(ours));
                Some(())
            }
            _ => None,
        }
    }

    /// A selection has the id of its observation, and its part (`<job>.<n>.<part>`).
    fn take_selection(&mut self, value: &str) -> Option<()> {
        let id = reference("ImagingSelection", value)?;
        let (observation, _) = id.rsplit_once('.')?;
        once(&mut self.derived, observation.to_owned())
    }

    fn take_study_or_accession(&mut self, value: &str) -> Option<()> {
        match study(value) {
            Some(uid) if value.contains("urn:") => once(&mut self.study, uid),
            _ => once(&mut self.accession, token(value)?),
        }
    }
}

/// Takes a value that is given once.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// The id in a reference: `Patient/1`, `1`, or an absolute address. Ids of patients are a hospital's own and may hold anything
/// but what says that there are several.
fn reference(kind: &str, value: &str) -> Option<String> {
    let marker = format!("{kind}/");
    let id = value.rfind(&marker).map_or(value, |at| &value[at + marker.len()..]);
    (!id.is_empty() && !id.contains(',')).then(|| id.to_owned())
}

/// The value of `[system|]value`.
fn token(value: &str) -> Option<String> {
    let value = value.split_once('|').map_or(value, |(_, value)| value);
    (!value.is_empty() && !value.contains(',')).then(|| value.to_owned())
}

/// A study, as `urn:dicom:uid|urn:oid:1.2`, `urn:oid:1.2`, `ImagingStudy/1.2` or `1.2`.
fn study(value: &str) -> Option<Uid> {
    let uid = token(value)?;
    let uid = uid.strip_prefix("urn:oid:").unwrap_or(&uid);
    Uid::parse(&reference("ImagingStudy", uid)?).ok()
}

/// A prefix and what it is about (§3.1.1.4.4). `ne`, `sa`, `eb` and `ap` are not known.
fn prefixed(value: &str) -> Option<(&str, &str)> {
    let known = ["eq", "ge", "le", "gt", "lt"].into_iter().find(|prefix| value.starts_with(prefix));
    known.map(|prefix| (prefix, &value[prefix.len()..])).or(Some(("eq", value)))
}

fn narrow_days(days: &mut (Option<Date>, Option<Date>), value: &str) -> Option<()> {
    let (prefix, text) = prefixed(value)?;
    let (day, is_day) = text.split_once('T').map_or((text, true), |(day, _)| (day, false));
    let (first, last) = period(day)?;
    // A day lies partly after any time within it.
    let (after, before) = if is_day { (last.next_day()?, first.previous_day()?) } else { (first, last) };
    let (from, to) = match prefix {
        "ge" => (Some(first), None),
        "gt" => (Some(after), None),
        "le" => (None, Some(last)),
        "lt" => (None, Some(before)),
        _ => (Some(first), Some(last)),
    };
    days.0 = days.0.max(from);
    days.1 = [days.1, to].into_iter().flatten().min();
    Some(())
}

fn narrow_times(at: &mut (Option<OffsetDateTime>, Option<OffsetDateTime>), value: &str) -> Option<()> {
    let (prefix, text) = prefixed(value)?;
    let (first, end) = match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(instant) if instant.nanosecond() == 0 => (instant, instant.checked_add(Duration::SECOND)?),
        // Ours are told in milliseconds.
        Ok(instant) => (instant, instant.checked_add(Duration::MILLISECOND)?),
        Err(_) => {
            let (first, last) = period(text)?;
            let midnight = |day: Date| day.with_time(Time::MIDNIGHT).assume_utc();
            (midnight(first), midnight(last.next_day()?))
        }
    };
    let (from, before) = match prefix {
        "ge" => (Some(first), None),
        "gt" => (Some(end), None),
        "le" => (None, Some(end)),
        "lt" => (None, Some(first)),
        _ => (Some(first), Some(end)),
    };
    at.0 = at.0.max(from);
    at.1 = [at.1, before].into_iter().flatten().min();
    Some(())
}

/// First and last day of `2026`, `2026-11` or `2026-11-23`.
fn period(text: &str) -> Option<(Date, Date)> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(is_number) || !parts.iter().map(|part| part.len()).eq([4, 2, 2].into_iter().take(parts.len()))
    {
        return None;
    }
    let year: i32 = parts.first()?.parse().ok()?;
    let month = |text: &&str| text.parse::<u8>().ok().and_then(|month| Month::try_from(month).ok());
    let day = |month, day| Date::from_calendar_date(year, month, day).ok();
    match parts.as_slice() {
        [_] => Some((day(Month::January, 1)?, day(Month::December, 31)?)),
        [_, m] => Some((day(month(m)?, 1)?, day(month(m)?, month(m)?.length(year))?)),
        [_, m, d] => day(month(m)?, d.parse().ok()?).map(|day| (day, day)),
        _ => None,
    }
}
