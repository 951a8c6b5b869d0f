//! Fetches a package's archive with npm, which knows the operator's registry and proxy.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use super::Package;

/// For 50 MB over a slow line.
const PATIENCE: Duration = Duration::from_secs(900);

/// Why npm did not bring the archive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NpmError {
    /// It is not there.
    #[error(
        "npm is not installed. Install Node.js; or run `npm pack {name}@{version}` on another machine, and here \
         `medvan viewer install` with the file that it brings"
    )]
    Missing {
        /// The package.
        name: &'static str,
        /// Its version.
        version: &'static str,
    },
    /// It cannot be run.
    #[error("cannot run npm")]
    Run(#[from] io::Error),
    /// It takes too long.
    #[error("npm has not brought the archive within {} minutes", PATIENCE.as_secs() / 60)]
    TooSlow,
    /// It said why not.
    #[error("npm did not bring the archive: {0}")]
    Failed(String),
}

/// Fetches the archive into a folder.
///
/// # Errors
/// [`NpmError`].
pub(crate) async fn fetch(package: &Package, folder: &Path) -> Result<PathBuf, NpmError> {
    fetch_with(Path::new("npm"), package, folder).await
}

pub(super) async fn fetch_with(npm: &Path, package: &Package, folder: &Path) -> Result<PathBuf, NpmError> {
    let Package { name, version, .. } = *package;
    let run = Command::new(npm)
        .args(["pack", &format!("{name}@{version}"), "--silent", "--loglevel=error", "--pack-destination"])
        .arg(folder)
        // Not in the folder where the operator happens to be: a project there would have its say.
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, run).await {
        Err(_) => return Err(NpmError::TooSlow),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Err(NpmError::Missing { name, version }),
        Ok(output) => output?,
    };
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(NpmError::Failed(told));
    }
    let brought = std::fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path());
    let archive = brought.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "tgz"));
    archive.ok_or(NpmError::Failed(told))
}
