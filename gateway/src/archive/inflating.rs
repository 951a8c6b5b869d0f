//! [`Inflating`]: how many deflated data sets are in memory at once.
//!
//! Of every other data set long values stay in the file. A deflated one is held whole as long as somebody works with it, and a
//! kilobyte of it may be a megabyte: what one sender may send a hundred of at once must not be held a hundred times.

use std::{
    io::{self, BufRead, Seek},
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use medvan_imaging::{
    dataset::{Limits, ReadError, Seekable},
    file::{self, File},
    transfer_syntax::Encoding,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{call::Shares, catalog::HospitalId};

/// Longest wait for others to let go of theirs: whoever reads them may be a slow client.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many there may be at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// Of all hospitals.
    pub(super) all: usize,
    /// Of one.
    pub(super) of_hospital: usize,
}

/// Places for deflated data sets. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Inflating {
    places: Arc<Semaphore>,
    /// Of these, each hospital's.
    shares: Arc<Shares>,
    waiting: Arc<Semaphore>,
    waiting_of: Arc<Shares>,
}

/// A place in memory, for as long as what was inflated is in it.
#[derive(Debug)]
pub(crate) struct Room(#[expect(dead_code, reason = "held, not read")] Option<[OwnedSemaphorePermit; 2]>);

/// A file with its data set, and its room.
#[derive(Debug)]
pub(crate) struct Held {
    file: File,
    room: Room,
}

impl Held {
    /// The data set is done with, and its bytes live on in what was made of it.
    pub(crate) fn into_room(self) -> Room {
        self.room
    }
}

impl Deref for Held {
    type Target = File;
    fn deref(&self) -> &File {
        &self.file
    }
}

impl Inflating {
    /// So many in memory, while so many wait: each of those is a thread that could read for others.
    pub(super) fn new(held: Share, waiting: Share) -> Self {
        Self {
            places: Arc::new(Semaphore::new(held.all)),
            shares: Arc::new(Shares::of(held.of_hospital)),
            waiting: Arc::new(Semaphore::new(waiting.all)),
            waiting_of: Arc::new(Shares::of(waiting.of_hospital)),
        }
    }

    /// Reads a file on a thread that may wait: for the disk, and for a place if it is deflated.
    ///
    /// # Errors
    /// It cannot be read, or there was no place for too long.
    pub(super) fn read<R: BufRead + Seek>(
        &self,
        hospital: &HospitalId,
        mut source: Seekable<R>,
    ) -> Result<Held, ReadError> {
        let limits = Limits::default();
        let head = file::read_head(&mut source, &limits)?;
        let place = if head.syntax.encoding == Encoding::Deflated { Some(self.place(hospital)?) } else { None };
        Ok(Held { file: file::read_behind(head, source, &limits, |_| false)?, room: Room(place) })
    }

    fn place(&self, hospital: &HospitalId) -> io::Result<[OwnedSemaphorePermit; 2]> {
        let busy = || io::Error::from(io::ErrorKind::ResourceBusy);
        let now =
            self.shares.place(hospital).and_then(|own| Some([own, Arc::clone(&self.places).try_acquire_owned().ok()?]));
        if let Some(now) = now {
            return Ok(now);
        }
        let _waiting = self.waiting_of.place(hospital).ok_or_else(busy)?;
        let _waiting_with_others = self.waiting.try_acquire().map_err(|_| busy())?;
        let place = async {
            let own = self.shares.wait(hospital).await?;
            // The semaphore is never closed.
            Some([own, Arc::clone(&self.places).acquire_owned().await.ok()?])
        };
        let waiting = Handle::current().block_on(async { timeout(PATIENCE, place).await });
        waiting.ok().flatten().ok_or_else(busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of those who wait is a thread.
    #[tokio::test]
    async fn few_of_a_hospital_wait_and_the_next_is_told_so_at_once() {
        let inflating = Inflating::new(Share { all: 2, of_hospital: 1 }, Share { all: 9, of_hospital: 4 });
        let (kaede, sumire): (HospitalId, HospitalId) = ("kaede".parse().unwrap(), "sumire".parse().unwrap());
        let held = inflating.place(&kaede).unwrap();
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let (inflating, kaede) = (inflating.clone(), kaede.clone());
                tokio::task::spawn_blocking(move || inflating.place(&kaede).map(drop))
            })
            .collect();
        while inflating.waiting.available_permits() > 9 - 4 {
            tokio::task::yield_now().await;
        }
        let next = inflating.place(&kaede).unwrap_err();
        assert_eq!(next.kind(), io::ErrorKind::ResourceBusy);
        drop(inflating.place(&sumire).unwrap());
        drop(held);
        for one in waiting {
            one.await.unwrap().unwrap();
        }
    }
}
