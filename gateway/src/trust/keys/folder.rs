//! The key folder: `<kid>.p8` (PKCS#8, DER) for each key, and `<alg>.json` that says which is current.
//!
//! Everything is the owner's alone. A row is replaced by a rename after both files are on the disk, so a crash leaves
//! the old row or the new one, at worst with an unused key beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    KeyringError,
    signing::{self, SigningKey},
};
use crate::trust::Algorithm;

pub(super) struct Folder(PathBuf);

/// Which keys of one algorithm stand where, by `kid`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) current: String,
    pub(super) next: String,
    pub(super) previous: Option<String>,
    /// When the row last moved on, in seconds since 1970; 0 for the first keys, which nobody knows yet.
    #[serde(default)]
    pub(super) stepped_at: i64,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, KeyringError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(path).map_err(|source| io(path, source))?;
        Ok(Self(path.to_owned()))
    }

    pub(super) fn row(&self, algorithm: Algorithm) -> Result<Option<Row>, KeyringError> {
        let path = self.row_path(algorithm);
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|_| KeyringError::Damaged { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io(&path, source)),
        }
    }

    pub(super) fn put_row(&self, algorithm: Algorithm, row: &Row) -> Result<(), KeyringError> {
        let path = self.row_path(algorithm);
        let fresh = path.with_extension("json.new");
        let json = serde_json::to_vec(row).map_err(|_| KeyringError::Crypto)?;
        self.forget_file(&fresh);
        write_private(&fresh, &json)?;
        fs::rename(&fresh, &path).map_err(|source| io(&path, source))?;
        self.sync()
    }

    /// Makes a key and gives its `kid`.
    pub(super) fn make_key(&self, algorithm: Algorithm) -> Result<String, KeyringError> {
        let pkcs8 = signing::generate(algorithm)?;
        let kid = SigningKey::from_pkcs8(algorithm, &pkcs8, "")?.kid().to_owned();
        write_private(&self.key_path(&kid), &pkcs8)?;
        self.sync()?;
        Ok(kid)
    }

    pub(super) fn read_key(&self, algorithm: Algorithm, kid: &str, jku: &str) -> Result<SigningKey, KeyringError> {
        let path = self.key_path(kid);
        let pkcs8 = fs::read(&path).map_err(|source| io(&path, source))?;
        refuse_exposed(&path)?;
        let key = SigningKey::from_pkcs8(algorithm, &pkcs8, jku);
        key.ok().filter(|key| key.kid() == kid).ok_or(KeyringError::Damaged { path })
    }

    /// Deletes a key that is out of use. Left behind it does no harm, so a failure is none.
    pub(super) fn forget(&self, kid: Option<&str>) {
        if let Some(kid) = kid {
            self.forget_file(&self.key_path(kid));
        }
    }

    #[expect(clippy::unused_self, reason = "only files of this folder are deleted")]
    fn forget_file(&self, path: &Path) {
        let _ = fs::remove_file(path);
    }

    fn row_path(&self, algorithm: Algorithm) -> PathBuf {
        self.0.join(format!("{}.json", algorithm.name()))
    }

    /// A `kid` comes from our own row file, yet only base64url becomes part of a path.
    fn key_path(&self, kid: &str) -> PathBuf {
        let safe: String =
            kid.chars().filter(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_')).collect();
        self.0.join(format!("{safe}.p8"))
    }

    /// Makes new names durable.
    fn sync(&self) -> Result<(), KeyringError> {
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(|source| io(&self.0, source))
    }
}

/// Writes a new file that only its owner can read, down to the disk.
fn write_private(path: &Path, content: &[u8]) -> Result<(), KeyringError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|source| io(path, source))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), KeyringError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|source| io(path, source))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyringError::Exposed { path: path.to_owned() }) }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path) -> Result<(), KeyringError> {
    Ok(())
}

fn io(path: &Path, source: std::io::Error) -> KeyringError {
    KeyringError::Io { path: path.to_owned(), source }
}
