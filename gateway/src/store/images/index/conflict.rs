//! A UID that is there already: with these bytes, or with others.

use std::collections::BTreeSet;

use sqlx::{Row as _, SqliteConnection};

use super::{
    RowId,
    batch::{Entry, names},
    whole,
};
use crate::{
    catalog::OnConflict,
    store::{images::Placed, instant::micros},
};

/// What becomes of an instance whose UID is known.
pub(super) async fn settle(
    db: &mut SqliteConnection,
    entry: &Entry<'_>,
    series: Option<RowId>,
    moved: &mut BTreeSet<RowId>,
) -> Result<Placed, sqlx::Error> {
    let row = sqlx::query("SELECT digest, series FROM instances WHERE hospital = $1 AND uid = $2")
        .bind(entry.placement.hospital.as_str())
        .bind(entry.instance.uid.as_str())
        .fetch_one(&mut *db)
        .await?;
    let digest: &[u8] = row.try_get(0)?;
    match entry.placement.on_conflict {
        _ if digest == entry.instance.digest => Ok(Placed::Same),
        OnConflict::Refuse => Ok(Placed::Refused),
        OnConflict::Keep => Ok(Placed::Kept),
        OnConflict::Replace => {
            replace(db, entry, series).await?;
            renew(db, entry, series).await?;
            moved.extend(series);
            moved.insert(row.try_get(1)?);
            Ok(Placed::Replaced)
        }
    }
}

async fn replace(db: &mut SqliteConnection, entry: &Entry<'_>, series: Option<RowId>) -> Result<(), sqlx::Error> {
    let Entry { instance, placement, .. } = entry;
    sqlx::query(
        "UPDATE instances SET series = $3, class = $4, syntax = $5, number = $6, frames = $7, rows = $8, columns = $9, \
         bits = $10, pack = $11, at_byte = $12, bytes = $13, digest = $14, origin = $15, kind = $16, stored_at = $17 \
         WHERE hospital = $1 AND uid = $2",
    )
    .bind(placement.hospital.as_str())
    .bind(instance.uid.as_str())
    .bind(series)
    .bind(instance.class.as_str())
    .bind(instance.syntax.uid().as_str())
    .bind(instance.number)
    .bind(instance.frames)
    .bind(instance.rows)
    .bind(instance.columns)
    .bind(instance.bits)
    .bind(placement.pack.to_string())
    .bind(whole(instance.at_byte))
    .bind(whole(instance.bytes))
    .bind(instance.digest.as_slice())
    .bind(placement.origin.id.to_string())
    .bind(instance.kind.word())
    .bind(micros(placement.now))
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// What the newest says of its series and study is what they are found by.
async fn renew(db: &mut SqliteConnection, entry: &Entry<'_>, series: Option<RowId>) -> Result<(), sqlx::Error> {
    let row = sqlx::query("UPDATE series SET modality = $2, attributes = $3 WHERE id = $1 RETURNING study")
        .bind(series)
        .bind(&entry.instance.series.modality)
        .bind(&entry.instance.series.attributes)
        .fetch_one(&mut *db)
        .await?;
    renew_study(db, entry, row.try_get(0)?).await
}

/// The same of the study. One that names no patient does not take a study from the patient who is named.
pub(super) async fn renew_study(db: &mut SqliteConnection, entry: &Entry<'_>, study: RowId) -> Result<(), sqlx::Error> {
    let new = &entry.instance.study;
    let renewed = sqlx::query(
        "UPDATE studies SET patient_id = $2, accession = $3, study_id = $4, date = $5, attributes = $6 \
         WHERE id = $1 AND ($2 <> '' OR patient_id = '')",
    )
    .bind(study)
    .bind(&new.patient_id)
    .bind(&new.accession)
    .bind(&new.study_id)
    .bind(&new.date)
    .bind(&new.attributes)
    .execute(&mut *db)
    .await?;
    if renewed.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query("DELETE FROM study_names WHERE study = $1").bind(study).execute(&mut *db).await?;
    let words: Vec<(RowId, &str)> = new.words.iter().map(|word| (study, word.as_str())).collect();
    names(db, &entry.placement.hospital, &words).await
}
