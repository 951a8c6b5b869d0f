//! What goes to a node by STOW-RS (PS3.18 §10.5): the instances of one study in one request, each with an outcome of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    time::Duration,
};

use medvan_adapters::dicomweb::{Refusal, Root, Said, StoreAnswer, Untaken};
use medvan_imaging::{Uid, dimse::Outcome};
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
        let mut requests: VecDeque<(&Uid, Vec<Waiting<'_>>)> = VecDeque::new();
        for (study, all) in studies {
            requests.extend(lots(all).into_iter().map(|lot| (study, lot)));
        }
        while let Some((study, lot)) = requests.pop_front() {
            if self.app.tasks.is_stopping() {
                self.give_back(lot).await;
                continue;
            }
            let later = requests.iter().flat_map(|(_, later)| later);
            let ours: Vec<Uuid> = lot.iter().chain(later).map(|(row, _)| row.id).collect();
            self.store_lot(system, study, lot, &ours).await;
        }
    }

    async fn give_back(&self, lot: Vec<Waiting<'_>>) {
        for (row, _) in lot {
            give_back(&self.app, &row).await;
        }
    }

    /// One request. What is to follow it stays ours, too.
    async fn store_lot(&self, system: &WebSystem, study: &Uid, lot: Vec<Waiting<'_>>, ours: &[Uuid]) {
        let bytes: u64 = lot.iter().map(|(_, instance)| instance.place.length).sum();
        let timeout = Duration::from_secs(self.app.config.dimse.idle_seconds + bytes / SLOWEST);
        let root = match self.app.origins.root(&self.hospital, system, timeout) {
            Ok(root) => root,
            Err(no_login) => {
                for (row, _) in lot {
                    record(&self.app, &row, Went::NoWay(no_login.to_string())).await;
                }
                return;
            }
        };
        let answer = tokio::select! {
            answer = self.held(ours, self.stored(&root, study, &lot)) => answer,
            () = self.app.tasks.stopping() => return self.give_back(lot).await,
        };
        for (row, instance) in lot {
            let went = match &answer {
                Ok(answer) => Went::said(answer.of_instance(&instance.uid)),
                Err(untaken) => Went::untaken(untaken),
            };
            record(&self.app, &row, went).await;
        }
    }

    async fn stored(&self, root: &Root, study: &Uid, lot: &[Waiting<'_>]) -> Result<StoreAnswer, Untaken> {
        let bytes = lot.iter().map(|(_, instance)| stored_bytes(&self.app, &self.hospital, instance.place));
        root.store_each(study, bytes.collect()).await
    }

    /// What is on its way, or waits behind it, stays ours however long it takes.
    async fn held<T>(&self, ours: &[Uuid], work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(HOLD_EVERY) => self.renew(ours.iter().copied()).await,
            }
        }
    }
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
            Said::Refused(Refusal { reason, .. }) if reason.outcome() == Outcome::Warning => Self::Reached,
            Said::Refused(refusal) if is_about_now(refusal.reason) => Self::Later(refusal.to_string()),
            Said::Refused(refusal) => Self::Never(refusal.to_string()),
            Said::Nothing => Self::Later("the archive said nothing of this instance".to_owned()),
        }
    }

    fn untaken(untaken: &Untaken) -> Self {
        if untaken.is_for_ever() { Self::Never(untaken.to_string()) } else { Self::NoWay(untaken.to_string()) }
    }
}
