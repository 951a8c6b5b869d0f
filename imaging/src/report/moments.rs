//! Dates and times as people read them (PS3.5 §6.2). What is none is shown as it is.

use std::fmt::Write as _;

/// DA: `20260704` as `2026-07-04`.
pub(super) fn date(text: &str) -> String {
    if text.len() == 8 { calendar(text).unwrap_or_else(|| text.to_owned()) } else { text.to_owned() }
}

/// TM: `101530.50` as `10:15:30.5`.
pub(super) fn time(text: &str) -> String {
    clock(text).unwrap_or_else(|| text.to_owned())
}

/// DT: `20260704101530+0900` as `2026-07-04 10:15:30 +0900`; it may end after any of its parts.
pub(super) fn date_time(text: &str) -> String {
    let (moment, zone) = match text.find(['+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (day, rest) = moment.split_at_checked(moment.len().min(8)).unwrap_or((moment, ""));
    let Some(mut shown) = calendar(day) else { return text.to_owned() };
    if !rest.is_empty() {
        let Some(rest) = clock(rest) else { return text.to_owned() };
        let _ = write!(shown, " {rest}");
    }
    if !zone.is_empty() {
        let _ = write!(shown, " {zone}");
    }
    shown
}

/// A date and a time of their own attributes.
pub(super) fn joined(day: Option<&str>, clock: Option<&str>) -> Option<String> {
    let shown: Vec<String> = [day.map(date), clock.map(time)].into_iter().flatten().collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// Year, month, day, as far as they are there.
fn calendar(digits: &str) -> Option<String> {
    let parts: &[(usize, usize)] = match digits.len() {
        4 => &[(0, 4)],
        6 => &[(0, 4), (4, 6)],
        8 => &[(0, 4), (4, 6), (6, 8)],
        _ => return None,
    };
    divided(digits, parts, "-")
}

/// Hour, minute, second and its fraction, as far as they are there. An hour alone would look like any number.
fn clock(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts: &[(usize, usize)] = match whole.len() {
        4 => &[(0, 2), (2, 4)],
        6 => &[(0, 2), (2, 4), (4, 6)],
        _ => return None,
    };
    let shown = divided(whole, parts, ":")?;
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { shown } else { format!("{shown}.{fraction}") })
}

fn divided(digits: &str, parts: &[(usize, usize)], between: &str) -> Option<String> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parts = parts.iter().map(|(from, to)| digits.get(*from..*to)).collect::<Option<Vec<_>>>()?;
    Some(parts.join(between))
}
