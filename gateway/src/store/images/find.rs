//! Reading the index.

use medvan_imaging::{
    TransferSyntax, Uid,
    query::{Narrow, TextBound},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};
use uuid::Uuid;

use crate::{
    catalog::HospitalId,
    store::{
        Kind, Store, StoreError,
        column::{count, parsed},
    },
};

/// Which instances are meant: those of a study, of a series of it, or one of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// StudyInstanceUID.
    pub study: Uid,
    /// SeriesInstanceUID.
    pub series: Option<Uid>,
    /// SOPInstanceUID.
    pub instance: Option<Uid>,
}

/// A study in the index.
#[derive(Debug, Clone)]
pub struct FoundStudy {
    /// The row, for the next page.
    pub id: i64,
    /// StudyInstanceUID.
    pub uid: Uid,
    /// Modalities of its series.
    pub modalities: Vec<String>,
    /// Its series.
    pub series: u64,
    /// Its instances.
    pub instances: u64,
    /// DICOM JSON of its attributes.
    pub attributes: String,
}

/// A series in the index.
#[derive(Debug, Clone)]
pub struct FoundSeries {
    /// The row, for the next page.
    pub id: i64,
    /// The row of its study.
    pub study: i64,
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Its instances.
    pub instances: u64,
    /// DICOM JSON of its attributes.
    pub attributes: String,
}

/// An instance in the index.
#[derive(Debug, Clone)]
pub struct FoundInstance {
    /// The row, for the next page.
    pub id: i64,
    /// The row of its series.
    pub series: i64,
    /// StudyInstanceUID.
    pub study_uid: Uid,
    /// SeriesInstanceUID.
    pub series_uid: Uid,
    /// SOPInstanceUID.
    pub uid: Uid,
    /// SOPClassUID.
    pub class: Uid,
    /// How it is written.
    pub syntax: TransferSyntax,
    /// InstanceNumber.
    pub number: Option<i64>,
    /// NumberOfFrames.
    pub frames: Option<i64>,
    /// Rows.
    pub rows: Option<i64>,
    /// Columns.
    pub columns: Option<i64>,
    /// BitsAllocated.
    pub bits: Option<i64>,
    /// Where its bytes are.
    pub place: Place,
    /// SHA-256 of them.
    pub digest: Vec<u8>,
    /// Whether the hospital sent it; an AI service made it otherwise.
    pub is_original: bool,
}

/// Where the bytes of an instance are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The pack.
    pub pack: Uuid,
    /// Bytes of the pack before it.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
}

const INSTANCE_COLUMNS: &str = "i.id, i.series, st.uid AS study_uid, se.uid AS series_uid, i.uid, i.class, i.syntax, \
     i.number, i.frames, i.rows, i.columns, i.bits, i.pack, i.at_byte, i.bytes, i.digest, i.kind";

impl Store {
    /// The instances that are meant, in the order in which they were stored. `after` and `limit` page through them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn select_instances(
        &self,
        hospital: &HospitalId,
        selection: &Selection,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FoundInstance>, StoreError> {
        self.find_instances(hospital, &selection.narrowings(), after, limit).await
    }

    /// The studies of a hospital that came last, the newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn newest_studies(&self, hospital: &HospitalId, most: u32) -> Result<Vec<Uid>, StoreError> {
        let rows = sqlx::query("SELECT uid FROM studies WHERE hospital = $1 ORDER BY id DESC LIMIT $2")
            .bind(hospital.as_str())
            .bind(i64::from(most))
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| parsed(row, "uid", "study uid")).collect()
    }

    /// Studies of a patient from before a day (`YYYYMMDD`), the latest first. A study without a date is not among them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn earlier_studies(
        &self,
        hospital: &HospitalId,
        patient_id: &str,
        before: &str,
        most: u32,
    ) -> Result<Vec<FoundStudy>, StoreError> {
        let rows = sqlx::query(
            "SELECT st.id, st.uid, st.modalities, st.series, st.instances, st.attributes FROM studies st \
             WHERE st.hospital = $1 AND st.patient_id = $2 AND st.date < $3 AND st.date > '' \
             ORDER BY st.date DESC, st.id DESC LIMIT $4",
        )
        .bind(hospital.as_str())
        .bind(patient_id)
        .bind(before)
        .bind(i64::from(most))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(study).collect()
    }

    /// Whether two studies of a hospital are stored and say the same PatientID, which is not empty.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn are_of_one_patient(&self, hospital: &HospitalId, one: &Uid, other: &Uid) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT EXISTS (SELECT 1 FROM studies a CROSS JOIN studies b ON b.hospital = a.hospital AND b.uid = $3 \
             AND b.patient_id = a.patient_id WHERE a.hospital = $1 AND a.uid = $2 AND a.patient_id <> '')",
        )
        .bind(hospital.as_str())
        .bind(one.as_str())
        .bind(other.as_str())
        .fetch_one(self.readers())
        .await?;
        Ok(row.try_get(0)?)
    }

    /// The transfer syntaxes in which the instances are stored that are meant; none where there are none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn syntaxes_of(
        &self,
        hospital: &HospitalId,
        selection: &Selection,
    ) -> Result<Vec<TransferSyntax>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT DISTINCT i.syntax");
        from_instances(&mut query, hospital, &selection.narrowings());
        let rows = query.build().fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok(TransferSyntax::of(parsed(row, 0, "transfer syntax")?))).collect()
    }

    /// What tells one state of the instances that are meant from another: how many there are, and when their study changed
    /// last, in microseconds. Every change counts on, whatever the clock says.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn version_of(&self, hospital: &HospitalId, selection: &Selection) -> Result<(u64, i64), StoreError> {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT count(*) AS count, coalesce(max(st.changed_at), 0) AS changed");
        from_instances(&mut query, hospital, &selection.narrowings());
        let row = query.build().fetch_one(self.readers()).await?;
        Ok((count(&row, "count")?, row.try_get("changed")?))
    }

    /// SHA-256 of the instance with this UID.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn known_digest(&self, hospital: &HospitalId, uid: &Uid) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT digest FROM instances WHERE hospital = $1 AND uid = $2")
            .bind(hospital.as_str())
            .bind(uid.as_str())
            .fetch_optional(self.readers())
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The SOP classes in a study, by its row.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn classes_of(&self, hospital: &HospitalId, study: i64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT i.class FROM studies st CROSS JOIN series se ON se.study = st.id CROSS JOIN instances i ON \
             i.series = se.id WHERE st.hospital = $1 AND st.id = $2 ORDER BY i.class",
        )
        .bind(hospital.as_str())
        .bind(study)
        .fetch_all(self.readers())
        .await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Whether a row leads to this pack of the hospital.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_pack_used(&self, hospital: &HospitalId, pack: Uuid) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM instances WHERE pack = $1 AND hospital = $2)")
            .bind(pack.to_string())
            .bind(hospital.as_str())
            .fetch_one(self.readers())
            .await?;
        Ok(row.try_get(0)?)
    }

    /// Every pack that rows lead to.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn packs(&self) -> Result<Vec<Uuid>, StoreError> {
        let rows = sqlx::query("SELECT id FROM packs").fetch_all(self.readers()).await?;
        rows.iter().map(|row| parsed(row, 0, "pack id")).collect()
    }

    /// Studies that may be meant, by row.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_studies(
        &self,
        hospital: &HospitalId,
        narrowings: &[Narrow],
        after: i64,
        limit: u32,
    ) -> Result<Vec<FoundStudy>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT st.id, st.uid, st.modalities, st.series, st.instances, st.attributes FROM studies st WHERE \
             st.hospital = ",
        );
        query.push_bind(hospital.as_str());
        for narrowing in narrowings {
            study_condition(&mut query, hospital, narrowing);
        }
        page(&mut query, "st.id", after, limit);
        query.build().fetch_all(self.readers()).await?.iter().map(study).collect()
    }

    /// Series that may be meant, by row.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_series(
        &self,
        hospital: &HospitalId,
        narrowings: &[Narrow],
        after: i64,
        limit: u32,
    ) -> Result<Vec<FoundSeries>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT se.id, se.study, se.uid, se.instances, se.attributes");
        from_series(&mut query, hospital, narrowings);
        page(&mut query, "se.id", after, limit);
        query.build().fetch_all(self.readers()).await?.iter().map(series).collect()
    }

    /// Instances that may be meant, by row.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_instances(
        &self,
        hospital: &HospitalId,
        narrowings: &[Narrow],
        after: i64,
        limit: u32,
    ) -> Result<Vec<FoundInstance>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
        query.push(INSTANCE_COLUMNS);
        from_instances(&mut query, hospital, narrowings);
        page(&mut query, "i.id", after, limit);
        query.build().fetch_all(self.readers()).await?.iter().map(instance).collect()
    }

    /// Studies by their rows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn studies_by_row(&self, hospital: &HospitalId, rows: &[i64]) -> Result<Vec<FoundStudy>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT st.id, st.uid, st.modalities, st.series, st.instances, st.attributes FROM studies st WHERE \
             st.hospital = ",
        );
        query.push_bind(hospital.as_str());
        one_of(&mut query, "st.id", rows);
        query.build().fetch_all(self.readers()).await?.iter().map(study).collect()
    }

    /// Series by their rows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn series_by_row(&self, hospital: &HospitalId, rows: &[i64]) -> Result<Vec<FoundSeries>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT se.id, se.study, se.uid, se.instances, se.attributes FROM series se WHERE se.hospital = ",
        );
        query.push_bind(hospital.as_str());
        one_of(&mut query, "se.id", rows);
        query.build().fetch_all(self.readers()).await?.iter().map(series).collect()
    }
}

impl Selection {
    fn narrowings(&self) -> Vec<Narrow> {
        let mut narrowings = vec![Narrow::StudyInstanceUid(vec![self.study.to_string()])];
        narrowings.extend(self.series.iter().map(|uid| Narrow::SeriesInstanceUid(vec![uid.to_string()])));
        narrowings.extend(self.instance.iter().map(|uid| Narrow::SopInstanceUid(vec![uid.to_string()])));
        narrowings
    }
}

/// The tables in the order in which they are walked: from those that the conditions narrow most. `CROSS JOIN` keeps it; a
/// planner without statistics would walk all instances of a hospital. Rows below a hospital's row are the hospital's.
fn from_instances(query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, narrowings: &[Narrow]) {
    let (tables, lead) = if has(narrowings, |narrow| matches!(narrow, Narrow::SopInstanceUid(_))) {
        ("instances i CROSS JOIN series se ON se.id = i.series CROSS JOIN studies st ON st.id = se.study", "i")
    } else if has(narrowings, of_study) {
        ("studies st CROSS JOIN series se ON se.study = st.id CROSS JOIN instances i ON i.series = se.id", "st")
    } else if has(narrowings, |narrow| matches!(narrow, Narrow::SeriesInstanceUid(_) | Narrow::Modality(_)))
        && !has(narrowings, |narrow| matches!(narrow, Narrow::SopClassUid(_)))
    {
        ("series se CROSS JOIN studies st ON st.id = se.study CROSS JOIN instances i ON i.series = se.id", "se")
    } else {
        ("instances i CROSS JOIN series se ON se.id = i.series CROSS JOIN studies st ON st.id = se.study", "i")
    };
    from(query, tables, lead, hospital);
    for narrow in narrowings {
        match narrow {
            Narrow::SopInstanceUid(uids) => one_of(query, "i.uid", uids),
            Narrow::SopClassUid(uids) => one_of(query, "i.class", uids),
            other => series_condition(query, hospital, other),
        }
    }
}

fn from_series(query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, narrowings: &[Narrow]) {
    let (tables, lead) = if has(narrowings, of_study) {
        ("studies st CROSS JOIN series se ON se.study = st.id", "st")
    } else {
        ("series se CROSS JOIN studies st ON st.id = se.study", "se")
    };
    from(query, tables, lead, hospital);
    for narrow in narrowings {
        series_condition(query, hospital, narrow);
    }
}

fn from(query: &mut QueryBuilder<Sqlite>, tables: &str, lead: &str, hospital: &HospitalId) {
    query.push(format_args!(" FROM {tables} WHERE {lead}.hospital = "));
    query.push_bind(hospital.as_str().to_owned());
}

fn has(narrowings: &[Narrow], is_it: impl Fn(&Narrow) -> bool) -> bool {
    narrowings.iter().any(is_it)
}

/// Whether it narrows studies.
fn of_study(narrow: &Narrow) -> bool {
    match narrow {
        Narrow::SeriesInstanceUid(_) | Narrow::SopInstanceUid(_) | Narrow::SopClassUid(_) | Narrow::Modality(_) => {
            false
        }
        Narrow::StudyInstanceUid(_)
        | Narrow::PatientId(_)
        | Narrow::PatientNameWord(_)
        | Narrow::AccessionNumber(_)
        | Narrow::StudyId(_)
        | Narrow::ModalitiesInStudy(_)
        | Narrow::StudyDate { .. } => true,
    }
}

fn series_condition(query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, narrow: &Narrow) {
    match narrow {
        Narrow::SeriesInstanceUid(uids) => one_of(query, "se.uid", uids),
        Narrow::Modality(modalities) => one_of(query, "se.modality", modalities),
        other => study_condition(query, hospital, other),
    }
}

/// What is of a lower level does not narrow a study: it is looked at by the rule that made the condition.
fn study_condition(query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, narrow: &Narrow) {
    match narrow {
        Narrow::StudyInstanceUid(uids) => one_of(query, "st.uid", uids),
        Narrow::PatientId(bound) => text(query, "st.patient_id", bound),
        Narrow::PatientNameWord(prefixes) => words(query, hospital, prefixes),
        Narrow::AccessionNumber(bound) => text(query, "st.accession", bound),
        Narrow::StudyId(bound) => text(query, "st.study_id", bound),
        Narrow::StudyDate { from, to } => dates(query, from.as_deref(), to.as_deref()),
        Narrow::ModalitiesInStudy(modalities) => {
            query.push(" AND EXISTS (SELECT 1 FROM series m WHERE m.study = st.id");
            one_of(query, "m.modality", modalities);
            query.push(")");
        }
        Narrow::SeriesInstanceUid(_) | Narrow::SopInstanceUid(_) | Narrow::SopClassUid(_) | Narrow::Modality(_) => {}
    }
}

fn one_of<T>(query: &mut QueryBuilder<Sqlite>, column: &str, values: &[T])
where
    T: Clone + for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send + 'static,
{
    query.push(format_args!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    query.push(")");
}

fn text(query: &mut QueryBuilder<Sqlite>, column: &str, bound: &TextBound) {
    match bound {
        TextBound::Exact(texts) => one_of(query, column, texts),
        TextBound::Prefix(prefix) => {
            query.push(format_args!(" AND {column} >= "));
            query.push_bind(prefix.clone());
            query.push(format_args!(" AND {column} < "));
            query.push_bind(after_prefix(prefix));
        }
    }
}

/// Greater than every text with this prefix.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

fn dates(query: &mut QueryBuilder<Sqlite>, from: Option<&str>, to: Option<&str>) {
    if let Some(from) = from {
        query.push(" AND st.date >= ");
        query.push_bind(from.to_owned());
    }
    if let Some(to) = to {
        query.push(" AND st.date <= ");
        query.push_bind(to.to_owned());
    }
}

fn words(query: &mut QueryBuilder<Sqlite>, hospital: &HospitalId, prefixes: &[String]) {
    query.push(" AND st.id IN (SELECT -1");
    for prefix in prefixes {
        query.push(" UNION ALL SELECT n.study FROM study_names n WHERE n.hospital = ");
        query.push_bind(hospital.as_str().to_owned());
        query.push(" AND n.word >= ");
        query.push_bind(prefix.clone());
        query.push(" AND n.word < ");
        query.push_bind(after_prefix(prefix));
    }
    query.push(")");
}

fn page(query: &mut QueryBuilder<Sqlite>, column: &str, after: i64, limit: u32) {
    query.push(format_args!(" AND {column} > "));
    query.push_bind(after);
    query.push(format_args!(" ORDER BY {column} LIMIT "));
    query.push_bind(i64::from(limit));
}

fn study(row: &SqliteRow) -> Result<FoundStudy, StoreError> {
    let modalities: &str = row.try_get("modalities")?;
    Ok(FoundStudy {
        id: row.try_get("id")?,
        uid: parsed(row, "uid", "study uid")?,
        modalities: modalities.split('\\').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        series: count(row, "series")?,
        instances: count(row, "instances")?,
        attributes: row.try_get("attributes")?,
    })
}

fn series(row: &SqliteRow) -> Result<FoundSeries, StoreError> {
    Ok(FoundSeries {
        id: row.try_get("id")?,
        study: row.try_get("study")?,
        uid: parsed(row, "uid", "series uid")?,
        instances: count(row, "instances")?,
        attributes: row.try_get("attributes")?,
    })
}

fn instance(row: &SqliteRow) -> Result<FoundInstance, StoreError> {
    Ok(FoundInstance {
        id: row.try_get("id")?,
        series: row.try_get("series")?,
        study_uid: parsed(row, "study_uid", "study uid")?,
        series_uid: parsed(row, "series_uid", "series uid")?,
        uid: parsed(row, "uid", "instance uid")?,
        class: parsed(row, "class", "class uid")?,
        syntax: TransferSyntax::of(parsed(row, "syntax", "transfer syntax")?),
        number: row.try_get("number")?,
        frames: row.try_get("frames")?,
        rows: row.try_get("rows")?,
        columns: row.try_get("columns")?,
        bits: row.try_get("bits")?,
        place: Place {
            pack: parsed(row, "pack", "pack id")?,
            offset: count(row, "at_byte")?,
            length: count(row, "bytes")?,
        },
        digest: row.try_get("digest")?,
        is_original: row.try_get::<&str, _>("kind")? == Kind::Original.word(),
    })
}
