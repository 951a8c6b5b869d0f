//! [`Brought`]: the bytes of results while services bring them. However slowly they come, they take nothing that others have need of:
//! few are held in memory, the rest goes to a file without a name, and only what is whole waits for one of the places in which results
//! are read.

use std::{io, time::Duration};

use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _},
    sync::OwnedSemaphorePermit,
    time::timeout,
};

use crate::{App, archive::Archive};

/// So long results of one request may take to come: they hold one of their vendor's places.
pub(crate) const LONGEST: Duration = Duration::from_secs(300);
/// Bytes of one request: more than the results of any job may have.
pub(crate) const LARGEST: usize = 40 << 20;
/// Bytes that are held in memory while more come.
const HELD: usize = 128 * 1024;
/// So long what is whole waits for a place: reading a result takes much less.
const WAIT: Duration = Duration::from_secs(30);

/// What came so far.
#[derive(Debug)]
pub(crate) struct Brought {
    archive: Archive,
    /// The last bytes that came.
    held: Vec<u8>,
    /// Those before, if there are any.
    file: Option<File>,
    length: usize,
    most: usize,
}

impl Brought {
    /// With these bytes before all others, and not more than `most`.
    pub(crate) fn new(app: &App, head: Vec<u8>, most: usize) -> Self {
        Self::within(app.archive.clone(), head, most)
    }

    const fn within(archive: Archive, head: Vec<u8>, most: usize) -> Self {
        Self { archive, length: head.len(), held: head, file: None, most }
    }

    /// Whether more came than may: then nothing of it is kept.
    pub(crate) const fn is_too_large(&self) -> bool {
        self.length > self.most
    }

    /// More of them.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) async fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.length = self.length.saturating_add(piece.len());
        if self.is_too_large() {
            (self.held, self.file) = (Vec::new(), None);
            return Ok(());
        }
        self.held.extend_from_slice(piece);
        if self.held.len() <= HELD {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::from_std(self.archive.scratch()?)),
        };
        file.write_all(&self.held).await?;
        self.held.clear();
        Ok(())
    }

    /// All of them, and the place in which they may be read; nothing where none becomes free.
    ///
    /// # Errors
    /// They cannot be read back.
    pub(crate) async fn whole(self, app: &App) -> io::Result<Option<(Vec<u8>, OwnedSemaphorePermit)>> {
        let Ok(Ok(place)) = timeout(WAIT, app.all_results.clone().acquire_owned()).await else { return Ok(None) };
        Ok(Some((self.bytes().await?, place)))
    }

    async fn bytes(self) -> io::Result<Vec<u8>> {
        let Some(mut file) = self.file else { return Ok(self.held) };
        let mut bytes = Vec::with_capacity(self.length);
        file.flush().await?;
        file.rewind().await?;
        file.read_to_end(&mut bytes).await?;
        bytes.extend_from_slice(&self.held);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    async fn archive() -> (tempfile::TempDir, Archive) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("medvan.db")).await.unwrap();
        let archive = Archive::open(folder.path().join("images"), store, crate::clock::Clock::system()).await.unwrap();
        (folder, archive)
    }

    #[tokio::test]
    async fn bytes_come_back_in_their_order_however_many_there_are_and_in_whatever_pieces_they_came() {
        let (_folder, archive) = archive().await;
        for length in [0, 1, HELD, HELD + 1, 3 * HELD + 7] {
            for piece in [1_000, HELD, 2 * HELD + 1] {
                let sent: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
                let mut brought = Brought::within(archive.clone(), b"head".to_vec(), length + 4);
                for piece in sent.chunks(piece) {
                    brought.push(piece).await.unwrap();
                }
                assert!(!brought.is_too_large());
                let back = brought.bytes().await.unwrap();
                assert_eq!(back.strip_prefix(b"head"), Some(&*sent), "{length} in pieces of {piece}");
            }
        }
    }

    #[tokio::test]
    async fn of_what_is_too_large_nothing_is_kept() {
        let (_folder, archive) = archive().await;
        let mut brought = Brought::within(archive, Vec::new(), 2 * HELD);
        for _ in 0..3 {
            brought.push(&vec![1; HELD]).await.unwrap();
        }
        assert!(brought.is_too_large() && brought.held.is_empty() && brought.file.is_none());
    }
}
