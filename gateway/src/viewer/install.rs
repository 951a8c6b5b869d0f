//! Puts OHIF into the data folder: its archive is checked, unpacked, changed to live below `/ohif/`, compressed, and only
//! then takes the place of what was there.

mod archive;
mod npm;
mod package;

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

pub(crate) use npm::fetch;
pub(crate) use package::{OHIF, Package};

use super::ohif;
use archive::File;

/// Why an archive was not installed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    /// The operator's: the archive cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The archive.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The operator's: it is another archive.
    #[error(
        "{path} is not the archive of {name} {version}, which is the only version known here: its files are changed at \
         exact places, and its scripts are trusted by their hashes. `npm pack {name}@{version}` fetches it"
    )]
    Another {
        /// The archive.
        path: PathBuf,
        /// The package that is known.
        name: &'static str,
        /// Its version that is known.
        version: &'static str,
    },
    /// The archive's: something in it is not as it must be.
    #[error("the archive cannot be used: {0}")]
    Content(String),
    /// Ours: the data folder does not take it.
    #[error("cannot write to {path}")]
    Write {
        /// The place.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installed {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// Files, without their compressed forms.
    pub(crate) files: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Installs a package from its archive. The data folder must be there.
///
/// # Errors
/// [`InstallError`]; what was installed before is still there then.
pub(crate) fn install(path: &Path, package: &Package, data: &Path) -> Result<Installed, InstallError> {
    let bytes = read(path, package)?;
    if !package.is(&bytes) {
        return Err(InstallError::Another { path: path.to_owned(), name: package.name, version: package.version });
    }
    let fresh = tempfile::Builder::new().prefix(".ohif-").tempdir_in(data).map_err(|source| at(data, source))?;
    let folder = ohif::folder(data);
    let installed = unpack(&bytes, package, fresh.path())?;
    take_place(fresh, &folder)?;
    Ok(Installed { folder, ..installed })
}

fn at(path: &Path, source: io::Error) -> InstallError {
    InstallError::Write { path: path.to_owned(), source }
}

/// The whole archive, read once, so that what was checked is what is unpacked.
fn read(path: &Path, package: &Package) -> Result<Vec<u8>, InstallError> {
    use io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    // One byte more than it has is enough to see that it is another.
    let read = file.and_then(|file| file.take(package.bytes + 1).read_to_end(&mut bytes));
    read.map_err(|source| InstallError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn unpack(archive: &[u8], package: &Package, folder: &Path) -> Result<Installed, InstallError> {
    let mut edits = package.edits();
    let mut installed = Installed { folder: folder.to_owned(), files: 0, bytes: 0 };
    archive::each_file(archive, |file| {
        let Some(name) = package.kept(&file.name) else { return Ok(()) };
        let content = edits.apply(name, file.content);
        (installed.files, installed.bytes) = (installed.files + 1, installed.bytes + content.len() as u64);
        write(folder, &File { name: name.to_owned(), content })
    })?;
    edits.check()?;
    Ok(installed)
}

fn write(folder: &Path, file: &File) -> Result<(), InstallError> {
    let path = folder.join(&file.name);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|source| at(parent, source))?;
    std::fs::write(&path, &file.content).map_err(|source| at(&path, source))?;
    if !["js", "css", "wasm", "json"].iter().any(|kind| path.extension().is_some_and(|found| found == *kind)) {
        return Ok(());
    }
    let compressed = folder.join(format!("{}.gz", file.name));
    compress(&compressed, &file.content).map_err(|source| at(&compressed, source))
}

fn compress(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut writer = flate2::write::GzEncoder::new(std::fs::File::create(path)?, flate2::Compression::default());
    writer.write_all(content)?;
    writer.finish().map(drop)
}

/// The new folder takes the old one's place. Between two renames there is none, for a moment.
fn take_place(fresh: tempfile::TempDir, folder: &Path) -> Result<(), InstallError> {
    let beside = folder.parent().unwrap_or(folder);
    let old = tempfile::Builder::new().prefix(".ohif-old-").tempdir_in(beside).map_err(|source| at(beside, source))?;
    let there_was_one = match std::fs::rename(folder, old.path()) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(at(folder, error)),
    };
    if let Err(error) = std::fs::rename(fresh.path(), folder) {
        if there_was_one {
            std::fs::rename(old.path(), folder).map_err(|source| at(folder, source))?;
        }
        return Err(at(folder, error));
    }
    // It has another name now, and the old one is gone with its folder.
    drop(fresh.keep());
    Ok(())
}

#[cfg(test)]
mod tests;
