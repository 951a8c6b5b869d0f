//! Writing the index.

mod batch;
mod conflict;

use std::collections::BTreeSet;

use sqlx::{Row as _, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{NewInstance, Origin, Placed};
use crate::{
    catalog::{HospitalId, OnConflict},
    store::{Store, StoreError, commit::Work},
};
use batch::Batch;

/// Instances in one transaction: what else is to be written goes in between.
const AT_ONCE: usize = 256;

/// Instances of one pack that want their rows.
#[derive(Debug)]
pub(in crate::store) struct Placement {
    hospital: HospitalId,
    origin: Origin,
    pack: Uuid,
    instances: Vec<NewInstance>,
    on_conflict: OnConflict,
    /// An association may have begun long before.
    now: OffsetDateTime,
}

impl Store {
    /// Puts instances of one pack into the index, and says what became of each. Arrivals that come at once share a flush.
    ///
    /// # Errors
    /// The database does not take them; then those of the last some hundred are not there.
    pub async fn index_instances(
        &self,
        hospital: &HospitalId,
        origin: &Origin,
        pack: Uuid,
        instances: Vec<NewInstance>,
        on_conflict: OnConflict,
        now: OffsetDateTime,
    ) -> Result<Vec<Placed>, StoreError> {
        let mut placed = Vec::with_capacity(instances.len());
        let mut rest = instances.into_iter();
        loop {
            let instances: Vec<NewInstance> = rest.by_ref().take(AT_ONCE).collect();
            if instances.is_empty() {
                return Ok(placed);
            }
            let (hospital, origin) = (hospital.clone(), origin.clone());
            let placement = Placement { hospital, origin, pack, instances, on_conflict, now };
            placed.extend(self.0.images.commit(placement).await?);
        }
    }
}

impl Work for Placement {
    type Outcome = Vec<Placed>;

    async fn write(works: &[&Self], db: &mut SqliteConnection) -> Result<Vec<Vec<Placed>>, sqlx::Error> {
        let works = first_of(works);
        let mut outcomes: Vec<Vec<Placed>> = works.iter().map(|_| Vec::new()).collect();
        let hospitals: BTreeSet<&HospitalId> = works.iter().map(|work| &work.hospital).collect();
        for hospital in hospitals {
            for (work, placed) in Batch::of(hospital, works).write(db).await? {
                outcomes[work].push(placed);
            }
        }
        Ok(outcomes)
    }
}

/// As many as one transaction takes, at least one.
fn first_of<'a, 'w>(works: &'a [&'w Placement]) -> &'a [&'w Placement] {
    let mut instances = 0;
    let count = works.iter().take_while(|work| {
        instances += work.instances.len();
        instances <= AT_ONCE
    });
    &works[..count.count().max(1)]
}

/// A row's number, as the database gave it.
type RowId = i64;

/// Counts a series anew, and gives the row of its study; one without instances goes.
pub(super) async fn count_series(db: &mut SqliteConnection, series: RowId) -> Result<Option<RowId>, sqlx::Error> {
    let row = sqlx::query(
        "UPDATE series SET instances = (SELECT count(*) FROM instances WHERE series = $1) WHERE id = $1 RETURNING study",
    )
    .bind(series)
    .fetch_optional(&mut *db)
    .await?;
    sqlx::query("DELETE FROM series WHERE id = $1 AND instances = 0").bind(series).execute(&mut *db).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Counts a study anew at `now`, in microseconds; one without instances goes.
pub(super) async fn count_study(db: &mut SqliteConnection, study: RowId, now: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE studies SET series = (SELECT count(*) FROM series WHERE study = $1), \
         instances = (SELECT coalesce(sum(instances), 0) FROM series WHERE study = $1), \
         modalities = (SELECT coalesce(group_concat(modality, '\\'), '') FROM \
            (SELECT DISTINCT modality FROM series WHERE study = $1 AND modality <> '' ORDER BY modality)), \
         changed_at = max(changed_at + 1, $2) WHERE id = $1",
    )
    .bind(study)
    .bind(now)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM studies WHERE id = $1 AND instances = 0").bind(study).execute(&mut *db).await?;
    Ok(())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
