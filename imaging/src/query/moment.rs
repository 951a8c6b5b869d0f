//! Dates and times as values and as ranges (VRs DA, TM and DT, PS3.5 §6.2; range matching, PS3.4 §C.2.2.2.5).
//!
//! A value may leave out its last parts. As a key it then means the whole stretch (`1015` is from 10:15:00 to 10:15:59);
//! as a stored value it means the beginning of it, as most archives have it.

use dicom_core::VR;
use time::{Date, Month};

/// Microseconds of a day.
pub(super) const DAY: i64 = 24 * 60 * MINUTE;
/// Microseconds of a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
const SECOND: i64 = 1_000_000;

/// A date, a time of day, or both. Microseconds are counted from midnight, for dates from midnight of Julian day 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// The first microsecond that it can mean.
    pub(super) earliest: i64,
    /// The last one.
    pub(super) latest: i64,
    /// Offset from UTC, where it has one.
    pub(super) offset: Option<i64>,
}

/// A stretch of time that a date, a time or both must lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    form: Form,
    from: Option<Written>,
    to: Option<Written>,
}

/// The forms of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Single,
    Between,
    From,
    Until,
}

impl Range {
    /// Reads a key of VR DA, TM or DT: `a`, `a-b`, `a-` or `-b`.
    pub(super) fn parse(vr: VR, text: &str) -> Option<Self> {
        let text = text.trim();
        let read = |part: &str| read(vr, part.trim());
        let Some(hyphen) = separator(vr, text)? else {
            let one = Some(read(text)?);
            return Some(Self { form: Form::Single, from: one, to: one });
        };
        match (&text[..hyphen], &text[hyphen + 1..]) {
            ("", "") => None,
            ("", to) => Some(Self { form: Form::Until, from: None, to: Some(read(to)?) }),
            (from, "") => Some(Self { form: Form::From, from: Some(read(from)?), to: None }),
            (from, to) => Some(Self { form: Form::Between, from: Some(read(from)?), to: Some(read(to)?) }),
        }
    }

    /// Whether it ends after it begins. A range of times alone must (§C.2.2.2.5.2: not across midnight); together with
    /// a range of dates it need not.
    pub(super) fn is_ordered(&self) -> bool {
        match (self.from, self.to) {
            (Some(from), Some(to)) => match (from.offset, to.offset) {
                (Some(a), Some(b)) => from.earliest - a <= to.latest - b,
                _ => from.earliest <= to.latest,
            },
            _ => true,
        }
    }

    /// One range of moments from a range of dates and one of times of the same form (§C.2.2.2.5.4).
    pub(super) fn combined(dates: &Self, times: &Self) -> Option<Self> {
        if dates.form != times.form || dates.form == Form::Single {
            return None;
        }
        let from = dates.from.zip(times.from).map(|(date, time)| date.earliest + time.earliest);
        let to = dates.to.zip(times.to).map(|(date, time)| date.latest - (DAY - 1) + time.latest);
        let at = |moment| Written { earliest: moment, latest: moment, offset: None };
        Some(Self { form: dates.form, from: from.map(at), to: to.map(at) })
    }

    /// Whether a stored moment lies in it. Offsets from UTC count where both sides have one; `zone` is the one that the
    /// query has for all its values.
    pub(super) fn holds(&self, moment: i64, offset: Option<i64>, zone: Option<i64>) -> bool {
        let apart = |bound: &Written| match (offset, bound.offset.or(zone)) {
            (Some(stored), Some(asked)) => asked - stored,
            _ => 0,
        };
        self.from.is_none_or(|from| moment + apart(&from) >= from.earliest)
            && self.to.is_none_or(|to| moment + apart(&to) <= to.latest)
    }

    /// The days that it touches, as `YYYYMMDD`, widened by a number of days.
    pub fn days(&self, wider: i64) -> (Option<String>, Option<String>) {
        let from = self.from.and_then(|from| day_text(from.earliest.div_euclid(DAY) - wider));
        let to = self.to.and_then(|to| day_text(to.latest.div_euclid(DAY) + wider));
        (from, to)
    }
}

/// A stored date as an index keeps it: `YYYYMMDD`. ACR-NEMA's `YYYY.MM.DD` becomes that; what is no date has none.
pub fn date_key(stored: &str) -> Option<String> {
    day_text(read(VR::DA, stored.trim())?.earliest.div_euclid(DAY))
}

/// The day of a stored moment (VR DT) as it is written, whatever its offset from UTC, in the form of [`date_key`].
pub fn moment_key(stored: &str) -> Option<String> {
    day_text(read(VR::DT, stored.trim())?.earliest.div_euclid(DAY))
}

fn day_text(day: i64) -> Option<String> {
    let date = Date::from_julian_day(i32::try_from(day).ok()?).ok()?;
    let in_form = (0..=9999).contains(&date.year());
    in_form.then(|| format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day()))
}

/// Reads one value of VR DA, TM or DT.
pub(super) fn read(vr: VR, text: &str) -> Option<Written> {
    let whole = |(earliest, latest)| Written { earliest, latest, offset: None };
    match vr {
        VR::DA => date(text).map(whole),
        VR::TM => time(text).map(whole),
        VR::DT => date_time(text),
        _ => None,
    }
}

/// Reads an offset from UTC, `+0900`. A space for the plus sign is what is left of one in a careless URL.
pub(super) fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' | b' ' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let furthest = if sign > 0 { 1400 } else { 1200 };
    let (hours, minutes) = (number(digits.get(..2)?)?, number(digits.get(2..)?)?);
    let right = digits.len() == 4 && minutes < 60 && hours * 100 + minutes <= furthest;
    right.then_some(sign * (hours * 60 + minutes) * MINUTE)
}

/// Where the hyphen of a range is. `None` where there are too many.
fn separator(vr: VR, text: &str) -> Option<Option<usize>> {
    let mut found = None;
    let mut has_offset = false;
    for (at, _) in text.match_indices('-') {
        if vr == VR::DT && !has_offset && is_offset(&text[at..]) && text[..at].ends_with(|c: char| c.is_ascii_digit()) {
            has_offset = true;
        } else if found.replace(at).is_some() {
            return None;
        } else {
            has_offset = false;
        }
    }
    Some(found)
}

/// Whether a hyphen begins a negative offset: `-0500` at the end or before another hyphen. A year so early is nobody's.
fn is_offset(text: &str) -> bool {
    let rest = text.get(5..).map(str::trim_start);
    text.get(..5).and_then(offset).is_some() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn date(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    if bytes.len() == 10 && bytes[4] == b'.' && bytes[7] == b'.' {
        return date(&text.replace('.', ""));
    }
    let year = i32::try_from(number(text.get(..4)?)?).ok()?;
    match text.len() {
        4 => Some((start(year, 1, 1)?, start(year, 12, 31)? + DAY - 1)),
        6 => {
            let month = u8::try_from(number(&text[4..])?).ok()?;
            let last = Month::try_from(month).ok()?.length(year);
            Some((start(year, month, 1)?, start(year, month, last)? + DAY - 1))
        }
        8 => {
            let (month, day) = (number(text.get(4..6)?)?, number(text.get(6..)?)?);
            let start = start(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
            Some((start, start + DAY - 1))
        }
        _ => None,
    }
}

fn start(year: i32, month: u8, day: u8) -> Option<i64> {
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    Some(i64::from(date.to_julian_day()) * DAY)
}

fn time(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    if bytes.get(2) == Some(&b':') {
        // ACR-NEMA's form: HH:MM:SS.FFFFFF.
        let right = bytes.get(5).is_none_or(|at| *at == b':') && text.matches(':').count() <= 2;
        return if right { time(&text.replace(':', "")) } else { None };
    }
    let (main, fraction) = match text.split_once('.') {
        Some((main, fraction)) if main.len() == 6 => (main, Some(fraction)),
        Some(_) => return None,
        None => (text, None),
    };
    let part = |range| main.get(range).map_or(Some(0), number);
    // A leap second has no place of its own here.
    let (hours, minutes, seconds) = (part(0..2)?, part(2..4)?, part(4..6)?.min(60));
    if hours > 23 || minutes > 59 || main.get(4..6).is_some_and(|seconds| seconds > "60") {
        return None;
    }
    let at = (hours * 60 + minutes) * MINUTE + seconds.min(59) * SECOND;
    let unit = match main.len() {
        2 => 60 * MINUTE,
        4 => MINUTE,
        6 => SECOND,
        _ => return None,
    };
    match fraction {
        None => Some((at, at + unit - 1)),
        Some(digits) => {
            let unit = SECOND / 10_i64.pow(u32::try_from(digits.len()).ok().filter(|count| (1..=6).contains(count))?);
            let at = at + number(digits)? * unit;
            Some((at, at + unit - 1))
        }
    }
}

fn date_time(text: &str) -> Option<Written> {
    let sign = text.len().checked_sub(5).filter(|at| text.is_char_boundary(*at) && text[*at..].starts_with(['+', '-']));
    let (main, offset) = match sign {
        Some(at) => (&text[..at], Some(offset(&text[at..])?)),
        None => (text, None),
    };
    // ACR-NEMA's dots have no place in a DT.
    if main.as_bytes().get(..8).is_some_and(|date| date.contains(&b'.')) {
        return None;
    }
    let (earliest, latest) = match main.get(8..) {
        None | Some("") => date(main)?,
        Some(clock) if !clock.contains(':') => {
            let (day, _) = date(&main[..8])?;
            let (earliest, latest) = time(clock)?;
            (day + earliest, day + latest)
        }
        Some(_) => return None,
    };
    Some(Written { earliest, latest, offset })
}

fn number(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
