//! Reading instances: their data sets, and their bytes as streams.

use std::{
    fs::File,
    io::{self, BufReader},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use bytes::Bytes;
use medvan_imaging::{
    dataset::{Limits, ReadError, Seekable, Span},
    file,
};

use super::{Archive, pack};
use crate::{catalog::HospitalId, store::Place};

/// Why stored bytes cannot be read: nobody's fault outside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadFault {
    /// The pack cannot be read.
    #[error("a stored file cannot be read")]
    Io(#[from] io::Error),
    /// What was readable when it came is not any more.
    #[error("a stored instance cannot be read")]
    Instance(#[from] ReadError),
}

/// A stored instance that is open for reading. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    file: Arc<File>,
    place: Place,
}

impl Archive {
    /// Opens the bytes of an instance.
    ///
    /// # Errors
    /// The pack cannot be opened.
    pub(crate) async fn open_place(&self, hospital: &HospitalId, place: Place) -> Result<Open, ReadFault> {
        let path = pack::path(&self.0.folder, hospital, place.pack);
        let file = blocking(move || File::open(path)).await?;
        Ok(Open { file: Arc::new(file), place })
    }

    /// Reads the head and the data set of an instance; long values stay where they are.
    ///
    /// # Errors
    /// The pack cannot be read.
    pub(crate) async fn data_set(&self, hospital: &HospitalId, place: Place) -> Result<file::File, ReadFault> {
        let path = pack::path(&self.0.folder, hospital, place.pack);
        blocking_read(move || {
            let reader = BufReader::with_capacity(16 * 1024, File::open(path)?);
            Ok(file::read_file(Seekable::stretch(reader, place.offset, place.length)?, &Limits::default())?)
        })
        .await
    }
}

impl Open {
    /// Bytes of the whole instance.
    pub(crate) fn length(&self) -> u64 {
        self.place.length
    }

    /// Some bytes of it, read by the calling thread.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn read_now(&self, span: Span) -> io::Result<Vec<u8>> {
        let length = span.length.min(self.place.length.saturating_sub(span.offset));
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?];
        self.file.read_exact_at(&mut bytes, self.place.offset + span.offset)?;
        Ok(bytes)
    }

    /// Bytes from there on, as many as the system gives at once; for threads, which may wait for the disk.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.place.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        self.file.read_at(&mut buffer[..wanted], self.place.offset + offset)
    }

    /// Some bytes of it, in one piece.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) async fn bytes(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        let (file, at) = (Arc::clone(&self.file), self.place.offset + offset);
        let length = length.min(self.place.length.saturating_sub(offset));
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        blocking(move || {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, at)?;
            Ok(Bytes::from(bytes))
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("a reading thread was lost")))
}

async fn blocking_read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReadFault> + Send + 'static,
) -> Result<T, ReadFault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("a reading thread was lost").into()))
}
