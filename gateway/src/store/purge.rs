//! What may be forgotten, and what must be after its time.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Store, StoreError,
    instant::{day, micros},
};
use crate::trust::jwt::SKEW_SECONDS;

/// So long feedback may come home for a card.
const CARD_LIFE: Duration = Duration::days(90);
/// So long after its hold a promised place in a trial is certainly free.
const HOLD_LIFE: Duration = Duration::hours(1);
/// So long a subscriber of workitems may be away and still hear what happened.
const EVENT_LIFE: Duration = Duration::days(7);
/// So long it is known that there was a workitem that was deleted.
const TOMB_LIFE: Duration = Duration::days(90);
/// Rows in one transaction: the calls' commits go in between.
const AT_ONCE: u64 = 2_000;

/// How long records are kept; none means for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention {
    /// Exchanges, and what was added to them.
    pub exchanges: Option<Duration>,
    /// Counted uses and scorecards.
    pub usage: Option<Duration>,
    /// Feedback and its deliveries, and what could not be sent to nodes.
    pub feedback: Option<Duration>,
    /// Workitems, from their end on.
    pub workitems: Option<Duration>,
}

/// One kind of row, and from when on it is too old.
struct Sweep {
    /// Deletes at most `$2` rows that are older than `$1`.
    statement: &'static str,
    /// `$1`.
    before: Before,
}

enum Before {
    /// A column of microseconds.
    Instant(OffsetDateTime),
    /// A column of days.
    Day(OffsetDateTime),
    /// A column of ids, which sort by time.
    Id(OffsetDateTime),
}

impl Store {
    /// Deletes tokens that no skew lets in any more, promises that ended, cards too old for feedback, events of
    /// workitems that nobody came for, and records beyond their time.
    ///
    /// # Errors
    /// The database does not take it.
    pub async fn purge(&self, now: OffsetDateTime, kept: Retention) -> Result<(), StoreError> {
        for sweep in sweeps(now, kept) {
            while self.sweep(&sweep).await? == AT_ONCE {}
        }
        if let Some(before) = kept.workitems.and_then(|age| now.checked_sub(age)) {
            self.purge_workitems(before, now).await?;
        }
        Ok(())
    }

    async fn sweep(&self, sweep: &Sweep) -> Result<u64, StoreError> {
        let query = sqlx::query(sweep.statement);
        let query = match sweep.before {
            Before::Instant(at) => query.bind(micros(at)),
            Before::Day(at) => query.bind(day(at)),
            Before::Id(at) => query.bind(first_id(at).to_string()),
        };
        let mut db = self.write().await?;
        let deleted = query.bind(i64::try_from(AT_ONCE).unwrap_or(i64::MAX)).execute(&mut *db).await?;
        db.commit().await?;
        Ok(deleted.rows_affected())
    }
}

/// What was asked of archives for the sake of work that is forgotten.
fn of_priors(before: OffsetDateTime) -> [Sweep; 3] {
    [
        Sweep {
            statement: "DELETE FROM prior_searches WHERE (hospital, study) IN (SELECT hospital, study FROM \
                        prior_searches WHERE asked_at < $1 LIMIT $2)",
            before: Before::Instant(before),
        },
        Sweep {
            statement: "DELETE FROM prior_studies WHERE (hospital, study) IN \
                        (SELECT hospital, study FROM prior_studies WHERE asked_at < $1 LIMIT $2)",
            before: Before::Instant(before),
        },
        Sweep {
            statement: "DELETE FROM prior_series WHERE (hospital, study, series) IN (SELECT hospital, study, series \
                        FROM prior_series p WHERE asked_at < $1 AND NOT EXISTS (SELECT 1 FROM studies st \
                        WHERE st.hospital = p.hospital AND st.uid = p.study) LIMIT $2)",
            before: Before::Instant(before),
        },
    ]
}

fn sweeps(now: OffsetDateTime, kept: Retention) -> Vec<Sweep> {
    let mut sweeps = vec![
        Sweep {
            statement: "DELETE FROM replay WHERE (hospital, issuer, jti) IN \
                        (SELECT hospital, issuer, jti FROM replay WHERE expires_at <= $1 LIMIT $2)",
            before: Before::Instant(now - Duration::seconds(SKEW_SECONDS)),
        },
        Sweep {
            statement: "DELETE FROM trial_holds WHERE (exchange, vendor, service) IN \
                        (SELECT exchange, vendor, service FROM trial_holds WHERE held_at <= $1 LIMIT $2)",
            before: Before::Instant(now - HOLD_LIFE),
        },
        Sweep {
            statement: "DELETE FROM issued_cards WHERE (card, vendor, service, cds_id) IN \
                        (SELECT card, vendor, service, cds_id FROM issued_cards WHERE issued_at <= $1 LIMIT $2)",
            before: Before::Instant(now - CARD_LIFE),
        },
        Sweep {
            statement: "DELETE FROM workitem_events WHERE id IN \
                        (SELECT id FROM workitem_events WHERE at <= $1 LIMIT $2)",
            before: Before::Instant(now - EVENT_LIFE),
        },
        Sweep {
            statement: "DELETE FROM workitem_tombs WHERE id IN \
                        (SELECT id FROM workitem_tombs WHERE deleted_at <= $1 LIMIT $2)",
            before: Before::Instant(now - TOMB_LIFE),
        },
    ];
    // An age that reaches back beyond all time keeps everything.
    let before = |age: Option<Duration>| age.and_then(|age| now.checked_sub(age));
    // Jobs that are done lead to what was found, and stay with it.
    let work = before(kept.exchanges).map(|before| {
        [
            Sweep {
                statement: "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN ('dead', 'canceled', 'superseded') \
                            AND id < $1 AND NOT EXISTS (SELECT 1 FROM analyses WHERE analyses.job = jobs.id) LIMIT $2)",
                before: Before::Id(before),
            },
            Sweep {
                statement: "DELETE FROM intakes WHERE (hospital, study) IN \
                            (SELECT hospital, study FROM intakes WHERE due_at IS NULL AND changed_at < $1 LIMIT $2)",
                before: Before::Instant(before),
            },
        ]
    });
    let exchanges = before(kept.exchanges).map(|before| {
        [
            "DELETE FROM addenda WHERE id IN (SELECT id FROM addenda WHERE exchange < $1 LIMIT $2)",
            "DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges WHERE id < $1 LIMIT $2)",
        ]
        .map(|statement| Sweep { statement, before: Before::Id(before) })
    });
    // Uses on trial are what is left of its quota, as long as there is such an enrolment.
    let usage = before(kept.usage).map(|before| {
        [
            Sweep {
                statement: "DELETE FROM usage WHERE (exchange, vendor, service, number) IN \
                            (SELECT exchange, vendor, service, number FROM usage WHERE exchange < $1 AND (mode <> 'trial' \
                            OR NOT EXISTS (SELECT 1 FROM enrollments WHERE enrollments.hospital = usage.hospital \
                            AND enrollments.vendor = usage.vendor AND enrollments.service = usage.service)) LIMIT $2)",
                before: Before::Id(before),
            },
            Sweep {
                statement: "DELETE FROM marks WHERE (vendor, service, number, day, kind, rule) IN \
                            (SELECT vendor, service, number, day, kind, rule FROM marks WHERE day < $1 LIMIT $2)",
                before: Before::Day(before),
            },
        ]
    });
    let feedback = before(kept.feedback).map(|before| {
        [
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id < $1 LIMIT $2)",
            "DELETE FROM feedback WHERE id IN (SELECT id FROM feedback WHERE id < $1 LIMIT $2)",
            "DELETE FROM node_outbox WHERE id IN \
             (SELECT id FROM node_outbox WHERE id < $1 AND state = 'dead' LIMIT $2)",
        ]
        .map(|statement| Sweep { statement, before: Before::Id(before) })
    });
    sweeps.extend(exchanges.into_iter().flatten().chain(work.into_iter().chain(usage).flatten()));
    sweeps.extend(before(kept.exchanges).into_iter().flat_map(of_priors));
    sweeps.extend(feedback.into_iter().flatten());
    sweeps
}

/// No id of version 7 that was made at this time or later is smaller (RFC 9562, section 5.7).
fn first_id(at: OffsetDateTime) -> Uuid {
    let millis = u128::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Uuid::from_u128(millis << 80)
}
