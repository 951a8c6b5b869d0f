//! Forgetting images.

use sqlx::{Row as _, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::index::{count_series, count_study};
use crate::{
    catalog::HospitalId,
    store::{Store, StoreError, column::parsed, instant::micros},
};

/// Packs to which no row leads any more: their files may go.
#[derive(Debug, Default)]
pub struct Emptied {
    /// Their ids.
    pub packs: Vec<Uuid>,
    /// Instances that were forgotten.
    pub instances: usize,
}

impl Store {
    /// Forgets originals of a hospital that were stored before `before`, some hundred at a time: call again until nothing is
    /// forgotten. Results stay, and so does what a job still needs.
    ///
    /// # Errors
    /// The database does not take it; then nothing is forgotten.
    pub async fn forget_originals(
        &self,
        hospital: &HospitalId,
        before: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<Emptied, StoreError> {
        let mut db = self.write().await?;
        let gone = sqlx::query(
            "DELETE FROM instances WHERE id IN (SELECT id FROM instances WHERE kind = 'original' AND stored_at < $2 AND \
             hospital = $1 AND NOT EXISTS (SELECT 1 FROM node_outbox o WHERE o.hospital = $1 AND o.instance = instances.uid \
             AND o.state <> 'dead') AND series NOT IN (SELECT se.id FROM jobs j JOIN studies st ON st.hospital = $1 AND \
             st.uid = j.study JOIN series se ON se.study = st.id WHERE j.hospital = $1 AND \
             j.state IN ('waiting', 'running', 'answered')) ORDER BY stored_at LIMIT 500) RETURNING series, pack, origin",
        )
        .bind(hospital.as_str())
        .bind(micros(before))
        .fetch_all(&mut *db)
        .await?;
        let mut series: Vec<i64> = gone.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        series.sort_unstable();
        series.dedup();
        let mut studies = Vec::new();
        for id in series {
            studies.extend(count_series(&mut db, id).await?);
        }
        studies.sort_unstable();
        studies.dedup();
        for study in studies {
            count_study(&mut db, study, micros(now)).await?;
        }
        let packs = forget_empty_packs(&mut db, hospital).await?;
        db.commit().await?;
        Ok(Emptied { packs, instances: gone.len() })
    }

    /// Forgets the packs of a hospital of which all instances were replaced, and gives their ids: their files may go.
    ///
    /// # Errors
    /// The database does not take it; then nothing is forgotten.
    pub async fn forget_empty_packs(&self, hospital: &HospitalId) -> Result<Vec<Uuid>, StoreError> {
        let mut db = self.write().await?;
        let packs = forget_empty_packs(&mut db, hospital).await?;
        db.commit().await?;
        Ok(packs)
    }
}

async fn forget_empty_packs(db: &mut SqliteConnection, hospital: &HospitalId) -> Result<Vec<Uuid>, StoreError> {
    let packs = sqlx::query(
        "DELETE FROM packs WHERE hospital = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE pack = packs.id) \
         RETURNING id",
    )
    .bind(hospital.as_str())
    .fetch_all(db)
    .await?;
    packs.iter().map(|row| parsed(row, 0, "pack id")).collect()
}
