//! Sending to nodes, at least once, also after a crash: instances by C-STORE, or by STOW-RS where the node has a DICOMweb root
//! ([`web`]), reports of storage commitment by N-EVENT-REPORT.
//!
//! What is due for one node goes over one association or a few requests, under a lease that is renewed while it goes. Of several processes or
//! tasks one sends to a node at a time, and a node that hangs delays nobody else. What the node refuses is set aside
//! with its own words; a node that cannot be reached is called again, with growing pauses, for a week.

mod web;

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use medvan_imaging::{
    AeTitle, TransferSyntax, Uid,
    dimse::{
        Outcome, Response, STORAGE_COMMITMENT, Status,
        negotiation::{Proposal, Roles},
        sending::proposals,
    },
    query::Narrow,
    transfer_syntax::{EXPLICIT_LITTLE, IMPLICIT_LITTLE},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    association::Ended,
    caller::{CallFault, Called, SendFault},
};
use crate::{
    App,
    catalog::{HospitalId, HospitalImaging, Node},
    outbox::next_attempt,
    store::{ForNode, FoundInstance, NodeBatch, StoreError, ToNode},
};

/// Nodes that are sent to at once.
const NODES_AT_ONCE: usize = 8;
/// Instances and reports that go over one association.
const BATCH: u32 = 200;
/// How often the table is looked at without being told.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a node is called that cannot be reached.
const LONGEST: time::Duration = time::Duration::days(7);

/// Sends instances to a node of a hospital: at least once, whatever happens, in a while.
///
/// # Errors
/// The database does not take it; then nothing is sent.
pub async fn send(app: &App, hospital: &HospitalId, node: &AeTitle, instances: &[Uid]) -> Result<(), StoreError> {
    app.store.send_to_node(hospital, node, instances, app.clock.now()).await?;
    app.dimse.ring();
    Ok(())
}

/// Sends until the process stops.
pub(crate) async fn deliver(app: App) {
    let mut running = FuturesUnordered::new();
    while !app.tasks.is_stopping() {
        match claim(&app, NODES_AT_ONCE - running.len()).await {
            Ok(batches) => running.extend(
                batches.into_iter().map(|batch| app.tasks.spawn("node outbox", deliver_batch(app.clone(), batch))),
            ),
            Err(error) => tracing::error!(%error, "the outbox of nodes cannot be read"),
        }
        tokio::select! {
            Some(_ended) = running.next() => {}
            () = app.tasks.stopping() => {}
            () = app.dimse.rung() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn claim(app: &App, room: usize) -> Result<Vec<NodeBatch>, StoreError> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    app.store.claim_for_nodes(now, now + lease(app), room, BATCH).await
}

fn lease(app: &App) -> time::Duration {
    let seconds =
        app.config.outbox.lease_seconds.max(app.config.dimse.idle_seconds).max(app.config.dimse.artim_seconds);
    time::Duration::seconds(i64::try_from(seconds.saturating_mul(2)).unwrap_or(120))
}

/// How one attempt went.
#[derive(Debug, PartialEq, Eq)]
enum Went {
    /// The node has it.
    Reached,
    /// It may go better another time.
    Later(String),
    /// It could not be tried because there is no way to the node.
    NoWay(String),
    /// It will never go.
    Never(String),
}

struct Delivery {
    app: App,
    hospital: HospitalId,
    imaging: HospitalImaging,
    node: Node,
}

async fn deliver_batch(app: App, batch: NodeBatch) {
    let Some((imaging, node)) = known(&app, &batch.hospital, &batch.node) else {
        for row in &batch.rows {
            record(&app, row, Went::Never("the hospital has no such node any more".to_owned())).await;
        }
        return;
    };
    let (instances, reports): (Vec<_>, Vec<_>) =
        batch.rows.into_iter().partition(|row| matches!(row.what, ToNode::Instance(_)));
    let delivery = Delivery { app, hospital: batch.hospital, imaging, node };
    if !reports.is_empty() {
        delivery.report(reports).await;
    }
    if !instances.is_empty() {
        delivery.send(instances).await;
    }
}

fn known(app: &App, hospital: &HospitalId, node: &AeTitle) -> Option<(HospitalImaging, Node)> {
    let catalog = app.catalog.current();
    let imaging = catalog.hospital(hospital)?.hospital.imaging.clone()?;
    let node = imaging.node(node)?.clone();
    Some((imaging, node))
}

impl Delivery {
    async fn send(&self, rows: Vec<ForNode>) {
        let found = match self.look_up(&rows).await {
            Ok(found) => found,
            // The lease ends, and they come again.
            Err(error) => return tracing::error!(%error, "instances for a node cannot be looked up"),
        };
        let mut waiting: BTreeMap<Uid, ForNode> = BTreeMap::new();
        for row in rows {
            let ToNode::Instance(uid) = &row.what else { continue };
            if found.contains_key(uid) {
                if let Some(twice) = waiting.insert(uid.clone(), row) {
                    self.drop_double(&twice).await;
                }
            } else {
                record(&self.app, &row, Went::Never("the instance is not stored any more".to_owned())).await;
            }
        }
        if let Some(system) = &self.node.dicomweb {
            return self.store(system, &found, waiting).await;
        }
        let kinds: Vec<(Uid, TransferSyntax)> =
            found.values().map(|instance| (instance.class.clone(), instance.syntax.clone())).collect();
        for lot in proposals(&kinds) {
            self.send_lot(&lot, &found, &mut waiting).await;
        }
    }

    /// What was put in once more, as by a job that was begun again after a crash, goes once. Left as it is, it would keep the node
    /// from everything else until its lease ends.
    async fn drop_double(&self, row: &ForNode) {
        if let Err(error) = self.app.store.reached_node(row.id).await {
            tracing::error!(%error, "an instance is sent to a node twice");
        }
    }

    async fn look_up(&self, rows: &[ForNode]) -> Result<BTreeMap<Uid, FoundInstance>, StoreError> {
        let uids = rows.iter().filter_map(|row| match &row.what {
            ToNode::Instance(uid) => Some(uid.to_string()),
            ToNode::Report(_) => None,
        });
        let narrow = [Narrow::SopInstanceUid(uids.collect())];
        let found = self.app.store.find_instances(&self.hospital, &narrow, 0, BATCH).await?;
        Ok(found.into_iter().map(|instance| (instance.uid.clone(), instance)).collect())
    }

    async fn send_lot(
        &self,
        lot: &[Proposal],
        found: &BTreeMap<Uid, FoundInstance>,
        waiting: &mut BTreeMap<Uid, ForNode>,
    ) {
        let mine: Vec<(ForNode, &FoundInstance)> = found
            .values()
            .filter(|instance| lot.iter().any(|proposal| proposal.abstract_syntax == instance.class.as_str()))
            .filter_map(|instance| Some((waiting.remove(&instance.uid)?, instance)))
            .collect();
        let mut mine = mine.into_iter();
        let mut called = match Called::call(&self.app.dimse, &self.imaging.ae_title, &self.node, lot, &[]).await {
            Ok(called) => called,
            Err(fault) => {
                for (row, _) in mine {
                    record(&self.app, &row, Went::not_called(&fault)).await;
                }
                return;
            }
        };
        while let Some((row, instance)) = mine.next() {
            if self.app.tasks.is_stopping() {
                called.end(Some(&Ended::Stopping)).await;
                for row in std::iter::once(row).chain(mine.map(|(row, _)| row)) {
                    give_back(&self.app, &row).await;
                }
                return;
            }
            match called.store(&self.app, &self.hospital, instance, None).await {
                Ok(answer) => record(&self.app, &row, Went::of(&answer)).await,
                Err(SendFault::Ended(ended)) => {
                    let words = ended.to_string();
                    called.end(Some(&ended)).await;
                    for row in std::iter::once(row).chain(mine.map(|(row, _)| row)) {
                        record(&self.app, &row, Went::NoWay(words.clone())).await;
                    }
                    return;
                }
                Err(SendFault::Read(fault)) if fault.is_busy() => not_now(&self.app, &row).await,
                Err(SendFault::Read(fault)) => record(&self.app, &row, Went::Later(fault.to_string())).await,
                Err(fault @ SendFault::NoContext(_)) => {
                    record(&self.app, &row, Went::Never(fault.to_string())).await;
                }
            }
            self.renew(mine.as_slice().iter().map(|(row, _)| row.id)).await;
        }
        called.end(None).await;
    }

    /// What is still to be sent stays ours.
    async fn renew(&self, ids: impl Iterator<Item = Uuid>) {
        let ids: Vec<Uuid> = ids.collect();
        let until = self.app.clock.now() + lease(&self.app);
        if let Err(error) = self.app.store.hold_for_node(&ids, until).await {
            tracing::error!(%error, "a lease was not renewed; some instances may be sent twice");
        }
    }

    async fn report(&self, rows: Vec<ForNode>) {
        // The roles are reversed: the one who asks for this association is the one who was asked (PS3.4 §J.3.3).
        let roles = [(Uid::known(STORAGE_COMMITMENT), Roles { scu: false, scp: true })];
        let syntaxes = vec![EXPLICIT_LITTLE.to_owned(), IMPLICIT_LITTLE.to_owned()];
        let proposal = Proposal { id: 1, abstract_syntax: STORAGE_COMMITMENT.to_owned(), transfer_syntaxes: syntaxes };
        let mut rows = rows.into_iter();
        let mut called =
            match Called::call(&self.app.dimse, &self.imaging.ae_title, &self.node, &[proposal], &roles).await {
                Ok(called) => called,
                Err(fault) => {
                    for row in rows {
                        record(&self.app, &row, Went::not_called(&fault)).await;
                    }
                    return;
                }
            };
        while let Some(row) = rows.next() {
            let answer = match &row.what {
                ToNode::Report(report) => called.report(report).await,
                ToNode::Instance(_) => continue,
            };
            match answer {
                Ok(answer) => record(&self.app, &row, Went::of(&answer)).await,
                Err(ended) => {
                    let words = ended.to_string();
                    called.end(Some(&ended)).await;
                    for row in std::iter::once(row).chain(rows) {
                        record(&self.app, &row, Went::NoWay(words.clone())).await;
                    }
                    return;
                }
            }
        }
        called.end(None).await;
    }
}

impl Went {
    fn of(answer: &Response) -> Self {
        match answer.status.outcome() {
            Outcome::Success | Outcome::Warning => Self::Reached,
            _ if may_change(answer) => Self::Later(answer.in_words()),
            _ => Self::Never(answer.in_words()),
        }
    }

    fn not_called(fault: &CallFault) -> Self {
        if fault.is_of_the_way() { Self::NoWay(fault.to_string()) } else { Self::Later(fault.to_string()) }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Later(_) => "refused-for-now",
            Self::NoWay(_) => "unreachable",
            Self::Never(_) => "refused",
        }
    }
}

/// Whether another time the answer may be another one.
pub(super) fn may_change(answer: &Response) -> bool {
    is_about_now(answer.status)
}

/// Out of resources, processing failure, resource limitation, not authorized: these are about now, the others about what was sent.
fn is_about_now(status: Status) -> bool {
    matches!(status.0, 0xA700..=0xA7FF | 0x0110 | 0x0124 | 0x0213)
}

/// What was not tried is due again at once, for whoever comes next.
async fn give_back(app: &App, row: &ForNode) {
    if let Err(error) = app.store.try_node_later(row.id, app.clock.now(), "").await {
        tracing::error!(%error, "something for a node waits for the end of its lease");
    }
}

/// Too much of the kind is read at once here: no fault of anybody, and nothing to tell.
async fn not_now(app: &App, row: &ForNode) {
    let next = next_attempt(app.clock.now(), row.attempt, app.config.outbox.first_retry_ms);
    if let Err(error) = app.store.try_node_later(row.id, next, "").await {
        tracing::error!(%error, "something for a node waits for the end of its lease");
    }
}

async fn record(app: &App, row: &ForNode, went: Went) {
    metrics::counter!("medvan_node_deliveries_total", "outcome" => went.word()).increment(1);
    let now = app.clock.now();
    let next = |row: &ForNode| next_attempt(now, row.attempt, app.config.outbox.first_retry_ms);
    let written = match went {
        Went::Reached => app.store.reached_node(row.id).await,
        Went::Later(fault) if row.attempt < u64::from(app.config.outbox.attempts) => {
            app.store.try_node_later(row.id, next(row), &fault).await
        }
        Went::NoWay(fault) if is_young(row, now) => app.store.try_node_later(row.id, next(row), &fault).await,
        Went::Later(fault) | Went::NoWay(fault) | Went::Never(fault) => {
            // Not in the peer's own words: they may name a patient. The hospital reads them in the row.
            tracing::warn!(delivery = %row.id, "something for a node was set aside");
            app.store.give_up_on_node(row.id, &fault).await
        }
    };
    if let Err(error) = written {
        // The lease ends and it is sent again: at least once.
        tracing::error!(%error, "the outcome of a sending was not recorded");
    }
}

fn is_young(row: &ForNode, now: OffsetDateTime) -> bool {
    now - row.put_at < LONGEST
}

#[cfg(test)]
mod tests;
