//! Searches for priors at hospitals' archives, and the studies that were fetched from there.
//!
//! A search is a row before anybody is asked, and whoever searches holds it with a lease: a process that dies gives it back. What is
//! fetched is told from what the hospital sends by itself by the way it came, and by a row that was written before it was asked for.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::{
    Intake, Origin, Protocol, Store, StoreError,
    column::{instant, instant_if_any, parsed},
    instant::micros,
    intakes,
};
use crate::catalog::HospitalId;
use medvan_imaging::Uid;

/// A search that somebody is to do.
#[derive(Debug, Clone)]
pub struct PriorSearch {
    /// Whose.
    pub hospital: HospitalId,
    /// The study at hand: StudyInstanceUID.
    pub study: Uid,
    /// When the last image of it came.
    pub changed_at: OffsetDateTime,
    /// When nobody waits for it any longer.
    pub until: OffsetDateTime,
}

/// Where a search stands.
#[derive(Debug, Clone)]
pub struct SearchState {
    /// When nobody waits for it any longer.
    pub until: OffsetDateTime,
    /// When it ended, if it did.
    pub ended_at: Option<OffsetDateTime>,
    /// What came of it, as JSON.
    pub report: Option<String>,
}

impl Store {
    /// Puts a search in for a study, if there was none since something of it came, and says where it stands.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn search_priors(
        &self,
        intake: &Intake,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<SearchState, StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "INSERT INTO prior_searches (hospital, study, changed_at, asked_at, until, held_until) \
             VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (hospital, study) DO UPDATE SET \
             changed_at = excluded.changed_at, asked_at = excluded.asked_at, until = excluded.until, \
             held_until = excluded.held_until, ended_at = NULL, report = NULL \
             WHERE prior_searches.changed_at <> excluded.changed_at",
        )
        .bind(intake.hospital.as_str())
        .bind(intake.study.as_str())
        .bind(micros(intake.changed_at))
        .bind(micros(now))
        .bind(micros(until))
        .execute(&mut *db)
        .await?;
        let row = sqlx::query("SELECT until, ended_at, report FROM prior_searches WHERE hospital = $1 AND study = $2")
            .bind(intake.hospital.as_str())
            .bind(intake.study.as_str())
            .fetch_one(&mut *db)
            .await?;
        db.commit().await?;
        state(&row)
    }

    /// Where the last search for a study's priors stands; nothing where there was none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn prior_search(&self, hospital: &HospitalId, study: &Uid) -> Result<Option<SearchState>, StoreError> {
        let row = sqlx::query("SELECT until, ended_at, report FROM prior_searches WHERE hospital = $1 AND study = $2")
            .bind(hospital.as_str())
            .bind(study.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(state).transpose()
    }

    /// Takes searches that are still waited for, the longest waiting first; nobody else takes them before `held`. None of the
    /// hospitals that are `busy`, and of each other one `of_each` at most.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_prior_searches(
        &self,
        now: OffsetDateTime,
        held: OffsetDateTime,
        busy: &[HospitalId],
        (of_each, most): (usize, usize),
    ) -> Result<Vec<PriorSearch>, StoreError> {
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let busy: Vec<&str> = busy.iter().map(HospitalId::as_str).collect();
        let mut db = self.write().await?;
        let rows = sqlx::query(
            "UPDATE prior_searches SET held_until = $2 WHERE (hospital, study) IN (SELECT hospital, study FROM \
             (SELECT hospital, study, asked_at, row_number() OVER (PARTITION BY hospital ORDER BY asked_at) AS place \
             FROM prior_searches WHERE ended_at IS NULL AND held_until <= $1 AND until > $1 \
             AND hospital NOT IN (SELECT value FROM json_each($3))) WHERE place <= $4 ORDER BY asked_at LIMIT $5) \
             RETURNING hospital, study, changed_at, until",
        )
        .bind(micros(now))
        .bind(micros(held))
        .bind(json!(busy))
        .bind(whole(of_each))
        .bind(whole(most))
        .fetch_all(&mut *db)
        .await?;
        db.commit().await?;
        rows.iter().map(search).collect()
    }

    /// Holds a search until then, or gives it back where that is now.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn hold_prior_search(&self, search: &PriorSearch, held: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "UPDATE prior_searches SET held_until = $4 \
             WHERE hospital = $1 AND study = $2 AND changed_at = $3 AND ended_at IS NULL",
        )
        .bind(search.hospital.as_str())
        .bind(search.study.as_str())
        .bind(micros(search.changed_at))
        .bind(micros(held))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// Keeps what came of a search, and has its study judged now. What ended already stays as it is.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn end_prior_search(
        &self,
        search: &PriorSearch,
        report: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "UPDATE prior_searches SET ended_at = $4, report = $5 \
             WHERE hospital = $1 AND study = $2 AND changed_at = $3 AND ended_at IS NULL",
        )
        .bind(search.hospital.as_str())
        .bind(search.study.as_str())
        .bind(micros(search.changed_at))
        .bind(micros(now))
        .bind(report)
        .execute(&mut *db)
        .await?;
        recall(&mut db, &search.hospital, &search.study, now).await?;
        db.commit().await?;
        Ok(())
    }

    /// Has a study judged now that waits for a search which ended meanwhile.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn recall_intake(&self, intake: &Intake, now: OffsetDateTime) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        recall(&mut db, &intake.hospital, &intake.study, now).await?;
        db.commit().await?;
        Ok(())
    }

    /// Notes that a series is asked of an archive as part of a prior, before it is, and how many instances of it there are; nothing
    /// where that is not known. `source` is the node that will send it, if one will.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn expect_prior(
        &self,
        (hospital, study, series): (&HospitalId, &Uid, &Uid),
        instances: Option<u64>,
        source: &str,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "INSERT INTO prior_studies (hospital, study, source, asked_at, until) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (hospital, study) DO UPDATE SET source = excluded.source, asked_at = excluded.asked_at, \
             until = max(until, excluded.until)",
        )
        .bind(hospital.as_str())
        .bind(study.as_str())
        .bind(source)
        .bind(micros(now))
        .bind(micros(until))
        .execute(&mut *db)
        .await?;
        sqlx::query(
            "INSERT INTO prior_series (hospital, study, series, instances, asked_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (hospital, study, series) DO UPDATE SET instances = excluded.instances, \
             asked_at = excluded.asked_at",
        )
        .bind(hospital.as_str())
        .bind(study.as_str())
        .bind(series.as_str())
        .bind(instances.map_or(i64::MAX, |instances| i64::try_from(instances).unwrap_or(i64::MAX)))
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// A series of which nobody knew how many instances there are was given to its end.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn prior_is_whole(&self, hospital: &HospitalId, study: &Uid, series: &Uid) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM prior_series WHERE hospital = $1 AND study = $2 AND series = $3")
            .bind(hospital.as_str())
            .bind(study.as_str())
            .bind(series.as_str())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// Series of a study that are not all here, as far as an archive told how many instances they have.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn lacking_series(&self, hospital: &HospitalId, study: &Uid) -> Result<Vec<Uid>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.series FROM prior_series p WHERE p.hospital = $1 AND p.study = $2 AND p.instances > coalesce( \
             (SELECT sum(se.instances) FROM studies st CROSS JOIN series se ON se.study = st.id AND se.uid = p.series \
             WHERE st.hospital = $1 AND st.uid = $2), 0)",
        )
        .bind(hospital.as_str())
        .bind(study.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| parsed(row, "series", "series uid")).collect()
    }

    /// Instances of these studies came, and were stored already. A study that was here as a prior only is one now that the hospital
    /// sent by itself, and judged as such.
    ///
    /// # Errors
    /// The database does not answer, or does not take it.
    pub async fn came_again(
        &self,
        hospital: &HospitalId,
        origin: &Origin,
        studies: &BTreeSet<&str>,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        if studies.is_empty() || origin.protocol.is_fetched() {
            return Ok(());
        }
        let is_unsaid = origin.protocol == Protocol::CStoreUnsaid;
        let rows = sqlx::query(
            "SELECT study FROM prior_studies WHERE hospital = $1 AND study IN (SELECT value FROM json_each($2)) \
             AND NOT ($3 AND source = $4 AND until > $5)",
        )
        .bind(hospital.as_str())
        .bind(json!(studies))
        .bind(is_unsaid)
        .bind(&origin.source)
        .bind(micros(now))
        .fetch_all(self.readers())
        .await?;
        let own: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        if own.is_empty() {
            return Ok(());
        }
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM prior_studies WHERE hospital = $1 AND study IN (SELECT value FROM json_each($2))")
            .bind(hospital.as_str())
            .bind(json!(own))
            .execute(&mut *db)
            .await?;
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        intakes::note(&mut db, hospital, &own, now).await?;
        db.commit().await?;
        Ok(())
    }
}

/// Of these studies, those that the node is sending as priors.
pub(super) async fn expected_from(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    studies: &[(&str, &str)],
    now: OffsetDateTime,
) -> Result<BTreeSet<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT p.study FROM json_each($2) AS named CROSS JOIN prior_studies p \
         ON p.hospital = $1 AND p.study = named.value ->> 0 AND p.source = named.value ->> 1 AND p.until > $3",
    )
    .bind(hospital.as_str())
    .bind(json!(studies))
    .bind(micros(now))
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Whichever comes second finds the other: the end of the search, or that the study waits for it.
async fn recall(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    study: &Uid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE intakes SET due_at = $3 WHERE hospital = $1 AND study = $2 AND due_at IS NOT NULL AND EXISTS \
         (SELECT 1 FROM prior_searches WHERE hospital = $1 AND study = $2 \
         AND prior_searches.changed_at = intakes.changed_at AND ended_at IS NOT NULL)",
    )
    .bind(hospital.as_str())
    .bind(study.as_str())
    .bind(micros(now))
    .execute(db)
    .await?;
    Ok(())
}

fn search(row: &SqliteRow) -> Result<PriorSearch, StoreError> {
    Ok(PriorSearch {
        hospital: parsed(row, "hospital", "hospital id")?,
        study: parsed(row, "study", "study uid")?,
        changed_at: instant(row, "changed_at")?,
        until: instant(row, "until")?,
    })
}

fn state(row: &SqliteRow) -> Result<SearchState, StoreError> {
    Ok(SearchState {
        until: instant(row, "until")?,
        ended_at: instant_if_any(row, "ended_at")?,
        report: row.try_get("report")?,
    })
}
