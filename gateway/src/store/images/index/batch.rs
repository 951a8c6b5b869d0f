//! [`Batch`]: the rows of a hospital's instances that came at once, table by table: few statements however many arrivals there
//! are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{Placement, RowId, conflict, count_series, count_study, whole};
use crate::{
    catalog::{HospitalId, OnConflict},
    store::{
        images::{Kind, NewInstance, Origin, Placed, Protocol},
        instant::micros,
        intakes, prior_searches, rows,
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

impl<'a> Entry<'a> {
    /// Whether the newest replaces what is stored.
    fn replaces(&self) -> bool {
        self.placement.on_conflict == OnConflict::Replace
    }

    /// The UID of its study, and who sent it.
    fn comes(&self) -> (&'a str, &'a str) {
        (self.instance.study.uid.as_str(), self.placement.origin.source.as_str())
    }

    /// The UIDs of its study and its series.
    fn names(&self) -> (&'a str, &'a str) {
        (self.instance.study.uid.as_str(), self.instance.series.uid.as_str())
    }
}

/// A study that an instance names.
struct Study {
    /// Its row; none before it is made.
    id: Option<RowId>,
    patient: String,
    /// The entry that was the first to name the patient of a study that was there without.
    named: Option<usize>,
    /// Whether an entry of this batch corrected the patient. It happens once: two corrections contradict each other.
    is_corrected: bool,
}

impl Study {
    fn of(id: Option<RowId>, patient: String) -> Self {
        Self { id, patient, named: None, is_corrected: false }
    }
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
        self.begin(db).await?;
        let known = self.known(db).await?;
        self.turn_strangers_away(&known);
        self.make_studies(db).await?;
        self.make_series(db).await?;
        self.insert(db).await?;
        self.count(db).await?;
        self.name_patients(db).await?;
        let mut moved = BTreeSet::new();
        for at in 0..self.entries.len() {
            if self.entries[at].placed.is_none() {
                let series = self.series_of(&self.entries[at]);
                self.entries[at].placed = Some(conflict::settle(db, &self.entries[at], series, &mut moved).await?);
            }
        }
        self.clear_up(db, moved).await?;
        self.tell(db).await?;
        Ok(self.entries.iter().filter_map(|entry| Some((entry.work, entry.placed?))).collect())
    }

    /// Writes where all comes from and goes to, and reads which studies and series there are already. In one trip: with an index
    /// that is written a thousand times a second the trips to its thread are what takes time.
    async fn begin(&mut self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let named: BTreeSet<(&'a str, &'a str)> = self.entries.iter().map(Entry::names).collect();
        let named: Vec<(&'a str, &'a str)> = named.into_iter().collect();
        let query = sqlx::query(
            "INSERT INTO origins (id, hospital, protocol, source, called, peer, at) \
             SELECT value ->> 0, $1, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
             FROM json_each($2) WHERE true ON CONFLICT (id) DO NOTHING; \
             INSERT INTO packs (id, hospital, made_at) SELECT value ->> 6, $1, value ->> 5 \
             FROM json_each($2) WHERE true ON CONFLICT (id) DO NOTHING; \
             SELECT named.key, studies.id, studies.patient_id, series.id FROM json_each($3) AS named \
             CROSS JOIN studies ON studies.hospital = $1 AND studies.uid = named.value ->> 0 \
             LEFT JOIN series ON series.study = studies.id AND series.uid = named.value ->> 1",
        );
        let from = self.placements.iter().map(|Placement { origin, pack, .. }| {
            let Origin { id, protocol, source, called, peer, at } = origin;
            json!([id, protocol.word(), source, called, peer, micros(*at), pack])
        });
        let query = query.bind(self.hospital.as_str()).bind(from.collect::<Value>()).bind(json!(named));
        for row in query.fetch_all(&mut *db).await? {
            let at: i64 = row.try_get(0)?;
            let Some((study, series)) = usize::try_from(at).ok().and_then(|at| named.get(at)) else { continue };
            let id: RowId = row.try_get(1)?;
            self.studies.insert(study, Study::of(Some(id), row.try_get(2)?));
            if let Some(row) = row.try_get(3)? {
                self.series.insert((id, series), row);
            }
        }
        Ok(())
    }

    /// The instances that are stored already, where the newest replaces and one says another patient than its study has: the
    /// study that each is in, and its digest.
    async fn known(&self, db: &mut SqliteConnection) -> Result<HashMap<String, (String, Vec<u8>)>, sqlx::Error> {
        let replacing = || self.entries.iter().filter(|entry| entry.replaces());
        let mut known = HashMap::new();
        if !replacing().any(|entry| self.is_strange(entry)) {
            return Ok(known);
        }
        let uids: Vec<&str> = replacing().map(|entry| entry.instance.uid.as_str()).collect();
        let query = sqlx::query(
            "SELECT i.uid, st.uid, i.digest FROM json_each($2) AS named \
             CROSS JOIN instances i ON i.hospital = $1 AND i.uid = named.value \
             CROSS JOIN series se ON se.id = i.series CROSS JOIN studies st ON st.id = se.study",
        );
        for row in query.bind(self.hospital.as_str()).bind(json!(uids)).fetch_all(&mut *db).await? {
            known.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
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
        for (at, entry) in self.entries.iter_mut().enumerate() {
            let new = &entry.instance.study;
            let study = self.studies.entry(new.uid.as_str());
            let study = study.or_insert_with(|| Study::of(None, new.patient_id.clone()));
            if study.patient.is_empty() && !new.patient_id.is_empty() {
                study.patient.clone_from(&new.patient_id);
                study.named = Some(at);
            }
            if !differ(&study.patient, &new.patient_id) {
                continue;
            }
            let stored = known.get(entry.instance.uid.as_str()).filter(|(study, _)| study == new.uid.as_str());
            match stored {
                Some((_, digest)) if entry.replaces() && !study.is_corrected => {
                    if *digest != entry.instance.digest {
                        study.patient.clone_from(&new.patient_id);
                        study.is_corrected = true;
                    }
                }
                _ => entry.placed = Some(Placed::OtherPatient),
            }
        }
    }

    /// A study that was there without a patient is found by what the first instance says that names one.
    async fn name_patients(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for study in self.studies.values() {
            let naming = study.named.map(|at| &self.entries[at]).filter(|entry| entry.placed == Some(Placed::New));
            if let (Some(entry), Some(id)) = (naming, study.id) {
                conflict::renew_study(db, entry, id).await?;
            }
        }
        Ok(())
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
        let mut series: BTreeMap<RowId, i64> = BTreeMap::new();
        let mut studies: BTreeMap<RowId, (i64, i64)> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.placed == Some(Placed::New)) {
            let (Some(of_study), Some(of_series)) = (self.study_of(entry), self.series_of(entry)) else { continue };
            *series.entry(of_series).or_default() += 1;
            let (added, changed) = studies.entry(of_study).or_default();
            *added += 1;
            *changed = micros(entry.placement.now).max(*changed);
        }
        if series.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(
            "UPDATE series SET instances = instances + (new.value ->> 1) FROM json_each($1) AS new \
             WHERE series.id = new.value ->> 0; \
             UPDATE studies SET instances = instances + (new.value ->> 1), \
             changed_at = max(changed_at + 1, new.value ->> 2) \
             FROM json_each($2) AS new WHERE studies.id = new.value ->> 0",
        );
        let added = studies.iter().map(|(study, (added, changed))| json!([study, added, changed]));
        query.bind(json!(series.iter().collect::<Vec<_>>())).bind(added.collect::<Value>()).execute(&mut *db).await?;
        let grown = self.entries.iter().filter(|entry| self.series_of(entry).is_some_and(|id| self.made.contains(&id)));
        let grown: BTreeSet<RowId> = grown.filter_map(|entry| self.study_of(entry)).collect();
        for study in grown {
            if let Some((_, changed)) = studies.get(&study) {
                count_study(db, study, *changed).await?;
            }
        }
        Ok(())
    }

    /// Counts what was moved anew, and drops what stayed empty: what instances left, and what was made for one that was not placed
    /// after all. At the end, because what one instance leaves another one may come to. A pack that is left empty keeps its row:
    /// whoever removes its file finds it by that.
    async fn clear_up(&self, db: &mut SqliteConnection, moved: BTreeSet<RowId>) -> Result<(), sqlx::Error> {
        let is_placed = |entry: &&Entry<'_>| matches!(entry.placed, Some(Placed::New | Placed::Replaced));
        let filled: BTreeSet<Option<RowId>> =
            self.entries.iter().filter(is_placed).map(|entry| self.series_of(entry)).collect();
        let empty = self.made.iter().filter(|series| !filled.contains(&Some(**series)));
        let mut studies = BTreeSet::new();
        for series in empty.chain(&moved) {
            studies.extend(count_series(db, *series).await?);
        }
        let now = self.placements.iter().map(|placement| micros(placement.now)).max().unwrap_or(0);
        for study in studies {
            count_study(db, study, now).await?;
        }
        let used: BTreeSet<_> = self.entries.iter().filter(is_placed).map(|entry| entry.placement.origin.id).collect();
        for placement in self.placements.iter().filter(|placement| !used.contains(&placement.origin.id)) {
            sqlx::query("DELETE FROM packs WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE pack = $1)")
                .bind(placement.pack.to_string())
                .execute(&mut *db)
                .await?;
            sqlx::query("DELETE FROM origins WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM instances WHERE origin = $1)")
                .bind(placement.origin.id.to_string())
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }

    /// Notes which studies have new originals: AI services may want them. What the gateway fetched itself is no news.
    async fn tell(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let is_news = |entry: &&Entry<'_>| {
            entry.instance.kind == Kind::Original
                && matches!(entry.placed, Some(Placed::New | Placed::Replaced))
                && !entry.placement.origin.protocol.is_fetched()
        };
        let news = || self.entries.iter().filter(is_news);
        let Some(now) = news().map(|entry| entry.placement.now).max() else { return Ok(()) };
        let unsaid = news().filter(|entry| entry.placement.origin.protocol == Protocol::CStoreUnsaid);
        let unsaid: BTreeSet<_> = unsaid.map(Entry::comes).collect();
        let mut fetched = BTreeSet::new();
        if !unsaid.is_empty() {
            let unsaid: Vec<_> = unsaid.into_iter().collect();
            fetched = prior_searches::expected_from(db, self.hospital, &unsaid, now).await?;
        }
        let is_fetched = |entry: &&Entry<'_>| {
            entry.placement.origin.protocol == Protocol::CStoreUnsaid
                && fetched.contains(entry.instance.study.uid.as_str())
        };
        let studies: BTreeSet<&str> =
            news().filter(|entry| !is_fetched(entry)).map(|entry| entry.instance.study.uid.as_str()).collect();
        intakes::note(db, self.hospital, &studies.into_iter().collect::<Vec<_>>(), now).await
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

/// Whether both are said, and not the same.
fn differ(patient: &str, other: &str) -> bool {
    !patient.is_empty() && !other.is_empty() && patient != other
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
