//! Columns as the types that they are in the code.

use std::str::FromStr;

use sqlx::{ColumnIndex, Row as _, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{StoreError, instant::from_micros};
use crate::catalog::ServiceName;

/// The service that the columns `vendor` and `service` name.
pub(super) fn service_name(row: &SqliteRow) -> Result<ServiceName, StoreError> {
    Ok(ServiceName::new(parsed(row, "vendor", "vendor id")?, parsed(row, "service", "service id")?))
}

/// A text column as what it names.
pub(super) fn parsed<T: FromStr>(
    row: &SqliteRow,
    column: impl ColumnIndex<SqliteRow>,
    what: &'static str,
) -> Result<T, StoreError> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Unreadable(what))
}

/// A count.
pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| StoreError::Unreadable("count"))
}

/// A time.
pub(super) fn instant(row: &SqliteRow, column: &str) -> Result<OffsetDateTime, StoreError> {
    Ok(from_micros(row.try_get(column)?))
}

/// A time that may be missing.
pub(super) fn instant_if_any(row: &SqliteRow, column: &str) -> Result<Option<OffsetDateTime>, StoreError> {
    let micros: Option<i64> = row.try_get(column)?;
    Ok(micros.map(from_micros))
}
