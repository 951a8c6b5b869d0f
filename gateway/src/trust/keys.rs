//! [`Keyring`]: the gateway's own signing keys, with which vendors recognise it (item 57).
//!
//! Each algorithm has three: *next* is published before it signs anything, so that a vendor's cached copy of our key
//! set already has it when it becomes *current*; *previous* stays published until the tokens and caches of its time are
//! gone. Rotation is one step of that row, while running. The `kid` is the key's RFC 7638 thumbprint, so a key cannot
//! change under its name.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use bytes::Bytes;
use medvan_adapters::http::Bearer;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{Algorithm, Recipient};

mod folder;
mod signing;

use folder::{Folder, Row};
use signing::SigningKey;

/// Life of the tokens signed here (SMART Backend Services: at most 5 minutes).
const LIFE_SECONDS: i64 = 300;

/// So long after one step of the row the next may follow. Tokens live for five minutes, a running gateway takes up new
/// keys within half a minute, and vendors' copies of a key set are commonly kept for some minutes.
pub const SETTLED: Duration = Duration::minutes(15);

/// Who the gateway is in its own tokens.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// `iss`: the gateway's external base URL.
    pub iss: String,
    /// `jku`: where [`Keyring::jwks_json`] is published.
    pub jku: String,
}

/// The signing keys. Shared by reference; rotation needs no restart.
pub struct Keyring {
    folder: Folder,
    issuer: Issuer,
    algorithms: Vec<Algorithm>,
    keys: ArcSwap<Keys>,
}

/// Why keys cannot be had. Nothing of a key is in the text.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Reading or writing failed.
    #[error("the signing keys in {path} cannot be read or written: {source}")]
    Io {
        /// File or folder.
        path: std::path::PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Others than the owner may read a key.
    #[error("{path} is readable by others than its owner: chmod 600 it, and rotate the keys if others had access")]
    Exposed {
        /// The file.
        path: std::path::PathBuf,
    },
    /// Not a key, or not the key that its name says.
    #[error("{path} does not hold the key that its name says: restore it from a backup")]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The last step was a moment ago.
    #[error(
        "the keys were rotated less than {} minutes ago: vendors may not know the next key yet; wait, or `replace` \
         all of them where they may be in wrong hands",
        SETTLED.whole_minutes()
    )]
    TooSoon,
    /// An algorithm that is not for signing here.
    #[error("the gateway signs with ES384 or RS384, not with {}", .0.name())]
    Algorithm(Algorithm),
    /// The cryptographic library refused, which it never should.
    #[error("the cryptographic library could not make or use a key")]
    Crypto,
}

/// What is in force: one set at a time, replaced whole.
struct Keys {
    rings: Vec<Ring>,
    jwks: Bytes,
}

/// The keys of one algorithm.
struct Ring {
    algorithm: Algorithm,
    current: SigningKey,
    next: SigningKey,
    previous: Option<SigningKey>,
}

impl Keyring {
    /// Opens the key folder, making it and the keys that are missing.
    ///
    /// # Errors
    /// The folder cannot be used as it is; nothing is overwritten.
    pub fn open(folder: &Path, issuer: Issuer, algorithms: &[Algorithm]) -> Result<Self, KeyringError> {
        let folder = Folder::open(folder)?;
        let keys = Keys::load(&folder, &issuer, algorithms)?;
        Ok(Self { folder, issuer, algorithms: algorithms.to_vec(), keys: ArcSwap::from_pointee(keys) })
    }

    /// A fresh token for one call, with a nonce of its own.
    ///
    /// # Errors
    /// [`KeyringError::Algorithm`] when the keyring was opened without the one that is wanted.
    pub fn sign(&self, to: &Recipient, tenant: Option<&str>, now: OffsetDateTime) -> Result<String, KeyringError> {
        let keys = self.keys.load();
        let ring = keys.rings.iter().find(|ring| ring.algorithm == to.algorithm);
        let ring = ring.ok_or(KeyringError::Algorithm(to.algorithm))?;
        ring.current.sign(&self.issuer.iss, &to.audience, tenant, now)
    }

    /// The same as a header's value, which is how it travels.
    ///
    /// # Errors
    /// As of [`Keyring::sign`].
    pub fn bearer(&self, to: &Recipient, tenant: Option<&str>, now: OffsetDateTime) -> Result<Bearer, KeyringError> {
        Bearer::new(&self.sign(to, tenant, now)?).map_err(|_| KeyringError::Crypto)
    }

    /// The JWK Set to publish: current, next and previous public keys.
    pub fn jwks_json(&self) -> Bytes {
        self.keys.load().jwks.clone()
    }

    /// One step: next signs, current becomes previous, the former previous is deleted. Blocks on the disk.
    ///
    /// # Errors
    /// [`KeyringError::TooSoon`] after a step within [`SETTLED`]: vendors may not know the next key yet, and tokens of
    /// the previous one are still on their way. Else the folder could not be written; the old keys stay in force.
    pub fn rotate(&self, now: OffsetDateTime) -> Result<(), KeyringError> {
        for algorithm in &self.algorithms {
            let stepped = self.row(*algorithm)?.stepped_at;
            if now.unix_timestamp() - stepped < SETTLED.whole_seconds() {
                return Err(KeyringError::TooSoon);
            }
        }
        let stepped_at = now.unix_timestamp();
        for algorithm in &self.algorithms {
            let row = self.row(*algorithm)?;
            let next = self.folder.make_key(*algorithm)?;
            let stepped = Row { current: row.next, next, previous: Some(row.current), stepped_at };
            self.folder.put_row(*algorithm, &stepped)?;
            self.folder.forget(row.previous.as_deref());
        }
        self.reload()
    }

    /// Replaces every key, whatever tokens are under way and whatever vendors have in their caches: for a key folder that
    /// others may have read. Whoever had one of its keys had all of them.
    ///
    /// # Errors
    /// The folder could not be written; then the old keys stay in force.
    pub fn replace(&self, now: OffsetDateTime) -> Result<(), KeyringError> {
        let stepped_at = now.unix_timestamp();
        for algorithm in &self.algorithms {
            let row = self.row(*algorithm)?;
            let (current, next) = (self.folder.make_key(*algorithm)?, self.folder.make_key(*algorithm)?);
            self.folder.put_row(*algorithm, &Row { current, next, previous: None, stepped_at })?;
            for old in [Some(&row.current), Some(&row.next), row.previous.as_ref()] {
                self.folder.forget(old.map(String::as_str));
            }
        }
        self.reload()
    }

    fn row(&self, algorithm: Algorithm) -> Result<Row, KeyringError> {
        self.folder.row(algorithm)?.ok_or(KeyringError::Crypto)
    }

    /// Takes up what another process (`medvan keys rotate`) left in the folder.
    ///
    /// # Errors
    /// The folder cannot be read; then the old keys stay in force.
    pub fn reload(&self) -> Result<(), KeyringError> {
        self.keys.store(Arc::new(Keys::load(&self.folder, &self.issuer, &self.algorithms)?));
        Ok(())
    }
}

impl Keys {
    fn load(folder: &Folder, issuer: &Issuer, algorithms: &[Algorithm]) -> Result<Self, KeyringError> {
        let rings = algorithms.iter().map(|algorithm| Ring::load(folder, issuer, *algorithm));
        let rings = rings.collect::<Result<Vec<_>, _>>()?;
        let public: Vec<_> = rings.iter().flat_map(Ring::keys).map(SigningKey::jwk).collect();
        Ok(Self { jwks: json!({ "keys": public }).to_string().into(), rings })
    }
}

impl Ring {
    fn load(folder: &Folder, issuer: &Issuer, algorithm: Algorithm) -> Result<Self, KeyringError> {
        let row = match folder.row(algorithm)? {
            Some(row) => row,
            None => first_row(folder, algorithm)?,
        };
        let read = |kid: &str| folder.read_key(algorithm, kid, &issuer.jku);
        Ok(Self {
            algorithm,
            current: read(&row.current)?,
            next: read(&row.next)?,
            previous: row.previous.as_deref().map(read).transpose()?,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &SigningKey> {
        [&self.current, &self.next].into_iter().chain(&self.previous)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({:?})", self.algorithms)
    }
}

fn first_row(folder: &Folder, algorithm: Algorithm) -> Result<Row, KeyringError> {
    let row =
        Row { current: folder.make_key(algorithm)?, next: folder.make_key(algorithm)?, previous: None, stepped_at: 0 };
    folder.put_row(algorithm, &row)?;
    Ok(row)
}

#[cfg(test)]
mod tests;
