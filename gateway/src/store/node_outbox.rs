//! What must reach the nodes of hospitals, and how far it got.
//!
//! It is claimed with a lease: a process that dies with it loses it when the lease ends, so it is sent at least once. Of what is
//! for one node only one batch is under lease at a time, so that it goes over one association.

use medvan_imaging::{AeTitle, Uid, dimse::CommitmentReport};
use sqlx::{QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Store, StoreError,
    catalog::Page,
    column::{count, instant, parsed},
    instant::micros,
    rows,
};
use crate::catalog::HospitalId;

/// One thing for a node.
#[derive(Debug, Clone)]
pub struct ForNode {
    /// Its id; ids sort by time.
    pub id: Uuid,
    /// What it is.
    pub what: ToNode,
    /// Which attempt this is, from 1.
    pub attempt: u64,
    /// Since when it waits.
    pub put_at: OffsetDateTime,
}

/// What goes to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToNode {
    /// The instance with this SOP Instance UID.
    Instance(Uid),
    /// The answer to a storage commitment.
    Report(Box<CommitmentReport>),
}

/// What this process may send to one node until its lease ends.
#[derive(Debug)]
pub struct NodeBatch {
    /// The hospital.
    pub hospital: HospitalId,
    /// The node's AE title.
    pub node: AeTitle,
    /// In the order in which it was put in.
    pub rows: Vec<ForNode>,
}

/// Something that was given up.
#[derive(Debug, Clone)]
pub struct GivenUp {
    /// Its id.
    pub id: Uuid,
    /// The node's AE title.
    pub node: AeTitle,
    /// What it was.
    pub what: ToNode,
    /// How often it was tried.
    pub attempts: u64,
    /// Since when it waited.
    pub put_at: OffsetDateTime,
    /// Why, in the node's own words where it had some.
    pub fault: String,
}

/// A free node with something due; one that is under lease has to come home first.
const FREE: &str = "SELECT hospital, node FROM node_outbox WHERE state = 'waiting' AND next_at <= $1 AND lease_until <= $1 \
     AND NOT EXISTS (SELECT 1 FROM node_outbox held WHERE held.hospital = node_outbox.hospital \
     AND held.node = node_outbox.node AND held.state = 'waiting' AND held.lease_until > $1 AND held.report IS NULL) \
     GROUP BY hospital, node ORDER BY min(next_at) LIMIT $2";

const CLAIM: &str = "UPDATE node_outbox SET lease_until = $1, attempts = attempts + 1 WHERE id IN \
     (SELECT id FROM node_outbox WHERE hospital = $3 AND node = $4 AND state = 'waiting' AND next_at <= $2 \
     AND lease_until <= $2 ORDER BY id LIMIT $5) RETURNING id, instance, report, attempts, put_at";

impl Store {
    /// Puts instances in for a node.
    ///
    /// # Errors
    /// The database does not take it; then nothing was put in.
    pub async fn send_to_node(
        &self,
        hospital: &HospitalId,
        node: &AeTitle,
        instances: &[Uid],
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        let head =
            "INSERT INTO node_outbox (id, hospital, node, instance, state, attempts, put_at, next_at, lease_until) ";
        let (hospital, node, now) = (hospital.as_str(), node.as_str(), micros(now));
        rows::insert(&mut db, head, "", instances, |mut row, instance| {
            row.push_bind(Uuid::now_v7().to_string())
                .push_bind(hospital.to_owned())
                .push_bind(node.to_owned())
                .push_bind(instance.to_string())
                .push("'waiting', 0")
                .push_bind(now)
                .push_bind(now)
                .push("0");
        })
        .await?;
        db.commit().await?;
        Ok(())
    }

    /// Puts a report in for a node, held until then: the association on which it was asked for may still be there.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn owe_report(
        &self,
        hospital: &HospitalId,
        node: &AeTitle,
        report: &CommitmentReport,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Uuid, StoreError> {
        let text = serde_json::to_string(report).map_err(|_| StoreError::Unreadable("commitment report"))?;
        let id = Uuid::now_v7();
        let mut db = self.write().await?;
        sqlx::query(
            "INSERT INTO node_outbox (id, hospital, node, report, state, attempts, put_at, next_at, lease_until) \
             VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5, $6)",
        )
        .bind(id.to_string())
        .bind(hospital.as_str())
        .bind(node.as_str())
        .bind(&text)
        .bind(micros(now))
        .bind(micros(until))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(id)
    }

    /// Takes what is due: for so many nodes, so much for each, until the lease ends.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn claim_for_nodes(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        nodes: usize,
        each: u32,
    ) -> Result<Vec<NodeBatch>, StoreError> {
        let mut db = self.write().await?;
        let free = sqlx::query(FREE)
            .bind(micros(now))
            .bind(i64::try_from(nodes).unwrap_or(i64::MAX))
            .fetch_all(&mut *db)
            .await?;
        let mut batches = Vec::with_capacity(free.len());
        for row in &free {
            let (hospital, node): (HospitalId, AeTitle) =
                (parsed(row, "hospital", "hospital id")?, parsed(row, "node", "AE title")?);
            let claimed = sqlx::query(CLAIM)
                .bind(micros(until))
                .bind(micros(now))
                .bind(hospital.as_str())
                .bind(node.as_str())
                .bind(i64::from(each))
                .fetch_all(&mut *db)
                .await?;
            let mut rows = claimed.iter().map(for_node).collect::<Result<Vec<_>, _>>()?;
            // RETURNING gives no order.
            rows.sort_by_key(|row| row.id);
            batches.push(NodeBatch { hospital, node, rows });
        }
        db.commit().await?;
        Ok(batches)
    }

    /// Keeps what was claimed until a later time.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn hold_for_node(&self, ids: &[Uuid], until: OffsetDateTime) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut db = self.write().await?;
        let mut query = QueryBuilder::<Sqlite>::new("UPDATE node_outbox SET lease_until = ");
        query.push_bind(micros(until));
        query.push(" WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.to_string());
        }
        query.push(")");
        query.build().persistent(false).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// The node took it.
    ///
    /// # Errors
    /// The database does not take it; it is then sent again.
    pub async fn reached_node(&self, id: Uuid) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM node_outbox WHERE id = $1").bind(id.to_string()).execute(&mut *db).await?;
        db.commit().await?;
        Ok(())
    }

    /// It did not work; again at `next_at`.
    ///
    /// # Errors
    /// The database does not take it; it is then sent again when its lease ends.
    pub async fn try_node_later(&self, id: Uuid, next_at: OffsetDateTime, fault: &str) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE node_outbox SET next_at = $1, lease_until = 0, last_fault = $2 WHERE id = $3")
            .bind(micros(next_at))
            .bind(fault)
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// It will not work. It is kept to be looked at.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn give_up_on_node(&self, id: Uuid, fault: &str) -> Result<(), StoreError> {
        let mut db = self.write().await?;
        sqlx::query("UPDATE node_outbox SET state = 'dead', lease_until = 0, last_fault = $1 WHERE id = $2")
            .bind(fault)
            .bind(id.to_string())
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }

    /// Lets what was given up wait once more. Gives whether there was such of this hospital.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn try_node_again(
        &self,
        hospital: &HospitalId,
        id: Uuid,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut db = self.write().await?;
        // Its week begins anew with its attempts.
        let done = sqlx::query(
            "UPDATE node_outbox SET state = 'waiting', attempts = 0, put_at = $3, next_at = $3, lease_until = 0 \
             WHERE hospital = $1 AND id = $2 AND state = 'dead'",
        )
        .bind(hospital.as_str())
        .bind(id.to_string())
        .bind(micros(now))
        .execute(&mut *db)
        .await?;
        db.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// How much waits for nodes, and how much was given up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn node_outbox_depth(&self) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), 0) AS waiting, \
             coalesce(sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS dead FROM node_outbox",
        )
        .fetch_one(self.readers())
        .await?;
        Ok((count(&row, "waiting")?, count(&row, "dead")?))
    }

    /// What was given up of a hospital's, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn given_up_on_nodes(&self, hospital: &HospitalId, page: Page<'_>) -> Result<Vec<GivenUp>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, node, instance, report, attempts, put_at, coalesce(last_fault, '') AS last_fault \
             FROM node_outbox WHERE hospital = $1 AND state = 'dead' AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(hospital.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(given_up).collect()
    }
}

fn for_node(row: &SqliteRow) -> Result<ForNode, StoreError> {
    Ok(ForNode {
        id: parsed(row, "id", "outbox id")?,
        what: what(row)?,
        attempt: count(row, "attempts")?,
        put_at: instant(row, "put_at")?,
    })
}

fn given_up(row: &SqliteRow) -> Result<GivenUp, StoreError> {
    Ok(GivenUp {
        id: parsed(row, "id", "outbox id")?,
        node: parsed(row, "node", "AE title")?,
        what: what(row)?,
        attempts: count(row, "attempts")?,
        put_at: instant(row, "put_at")?,
        fault: row.try_get("last_fault")?,
    })
}

fn what(row: &SqliteRow) -> Result<ToNode, StoreError> {
    let report: Option<&str> = row.try_get("report")?;
    match report {
        Some(report) => {
            let report = serde_json::from_str(report).map_err(|_| StoreError::Unreadable("commitment report"))?;
            Ok(ToNode::Report(report))
        }
        None => Ok(ToNode::Instance(parsed(row, "instance", "instance uid")?)),
    }
}
