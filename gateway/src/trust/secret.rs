//! [`Secret`]: the key under which this gateway makes pseudonyms. It never leaves the data folder.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// 256 random bits, made at the first start.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Why the secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("cannot read or write {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file does not hold 32 bytes.
    #[error("{path} does not hold 32 bytes; restore it from a backup: vendors know hospitals by it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no randomness.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl Secret {
    /// Reads `secret.key` of the data folder, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be read or made, or is not what this wrote.
    pub fn open(folder: &Path) -> Result<Self, SecretError> {
        let path = folder.join("secret.key");
        let failed = |source| SecretError::File { path: path.clone(), source };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let fresh = random()?;
                file.write_all(&fresh).and_then(|()| file.sync_all()).map_err(failed)?;
                Ok(Self::of(&fresh))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let mut bytes = Vec::with_capacity(33);
                let file = OpenOptions::new().read(true).open(&path).map_err(failed)?;
                file.take(33).read_to_end(&mut bytes).map_err(failed)?;
                if bytes.len() == 32 { Ok(Self::of(&bytes)) } else { Err(SecretError::Damaged { path }) }
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A keyed hash of these parts; each part's length goes in before it, so that no two lists read the same.
    pub fn tag(&self, parts: &[&str]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
    }

    fn of(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn random() -> Result<[u8; 32], SecretError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let made = Secret::open(folder.path()).unwrap();
        let read = Secret::open(folder.path()).unwrap();
        assert_eq!(made.tag(&["a", "b"]).as_ref(), read.tag(&["a", "b"]).as_ref());
        assert_ne!(made.tag(&["a", "b"]).as_ref(), made.tag(&["ab", ""]).as_ref());
        let mode = std::fs::metadata(folder.path().join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_secret_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret.key"), b"short").unwrap();
        assert!(matches!(Secret::open(folder.path()), Err(SecretError::Damaged { .. })));
    }
}
