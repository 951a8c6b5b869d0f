//! [`Archive`]: the images of all hospitals: bytes in packs, rows in the store.
//!
//! What came stays as it came, byte for byte. The instances of one arrival (a STOW-RS request, an association) are
//! written one after the other into one file, a *pack*: one flush makes hundreds of them safe, and a whole series is read
//! in one sweep. A pack that is not full is taken up by the next arrival. Rows are written after the flush, so that a row never leads to bytes that are not there; bytes without a row are
//! swept at the next start.

mod arrival;
mod arriving;
mod examine;
mod fault;
mod inflating;
mod pack;
mod reading;
mod retention;
mod search;
mod shelf;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

pub(crate) use arrival::{Arrival, Expected, Stored};
use arriving::Arriving;
pub(crate) use fault::Fault;
pub(crate) use inflating::{Held, Room};
use inflating::{Inflating, Share};
pub(crate) use reading::Open;
pub use reading::ReadFault;
pub(crate) use search::{SearchFault, indexed};
use shelf::Shelf;

use medvan_imaging::Uid;
use tokio::sync::Semaphore;

use crate::{
    call::Shares,
    catalog::{HospitalId, OnConflict},
    clock::Clock,
    store::{Kind, Origin, Store},
};

/// Arrivals that write at once; each has a thread and a buffer of its own.
const ARRIVALS: usize = 128;
/// Of one hospital.
const ARRIVALS_OF_HOSPITAL: usize = 64;

/// A handle to the images. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    folder: PathBuf,
    shelf: Arc<Shelf>,
    files: reading::Files,
    /// Of data sets that arrive, and of stored ones.
    inflating: Inflating,
    inflated: Inflating,
    clock: Clock,
    writers: Arc<Semaphore>,
    /// Of these, each hospital's.
    shares: Shares,
    arriving: Arriving,
    /// Held as long as this process may write here: whoever has it may sweep.
    lock: Option<std::fs::File>,
}

impl Archive {
    /// A nameless file beside the packs, for what must be kept for a while. It goes with its handle.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn scratch(&self) -> std::io::Result<std::fs::File> {
        tempfile::tempfile_in(&self.0.folder)
    }

    /// Opens the folder, makes it where there is none, and sweeps what an earlier process left half done.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub async fn open(folder: PathBuf, store: Store, clock: Clock) -> std::io::Result<Self> {
        pack::make_folder(&folder)?;
        let lock = pack::lock(&folder)?;
        let is_alone = lock.is_some();
        let writers = Arc::new(Semaphore::new(ARRIVALS));
        let shares = Shares::of(ARRIVALS_OF_HOSPITAL);
        let shelf = Arc::new(Shelf::new(folder.clone()));
        let archive = Self(Arc::new(Inner {
            store,
            folder,
            shelf,
            files: reading::files(),
            // Every arrival has a thread of its own already, which may wait.
            inflating: Inflating::new(
                Share { all: 1, of_hospital: 1 },
                Share { all: ARRIVALS, of_hospital: ARRIVALS_OF_HOSPITAL },
            ),
            inflated: Inflating::new(Share { all: 4, of_hospital: 2 }, Share { all: 32, of_hospital: 4 }),
            clock,
            writers,
            shares,
            arriving: Arriving::default(),
            lock,
        }));
        if is_alone {
            archive.sweep().await?;
        } else {
            tracing::warn!("another process has these images open; what it left half done is not swept");
        }
        Ok(archive)
    }

    /// Whether no other process had the folder open when this one opened it; then none can write to it as long as this one lives.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.lock.is_some()
    }

    /// Requests and associations that brought something of a study and may bring more.
    pub(crate) fn arrivals_of(&self, hospital: &HospitalId, study: &Uid) -> usize {
        self.0.arriving.of(hospital, study)
    }

    /// Begins an arrival of instances that are all there for the same.
    ///
    /// # Errors
    /// [`Fault::Busy`] when too many are under way.
    pub(crate) fn arrival(
        &self,
        hospital: &HospitalId,
        origin: Origin,
        on_conflict: OnConflict,
        kind: Kind,
    ) -> Result<Arrival, Fault> {
        let own = self.0.shares.place(hospital).ok_or(Fault::Busy)?;
        let place = Arc::clone(&self.0.writers).try_acquire_owned().map_err(|_| Fault::Busy)?;
        Ok(Arrival::begin(self.clone(), hospital.clone(), origin, on_conflict, kind, [own, place]))
    }
}
