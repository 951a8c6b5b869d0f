//! Jobs taken with a lease: which services have something due, and whose turn it is.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, SqliteConnection};
use time::OffsetDateTime;

use super::{COLUMNS, HELD, Job, SERVICES, job};
use crate::{
    catalog::{ServiceName, VendorId},
    store::{
        Store, StoreError,
        column::{count, service_name},
        instant::micros,
    },
};

/// How many jobs may be worked on at once.
#[derive(Debug)]
pub struct Places<F> {
    /// Jobs that are taken at most.
    pub most: u32,
    /// Of the services of one vendor, with those that are under way.
    pub of_vendor: u32,
    /// Of one service, with those that are under way.
    pub of_service: F,
}

/// Services that have something due, the one with the most urgent first. It seeks from one service to the next, and in each the first
/// that is due of each priority: however much waits, it is not looked at.
const DUE: &str = "WITH RECURSIVE services (vendor, service) AS ( \
     SELECT * FROM (SELECT vendor, service FROM jobs WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     ORDER BY vendor, service LIMIT 1) AS begin UNION ALL \
     SELECT (SELECT j.vendor FROM jobs j WHERE j.state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     AND (j.vendor, j.service) > (services.vendor, services.service) ORDER BY j.vendor, j.service LIMIT 1), \
     (SELECT j.service FROM jobs j WHERE j.state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     AND (j.vendor, j.service) > (services.vendor, services.service) ORDER BY j.vendor, j.service LIMIT 1) \
     FROM services WHERE services.vendor IS NOT NULL), \
     ranks (priority) AS (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3), \
     firsts AS (SELECT s.vendor, s.service, r.priority, (SELECT min(j.due_at) FROM jobs j \
     WHERE j.state IN ('waiting', 'running', 'answered', 'offered', 'taken') AND j.vendor = s.vendor AND j.service = s.service \
     AND j.priority = r.priority) AS due_at FROM services s CROSS JOIN ranks r WHERE s.vendor IS NOT NULL) \
     SELECT vendor, service FROM firsts WHERE due_at <= $1 GROUP BY vendor, service ORDER BY min(priority), min(due_at) LIMIT $2";

/// Jobs of a service that are due, in their turn: the most urgent first, then those of the hospital that has the fewest under way.
/// A hospital that puts in a thousand waits for itself and lets others pass. Of each hospital not more are looked at than are wanted.
const TURNS: &str = "WITH RECURSIVE hospitals (hospital) AS ( \
     SELECT min(hospital) FROM jobs WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     AND vendor = $3 AND service = $4 UNION ALL \
     SELECT (SELECT min(j.hospital) FROM jobs j WHERE j.state IN ('waiting', 'running', 'answered', 'offered', 'taken') \
     AND j.vendor = $3 AND j.service = $4 AND j.hospital > hospitals.hospital) FROM hospitals WHERE hospitals.hospital IS NOT NULL), \
     due AS (SELECT j.id, j.hospital, j.priority, row_number() OVER (PARTITION BY j.hospital ORDER BY j.priority, j.id) AS turn \
     FROM hospitals CROSS JOIN jobs j WHERE j.id IN (SELECT o.id FROM jobs o \
     WHERE o.state IN ('waiting', 'running', 'answered', 'offered', 'taken') AND o.vendor = $3 AND o.service = $4 \
     AND o.hospital = hospitals.hospital AND o.due_at <= $2 ORDER BY o.priority, o.id LIMIT $5)) \
     SELECT due.id FROM due \
     LEFT JOIN (SELECT hospital, count(*) AS busy FROM jobs WHERE state IN ('running', 'answered') AND due_at > $2 \
     AND vendor = $3 AND service = $4 GROUP BY hospital) AS under_way ON under_way.hospital = due.hospital \
     ORDER BY due.priority, coalesce(under_way.busy, 0) + due.turn, due.id LIMIT $5";

impl Store {
    /// Takes jobs that are due, the most urgent of each service first and not more at once than there are places. They are the
    /// caller's until `until`. One whose results were taken and not kept as its answer, because the process died in between, takes
    /// results again. A try that whoever had the job did not bring to an end is not counted as one: with what died it, says nothing of
    /// its service.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_jobs<F>(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        mut places: Places<F>,
    ) -> Result<Vec<Job>, StoreError>
    where
        F: Fn(&ServiceName) -> u32 + Send,
    {
        let mut db = self.write().await?;
        let due = sqlx::query(DUE).bind(micros(now)).bind(SERVICES).fetch_all(&mut *db).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut busy = busy(&mut db, now).await?;
        let mut claimed = Vec::new();
        for row in &due {
            let service = service_name(row)?;
            let room = busy.room(&service, &places);
            if room == 0 {
                continue;
            }
            let rows = sqlx::query(AssertSqlSafe(format!(
                "UPDATE jobs SET state = CASE WHEN EXISTS (SELECT 1 FROM analyses WHERE job = jobs.id) THEN 'answered' \
                 ELSE 'running' END, due_at = $1, claim = claim + 1, attempts = attempts + CASE state WHEN 'running' THEN 0 ELSE 1 END, \
                 deaths = deaths + CASE state WHEN 'running' THEN 1 ELSE 0 END, changed_at = $2 WHERE id IN ({TURNS}) RETURNING {COLUMNS}"
            )))
            .bind(micros(until))
            .bind(micros(now))
            .bind(service.vendor.as_str())
            .bind(service.service.as_str())
            .bind(i64::from(room))
            .fetch_all(&mut *db)
            .await?;
            let taken = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            places.most = places.most.saturating_sub(taken);
            busy.take(&service, taken);
            claimed.extend(rows.iter().map(job).collect::<Result<Vec<_>, _>>()?);
        }
        db.commit().await?;
        Ok(claimed)
    }
}

/// Jobs under way.
struct Busy {
    services: HashMap<ServiceName, u32>,
    vendors: HashMap<VendorId, u32>,
}

async fn busy(db: &mut SqliteConnection, now: OffsetDateTime) -> Result<Busy, StoreError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT vendor, service, count(*) AS running FROM jobs WHERE {HELD} AND due_at > $1 GROUP BY vendor, service"
    )))
    .bind(micros(now))
    .fetch_all(db)
    .await?;
    let mut busy = Busy { services: HashMap::new(), vendors: HashMap::new() };
    for row in &rows {
        busy.take(&service_name(row)?, u32::try_from(count(row, "running")?).unwrap_or(u32::MAX));
    }
    Ok(busy)
}

impl Busy {
    fn take(&mut self, service: &ServiceName, jobs: u32) {
        let of_service = self.services.entry(service.clone()).or_default();
        *of_service = of_service.saturating_add(jobs);
        let of_vendor = self.vendors.entry(service.vendor.clone()).or_default();
        *of_vendor = of_vendor.saturating_add(jobs);
    }

    fn room<F: Fn(&ServiceName) -> u32>(&self, service: &ServiceName, places: &Places<F>) -> u32 {
        let of_service = self.services.get(service).copied().unwrap_or_default();
        let of_vendor = self.vendors.get(&service.vendor).copied().unwrap_or_default();
        let own = (places.of_service)(service).saturating_sub(of_service);
        own.min(places.of_vendor.saturating_sub(of_vendor)).min(places.most)
    }
}
