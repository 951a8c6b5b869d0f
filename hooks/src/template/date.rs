//! `today()` and days from it, written as FHIR dates.

use time::{Date, Duration};

/// `2026-03-01`; `None` beyond the years that FHIR can write.
pub(super) fn written(today: Date, days: i32) -> Option<String> {
    let date = today.checked_add(Duration::days(i64::from(days)))?;
    let (year, month, day) = date.to_calendar_date();
    (1..=9999).contains(&year).then(|| format!("{year:04}-{:02}-{day:02}", u8::from(month)))
}
