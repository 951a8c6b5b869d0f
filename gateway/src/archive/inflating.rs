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

/// Longest wait for others to let go of theirs: whoever reads them may be a slow client.
const PATIENCE: Duration = Duration::from_secs(20);

/// Places for deflated data sets. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Inflating(Arc<Semaphore>);

/// A file with its data set, which has its place in memory.
#[derive(Debug)]
pub(crate) struct Held {
    file: File,
    _place: Option<OwnedSemaphorePermit>,
}

impl Deref for Held {
    type Target = File;
    fn deref(&self) -> &File {
        &self.file
    }
}

impl Inflating {
    /// So many at once.
    pub(super) fn at_once(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Reads a file on a thread that may wait: for the disk, and for a place if it is deflated.
    ///
    /// # Errors
    /// It cannot be read, or there was no place for too long.
    pub(super) fn read<R: BufRead + Seek>(&self, mut source: Seekable<R>) -> Result<Held, ReadError> {
        let limits = Limits::default();
        let head = file::read_head(&mut source, &limits)?;
        let place = if head.syntax.encoding == Encoding::Deflated { Some(self.place()?) } else { None };
        Ok(Held { file: file::read_behind(head, source, &limits, |_| false)?, _place: place })
    }

    fn place(&self) -> io::Result<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.0).acquire_owned();
        let waiting = Handle::current().block_on(async { timeout(PATIENCE, place).await });
        waiting.map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?.map_err(io::Error::other)
    }
}
