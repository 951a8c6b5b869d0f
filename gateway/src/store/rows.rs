//! Many rows in one statement.
//!
//! A statement is compiled once for each number of rows, so rows go in groups of few sizes: up to sixteen as they are,
//! beyond that a power of two. That is at most nineteen texts per table, all of them in the connection's statement cache,
//! and one statement for what a usual batch brings.

use std::iter;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query_builder::Separated};

/// Up to so many rows are a group whatever their number.
const FEW: usize = 16;
/// The largest group.
const LARGEST: usize = 128;

/// `head VALUES (…), (…) tail` for all rows.
pub(super) async fn insert<T>(
    db: &mut SqliteConnection,
    head: &'static str,
    tail: &'static str,
    rows: &[T],
    mut bind: impl FnMut(Separated<'_, Sqlite, &'static str>, &T),
) -> Result<(), sqlx::Error> {
    for group in groups(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push_values(group, &mut bind);
        query.push(tail);
        query.build().execute(&mut *db).await?;
    }
    Ok(())
}

/// The rows in groups of few sizes.
pub(super) fn groups<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    iter::from_fn(move || {
        let power = 1_usize << rest.len().checked_ilog2()?;
        let size = if rest.len() <= FEW { rest.len() } else { power.min(LARGEST) };
        let (group, after) = rest.split_at(size);
        rest = after;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_hold_every_row_once_in_order_and_come_in_few_sizes(rows in 0_usize..2_000) {
            let rows: Vec<usize> = (0..rows).collect();
            let groups: Vec<&[usize]> = groups(&rows).collect();
            prop_assert!(groups.concat() == rows);
            let is_of_few = |size: usize| size <= FEW || (size.is_power_of_two() && size <= LARGEST);
            prop_assert!(groups.iter().all(|group| is_of_few(group.len())));
        }
    }
}
