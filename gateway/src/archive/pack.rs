//! The files of the archive: `images/<hospital>/<first two digits>/<id>.pack`, and writing one.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::catalog::HospitalId;

/// Only the gateway's own user may look inside.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The lock of the folder, unless another process has it.
pub(super) fn lock(folder: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Where a pack is. The last two digits are random in an id that begins with the time, so folders stay small.
pub(super) fn path(folder: &Path, hospital: &HospitalId, id: Uuid) -> PathBuf {
    let name = id.simple().to_string();
    folder.join(hospital.as_str()).join(&name[30..]).join(format!("{name}.pack"))
}

/// A pack that is being written.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) id: Uuid,
    file: File,
    path: PathBuf,
    /// Bytes in it.
    pub(super) length: u64,
    /// Whether its name is safe in its folder.
    named: bool,
    made: Instant,
}

/// Bytes after which an arrival goes on in a new pack.
const LARGE: u64 = 512 << 20;
/// Time after which it does. An association may stay open for days: what is in its pack must not be forgotten, and the file
/// with it, while more is written.
const OLD: Duration = Duration::from_secs(3_600);

impl Pack {
    pub(super) fn create(folder: &Path, hospital: &HospitalId) -> io::Result<Self> {
        let id = Uuid::now_v7();
        let path = path(folder, hospital, id);
        make_folder(path.parent().unwrap_or(folder))?;
        let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
        Ok(Self { id, file, path, length: 0, named: false, made: Instant::now() })
    }

    /// Whether what comes next goes into another one.
    pub(super) fn is_done(&self) -> bool {
        self.length >= LARGE || self.made.elapsed() > OLD
    }

    /// Writes behind what is in it. A write that fails half-way leaves nothing that the next one would not write over.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Takes back what was written after so many bytes.
    pub(super) fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }

    /// Another handle on the same file, for reading what was written.
    pub(super) fn reader(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Makes everything written so far safe, and the first time the file's name too.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.named {
            let mut folder = self.path.parent();
            // The folder above may be new as well: its entry for this one must be safe too.
            for _ in 0..3 {
                let Some(path) = folder else { break };
                File::open(path)?.sync_all()?;
                folder = path.parent();
            }
            self.named = true;
        }
        Ok(())
    }

    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}
