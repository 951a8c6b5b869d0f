//! The thread that writes what arrives.

use std::{
    io::{BufReader, Cursor},
    sync::Arc,
};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use medvan_imaging::{
    Uid,
    dataset::{Limits, Seekable},
    file::{self, File},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{Expected, Fault};
use crate::{
    archive::{
        examine,
        inflating::{Held, Inflating},
        pack::Pack,
        shelf::Shelf,
    },
    catalog::HospitalId,
    store::{Kind, NewInstance},
};

/// Bytes of an instance that are held before they are written.
const BUFFER: usize = 1 << 20;
/// Bytes of one instance.
const LARGEST: u64 = 64 << 30;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Bytes of the current instance.
    Bytes(Vec<Bytes>),
    /// The current instance is whole with these.
    End(Vec<Bytes>, Expected, oneshot::Sender<Read>),
    /// The same, and where it can be read everything is made safe: [`Self::End`] and [`Self::Sync`].
    Only(Vec<Bytes>, Expected, oneshot::Sender<(Read, Result<Uuid, Fault>)>),
    /// Take back what came of the current instance.
    Abandon,
    /// Take back the last whole instance; none was begun since.
    Undo,
    /// Make everything safe. Rows may lead to the pack from then on: it stays, and what has none is swept at the next start.
    Sync(oneshot::Sender<Result<Uuid, Fault>>),
}

/// What was read of an instance.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) class: Option<Uid>,
    pub(super) uid: Option<Uid>,
    pub(super) series: Option<(Uid, Uid)>,
    pub(super) instance: Result<NewInstance, Fault>,
}

impl Read {
    fn failed(fault: Fault) -> Self {
        Self { class: None, uid: None, series: None, instance: Err(fault) }
    }

    /// The thread is gone.
    pub(super) fn lost() -> Self {
        Self::failed(Fault::NotSafe)
    }
}

/// The thread's state.
pub(super) struct Writer {
    shelf: Arc<Shelf>,
    inflating: Inflating,
    hospital: HospitalId,
    kind: Kind,
    pack: Option<Pack>,
    /// Whether rows may lead to the pack: then it is not removed.
    kept: bool,
    /// Where the current instance begins.
    begin: u64,
    /// Where the last whole instance begins.
    last: u64,
    /// Up to here everything is committed.
    synced: u64,
    /// Its bytes that are not written yet.
    buffer: Vec<u8>,
    /// Of the data set only: the same one behind another head is the same instance.
    hash: Context,
    hashing: bool,
    fault: Option<Fault>,
}

impl Writer {
    pub(super) fn new(shelf: Arc<Shelf>, inflating: Inflating, hospital: HospitalId, kind: Kind) -> Self {
        Self {
            shelf,
            inflating,
            hospital,
            kind,
            pack: None,
            kept: false,
            begin: 0,
            last: 0,
            synced: 0,
            buffer: Vec::new(),
            hash: Context::new(&SHA256),
            hashing: false,
            fault: None,
        }
    }

    pub(super) fn obey(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.blocking_recv() {
            match order {
                Order::Bytes(bytes) => self.take_all(&bytes),
                Order::End(rest, expected, reply) => {
                    self.take_all(&rest);
                    let _ = reply.send(self.end(&expected));
                }
                Order::Only(rest, expected, reply) => {
                    self.take_all(&rest);
                    let read = self.end(&expected);
                    let pack = if read.instance.is_ok() { self.sync() } else { Err(Fault::NotSafe) };
                    let _ = reply.send((read, pack));
                }
                Order::Abandon => self.take_back(self.begin),
                Order::Undo => self.take_back(self.last),
                Order::Sync(reply) => drop(reply.send(self.sync())),
            }
        }
        self.leave();
    }

    /// Lets go of the pack: others may go on with it where it ends with what is safe.
    fn leave(&mut self) {
        let Some(mut pack) = self.pack.take() else { return };
        if !self.kept {
            self.shelf.close(&pack);
            // A file without rows would be swept at the next start anyway.
            let _ = pack.remove();
        } else if pack.length == self.synced || pack.truncate(self.synced).is_ok() {
            self.shelf.put_back(&self.hospital, self.kind, pack);
        } else {
            self.shelf.close(&pack);
        }
    }

    fn take_all(&mut self, chunks: &[Bytes]) {
        chunks.iter().for_each(|bytes| self.take(bytes));
    }

    fn take(&mut self, bytes: &[u8]) {
        if self.fault.is_some() {
            return;
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER
            && let Err(fault) = self.spill()
        {
            self.fault = Some(fault);
        }
    }

    fn spill(&mut self) -> Result<(), Fault> {
        // Only between two commits: the instances of one commit are in one pack.
        let is_between = self.pack.as_ref().is_some_and(|pack| pack.length == self.begin && self.begin == self.synced);
        if is_between && self.pack.as_ref().is_some_and(|pack| self.kept && pack.is_done()) {
            self.leave();
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => {
                let pack = self.shelf.take(&self.hospital, self.kind)?;
                (self.begin, self.synced) = (pack.length, pack.length);
                // Of a pack that was used before rows lead to what is in it.
                self.kept = pack.length > 0;
                none.insert(pack)
            }
        };
        if pack.length + self.buffer.len() as u64 - self.begin > LARGEST {
            return Err(Fault::TooLarge(LARGEST));
        }
        // What has no head is refused before it is on the disk.
        let head = if self.hashing { 0 } else { head_length(&self.buffer)? };
        self.hash.update(&self.buffer[head..]);
        self.hashing = true;
        pack.append(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn end(&mut self, expected: &Expected) -> Read {
        let file = match self.fault.take().map_or_else(|| self.parse(), Err) {
            Ok(file) => file,
            Err(fault) => {
                self.take_back(self.begin);
                return Read::failed(fault);
            }
        };
        let identity = examine::Identity::of(&file);
        let instance = self.place(&file, &identity, expected);
        if instance.is_err() {
            self.take_back(self.begin);
        }
        Read { class: identity.class, uid: identity.instance, series: identity.study.zip(identity.series), instance }
    }

    /// Reads it from the buffer where it is small, else from the file.
    fn parse(&mut self) -> Result<Held, Fault> {
        let written = self.pack.as_ref().map_or(self.begin, |pack| pack.length) > self.begin;
        if !written {
            return Ok(self.inflating.read(&self.hospital, Seekable::new(Cursor::new(&self.buffer[..]))?)?);
        }
        self.spill()?;
        let Some(pack) = &self.pack else { return Err(Fault::NotSafe) };
        let reader = BufReader::with_capacity(64 * 1024, pack.reader()?);
        Ok(self.inflating.read(&self.hospital, Seekable::stretch(reader, self.begin, pack.length - self.begin)?)?)
    }

    fn place(&mut self, file: &File, identity: &examine::Identity, expected: &Expected) -> Result<NewInstance, Fault> {
        let mut instance = examine::instance(file, identity, expected, self.kind)?;
        self.spill()?;
        let end = self.pack.as_ref().map_or(0, |pack| pack.length);
        instance.at_byte = self.begin;
        instance.bytes = end - self.begin;
        let digest = std::mem::replace(&mut self.hash, Context::new(&SHA256)).finish();
        self.hashing = false;
        instance.digest.copy_from_slice(digest.as_ref());
        self.last = self.begin;
        self.begin = end;
        Ok(instance)
    }

    fn take_back(&mut self, begin: u64) {
        self.buffer.clear();
        self.hash = Context::new(&SHA256);
        self.hashing = false;
        self.fault = None;
        self.begin = begin;
        let Some(pack) = &mut self.pack else { return };
        if let Err(error) = pack.truncate(begin) {
            tracing::warn!(%error, "a dropped instance leaves its bytes behind");
            self.begin = pack.length;
        }
        self.synced = self.synced.min(self.begin);
    }

    fn sync(&mut self) -> Result<Uuid, Fault> {
        let pack = self.pack.as_mut().ok_or(Fault::NotSafe)?;
        pack.sync()?;
        // Before the rows: when they fail half-way, those that were written still lead to the file.
        self.kept = true;
        self.synced = self.begin;
        Ok(pack.id)
    }
}

/// Bytes before the data set, in the beginning of a file.
fn head_length(beginning: &[u8]) -> Result<usize, Fault> {
    let head = file::read_head(&mut Seekable::new(Cursor::new(beginning))?, &Limits::default())?;
    Ok(usize::try_from(head.data_set_at).unwrap_or(usize::MAX).min(beginning.len()))
}
