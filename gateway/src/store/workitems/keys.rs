//! What workitems are searched by without reading them: every workitem that a query matches has these keys, and perhaps others too.

use dicom_dictionary_std::tags;
use medvan_imaging::{
    Tag, Uid,
    attributes::{Attribute, Attributes},
    query::{Key, Matching, Query, moment_key},
    ups::{State, Workitem},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection};

use crate::{
    catalog::HospitalId,
    store::{StoreError, workitems::COLUMNS},
};

/// Characters of a value that are looked at.
const LONGEST: usize = 64;
/// Values of one key in a query that the index is asked for.
const VALUES: usize = 100;

/// What the index can narrow a search by.
#[derive(Debug, Clone, Default)]
pub struct WorkitemNarrow {
    uids: Option<Vec<Uid>>,
    state: Option<State>,
    keys: Vec<Bound>,
}

/// A kind of key, from what tells most of a workitem to what tells least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Study Instance UID of an input.
    Study,
    /// Patient ID.
    Patient,
    /// The day of Scheduled Procedure Step Start DateTime.
    Start,
    /// Code Value of a Scheduled Station Name.
    Station,
}

/// A condition on a key.
#[derive(Clone, PartialEq, Eq)]
struct Bound {
    kind: Kind,
    values: Values,
}

#[derive(Clone, PartialEq, Eq)]
enum Values {
    /// It is one of these.
    OneOf(Vec<String>),
    /// It lies between these.
    Between(Option<String>, Option<String>),
}

impl std::fmt::Debug for Bound {
    /// What it is about; the values may be a patient's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Study, Self::Patient, Self::Start, Self::Station];

    const fn word(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Patient => "patient",
            Self::Start => "start",
            Self::Station => "station",
        }
    }

    /// The sequences that lead to it, then itself.
    const fn path(self) -> &'static [Tag] {
        match self {
            Self::Study => &[tags::INPUT_INFORMATION_SEQUENCE, tags::STUDY_INSTANCE_UID],
            Self::Patient => &[tags::PATIENT_ID],
            Self::Start => &[tags::SCHEDULED_PROCEDURE_STEP_START_DATE_TIME],
            Self::Station => &[tags::SCHEDULED_STATION_NAME_CODE_SEQUENCE, tags::CODE_VALUE],
        }
    }

    /// What a workitem has of it.
    fn of(self, attributes: &Attributes) -> Vec<String> {
        let texts = match self.path() {
            [sequence, tag] => attributes.items(*sequence).iter().flat_map(|item| texts(item, *tag)).collect(),
            path => texts(attributes, path[0]),
        };
        match self {
            Self::Start => texts.iter().filter_map(|text| moment_key(text)).collect(),
            _ => texts.iter().map(|text| key(text)).collect(),
        }
    }
}

impl WorkitemNarrow {
    /// What the index can be asked for a query.
    pub fn of(query: &Query) -> Self {
        let mut narrow = Self::default();
        for key in query.keys() {
            let path: Vec<Tag> = key.path.iter().map(|selector| selector.tag).collect();
            match (path.as_slice(), &key.matching) {
                ([tags::SOP_INSTANCE_UID], Matching::UidList(uids)) if uids.len() <= VALUES => {
                    narrow.uids = Some(uids.clone());
                }
                ([tags::PROCEDURE_STEP_STATE], Matching::Single(state)) => narrow.state = state.as_str().parse().ok(),
                (path, _) => {
                    let kind = Kind::ALL.into_iter().find(|kind| kind.path() == path);
                    narrow.keys.extend(kind.and_then(|kind| bound(kind, key)));
                }
            }
        }
        narrow.keys.sort_by_key(|bound| bound.kind);
        narrow
    }

    /// The state that is asked for, if one is.
    pub(in crate::store) const fn state(&self) -> Option<State> {
        self.state
    }

    /// The UIDs that are asked for, if some are.
    pub(in crate::store) fn uids(&self) -> Option<&[Uid]> {
        self.uids.as_deref()
    }

    /// One workitem as SQL, if a search can match it.
    pub(super) fn select_one(&self, hospital: &HospitalId, uid: &Uid) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new(COLUMNS);
        query.push("hospital = ").push_bind(hospital.as_str().to_owned());
        query.push(" AND uid = ").push_bind(uid.as_str().to_owned());
        self.push_rest(&mut query, hospital, &self.keys);
        query
    }

    /// What else a workitem must have.
    fn push_rest(&self, query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, keys: &[Bound]) {
        for key in keys {
            query.push(" AND EXISTS (SELECT 1 FROM workitem_keys WHERE ");
            key.push(query, hospital);
            query.push(" AND workitem = workitems.id)");
        }
        if let Some(uids) = &self.uids {
            query.push(" AND uid IN (");
            one_of(query, uids.iter().map(|uid| uid.as_str().to_owned()));
            query.push(")");
        }
        if let Some(state) = self.state {
            query.push(" AND state = ").push_bind(state.word());
        }
    }

    /// The search as SQL: in the order in which they were created, one row read at a time.
    pub(super) fn select(&self, hospital: &HospitalId) -> QueryBuilder<Sqlite> {
        let mut query = QueryBuilder::new("");
        if let Some((first, others)) = self.keys.split_first() {
            // Rows of a megabyte are not sorted: their numbers are, beforehand (the limit keeps SQLite from doing it afterwards).
            query.push("SELECT workitems.id, uid, state, transaction_uid, attributes FROM (SELECT DISTINCT workitem FROM workitem_keys WHERE ");
            first.push(&mut query, hospital);
            query.push(" ORDER BY workitem LIMIT 10000000) AS narrowed CROSS JOIN workitems ON workitems.id = narrowed.workitem WHERE ");
            query.push("workitems.hospital = ").push_bind(hospital.as_str().to_owned());
            self.push_rest(&mut query, hospital, others);
        } else {
            query.push(COLUMNS).push("hospital = ").push_bind(hospital.as_str().to_owned());
            self.push_rest(&mut query, hospital, &[]);
        }
        if self.keys.is_empty() {
            query.push(" ORDER BY id");
        }
        query
    }
}

impl Bound {
    fn push(&self, query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId) {
        query.push("hospital = ").push_bind(hospital.as_str().to_owned());
        query.push(" AND key = ").push_bind(self.kind.word());
        match &self.values {
            Values::OneOf(values) if values.len() == 1 => {
                query.push(" AND value = ").push_bind(values[0].clone());
            }
            Values::OneOf(values) => {
                query.push(" AND value IN (");
                one_of(query, values.iter().cloned());
                query.push(")");
            }
            Values::Between(from, to) => {
                for (comparison, value) in [(" AND value >= ", from), (" AND value <= ", to)] {
                    if let Some(value) = value {
                        query.push(comparison).push_bind(value.clone());
                    }
                }
            }
        }
    }
}

fn one_of(query: &mut QueryBuilder<Sqlite>, values: impl Iterator<Item = String>) {
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
}

fn bound(kind: Kind, asked: &Key) -> Option<Bound> {
    let values = match (kind, &asked.matching) {
        (Kind::Start, Matching::Range(range)) => {
            // Somewhere else it may be the day before or after, on both sides.
            let (from, to) = range.days(2);
            Values::Between(from, to)
        }
        (Kind::Start, _) => return None,
        (_, matching) => Values::OneOf(exact(matching)?),
    };
    Some(Bound { kind, values })
}

/// The only texts that match.
fn exact(matching: &Matching) -> Option<Vec<String>> {
    let texts = match matching {
        Matching::Single(text) => vec![key(text.as_str())],
        Matching::UidList(uids) => uids.iter().map(|uid| key(uid.as_str())).collect(),
        Matching::AnyOf(several) => {
            several.iter().map(exact).collect::<Option<Vec<_>>>()?.into_iter().flatten().collect()
        }
        _ => return None,
    };
    (texts.len() <= VALUES).then_some(texts)
}

fn texts(attributes: &Attributes, tag: Tag) -> Vec<String> {
    attributes.get(tag).map(Attribute::texts).unwrap_or_default().into_iter().flatten().collect()
}

fn key(text: &str) -> String {
    text.trim_matches([' ', '\0']).chars().take(LONGEST).collect()
}

/// Every key of a workitem once.
pub(super) fn of(workitem: &Workitem) -> Vec<(&'static str, String)> {
    let mut keys: Vec<_> = Kind::ALL
        .into_iter()
        .flat_map(|kind| kind.of(workitem.attributes()).into_iter().map(move |value| (kind.word(), value)))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Writes the keys of a workitem; those that it had before go.
pub(super) async fn write(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
    keys: &[(&'static str, String)],
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT id FROM workitems WHERE hospital = $1 AND uid = $2")
        .bind(hospital.as_str())
        .bind(workitem.uid().as_str())
        .fetch_one(&mut *db)
        .await?;
    let id: i64 = row.try_get("id")?;
    sqlx::query("DELETE FROM workitem_keys WHERE workitem = $1").bind(id).execute(&mut *db).await?;
    for (key, value) in keys {
        sqlx::query("INSERT INTO workitem_keys (hospital, key, value, workitem) VALUES ($1, $2, $3, $4)")
            .bind(hospital.as_str())
            .bind(*key)
            .bind(value)
            .bind(id)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
