//! The first credentials: one for the operator, one for the governor, each in a file that only its owner can read.
//!
//! The file is written before the digest is stored: when the process dies between the two, the next start finds the
//! file and takes it over. The governor's file is for the governor: move it to where the operator cannot read it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{NoRandomness, Secret};
use crate::{
    api::rights::Role,
    clock::Clock,
    store::{Store, StoreError, StoredCredential},
};

/// Why the first credentials could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be written or read.
    #[error("{}: cannot be written or read", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// Others on this machine can read the file.
    #[error("{}: others can read it; make it readable for its owner only (chmod 600)", .0.display())]
    Exposed(PathBuf),
    /// The file does not hold a credential of its role.
    #[error("{}: does not hold a credential of this role; remove the file to have a new one made", .0.display())]
    Unreadable(PathBuf),
    /// No random numbers.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the operator's and the governor's first credential, if none was ever issued. Says which files were written.
///
/// # Errors
/// The files cannot be written or are not as they must be, or the store does not answer.
pub async fn first_credentials(store: &Store, data: &Path, clock: &Clock) -> Result<Vec<PathBuf>, CredentialError> {
    let mut written = Vec::new();
    for role in [Role::Operator, Role::Governor] {
        if store.has_credential_of(role.word()).await? {
            continue;
        }
        let file = data.join(format!("{}.credential", role.word()));
        let secret = match read(&file, role)? {
            Some(secret) => secret,
            None => write(&file, role)?,
        };
        store.add_credential(&row(role, &secret, clock)).await?;
        written.push(file);
    }
    Ok(written)
}

fn row(role: Role, secret: &Secret, clock: &Clock) -> StoredCredential {
    StoredCredential {
        id: Uuid::now_v7(),
        role: role.word().to_owned(),
        subject: String::new(),
        label: "made on first start".to_owned(),
        digest: secret.digest(),
        created_by: "first start".to_owned(),
        created_at: clock.now(),
        expires_at: None,
        revoked_at: None,
    }
}

fn read(file: &Path, role: Role) -> Result<Option<Secret>, CredentialError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CredentialError::File(file.to_owned(), error)),
    };
    if is_exposed(file).map_err(|error| CredentialError::File(file.to_owned(), error))? {
        return Err(CredentialError::Exposed(file.to_owned()));
    }
    match Secret::read(text.trim()) {
        Some((found, secret)) if found == role => Ok(Some(secret)),
        _ => Err(CredentialError::Unreadable(file.to_owned())),
    }
}

fn write(file: &Path, role: Role) -> Result<Secret, CredentialError> {
    let secret = Secret::mint(role)?;
    let written = create(file).and_then(|mut open| {
        writeln!(open, "{}", secret.expose())?;
        open.sync_all()
    });
    written.map_err(|error| CredentialError::File(file.to_owned(), error))?;
    Ok(secret)
}

#[cfg(unix)]
fn create(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create(file: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)
}

#[cfg(unix)]
fn is_exposed(file: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::metadata(file)?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_file: &Path) -> io::Result<bool> {
    Ok(false)
}
