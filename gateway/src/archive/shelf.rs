//! [`Shelf`]: the packs that are open for writing.
//!
//! An arrival takes one down and puts it back when it is done, so that small requests in a row go into few files whose names
//! are safe in their folders already: one flush for each instead of four.

use std::{
    collections::HashSet,
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::pack::Pack;
use crate::{catalog::HospitalId, store::Kind};

/// Packs that lie here at most: each is an open file.
const MOST: usize = 64;
/// Of one hospital.
const MOST_OF_HOSPITAL: usize = 8;

/// The open packs below a folder.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    packs: Mutex<Packs>,
}

#[derive(Debug, Default)]
struct Packs {
    /// Nobody writes to these now, and rows may lead to them.
    idle: Vec<(HospitalId, Kind, Pack)>,
    /// Every pack that is open, these included.
    open: HashSet<Uuid>,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, packs: Mutex::default() }
    }

    /// A pack of the hospital that nobody else writes to: one that lies here, or a new one. Originals and results do not share
    /// one: a file goes when nothing is left in it, and results stay longer.
    pub(super) fn take(&self, hospital: &HospitalId, kind: Kind) -> io::Result<Pack> {
        if let Some(pack) = self.packs().take(hospital, kind) {
            return Ok(pack);
        }
        let pack = Pack::create(&self.folder, hospital)?;
        self.packs().open.insert(pack.id);
        Ok(pack)
    }

    /// Puts a pack back that rows may lead to. It ends where what is safe ends.
    pub(super) fn put_back(&self, hospital: &HospitalId, kind: Kind, pack: Pack) {
        let mut packs = self.packs();
        let own = packs.idle.iter().filter(|(of, ..)| of == hospital).count();
        if pack.is_done() || packs.idle.len() >= MOST || own >= MOST_OF_HOSPITAL {
            packs.open.remove(&pack.id);
        } else {
            packs.idle.push((hospital.clone(), kind, pack));
        }
    }

    /// A pack that nobody will write to any more.
    pub(super) fn close(&self, pack: &Pack) {
        self.packs().open.remove(&pack.id);
    }

    /// Whether the file of a pack to which no row leads may go: closes it where it lies here. One that is being written to may
    /// not: rows that lead to it are on their way.
    pub(super) fn lets_go(&self, id: Uuid) -> bool {
        let mut packs = self.packs();
        if let Some(at) = packs.idle.iter().position(|(.., pack)| pack.id == id) {
            packs.idle.swap_remove(at);
            packs.open.remove(&id);
        }
        !packs.open.contains(&id)
    }

    /// Packs that lie here.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.packs().idle.len()
    }

    fn packs(&self) -> MutexGuard<'_, Packs> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Packs {
    fn take(&mut self, hospital: &HospitalId, kind: Kind) -> Option<Pack> {
        loop {
            let at = self.idle.iter().rposition(|(of, what, _)| of == hospital && *what == kind)?;
            let (.., pack) = self.idle.swap_remove(at);
            if !pack.is_done() {
                return Some(pack);
            }
            self.open.remove(&pack.id);
        }
    }
}
