//! What goes: originals after their time, and files that nothing leads to.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use time::Duration;
use uuid::Uuid;

use super::{Archive, pack};
use crate::{catalog::HospitalId, store::StoreError};

impl Archive {
    /// Removes originals of a hospital that are older than `keep`. Results stay.
    ///
    /// # Errors
    /// The database does not answer; what was removed until then stays removed.
    pub(crate) async fn forget_originals(&self, hospital: &HospitalId, keep: Duration) -> Result<usize, StoreError> {
        let now = self.0.clock.now();
        let mut forgotten = 0;
        loop {
            let emptied = self.0.store.forget_originals(hospital, now - keep, now).await?;
            forgotten += emptied.instances;
            self.remove_emptied(hospital, &emptied.packs).await?;
            if emptied.instances == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Removes the files of a hospital of which everything was replaced.
    ///
    /// # Errors
    /// The database does not answer.
    pub(crate) async fn forget_replaced(&self, hospital: &HospitalId) -> Result<(), StoreError> {
        let packs = self.0.store.forget_empty_packs(hospital).await?;
        self.remove_emptied(hospital, &packs).await
    }

    /// Removes the files of packs that had no rows a moment ago. One that is being written to stays, and so does one that
    /// was written to since: only when nobody can any more, the index has the last word.
    pub(super) async fn remove_emptied(&self, hospital: &HospitalId, packs: &[Uuid]) -> Result<(), StoreError> {
        for pack in packs {
            if !self.0.shelf.lets_go(*pack) || self.0.store.is_pack_used(hospital, *pack).await? {
                continue;
            }
            // Without its row a file that stays behind is swept at the next start.
            if let Err(error) = fs::remove_file(pack::path(&self.0.folder, hospital, *pack)) {
                tracing::warn!(%error, "a pack without rows stays behind");
            }
        }
        Ok(())
    }

    /// Removes files without rows: their process died before it could answer.
    pub(super) async fn sweep(&self) -> io::Result<()> {
        let known: HashSet<Uuid> = self.0.store.packs().await.map_err(io::Error::other)?.into_iter().collect();
        let folder = self.0.folder.clone();
        let swept = tokio::task::spawn_blocking(move || sweep(&folder, &known)).await.map_err(io::Error::other)??;
        if swept > 0 {
            tracing::info!(files = swept, "swept image files of arrivals that never ended");
        }
        Ok(())
    }
}

fn sweep(folder: &Path, known: &HashSet<Uuid>) -> io::Result<usize> {
    let mut swept = 0;
    for path in folders(folder)?.iter().map(|hospital| folders(hospital)).collect::<io::Result<Vec<_>>>()?.concat() {
        for file in fs::read_dir(path)? {
            let path = file?.path();
            let is_pack = path.extension().is_some_and(|extension| extension == "pack");
            let id = path.file_stem().and_then(|name| Uuid::try_parse(name.to_str()?).ok());
            if is_pack && id.is_some_and(|id| !known.contains(&id)) {
                fs::remove_file(&path)?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// The folders in a folder; what else somebody put there is none of ours.
fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}
