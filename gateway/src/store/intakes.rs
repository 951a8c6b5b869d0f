//! Studies in which something arrived: whether they are complete is looked at when nothing more comes for a while.

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::{Duration, OffsetDateTime};

use super::{
    Store, StoreError,
    column::{instant, instant_if_any, parsed},
    instant::micros,
};
use crate::catalog::HospitalId;
use medvan_imaging::Uid;

/// So long after the last arrival a study is looked at for the first time.
const FIRST_LOOK: Duration = Duration::seconds(1);

/// A study in which something arrived.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Whose.
    pub hospital: HospitalId,
    /// StudyInstanceUID.
    pub study: Uid,
    /// When the first instance came of those that were not judged yet.
    pub began_at: OffsetDateTime,
    /// When the last one came.
    pub changed_at: OffsetDateTime,
    /// Whether the transfer that brought it was broken off.
    pub is_cut: bool,
}

/// What was decided about a study.
#[derive(Debug, Clone)]
pub struct Judged {
    /// When.
    pub at: Option<OffsetDateTime>,
    /// When it is looked at again; none where nothing waits.
    pub due_at: Option<OffsetDateTime>,
    /// Why, as JSON.
    pub evidence: Option<String>,
}

/// Notes that originals of these studies arrived.
pub(super) async fn note(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    studies: &[&str],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    if studies.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO intakes (hospital, study, began_at, changed_at, due_at) \
         SELECT $1, value, $2, $2, $3 FROM json_each($4) WHERE true ON CONFLICT (hospital, study) DO UPDATE SET \
         began_at = CASE WHEN judged_at IS NULL OR judged_at < changed_at THEN began_at ELSE excluded.began_at END, \
         changed_at = max(changed_at + 1, excluded.changed_at), due_at = excluded.due_at, is_cut = 0",
    )
    .bind(hospital.as_str())
    .bind(micros(now))
    .bind(micros(now + FIRST_LOOK))
    .bind(serde_json::json!(studies))
    .execute(db)
    .await?;
    Ok(())
}

impl Store {
    /// When the next study is to be looked at.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_intake(&self) -> Result<Option<OffsetDateTime>, StoreError> {
        let row = sqlx::query("SELECT min(due_at) AS due_at FROM intakes WHERE due_at IS NOT NULL")
            .fetch_one(self.readers())
            .await?;
        instant_if_any(&row, "due_at")
    }

    /// Takes studies to look at, the longest waiting first; nobody else looks at them before `until`.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_intakes(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        most: usize,
    ) -> Result<Vec<Intake>, StoreError> {
        let mut db = self.write().await?;
        let rows = sqlx::query(
            "UPDATE intakes SET due_at = $2 WHERE (hospital, study) IN \
             (SELECT hospital, study FROM intakes WHERE due_at <= $1 ORDER BY due_at LIMIT $3) \
             RETURNING hospital, study, began_at, changed_at, is_cut",
        )
        .bind(micros(now))
        .bind(micros(until))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await?;
        db.commit().await?;
        rows.iter().map(intake).collect()
    }

    /// Notes that a transfer was broken off which had brought something of these studies.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn cut_intakes(
        &self,
        hospital: &HospitalId,
        studies: &[&Uid],
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let studies: Vec<&str> = studies.iter().map(|study| study.as_str()).collect();
        let mut db = self.write().await?;
        sqlx::query(
            // Whoever looks at one right now did not know it: it is looked at once more.
            "UPDATE intakes SET is_cut = 1, changed_at = changed_at + 1, due_at = min(due_at, $3) \
             WHERE hospital = $1 AND study IN (SELECT value FROM json_each($2)) AND due_at IS NOT NULL",
        )
        .bind(hospital.as_str())
        .bind(serde_json::json!(studies))
        .bind(micros(now + FIRST_LOOK))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// Keeps what was decided about a study, unless something arrived meanwhile: then it is looked at anew.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn judge_intake(
        &self,
        intake: &Intake,
        next: Option<OffsetDateTime>,
        evidence: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query(
            "UPDATE intakes SET due_at = $4, judged_at = CASE WHEN $4 IS NULL THEN $5 ELSE judged_at END, evidence = $6 \
             WHERE hospital = $1 AND study = $2 AND changed_at = $3",
        )
        .bind(intake.hospital.as_str())
        .bind(intake.study.as_str())
        .bind(micros(intake.changed_at))
        .bind(next.map(micros))
        .bind(micros(now))
        .bind(evidence)
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// What was decided about a study; nothing where nothing of it ever arrived.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn judged_intake(&self, hospital: &HospitalId, study: &Uid) -> Result<Option<Judged>, StoreError> {
        let row = sqlx::query("SELECT judged_at, due_at, evidence FROM intakes WHERE hospital = $1 AND study = $2")
            .bind(hospital.as_str())
            .bind(study.as_str())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| {
            Ok(Judged {
                at: instant_if_any(&row, "judged_at")?,
                due_at: instant_if_any(&row, "due_at")?,
                evidence: row.try_get("evidence")?,
            })
        })
        .transpose()
    }

    /// Has a study looked at as if it had just arrived: for rules that were switched on later. Gives whether it is there.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn look_again(
        &self,
        hospital: &HospitalId,
        study: &Uid,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        let is_there = sqlx::query("SELECT 1 FROM studies WHERE hospital = $1 AND uid = $2")
            .bind(hospital.as_str())
            .bind(study.as_str())
            .fetch_optional(&mut *db)
            .await?
            .is_some();
        if is_there {
            note(&mut db, hospital, &[study.as_str()], now).await?;
            db.commit().await?;
        }
        Ok(is_there)
    }
}

fn intake(row: &SqliteRow) -> Result<Intake, StoreError> {
    Ok(Intake {
        hospital: parsed(row, "hospital", "hospital id")?,
        study: parsed(row, "study", "study uid")?,
        began_at: instant(row, "began_at")?,
        changed_at: instant(row, "changed_at")?,
        is_cut: row.try_get("is_cut")?,
    })
}
