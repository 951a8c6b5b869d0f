//! The data set of a stored instance as it goes to a peer: as it is stored, or with its elements written anew.
//!
//! A thread reads, because disks make wait; the task that sends takes chunks from it. There are never more of them than
//! a few.

use std::{
    io::{self, BufReader, Read, Seek, SeekFrom},
    sync::Arc,
};

use bytes::Bytes;
use medvan_imaging::{
    dataset::{Limits, Piece, Seekable, Source as _, Span, write},
    dimse::sending::Form,
    file::read_head,
};
use tokio::sync::mpsc;

use crate::{
    archive::{Archive, Held, Open, ReadFault},
    catalog::HospitalId,
    store::Place,
};

/// Bytes of a chunk: even, and a multiple of every number's size.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait for the peer.
const WAITING: usize = 2;

/// The chunks of a data set.
#[derive(Debug)]
pub(super) struct Chunks {
    next: Option<Bytes>,
    rest: mpsc::Receiver<Result<Option<Bytes>, ReadFault>>,
}

impl Chunks {
    /// Begins to read. When the instance cannot be read at all, that is known before anything is sent.
    pub(super) async fn begin(
        archive: &Archive,
        hospital: &HospitalId,
        place: Place,
        form: Form,
    ) -> Result<Self, ReadFault> {
        let open = archive.open_place(hospital, place).await?;
        let (archive, hospital) = (archive.clone(), hospital.clone());
        let (out, mut rest) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut writer = Writer { buffer: Vec::with_capacity(CHUNK), out };
            let data_set = || archive.data_set_now(&hospital, place);
            let produced = produce(&open, data_set, form, &mut writer);
            let _ = writer.out.blocking_send(produced.map(|()| None));
        });
        let next = received(&mut rest).await?;
        Ok(Self { next, rest })
    }

    /// The next chunk, and whether it is the last.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, bool)>, ReadFault> {
        let Some(chunk) = self.next.take() else {
            return Ok(None);
        };
        self.next = received(&mut self.rest).await?;
        Ok(Some((chunk, self.next.is_none())))
    }
}

/// The next chunk, none at the end. A thread that was lost said no end: what it sent is not the whole.
async fn received(rest: &mut mpsc::Receiver<Result<Option<Bytes>, ReadFault>>) -> Result<Option<Bytes>, ReadFault> {
    rest.recv().await.unwrap_or_else(|| Err(io::Error::other("a reading thread was lost").into()))
}

struct Writer {
    buffer: Vec<u8>,
    out: mpsc::Sender<Result<Option<Bytes>, ReadFault>>,
}

impl Writer {
    /// What does not fill a chunk waits for the next bytes.
    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK {
                self.send()?;
            }
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        // The peer is gone: nobody wants the rest.
        self.out.blocking_send(Ok(Some(chunk.into()))).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Copies bytes from a source, every number of so many bytes turned round.
    fn copy(&mut self, source: &mut impl Read, length: u64, swapped: u8) -> io::Result<()> {
        let mut left = length;
        let mut bytes = vec![0; CHUNK];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let bytes = &mut bytes[..wanted];
            source.read_exact(bytes)?;
            if swapped > 1 {
                bytes.chunks_exact_mut(usize::from(swapped)).for_each(<[u8]>::reverse);
            }
            self.put(bytes)?;
            left -= wanted as u64;
        }
        Ok(())
    }
}

fn produce(
    open: &Open,
    data_set: impl FnOnce() -> Result<Held, ReadFault>,
    form: Form,
    out: &mut Writer,
) -> Result<(), ReadFault> {
    let reader = || BufReader::with_capacity(32 << 10, Stretch::of(open));
    match form {
        Form::AsStored => {
            let mut source = Seekable::new(reader())?;
            read_head(&mut source, &Limits::default())?;
            let length = open.length() - source.position();
            out.copy(&mut source.into_rest().0, length, 1)?;
        }
        Form::Rewritten { explicit } => {
            let file = data_set()?;
            let pieces = write(&file.data_set, explicit);
            // Until all is written: of a deflated one the pieces are all of it.
            let _room = file.into_room();
            put_pieces(pieces, reader(), out)?;
        }
    }
    Ok(out.send()?)
}

fn put_pieces(pieces: Vec<Piece>, mut source: impl Read + Seek, out: &mut Writer) -> io::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => out.put(&bytes)?,
            Piece::Copy { span: Span { offset, length }, swapped } => {
                source.seek(SeekFrom::Start(offset))?;
                out.copy(&mut source, length, swapped)?;
            }
        }
    }
    Ok(())
}

/// The bytes of an instance among others, with a position of its own.
#[derive(Debug)]
struct Stretch {
    open: Arc<Open>,
    position: u64,
}

impl Stretch {
    fn of(open: &Open) -> Self {
        Self { open: Arc::new(open.clone()), position: 0 }
    }
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let many = self.open.read_at(buffer, self.position)?;
        self.position += many as u64;
        Ok(many)
    }
}

impl Seek for Stretch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(from) => self.open.length().checked_add_signed(from),
            SeekFrom::Current(from) => self.position.checked_add_signed(from),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
