//! [`KeySet`]: a JWK Set (RFC 7517) whose keys are parsed once, each pinned to its algorithm.
//!
//! A key verifies one algorithm and no other (checks 2 and 3): an EC key the one of its curve, an RSA key the one in
//! its `alg`. An RSA key without `alg` stands for the three PKCS#1 algorithms, of which the client's registration
//! usually allows one. Keys that cannot be used are left out; a set with a private key in it is refused whole, as
//! whoever published it has lost that key.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use medvan_profiles::json::{Limits, scan};
use serde::Deserialize;

use super::{Algorithm, algorithm::Scheme};

/// Most keys in one set.
const MAX_KEYS: usize = 64;

/// Most bytes of one set.
pub(super) const MAX_BYTES: usize = 256 << 10;

const LIMITS: Limits = Limits { bytes: MAX_BYTES, depth: 8, values: 4096 };

/// Public keys by `kid`, ready to verify with. Cheap to clone.
#[derive(Clone)]
pub struct KeySet(Arc<HashMap<String, Vec<PinnedKey>>>);

/// One key for one algorithm.
pub(super) struct PinnedKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

/// Why a JWK Set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not the JSON of a JWK Set, or far too long.
    #[error("not a JWK Set: an object with an array `keys` is needed")]
    Malformed,
    /// A private or symmetric key is published. It has to be replaced, not only removed.
    #[error("the set holds a private or symmetric key: publish public keys only, and replace the one that leaked")]
    PrivateKey,
    /// More than 64 keys.
    #[error("the set holds more than {MAX_KEYS} keys")]
    TooMany,
    /// No EC key on P-256, P-384 or P-521 and no RSA key of 2048 to 8192 bits that has a `kid` and may sign.
    #[error("the set holds no signature key with a kid that can be used here: EC P-384 or RSA from 2048 bits")]
    NoUsableKey,
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<RawKey>,
}

/// RFC 7517 §4 and RFC 7518 §6, the members that matter.
#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

impl KeySet {
    /// Reads a JWK Set and prepares its keys.
    ///
    /// # Errors
    /// [`KeySetError`] says what the publisher has to mend.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        scan(json, &LIMITS).map_err(|_| KeySetError::Malformed)?;
        let set: RawSet = serde_json::from_slice(json).map_err(|_| KeySetError::Malformed)?;
        if set.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        if set.keys.iter().any(|key| key.d.is_some() || key.k.is_some()) {
            return Err(KeySetError::PrivateKey);
        }
        let keys = prepare(set.keys);
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self(Arc::new(keys))) }
    }

    /// Whether there is a key with this `kid` for this algorithm.
    pub(super) fn has(&self, kid: &str, algorithm: Algorithm) -> bool {
        self.find(kid, algorithm).is_some()
    }

    pub(super) fn find(&self, kid: &str, algorithm: Algorithm) -> Option<&PinnedKey> {
        self.0.get(kid)?.iter().find(|key| key.algorithm == algorithm)
    }
}

impl PinnedKey {
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeySet({} kids)", self.0.len())
    }
}

/// `kid` is unique in a set (item 52); where it is not, nobody can say which key was meant, and none is used.
fn prepare(keys: Vec<RawKey>) -> HashMap<String, Vec<PinnedKey>> {
    let mut prepared: HashMap<String, Vec<PinnedKey>> = HashMap::new();
    for key in keys {
        let Some(kid) = key.kid.clone().filter(|_| key.may_verify()) else {
            continue;
        };
        prepared.entry(kid).or_default().extend(key.pin());
    }
    for pinned in prepared.values_mut() {
        let twice = |algorithm| pinned.iter().filter(|key: &&PinnedKey| key.algorithm == algorithm).count() > 1;
        let ambiguous: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|algorithm| twice(*algorithm)).collect();
        pinned.retain(|key| !ambiguous.contains(&key.algorithm));
    }
    prepared.retain(|_, pinned| !pinned.is_empty());
    prepared
}

impl RawKey {
    fn may_verify(&self) -> bool {
        self.r#use.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
    }

    fn pin(&self) -> Vec<PinnedKey> {
        let algorithms = Algorithm::ALL.iter().copied().filter(|algorithm| self.is_for(*algorithm));
        algorithms.filter_map(|algorithm| Some(PinnedKey { algorithm, key: self.parse(algorithm)? })).collect()
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        let named = self.alg.as_deref().map(|alg| alg == algorithm.name());
        match algorithm.scheme() {
            Scheme::Ec { curve, .. } => self.kty == "EC" && self.crv.as_deref() == Some(curve) && named.unwrap_or(true),
            Scheme::Rsa(_) => self.kty == "RSA" && named.unwrap_or(algorithm.name().starts_with("RS")),
        }
    }

    fn parse(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match algorithm.scheme() {
            Scheme::Ec { coordinate, verification, .. } => {
                let (x, y) = (bytes(self.x.as_ref())?, bytes(self.y.as_ref())?);
                let right_size = x.len() == coordinate && y.len() == coordinate;
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                right_size.then(|| ParsedPublicKey::new(verification, point).ok()).flatten()
            }
            Scheme::Rsa(parameters) => {
                let (n, e) = (bytes(self.n.as_ref())?, bytes(self.e.as_ref())?);
                let (n, e) = (without_zeros(&n), without_zeros(&e));
                let strong = (256..=1024).contains(&n.len());
                let components = RsaPublicKeyComponents { n, e };
                strong.then(|| components.to_parsed_public_key(parameters).ok()).flatten()
            }
        }
    }
}

fn bytes(text: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

/// Base64urlUInt has no leading zero octet (RFC 7518 §2); some publishers write the sign octet of their big integers.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests;
