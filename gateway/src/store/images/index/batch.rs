//! [`Batch`]: the rows of a hospital's instances that came at once, table by table: few statements however many arrivals there
//! are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{Encode, QueryBuilder, Row as _, Sqlite, SqliteConnection, Type};

use super::{Placement, RowId, conflict, count_series, count_study, whole};
use crate::{
    catalog::{HospitalId, OnConflict},
    store::{
        images::{NewInstance, Placed},
        instant::micros,
        rows,
    },
};

/// An instance that wants its row.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// Which of the works brought it.
    work: usize,
    pub(super) placement: &'a Placement,
    pub(super) instance: &'a NewInstance,
    /// What became of it; nothing yet, or nothing but that it was not new.
    placed: Option<Placed>,
}

/// A study that an instance names.
struct Study {
    /// Its row; none before it is made.
    id: Option<RowId>,
    patient: String,
}

/// The instances of one hospital among some works.
pub(super) struct Batch<'a> {
    hospital: &'a HospitalId,
    placements: Vec<&'a Placement>,
    entries: Vec<Entry<'a>>,
    studies: HashMap<&'a str, Study>,
    series: HashMap<Key<'a>, RowId>,
    made: BTreeSet<RowId>,
}

/// Row of the study and UID of the series: a series UID alone is not trusted to be in one study only.
type Key<'a> = (RowId, &'a str);

impl<'a> Batch<'a> {
    pub(super) fn of(hospital: &'a HospitalId, works: &[&'a Placement]) -> Self {
        let own = works.iter().enumerate().filter(|(_, placement)| placement.hospital == *hospital);
        let entries = own.clone().flat_map(|(work, placement)| {
            placement.instances.iter().map(move |instance| Entry { work, placement, instance, placed: None })
        });
        Self {
            hospital,
            entries: entries.collect(),
            placements: own.map(|(_, placement)| *placement).collect(),
            studies: HashMap::new(),
            series: HashMap::new(),
            made: BTreeSet::new(),
        }
    }

    /// Writes the rows, and says of each instance which work brought it and what became of it.
    pub(super) async fn write(mut self, db: &mut SqliteConnection) -> Result<Vec<(usize, Placed)>, sqlx::Error> {
        self.origins_and_packs(db).await?;
        self.know_studies(db).await?;
        let known = self.known(db).await?;
        self.turn_strangers_away(&known);
        self.make_studies(db).await?;
        self.know_series(db).await?;
        self.make_series(db).await?;
        self.insert(db).await?;
        self.count(db).await?;
        let mut moved = Moved::default();
        for at in 0..self.entries.len() {
            if self.entries[at].placed.is_none() {
                let series = self.series_of(&self.entries[at]);
                self.entries[at].placed = Some(conflict::settle(db, &self.entries[at], series, &mut moved).await?);
            }
        }
        self.clear_up(db, moved).await?;
        Ok(self.entries.iter().filter_map(|entry| Some((entry.work, entry.placed?))).collect())
    }

    async fn origins_and_packs(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let hospital = self.hospital.as_str();
        let head = "INSERT INTO origins (id, hospital, protocol, source, called, peer, at) ";
        rows::insert(&mut *db, head, " ON CONFLICT (id) DO NOTHING", &self.placements, |mut row, placement| {
            let origin = &placement.origin;
            row.push_bind(origin.id.to_string())
                .push_bind(hospital.to_owned())
                .push_bind(origin.protocol.word())
                .push_bind(origin.source.clone())
                .push_bind(origin.called.clone())
                .push_bind(origin.peer.to_string())
                .push_bind(micros(origin.at));
        })
        .await?;
        let head = "INSERT INTO packs (id, hospital, made_at) ";
        rows::insert(&mut *db, head, " ON CONFLICT (id) DO NOTHING", &self.placements, |mut row, placement| {
            row.push_bind(placement.pack.to_string())
                .push_bind(hospital.to_owned())
                .push_bind(micros(placement.origin.at));
        })
        .await
    }

    async fn know_studies(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let uids: BTreeSet<&'a str> = self.entries.iter().map(|entry| entry.instance.study.uid.as_str()).collect();
        let uids: Vec<&'a str> = uids.into_iter().collect();
        for group in rows::groups(&uids) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT id, uid, patient_id FROM studies WHERE hospital = ");
            query.push_bind(self.hospital.as_str());
            one_of(&mut query, "uid", group.iter().map(|uid| (*uid).to_owned()));
            for row in query.build().fetch_all(&mut *db).await? {
                let uid: &str = row.try_get(1)?;
                if let Some(uid) = group.iter().find(|known| **known == uid) {
                    self.studies.insert(uid, Study { id: Some(row.try_get(0)?), patient: row.try_get(2)? });
                }
            }
        }
        Ok(())
    }

    /// The instances that are stored already, where the newest replaces and one says another patient than its study has: the
    /// study that each is in, and its digest.
    async fn known(&self, db: &mut SqliteConnection) -> Result<HashMap<String, (String, Vec<u8>)>, sqlx::Error> {
        let replacing = || self.entries.iter().filter(|entry| entry.placement.on_conflict == OnConflict::Replace);
        let mut known = HashMap::new();
        if !replacing().any(|entry| self.is_strange(entry)) {
            return Ok(known);
        }
        let uids: Vec<String> = replacing().map(|entry| entry.instance.uid.to_string()).collect();
        for group in rows::groups(&uids) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "SELECT i.uid, st.uid, i.digest FROM instances i CROSS JOIN series se ON se.id = i.series CROSS JOIN \
                 studies st ON st.id = se.study WHERE i.hospital = ",
            );
            query.push_bind(self.hospital.as_str());
            one_of(&mut query, "i.uid", group.iter().cloned());
            for row in query.build().fetch_all(&mut *db).await? {
                known.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            }
        }
        Ok(known)
    }

    /// Whether it says another Patient ID than its study has, or than the first one that comes for it.
    fn is_strange(&self, entry: &Entry<'_>) -> bool {
        let new = &entry.instance.study;
        let same_study = |other: &&Entry<'_>| other.instance.study.uid == new.uid;
        let first = || self.entries.iter().find(same_study).map(|first| first.instance.study.patient_id.as_str());
        let study = self.studies.get(new.uid.as_str()).map(|study| study.patient.as_str()).or_else(first);
        study.is_some_and(|patient| differ(patient, &new.patient_id))
    }

    /// An instance that says another Patient ID than its study has would be listed under a patient who is not on it. Where
    /// the newest replaces what is stored, one that is there with another content corrects its study instead.
    fn turn_strangers_away(&mut self, known: &HashMap<String, (String, Vec<u8>)>) {
        for entry in &mut self.entries {
            let new = &entry.instance.study;
            let study = self
                .studies
                .entry(new.uid.as_str())
                .or_insert_with(|| Study { id: None, patient: new.patient_id.clone() });
            if !differ(&study.patient, &new.patient_id) {
                continue;
            }
            match known.get(entry.instance.uid.as_str()) {
                Some((known_study, digest)) if known_study == new.uid.as_str() => {
                    if *digest != entry.instance.digest {
                        study.patient.clone_from(&new.patient_id);
                    }
                }
                _ => entry.placed = Some(Placed::OtherPatient),
            }
        }
    }

    /// The first instance of each key that is not there yet.
    fn first_by<K: Ord>(&self, key: impl Fn(&Entry<'a>) -> Option<K>) -> Vec<Entry<'a>> {
        let mut first = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.placed.is_none()) {
            if let Some(key) = key(entry) {
                first.entry(key).or_insert(entry);
            }
        }
        first.into_values().cloned().collect()
    }

    async fn make_studies(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let new = self.first_by(|entry| {
            let uid = entry.instance.study.uid.as_str();
            self.studies.get(uid).is_some_and(|study| study.id.is_none()).then_some(uid)
        });
        for group in rows::groups(&new) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO studies (hospital, uid, patient_id, accession, study_id, date, modalities, series, \
                 instances, changed_at, attributes) ",
            );
            query.push_values(group, |mut row, entry| {
                let study = &entry.instance.study;
                row.push_bind(self.hospital.as_str())
                    .push_bind(study.uid.as_str())
                    .push_bind(&study.patient_id)
                    .push_bind(&study.accession)
                    .push_bind(&study.study_id)
                    .push_bind(&study.date)
                    .push("'', 0, 0")
                    .push_bind(micros(entry.placement.now))
                    .push_bind(&study.attributes);
            });
            query.push(" RETURNING id, uid");
            for row in query.build().fetch_all(&mut *db).await? {
                if let Some(study) = self.studies.get_mut(row.try_get::<&str, _>(1)?) {
                    study.id = Some(row.try_get(0)?);
                }
            }
        }
        let words: Vec<(RowId, &str)> = new
            .iter()
            .filter_map(|entry| Some((entry, self.study_of(entry)?)))
            .flat_map(|(entry, id)| entry.instance.study.words.iter().map(move |word| (id, word.as_str())))
            .collect();
        names(db, self.hospital, &words).await
    }

    async fn know_series(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let named = self.entries.iter().filter(|entry| entry.placed.is_none());
        let named: BTreeSet<Key<'a>> = named.filter_map(|entry| self.key(entry)).collect();
        let named: Vec<Key<'a>> = named.into_iter().collect();
        for group in rows::groups(&named) {
            let mut query = QueryBuilder::<Sqlite>::new("SELECT id, study, uid FROM series WHERE true");
            one_of(&mut query, "study", group.iter().map(|(study, _)| *study));
            one_of(&mut query, "uid", group.iter().map(|(_, uid)| (*uid).to_owned()));
            for row in query.build().fetch_all(&mut *db).await? {
                let (study, uid): (RowId, &str) = (row.try_get(1)?, row.try_get(2)?);
                if let Some(key) = group.iter().find(|key| **key == (study, uid)) {
                    self.series.insert(*key, row.try_get(0)?);
                }
            }
        }
        Ok(())
    }

    async fn make_series(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let new = self.first_by(|entry| self.key(entry).filter(|key| !self.series.contains_key(key)));
        for group in rows::groups(&new) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO series (study, hospital, uid, modality, instances, attributes) ",
            );
            query.push_values(group, |mut row, entry| {
                let series = &entry.instance.series;
                row.push_bind(self.study_of(entry))
                    .push_bind(self.hospital.as_str())
                    .push_bind(series.uid.as_str())
                    .push_bind(&series.modality)
                    .push("0")
                    .push_bind(&series.attributes);
            });
            query.push(" RETURNING id, study, uid");
            for row in query.build().fetch_all(&mut *db).await? {
                let (study, uid): (RowId, &str) = (row.try_get(1)?, row.try_get(2)?);
                let key = group.iter().find_map(|entry| self.key(entry).filter(|key| *key == (study, uid)));
                if let Some(key) = key {
                    self.series.insert(key, row.try_get(0)?);
                    self.made.insert(row.try_get(0)?);
                }
            }
        }
        Ok(())
    }

    /// Inserts what is new; what has a row already, also within the batch, stays without an outcome.
    async fn insert(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let wanted: Vec<usize> = (0..self.entries.len()).filter(|at| self.entries[*at].placed.is_none()).collect();
        for group in rows::groups(&wanted) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "INSERT INTO instances (series, hospital, uid, class, syntax, number, frames, rows, columns, bits, pack, \
                 at_byte, bytes, digest, origin, kind, stored_at) ",
            );
            query.push_values(group, |mut row, at| {
                let entry @ Entry { instance, placement, .. } = &self.entries[*at];
                row.push_bind(self.series_of(entry))
                    .push_bind(self.hospital.as_str())
                    .push_bind(instance.uid.as_str())
                    .push_bind(instance.class.as_str())
                    .push_bind(instance.syntax.uid().as_str())
                    .push_bind(instance.number)
                    .push_bind(instance.frames)
                    .push_bind(instance.rows)
                    .push_bind(instance.columns)
                    .push_bind(instance.bits)
                    .push_bind(placement.pack.to_string())
                    .push_bind(whole(instance.at_byte))
                    .push_bind(whole(instance.bytes))
                    .push_bind(instance.digest.as_slice())
                    .push_bind(placement.origin.id.to_string())
                    .push_bind(instance.kind.word())
                    .push_bind(micros(placement.now));
            });
            query.push(" ON CONFLICT (hospital, uid) DO NOTHING RETURNING uid, pack, at_byte");
            let made = query.build().fetch_all(&mut *db).await?;
            let made = made.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
            let made: BTreeSet<(String, String, i64)> = made.collect::<Result<_, sqlx::Error>>()?;
            for at in group {
                let Entry { instance, placement, placed, .. } = &mut self.entries[*at];
                let row = (instance.uid.to_string(), placement.pack.to_string(), whole(instance.at_byte));
                *placed = made.contains(&row).then_some(Placed::New);
            }
        }
        Ok(())
    }

    /// Adds what is new to the counts of its series and study.
    async fn count(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let mut studies: BTreeMap<RowId, (BTreeMap<Option<RowId>, i64>, i64)> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.placed == Some(Placed::New)) {
            let Some(study) = self.study_of(entry) else { continue };
            let (series, changed) = studies.entry(study).or_default();
            *series.entry(self.series_of(entry)).or_default() += 1;
            *changed = micros(entry.placement.now).max(*changed);
        }
        for (study, (series, changed)) in studies {
            for (series, added) in &series {
                sqlx::query("UPDATE series SET instances = instances + $2 WHERE id = $1")
                    .bind(series)
                    .bind(added)
                    .execute(&mut *db)
                    .await?;
            }
            if series.keys().flatten().any(|series| self.made.contains(series)) {
                count_study(db, study, changed).await?;
            } else {
                sqlx::query("UPDATE studies SET instances = instances + $2, changed_at = $3 WHERE id = $1")
                    .bind(study)
                    .bind(series.values().sum::<i64>())
                    .bind(changed)
                    .execute(&mut *db)
                    .await?;
            }
        }
        Ok(())
    }

    /// Counts what was moved anew, and drops what stayed empty: what instances left, and what was made for one that was not placed
    /// after all. At the end, because what one instance leaves another one may come to.
    async fn clear_up(&self, db: &mut SqliteConnection, moved: Moved) -> Result<(), sqlx::Error> {
        let is_placed = |entry: &&Entry<'_>| matches!(entry.placed, Some(Placed::New | Placed::Replaced));
        let filled: BTreeSet<Option<RowId>> =
            self.entries.iter().filter(is_placed).map(|entry| self.series_of(entry)).collect();
        let empty = self.made.iter().filter(|series| !filled.contains(&Some(**series)));
        let mut studies = BTreeSet::new();
        for series in empty.chain(&moved.series) {
            studies.extend(count_series(db, *series).await?);
        }
        let now = self.placements.iter().map(|placement| micros(placement.now)).max().unwrap_or(0);
        for study in studies {
            count_study(db, study, now).await?;
        }
        // The files are swept at the next start.
        for pack in &moved.packs {
            drop_pack(db, pack).await?;
        }
        let used: BTreeSet<_> = self.entries.iter().filter(is_placed).map(|entry| entry.placement.origin.id).collect();
        for placement in self.placements.iter().filter(|placement| !used.contains(&placement.origin.id)) {
            drop_pack(db, &placement.pack.to_string()).await?;
            sqlx::query("DELETE FROM origins WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE origin = $1)")
                .bind(placement.origin.id.to_string())
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }

    fn study_of(&self, entry: &Entry<'_>) -> Option<RowId> {
        self.studies.get(entry.instance.study.uid.as_str())?.id
    }

    fn key(&self, entry: &Entry<'a>) -> Option<Key<'a>> {
        Some((self.study_of(entry)?, entry.instance.series.uid.as_str()))
    }

    /// Where it belongs; nothing for an instance that was turned away, and the database takes no row without.
    fn series_of(&self, entry: &Entry<'a>) -> Option<RowId> {
        self.series.get(&self.key(entry)?).copied()
    }
}

/// What instances left that were replaced, and where they came to.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) series: BTreeSet<RowId>,
    pub(super) packs: BTreeSet<String>,
}

/// Whether both are said, and not the same.
fn differ(patient: &str, other: &str) -> bool {
    !patient.is_empty() && !other.is_empty() && patient != other
}

async fn drop_pack(db: &mut SqliteConnection, pack: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM packs WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE pack = $1)")
        .bind(pack)
        .execute(db)
        .await?;
    Ok(())
}

/// Words by which studies are found.
pub(super) async fn names(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    words: &[(RowId, &str)],
) -> Result<(), sqlx::Error> {
    let head = "INSERT INTO study_names (hospital, word, study) ";
    rows::insert(db, head, " ON CONFLICT DO NOTHING", words, |mut row, (study, word)| {
        row.push_bind(hospital.as_str().to_owned()).push_bind((*word).to_owned()).push_bind(*study);
    })
    .await
}

fn one_of<T>(query: &mut QueryBuilder<Sqlite>, column: &str, values: impl Iterator<Item = T>)
where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + 'static,
{
    query.push(format_args!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    values.for_each(|value| {
        list.push_bind(value);
    });
    query.push(")");
}
