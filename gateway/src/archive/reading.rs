//! Reading instances: their data sets, and their bytes as streams.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::FileExt as _,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use medvan_imaging::dataset::{ReadError, Seekable, Span};
use rustix::{buffer::spare_capacity, io::Errno};
use uuid::Uuid;

use super::{Archive, Held, pack};
use crate::{catalog::HospitalId, store::Place};

/// Why stored bytes cannot be read: nobody's fault outside.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The pack cannot be read, or not now.
    #[error("a stored file cannot be read")]
    Io(#[from] io::Error),
    /// What was readable when it came is not any more, and will not be.
    #[error("a stored instance cannot be read")]
    Instance(#[source] ReadError),
}

impl ReadFault {
    /// Whether too much of the kind is read at once: worth a retry a moment later.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::ResourceBusy)
    }
}

impl From<ReadError> for ReadFault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            error => Self::Instance(error),
        }
    }
}

/// Packs that were read a moment ago, open: the next instance is mostly in one of them.
pub(super) type Files = moka::sync::Cache<Uuid, Arc<File>>;

pub(super) fn files() -> Files {
    // A file that was removed meanwhile gives its room back when it is closed here.
    moka::sync::Cache::builder().max_capacity(64).time_to_idle(Duration::from_secs(10)).build()
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
        if let Some(file) = self.0.files.get(&place.pack) {
            return Ok(Open { file, place });
        }
        let (archive, hospital) = (self.clone(), hospital.clone());
        Ok(blocking(move || archive.open_now(&hospital, place)).await?)
    }

    /// The same by the calling thread, which may wait for the disk.
    fn open_now(&self, hospital: &HospitalId, place: Place) -> io::Result<Open> {
        if let Some(file) = self.0.files.get(&place.pack) {
            return Ok(Open { file, place });
        }
        let file = Arc::new(File::open(pack::path(&self.0.folder, hospital, place.pack))?);
        self.0.files.insert(place.pack, Arc::clone(&file));
        Ok(Open { file, place })
    }

    /// Reads the head and the data set of an instance; long values stay where they are.
    ///
    /// # Errors
    /// The pack cannot be read.
    pub(crate) async fn data_set(&self, hospital: &HospitalId, place: Place) -> Result<Held, ReadFault> {
        let (archive, hospital) = (self.clone(), hospital.clone());
        tokio::task::spawn_blocking(move || archive.data_set_now(&hospital, place)).await.unwrap_or_else(|_| lost())
    }

    /// The same by the calling thread, which may wait for the disk.
    ///
    /// # Errors
    /// The pack cannot be read.
    pub(crate) fn data_set_now(&self, hospital: &HospitalId, place: Place) -> Result<Held, ReadFault> {
        let Open { file, .. } = self.open_now(hospital, place)?;
        let reader = BufReader::with_capacity(16 * 1024, Reader { file, at: 0 });
        Ok(self.0.inflated.read(hospital, Seekable::stretch(reader, place.offset, place.length)?)?)
    }
}

impl Open {
    /// Bytes of the whole instance.
    pub(crate) fn length(&self) -> u64 {
        self.place.length
    }

    /// All of them.
    pub(crate) fn whole(&self) -> Span {
        Span { offset: 0, length: self.place.length }
    }

    /// Some bytes of it, read by the calling thread.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) fn read_now(&self, span: Span) -> io::Result<Vec<u8>> {
        self.read_behind(Vec::new(), span)
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
        self.bytes_behind(Vec::new(), Span { offset, length }).await.map(Bytes::from)
    }

    /// Some bytes of it behind others, in one piece.
    ///
    /// # Errors
    /// They cannot be read.
    pub(crate) async fn bytes_behind(&self, before: Vec<u8>, span: Span) -> io::Result<Vec<u8>> {
        let open = self.clone();
        blocking(move || open.read_behind(before, span)).await
    }

    fn read_behind(&self, mut bytes: Vec<u8>, span: Span) -> io::Result<Vec<u8>> {
        let length = span.length.min(self.place.length.saturating_sub(span.offset));
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        let (mut at, end) = (self.place.offset + span.offset, bytes.len() + length);
        // Read into memory that nobody has filled with zeros before: half of what reading a picture costs.
        bytes.reserve_exact(length);
        while bytes.len() < end {
            match rustix::io::pread(&self.file, spare_capacity(&mut bytes), at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => at += read as u64,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // There may have been more room than was asked for.
        bytes.truncate(end);
        Ok(bytes)
    }
}

/// A place in a file of one's own; the file is read by many.
struct Reader {
    file: Arc<File>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.file.metadata()?.len(), by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("a reading thread was lost")))
}

fn lost<T>() -> Result<T, ReadFault> {
    Err(io::Error::other("a reading thread was lost").into())
}
