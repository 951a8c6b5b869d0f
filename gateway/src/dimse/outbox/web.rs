//! What goes to a node by STOW-RS (PS3.18 §10.5): the instances of one study in one request, each with an outcome of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use medvan_adapters::dicomweb::{Root, Said, StoreAnswer, Untaken};
use medvan_imaging::Uid;
use uuid::Uuid;

use super::{Delivery, Went, give_back, is_about_now, record};
use crate::{
    catalog::WebSystem,
    store::{ForNode, FoundInstance},
    work::stored_bytes,
};

/// Instances of one request, and their bytes: what a request fails with is told of all of them.
const INSTANCES: usize = 50;
const BYTES: u64 = 256 << 20;
/// A destination that takes fewer bytes a second hangs.
const SLOWEST: u64 = 256 << 10;
/// How often it is said that a request is still on its way.
const HOLD_EVERY: Duration = Duration::from_secs(15);

/// After so many requests in sequence to which there was no way the others wait, too: each of them may take its whole time. It is not one,
/// because an archive may hang over a single instance.
const SILENT: u32 = 2;

/// Something for the node, and where it is.
type Waiting<'a> = (ForNode, &'a FoundInstance);

impl Delivery {
    /// Sends instances over requests of one study each.
    pub(super) async fn store(
        &self,
        system: &WebSystem,
        found: &BTreeMap<Uid, FoundInstance>,
        mut waiting: BTreeMap<Uid, ForNode>,
    ) {
        let mut studies: BTreeMap<&Uid, Vec<Waiting<'_>>> = BTreeMap::new();
        for instance in found.values() {
            if let Some(row) = waiting.remove(&instance.uid) {
                studies.entry(&instance.study_uid).or_default().push((row, instance));
            }
        }
        let mut lots: VecDeque<(&Uid, Vec<Waiting<'_>>)> =
            studies.into_iter().flat_map(|(study, all)| lots(all).into_iter().map(move |lot| (study, lot))).collect();
        let mut silent = 0;
        while let Some((study, lot)) = lots.pop_front() {
            if self.app.tasks.is_stopping() {
                self.give_back(lot).await;
                continue;
            }
            let rest: Vec<Uuid> = lots.iter().flat_map(|(_, lot)| ids(lot)).collect();
            let no_way = self.store_lot(system, study, lot, &rest).await;
            silent = if no_way.is_some() { silent + 1 } else { 0 };
            if let Some(words) = no_way.filter(|_| silent >= SILENT) {
                for (row, _) in lots.drain(..).flat_map(|(_, lot)| lot) {
                    record(&self.app, &row, Went::NoWay(words.clone())).await;
                }
            } else {
                self.renew(rest.into_iter()).await;
            }
        }
    }

    async fn give_back(&self, lot: Vec<Waiting<'_>>) {
        for (row, _) in lot {
            give_back(&self.app, &row).await;
        }
    }

    /// One request, while the rest waits. Gives why there was no way to the archive, where there was none.
    async fn store_lot(&self, system: &WebSystem, study: &Uid, lot: Vec<Waiting<'_>>, rest: &[Uuid]) -> Option<String> {
        let bytes: u64 = lot.iter().map(|(_, instance)| instance.place.length).sum();
        let timeout = Duration::from_secs(self.app.config.dimse.idle_seconds + bytes / SLOWEST);
        let root = match self.app.origins.root(&self.hospital, system, timeout) {
            Ok(root) => root,
            Err(no_login) => {
                for (row, _) in lot {
                    record(&self.app, &row, Went::NoWay(no_login.to_string())).await;
                }
                return Some(no_login.to_string());
            }
        };
        let spoiled = Arc::default();
        let held: Vec<Uuid> = ids(&lot).chain(rest.iter().copied()).collect();
        let answer = tokio::select! {
            answer = self.held(&held, self.stored(&root, study, &lot, &spoiled)) => answer,
            () = self.app.tasks.stopping() => {
                self.give_back(lot).await;
                return None;
            }
        };
        let (is_spoiled, is_alone) = (spoiled.load(Ordering::Relaxed), lot.len() == 1);
        for (row, instance) in lot {
            let went = match &answer {
                Ok(answer) => Went::said(answer.of_instance(&instance.uid)),
                Err(_) if is_spoiled => Went::spoiled(is_alone),
                Err(untaken) => Went::untaken(untaken, is_alone),
            };
            record(&self.app, &row, went).await;
        }
        answer.err().filter(|untaken| !is_spoiled && untaken.is_of_the_way()).map(|untaken| untaken.to_string())
    }

    /// Says by `spoiled` that one of the instances could not be read: then it is nobody else's fault that the request broke off.
    async fn stored(
        &self,
        root: &Root,
        study: &Uid,
        lot: &[Waiting<'_>],
        spoiled: &Arc<AtomicBool>,
    ) -> Result<StoreAnswer, Untaken> {
        let bytes = lot.iter().map(|(_, instance)| {
            let spoiled = Arc::clone(spoiled);
            stored_bytes(&self.app, &self.hospital, instance.place)
                .inspect(move |piece| {
                    spoiled.fetch_or(piece.is_err(), Ordering::Relaxed);
                })
                .boxed()
        });
        root.store_each(study, bytes.collect()).await
    }

    /// What is on its way, and what waits behind it, stays ours, however long it takes.
    async fn held<T>(&self, ids: &[Uuid], work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(HOLD_EVERY) => self.renew(ids.iter().copied()).await,
            }
        }
    }
}

fn ids(lot: &[Waiting<'_>]) -> impl Iterator<Item = Uuid> {
    lot.iter().map(|(row, _)| row.id)
}

/// Requests of few instances and bytes each. What was tried before goes by itself: one that cannot be read or that an archive stumbles
/// over must not hold up others.
fn lots(all: Vec<Waiting<'_>>) -> Vec<Vec<Waiting<'_>>> {
    let mut lots: Vec<Vec<Waiting<'_>>> = Vec::new();
    let (mut bytes, mut is_open) = (0, false);
    for one in all {
        let (is_first, length) = (one.0.attempt <= 1, one.1.place.length);
        match lots.last_mut().filter(|lot| is_open && is_first && lot.len() < INSTANCES && bytes + length <= BYTES) {
            Some(lot) => {
                bytes += length;
                lot.push(one);
            }
            None => {
                (bytes, is_open) = (length, is_first);
                lots.push(vec![one]);
            }
        }
    }
    lots
}

impl Went {
    fn said(said: Said) -> Self {
        match said {
            Said::Stored => Self::Reached,
            Said::Refused(refusal) if is_about_now(refusal.reason) => Self::Later(refusal.to_string()),
            Said::Refused(refusal) => Self::Never(refusal.to_string()),
            Said::Nothing => Self::Later("the archive said nothing of this instance".to_owned()),
        }
    }

    /// What is said of several at once may be about one of them, or about how many they are: each then goes by itself.
    fn untaken(untaken: &Untaken, is_alone: bool) -> Self {
        let words = untaken.to_string();
        if is_alone && untaken.is_for_ever() { Self::Never(words) } else { Self::NoWay(words) }
    }

    fn spoiled(is_alone: bool) -> Self {
        if is_alone {
            Self::Later("the instance could not be read here".to_owned())
        } else {
            Self::NoWay("an instance of the same request could not be read here".to_owned())
        }
    }
}
