//! What happened to workitems, and who is to hear of it: written with the change itself or not at all.

use medvan_imaging::{
    AeTitle, Uid, json,
    ups::{Event, Workitem},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use time::OffsetDateTime;

use super::Party;
use crate::{
    catalog::HospitalId,
    store::{Store, StoreError, instant::micros, jobs},
};

/// Bytes of a hospital's events that are kept; the oldest go first.
const ROOM: i64 = 64 << 20;
/// What an event takes besides its attributes, roughly.
const FRAME: usize = 256;

/// An event that a subscriber was not sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its number; later ones are greater.
    pub id: i64,
    /// The workitem.
    pub workitem: Uid,
    /// What happened to it.
    pub event: Event,
}

impl Store {
    /// The oldest events that a subscriber was not sent yet, in the order in which they happened. Those that cannot be read are passed
    /// over for good.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem_notices(
        &self,
        hospital: &HospitalId,
        ae_title: &AeTitle,
        most: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        self.workitem_notices_behind(hospital, ae_title, 0, most).await
    }

    /// The same of any party, behind one of them.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workitem_notices_behind(
        &self,
        party: impl Into<Party<'_>>,
        ae_title: &AeTitle,
        behind: i64,
        most: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        let party = party.into();
        let rows = sqlx::query(
            "SELECT events.id, events.workitem, events.kind, events.attributes FROM workitem_notices AS notices \
             JOIN workitem_events AS events ON events.id = notices.event \
             WHERE notices.hospital = $1 AND notices.ae_title = $2 AND notices.event > $3 \
             ORDER BY notices.event LIMIT $4",
        )
        .bind(party.key())
        .bind(ae_title.as_str())
        .bind(behind)
        .bind(most)
        .fetch_all(self.readers())
        .await?;
        let mut notices = Vec::with_capacity(rows.len());
        for row in &rows {
            match notice(row) {
                Ok(notice) => notices.push(notice),
                // One that cannot be read must not keep its subscriber from hearing the others.
                Err(error) => {
                    let id: i64 = row.try_get("id")?;
                    tracing::error!(error = &error as &dyn std::error::Error, event = id, "an event is not sent");
                    self.workitem_notice_sent(party, ae_title, id).await?;
                }
            }
        }
        Ok(notices)
    }
}

fn notice(row: &SqliteRow) -> Result<Notice, StoreError> {
    let workitem = Uid::parse(row.try_get("workitem")?);
    let attributes: &str = row.try_get("attributes")?;
    Ok(Notice {
        id: row.try_get("id")?,
        workitem: workitem.map_err(|_| StoreError::Unreadable("UID of a workitem"))?,
        event: Event {
            kind: row.try_get("kind")?,
            attributes: json::parse(attributes.as_bytes())
                .map_err(|_| StoreError::Unreadable("event of a workitem"))?,
        },
    })
}

impl Store {
    /// A subscriber took an event.
    ///
    /// # Errors
    /// The database does not take it; then it is sent once more.
    pub async fn workitem_notice_sent(
        &self,
        party: impl Into<Party<'_>>,
        ae_title: &AeTitle,
        event: i64,
    ) -> Result<(), StoreError> {
        let key = party.into().key();
        let mut db = self.write().await?;
        sqlx::query("DELETE FROM workitem_notices WHERE hospital = $1 AND ae_title = $2 AND event = $3")
            .bind(key)
            .bind(ae_title.as_str())
            .bind(event)
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(())
    }
}

/// Writes what happened to a workitem since it was read, for everybody who is subscribed to it now: at its hospital, and at the vendor
/// on whose worklist it stands.
pub(super) async fn record(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if workitem.events().is_empty() {
        return Ok(());
    }
    let vendor = jobs::vendor_of(db, hospital, workitem.uid()).await?;
    for event in workitem.events() {
        let id = put(db, hospital, workitem.uid(), event, now).await?;
        sqlx::query(
            "INSERT INTO workitem_notices (hospital, ae_title, event) \
             SELECT hospital, ae_title, $3 FROM workitem_subscriptions WHERE hospital IN ($1, $4) AND workitem = $2",
        )
        .bind(hospital.as_str())
        .bind(workitem.uid().as_str())
        .bind(id)
        .bind(vendor.as_ref().map(|vendor| Party::Vendor(vendor).key()))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Tells one new subscriber how a workitem is (table CC.2.3-2, "send initial event").
pub(super) async fn report(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Workitem,
    (party, ae_title): (&str, &AeTitle),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let id = put(db, hospital, workitem.uid(), &workitem.report(), now).await?;
    sqlx::query("INSERT INTO workitem_notices (hospital, ae_title, event) VALUES ($1, $2, $3)")
        .bind(party)
        .bind(ae_title.as_str())
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

async fn put(
    db: &mut SqliteConnection,
    hospital: &HospitalId,
    workitem: &Uid,
    event: &Event,
    now: OffsetDateTime,
) -> Result<i64, StoreError> {
    let attributes =
        serde_json::to_string(&event.attributes).map_err(|_| StoreError::Unreadable("event of a workitem"))?;
    let put = sqlx::query(
        "INSERT INTO workitem_events (hospital, workitem, kind, at, through, attributes) VALUES ($1, $2, $3, $4, \
         (SELECT coalesce(max(through), 0) FROM workitem_events WHERE hospital = $1) + $5, $6) RETURNING id, through",
    )
    .bind(hospital.as_str())
    .bind(workitem.as_str())
    .bind(event.kind)
    .bind(micros(now))
    .bind(i64::try_from(attributes.len() + FRAME).unwrap_or(ROOM))
    .bind(attributes)
    .fetch_one(&mut *db)
    .await?;
    let through: i64 = put.try_get("through")?;
    sqlx::query("DELETE FROM workitem_events WHERE hospital = $1 AND through <= $2")
        .bind(hospital.as_str())
        .bind(through - ROOM)
        .execute(db)
        .await?;
    Ok(put.try_get("id")?)
}
