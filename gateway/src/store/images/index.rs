//! Writing the index.

use std::collections::{HashMap, hash_map::Entry};

use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{NewInstance, Origin, Placed};
use crate::{
    catalog::{HospitalId, OnConflict},
    store::{Store, StoreError, instant::micros, rows},
};

/// Instances in one transaction: what else is to be written goes in between.
const AT_ONCE: usize = 256;

impl Store {
    /// Puts instances of one pack into the index, and says what became of each.
    ///
    /// # Errors
    /// The database does not take them; then those of the last transaction are not there.
    pub async fn index_instances(
        &self,
        hospital: &HospitalId,
        origin: &Origin,
        pack: Uuid,
        instances: &[NewInstance],
        on_conflict: OnConflict,
        now: OffsetDateTime,
    ) -> Result<Vec<Placed>, StoreError> {
        let mut placed = Vec::with_capacity(instances.len());
        for some in instances.chunks(AT_ONCE) {
            let mut db = self.write().await?;
            let mut batch = Batch { db: &mut db, hospital, origin, pack, on_conflict, now };
            placed.extend(batch.write(some).await?);
            db.commit().await?;
        }
        Ok(placed)
    }
}

struct Batch<'a> {
    db: &'a mut SqliteConnection,
    hospital: &'a HospitalId,
    origin: &'a Origin,
    pack: Uuid,
    on_conflict: OnConflict,
    /// An association may have begun long before.
    now: OffsetDateTime,
}

/// A row's number, as the database gave it.
type RowId = i64;

impl Batch<'_> {
    async fn write(&mut self, instances: &[NewInstance]) -> Result<Vec<Placed>, StoreError> {
        self.origin_and_pack().await?;
        let strangers = self.strangers(instances).await?;
        let taken: Vec<&NewInstance> = instances
            .iter()
            .zip(&strangers)
            .filter(|(_, stranger)| !**stranger)
            .map(|(instance, _)| instance)
            .collect();
        let series = self.series_of(&taken).await?;
        let mut placed = self.insert(&taken, &series).await?;
        for (instance, placed) in taken.iter().zip(&mut placed) {
            if placed.is_none() {
                *placed = Some(self.conflict(instance, series[&key(instance)]).await?);
            }
        }
        self.count(&series).await?;
        let mut placed = placed.into_iter().flatten();
        let of = |stranger: bool| if stranger { Some(Placed::OtherPatient) } else { placed.next() };
        Ok(strangers.into_iter().filter_map(of).collect())
    }

    /// Which instances say another Patient ID than their study has: it would be listed under a patient who is not on it.
    /// Where the newest replaces what is stored, it corrects the study instead.
    async fn strangers(&mut self, instances: &[NewInstance]) -> Result<Vec<bool>, StoreError> {
        let mut patients: HashMap<&str, String> = HashMap::new();
        let mut strangers = Vec::with_capacity(instances.len());
        for NewInstance { study, .. } in instances {
            if let Entry::Vacant(unknown) = patients.entry(study.uid.as_str()) {
                let row = sqlx::query("SELECT patient_id FROM studies WHERE hospital = $1 AND uid = $2")
                    .bind(self.hospital.as_str())
                    .bind(study.uid.as_str())
                    .fetch_optional(&mut *self.db)
                    .await?;
                unknown.insert(row.map_or_else(|| Ok(study.patient_id.clone()), |row| row.try_get(0))?);
            }
            let known = &patients[study.uid.as_str()];
            let differs = !known.is_empty() && !study.patient_id.is_empty() && *known != study.patient_id;
            strangers.push(differs && self.on_conflict != OnConflict::Replace);
        }
        Ok(strangers)
    }

    async fn origin_and_pack(&mut self) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO origins (id, hospital, protocol, source, called, peer, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(self.origin.id.to_string())
        .bind(self.hospital.as_str())
        .bind(self.origin.protocol.word())
        .bind(&self.origin.source)
        .bind(&self.origin.called)
        .bind(self.origin.peer.to_string())
        .bind(micros(self.origin.at))
        .execute(&mut *self.db)
        .await?;
        sqlx::query("INSERT INTO packs (id, hospital, made_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING")
            .bind(self.pack.to_string())
            .bind(self.hospital.as_str())
            .bind(micros(self.origin.at))
            .execute(&mut *self.db)
            .await?;
        Ok(())
    }

    /// The row of each instance's series, made where there is none.
    async fn series_of<'i>(&mut self, instances: &[&'i NewInstance]) -> Result<HashMap<Key<'i>, RowId>, StoreError> {
        let mut studies: HashMap<&str, RowId> = HashMap::new();
        let mut series: HashMap<Key<'i>, RowId> = HashMap::new();
        for instance in instances {
            let study = match studies.get(instance.study.uid.as_str()) {
                Some(study) => *study,
                None => self.study(instance).await?,
            };
            studies.insert(instance.study.uid.as_str(), study);
            if let Entry::Vacant(vacant) = series.entry(key(instance)) {
                vacant.insert(self.one_series(instance, study).await?);
            }
        }
        Ok(series)
    }

    async fn study(&mut self, instance: &NewInstance) -> Result<RowId, StoreError> {
        let study = &instance.study;
        let known = sqlx::query("SELECT id FROM studies WHERE hospital = $1 AND uid = $2")
            .bind(self.hospital.as_str())
            .bind(study.uid.as_str())
            .fetch_optional(&mut *self.db)
            .await?;
        if let Some(row) = known {
            return Ok(row.try_get(0)?);
        }
        let made = sqlx::query(
            "INSERT INTO studies (hospital, uid, patient_id, accession, study_id, date, modalities, series, instances, \
             changed_at, attributes) VALUES ($1, $2, $3, $4, $5, $6, '', 0, 0, $7, $8) RETURNING id",
        )
        .bind(self.hospital.as_str())
        .bind(study.uid.as_str())
        .bind(&study.patient_id)
        .bind(&study.accession)
        .bind(&study.study_id)
        .bind(&study.date)
        .bind(micros(self.origin.at))
        .bind(&study.attributes)
        .fetch_one(&mut *self.db)
        .await?;
        let id: RowId = made.try_get(0)?;
        self.names(instance, id).await?;
        Ok(id)
    }

    async fn names(&mut self, instance: &NewInstance, study: RowId) -> Result<(), StoreError> {
        let hospital = self.hospital.as_str();
        let head = "INSERT INTO study_names (hospital, word, study) ";
        rows::insert(&mut *self.db, head, " ON CONFLICT DO NOTHING", &instance.study.words, |mut row, word| {
            row.push_bind(hospital.to_owned()).push_bind(word.clone()).push_bind(study);
        })
        .await?;
        Ok(())
    }

    async fn one_series(&mut self, instance: &NewInstance, study: RowId) -> Result<RowId, StoreError> {
        let known = sqlx::query("SELECT id FROM series WHERE study = $1 AND uid = $2")
            .bind(study)
            .bind(instance.series.uid.as_str())
            .fetch_optional(&mut *self.db)
            .await?;
        if let Some(row) = known {
            return Ok(row.try_get(0)?);
        }
        let made = sqlx::query(
            "INSERT INTO series (study, hospital, uid, modality, instances, attributes) VALUES ($1, $2, $3, $4, 0, $5) \
             RETURNING id",
        )
        .bind(study)
        .bind(self.hospital.as_str())
        .bind(instance.series.uid.as_str())
        .bind(&instance.series.modality)
        .bind(&instance.series.attributes)
        .fetch_one(&mut *self.db)
        .await?;
        Ok(made.try_get(0)?)
    }

    /// Inserts what is new; `None` for an instance whose UID is there already, also within the batch.
    async fn insert(
        &mut self,
        instances: &[&NewInstance],
        series: &HashMap<Key<'_>, RowId>,
    ) -> Result<Vec<Option<Placed>>, StoreError> {
        let (hospital, pack, origin) = (self.hospital.as_str(), self.pack.to_string(), self.origin);
        let now = micros(self.now);
        let mut placed = Vec::with_capacity(instances.len());
        for group in rows::groups(instances) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO instances (series, hospital, uid, class, syntax, number, frames, rows, columns, bits, pack, \
                 at_byte, bytes, digest, origin, kind, stored_at) ",
            );
            query.push_values(group, |mut row, instance| {
                row.push_bind(series[&key(instance)])
                    .push_bind(hospital)
                    .push_bind(instance.uid.as_str())
                    .push_bind(instance.class.as_str())
                    .push_bind(instance.syntax.uid().as_str())
                    .push_bind(instance.number)
                    .push_bind(instance.frames)
                    .push_bind(instance.rows)
                    .push_bind(instance.columns)
                    .push_bind(instance.bits)
                    .push_bind(pack.clone())
                    .push_bind(whole(instance.at_byte))
                    .push_bind(whole(instance.bytes))
                    .push_bind(instance.digest.to_vec())
                    .push_bind(origin.id.to_string())
                    .push_bind(instance.kind.word())
                    .push_bind(now);
            });
            query.push(" ON CONFLICT (hospital, uid) DO NOTHING RETURNING uid, at_byte");
            let made = query.build().fetch_all(&mut *self.db).await?;
            let made: Vec<(String, i64)> =
                made.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
            placed.extend(group.iter().map(|instance| {
                let is_new =
                    made.iter().any(|(uid, at)| uid == instance.uid.as_str() && *at == whole(instance.at_byte));
                is_new.then_some(Placed::New)
            }));
        }
        Ok(placed)
    }

    /// The UID is there already: with these bytes, or with others.
    async fn conflict(&mut self, instance: &NewInstance, series: RowId) -> Result<Placed, StoreError> {
        let row = sqlx::query("SELECT digest, series, pack FROM instances WHERE hospital = $1 AND uid = $2")
            .bind(self.hospital.as_str())
            .bind(instance.uid.as_str())
            .fetch_one(&mut *self.db)
            .await?;
        let digest: &[u8] = row.try_get(0)?;
        match self.on_conflict {
            _ if digest == instance.digest => Ok(Placed::Same),
            OnConflict::Refuse => Ok(Placed::Refused),
            OnConflict::Keep => Ok(Placed::Kept),
            OnConflict::Replace => {
                self.replace(instance, series).await?;
                self.renew(instance, series).await?;
                self.leave(row.try_get(1)?, row.try_get(2)?).await?;
                Ok(Placed::Replaced)
            }
        }
    }

    async fn replace(&mut self, instance: &NewInstance, series: RowId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE instances SET series = $3, class = $4, syntax = $5, number = $6, frames = $7, rows = $8, columns = $9, \
             bits = $10, pack = $11, at_byte = $12, bytes = $13, digest = $14, origin = $15, kind = $16, stored_at = $17 \
             WHERE hospital = $1 AND uid = $2",
        )
        .bind(self.hospital.as_str())
        .bind(instance.uid.as_str())
        .bind(series)
        .bind(instance.class.as_str())
        .bind(instance.syntax.uid().as_str())
        .bind(instance.number)
        .bind(instance.frames)
        .bind(instance.rows)
        .bind(instance.columns)
        .bind(instance.bits)
        .bind(self.pack.to_string())
        .bind(whole(instance.at_byte))
        .bind(whole(instance.bytes))
        .bind(instance.digest.to_vec())
        .bind(self.origin.id.to_string())
        .bind(instance.kind.word())
        .bind(micros(self.now))
        .execute(&mut *self.db)
        .await?;
        Ok(())
    }

    /// What the newest says of its study and series is what they are found by.
    async fn renew(&mut self, instance: &NewInstance, series: RowId) -> Result<(), StoreError> {
        let row = sqlx::query("UPDATE series SET modality = $2, attributes = $3 WHERE id = $1 RETURNING study")
            .bind(series)
            .bind(&instance.series.modality)
            .bind(&instance.series.attributes)
            .fetch_one(&mut *self.db)
            .await?;
        let (study, new) = (row.try_get::<RowId, _>(0)?, &instance.study);
        sqlx::query(
            "UPDATE studies SET patient_id = $2, accession = $3, study_id = $4, date = $5, attributes = $6 WHERE id = $1",
        )
        .bind(study)
        .bind(&new.patient_id)
        .bind(&new.accession)
        .bind(&new.study_id)
        .bind(&new.date)
        .bind(&new.attributes)
        .execute(&mut *self.db)
        .await?;
        sqlx::query("DELETE FROM study_names WHERE study = $1").bind(study).execute(&mut *self.db).await?;
        self.names(instance, study).await
    }

    /// What was replaced is counted no more where it was; its pack's file is swept when nothing else leads to it.
    async fn leave(&mut self, series: RowId, pack: String) -> Result<(), StoreError> {
        if let Some(study) = count_series(self.db, series).await? {
            count_study(self.db, study, self.now).await?;
        }
        sqlx::query("DELETE FROM packs WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE pack = $1)")
            .bind(pack)
            .execute(&mut *self.db)
            .await?;
        Ok(())
    }

    /// Brings counts and modalities up to date, and drops series and studies that stayed empty.
    async fn count(&mut self, series: &HashMap<Key<'_>, RowId>) -> Result<(), StoreError> {
        let mut studies = Vec::new();
        for id in series.values() {
            studies.extend(count_series(self.db, *id).await?);
        }
        studies.sort_unstable();
        studies.dedup();
        for study in studies {
            count_study(self.db, study, self.now).await?;
        }
        // A pack that nothing refers to is dropped with the file.
        sqlx::query("DELETE FROM packs WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE pack = $1)")
            .bind(self.pack.to_string())
            .execute(&mut *self.db)
            .await?;
        sqlx::query("DELETE FROM origins WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE origin = $1)")
            .bind(self.origin.id.to_string())
            .execute(&mut *self.db)
            .await?;
        Ok(())
    }
}

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

/// Counts a study anew; one without instances goes.
pub(super) async fn count_study(
    db: &mut SqliteConnection,
    study: RowId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE studies SET series = (SELECT count(*) FROM series WHERE study = $1), \
         instances = (SELECT coalesce(sum(instances), 0) FROM series WHERE study = $1), \
         modalities = (SELECT coalesce(group_concat(modality, '\\'), '') FROM \
            (SELECT DISTINCT modality FROM series WHERE study = $1 AND modality <> '' ORDER BY modality)), \
         changed_at = $2 WHERE id = $1",
    )
    .bind(study)
    .bind(micros(now))
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM studies WHERE id = $1 AND instances = 0").bind(study).execute(&mut *db).await?;
    Ok(())
}

/// Study and series UID: a series UID alone is not trusted to be in one study only.
type Key<'a> = (&'a str, &'a str);

fn key(instance: &NewInstance) -> Key<'_> {
    (instance.study.uid.as_str(), instance.series.uid.as_str())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
