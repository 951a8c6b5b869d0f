//! [`Arrival`]: instances on their way in.
//!
//! A thread of its own writes, hashes and reads what arrives, so that the task that receives never waits for the disk
//! except where the thread is behind. An instance is in memory only up to the write buffer; beyond it goes to the
//! pack while it arrives. For a small one the thread is woken once: what is sent one by one costs mostly wake-ups.

mod writer;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;
use medvan_imaging::{Uid, stow};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use uuid::Uuid;

use super::{Archive, Fault, arriving::Brings};
use crate::{
    catalog::{HospitalId, OnConflict},
    store::{Kind, NewInstance, Origin, Placed},
};
use writer::{Order, Writer};

/// Bytes that are handed to the writing thread at once.
const HANDED: usize = 256 * 1024;
/// Chunks, however small they are.
const CHUNKS: usize = 64;
/// How often so many may wait for it.
const WAITING: usize = 8;

/// What the sender announced about an instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// The study of the request's URL.
    pub(crate) study: Option<Uid>,
    /// SOP Class and Instance UID of the command.
    pub(crate) object: Option<(Uid, Uid)>,
}

/// Whose instance it was and what became of it.
#[derive(Debug)]
pub(crate) struct Stored {
    /// SOPClassUID, where it could be read.
    pub(crate) class: Option<Uid>,
    /// SOPInstanceUID, where it could be read.
    pub(crate) instance: Option<Uid>,
    /// Study and series, where they could be read.
    pub(crate) series: Option<(Uid, Uid)>,
    /// What became of it.
    pub(crate) outcome: Result<Placed, Fault>,
}

impl Stored {
    /// An object that could not be written as an instance.
    pub(crate) fn unwritable(reason: String) -> Self {
        Self { class: None, instance: None, series: None, outcome: Err(Fault::Unwritable(reason)) }
    }

    /// A part of a request that was no instance at all.
    pub(crate) fn foreign() -> Self {
        Self { class: None, instance: None, series: None, outcome: Err(Fault::Foreign) }
    }

    fn study(&self) -> Option<&str> {
        self.series.as_ref().map(|(study, _)| study.as_str())
    }

    /// What its sender is told.
    pub(crate) fn answer(&self) -> stow::Outcome {
        let result = match (&self.outcome, &self.series) {
            (Err(fault), _) => Err(fault.failure()),
            // What was stored was read, and so are its study and series.
            (Ok(_), None) => Err(Fault::NotSafe.failure()),
            (Ok(_), Some((study, series))) => {
                Ok(stow::Stored { study: study.clone(), series: series.clone(), warning: None, originals: Vec::new() })
            }
        };
        stow::Outcome { class: self.class.clone(), instance: self.instance.clone(), result }
    }
}

/// Instances on their way in. What was not committed is not stored.
#[derive(Debug)]
pub(crate) struct Arrival {
    archive: Archive,
    hospital: HospitalId,
    origin: Origin,
    on_conflict: OnConflict,
    kind: Kind,
    /// To the thread, if there is one already.
    orders: Option<mpsc::Sender<Order>>,
    /// Bytes of the current instance that were not handed over yet.
    held: Vec<Bytes>,
    /// The last instance, when it is whole and the thread was not told yet: it may be the only one.
    whole: Option<Expected>,
    /// Finished and waiting for the commit, with the outcome's place.
    waiting: Vec<(usize, NewInstance)>,
    /// Digests and outcomes' places of those that wait, by UID.
    digests: HashMap<Uid, ([u8; 32], usize)>,
    /// Outcomes that depend on another one's: the same instance came twice.
    echoes: Vec<(usize, usize)>,
    outcomes: Vec<Stored>,
    brings: Brings,
    _places: [OwnedSemaphorePermit; 2],
}

impl Arrival {
    pub(super) fn begin(
        archive: Archive,
        hospital: HospitalId,
        origin: Origin,
        on_conflict: OnConflict,
        kind: Kind,
        places: [OwnedSemaphorePermit; 2],
    ) -> Self {
        Self {
            brings: archive.0.arriving.begin(&hospital),
            archive,
            hospital,
            origin,
            on_conflict,
            kind,
            orders: None,
            held: Vec::new(),
            whole: None,
            waiting: Vec::new(),
            digests: HashMap::new(),
            echoes: Vec::new(),
            outcomes: Vec::new(),
            _places: places,
        }
    }

    /// Some bytes of the current instance. What goes wrong is told at its end.
    pub(crate) async fn write(&mut self, bytes: Bytes) {
        self.read().await;
        self.held.push(bytes);
        if self.held.len() >= CHUNKS || self.held.iter().map(Bytes::len).sum::<usize>() >= HANDED {
            let held = std::mem::take(&mut self.held);
            self.order(Order::Bytes(held)).await;
        }
    }

    /// [`Archive::scratch`], until the arrival is done.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn scratch(&self) -> std::io::Result<std::fs::File> {
        self.archive.scratch()
    }

    /// The current instance did not come to its end: it is dropped.
    pub(crate) async fn abandon(&mut self) {
        // Else none was begun.
        if self.whole.is_none() {
            self.held.clear();
            self.order(Order::Abandon).await;
        }
    }

    /// The current instance is whole. It is read and checked, and safe only after [`Self::commit`].
    pub(crate) async fn finish(&mut self, expected: Expected) {
        self.read().await;
        self.whole = Some(expected);
    }

    /// Has the last whole instance read and checked.
    async fn read(&mut self) {
        let Some(expected) = self.whole.take() else { return };
        let (reply, read) = oneshot::channel();
        let held = std::mem::take(&mut self.held);
        self.order(Order::End(held, expected, reply)).await;
        let read = read.await.unwrap_or_else(|_| writer::Read::lost());
        self.note(read.series.as_ref());
        let place = self.outcomes.len();
        let outcome = match read.instance {
            Err(fault) => Err(fault),
            Ok(instance) => match self.known(&instance).await {
                Ok(None) => {
                    self.digests.insert(instance.uid.clone(), (instance.digest, place));
                    self.waiting.push((place, instance));
                    Ok(Placed::New)
                }
                known => {
                    if let (Ok(Some(Placed::Same)), Some((_, first))) = (&known, self.digests.get(&instance.uid)) {
                        self.echoes.push((place, *first));
                    }
                    self.order(Order::Undo).await;
                    known.map(|placed| placed.unwrap_or(Placed::New))
                }
            },
        };
        self.outcomes.push(Stored { class: read.class, instance: read.uid, series: read.series, outcome });
    }

    /// It was broken off: whoever judges whether a study is complete waits for its sender.
    pub(crate) async fn cut(&self) {
        let studies = self.brings.studies();
        if studies.is_empty() {
            return;
        }
        if let Err(error) = self.archive.0.store.cut_intakes(&self.hospital, &studies, self.archive.0.clock.now()).await
        {
            // It is judged by the usual quiet then.
            tracing::warn!(error = &error as &dyn std::error::Error, "that a transfer was cut off was not kept");
        }
    }

    /// Whoever judges whether the study is complete must know that more of it may come.
    fn note(&mut self, series: Option<&(Uid, Uid)>) {
        if let Some((study, _)) = series {
            self.brings.note(study);
        }
    }

    /// Whether it need not be written, because its UID is known. `Replace` is decided by the index.
    async fn known(&self, instance: &NewInstance) -> Result<Option<Placed>, Fault> {
        let digest = match self.digests.get(&instance.uid) {
            Some((digest, _)) => Some(digest.to_vec()),
            None => self.archive.0.store.known_digest(&self.hospital, &instance.uid).await?,
        };
        match digest {
            None => Ok(None),
            Some(digest) if digest == instance.digest => Ok(Some(Placed::Same)),
            Some(_) => match self.on_conflict {
                OnConflict::Refuse => Err(Fault::Conflict),
                OnConflict::Keep => Ok(Some(Placed::Kept)),
                OnConflict::Replace => Ok(None),
            },
        }
    }

    /// Makes the finished instances safe: first their bytes, then their rows. Gives the outcome of each in the order in which they
    /// were finished. The arrival may go on after that.
    pub(crate) async fn commit(&mut self) -> Vec<Stored> {
        match self.whole.take() {
            Some(only) if self.outcomes.is_empty() => return vec![self.commit_only(only).await],
            last => self.whole = last,
        }
        self.read().await;
        let mut outcomes = std::mem::take(&mut self.outcomes);
        let (places, instances): (Vec<usize>, Vec<NewInstance>) = std::mem::take(&mut self.waiting).into_iter().unzip();
        self.digests.clear();
        let echoes = std::mem::take(&mut self.echoes);
        if instances.is_empty() {
            return self.told(outcomes).await;
        }
        match self.make_safe(instances).await {
            Ok(placed) => {
                for (place, placed) in places.into_iter().zip(placed) {
                    outcomes[place].outcome = outcome(placed);
                }
            }
            Err(fault) => {
                let is_full = matches!(fault, Fault::NoSpace);
                for place in places {
                    outcomes[place].outcome = Err(if is_full { Fault::NoSpace } else { Fault::NotSafe });
                }
            }
        }
        for (place, first) in echoes {
            if let Err(fault) = &outcomes[first].outcome {
                outcomes[place].outcome = Err(match fault {
                    Fault::OtherPatient => Fault::OtherPatient,
                    fault if fault.is_ours() => Fault::NotSafe,
                    _ => Fault::Conflict,
                });
            }
        }
        self.told(outcomes).await
    }

    /// The same for an instance that is the only one: it is read, written and flushed in one step, and the index says whether it
    /// was known.
    async fn commit_only(&mut self, expected: Expected) -> Stored {
        let (reply, done) = oneshot::channel();
        let held = std::mem::take(&mut self.held);
        self.order(Order::Only(held, expected, reply)).await;
        let (read, pack) = done.await.unwrap_or_else(|_| (writer::Read::lost(), Err(Fault::NotSafe)));
        self.note(read.series.as_ref());
        let placed = match (read.instance, pack) {
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(instance), Ok(pack)) => self.index(pack, vec![instance]).await,
        };
        let outcome = placed.and_then(|placed| placed.first().copied().map_or(Err(Fault::NotSafe), outcome));
        if matches!(outcome, Ok(Placed::Same | Placed::Kept) | Err(Fault::Conflict | Fault::OtherPatient)) {
            self.order(Order::Undo).await;
        }
        let stored = Stored { class: read.class, instance: read.uid, series: read.series, outcome };
        self.told(vec![stored]).await.pop().unwrap_or_else(Stored::foreign)
    }

    /// Counts the outcomes. Where the hospital sends what is here as a prior already, its study is one of its own from now on; it
    /// is told that all is well only when that is safe.
    async fn told(&self, mut outcomes: Vec<Stored>) -> Vec<Stored> {
        let is_known = |stored: &&Stored| matches!(stored.outcome, Ok(Placed::Same | Placed::Kept));
        let studies: BTreeSet<&str> = match self.kind {
            Kind::Original => outcomes.iter().filter(is_known).filter_map(Stored::study).collect(),
            Kind::Result => BTreeSet::new(),
        };
        let now = self.archive.0.clock.now();
        if let Err(error) = self.archive.0.store.came_again(&self.hospital, &self.origin, &studies, now).await {
            tracing::error!(error = &error as &dyn std::error::Error, "what came again was not noted");
            let known = outcomes.iter_mut().filter(|stored| is_known(&&**stored));
            known.for_each(|stored| stored.outcome = Err(Fault::NotSafe));
        }
        count(&self.origin, &outcomes);
        outcomes
    }

    async fn make_safe(&mut self, instances: Vec<NewInstance>) -> Result<Vec<Placed>, Fault> {
        let (reply, synced) = oneshot::channel();
        self.order(Order::Sync(reply)).await;
        let pack = synced.await.map_err(|_| Fault::NotSafe)??;
        self.index(pack, instances).await
    }

    async fn index(&self, pack: Uuid, instances: Vec<NewInstance>) -> Result<Vec<Placed>, Fault> {
        let store = &self.archive.0.store;
        let now = self.archive.0.clock.now();
        Ok(store.index_instances(&self.hospital, &self.origin, pack, instances, self.on_conflict, now).await?)
    }

    /// Tells the thread, and starts it before where there is none. Whether it is gone shows where its answer is waited for.
    async fn order(&mut self, order: Order) {
        let archive = &self.archive.0;
        let orders = self.orders.get_or_insert_with(|| {
            let (orders, taken) = mpsc::channel(WAITING);
            let writer =
                Writer::new(Arc::clone(&archive.shelf), archive.inflating.clone(), self.hospital.clone(), self.kind);
            // Ends when the arrival is dropped: the channel closes then.
            tokio::task::spawn_blocking(move || writer.obey(taken));
            orders
        });
        let _ = orders.send(order).await;
    }
}

/// What the index said of an instance.
fn outcome(placed: Placed) -> Result<Placed, Fault> {
    match placed {
        Placed::Refused => Err(Fault::Conflict),
        Placed::OtherPatient => Err(Fault::OtherPatient),
        placed => Ok(placed),
    }
}

fn count(origin: &Origin, outcomes: &[Stored]) {
    for stored in outcomes {
        let outcome = match &stored.outcome {
            Ok(Placed::New | Placed::Replaced) => "stored",
            Ok(_) => "known",
            Err(fault) if fault.is_ours() => "failed",
            Err(fault) => {
                tracing::info!(source = %origin.source, protocol = origin.protocol.word(), reason = %fault, "instance refused");
                "refused"
            }
        };
        metrics::counter!("medvan_instances_received_total", "protocol" => origin.protocol.word(), "outcome" => outcome)
            .increment(1);
    }
}
