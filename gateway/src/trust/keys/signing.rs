//! [`SigningKey`]: one private key, parsed once, with everything that is the same in each of its tokens.

use aws_lc_rs::{
    digest,
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA384, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{KeyringError, LIFE_SECONDS};
use crate::trust::Algorithm;

/// A private key that signs JWTs.
pub(super) struct SigningKey {
    pair: Pair,
    jwk: Value,
    kid: String,
    /// Header, base64url, with the dot: the same for every token of this key.
    header: String,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
    jku: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
}

impl SigningKey {
    pub(super) fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8], jku: &str) -> Result<Self, KeyringError> {
        let pair = Pair::from_pkcs8(algorithm, pkcs8)?;
        let mut jwk = pair.jwk();
        let kid = thumbprint(&jwk);
        let header = Header { alg: algorithm.name(), kid: &kid, typ: "JWT", jku };
        let header = serde_json::to_vec(&header).map_err(|_| KeyringError::Crypto)?;
        let header = format!("{}.", URL_SAFE_NO_PAD.encode(header));
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!(algorithm.name());
        jwk["use"] = json!("sig");
        Ok(Self { pair, jwk, kid, header })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as published.
    pub(super) fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub(super) fn sign(
        &self,
        iss: &str,
        aud: &str,
        tenant: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<String, KeyringError> {
        let iat = now.unix_timestamp();
        let claims = Claims { iss, aud, iat, exp: iat + LIFE_SECONDS, jti: Uuid::new_v4(), tenant };
        let claims = serde_json::to_vec(&claims).map_err(|_| KeyringError::Crypto)?;
        let mut token = String::with_capacity(self.header.len() + claims.len() * 2 + 512);
        token.push_str(&self.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyringError> {
        match algorithm {
            Algorithm::Es384 => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8).map(Self::Ec),
            Algorithm::Rs384 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            other => return Err(KeyringError::Algorithm(other)),
        }
        .map_err(|_| KeyringError::Crypto)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &random, message, &mut signature).map(|()| signature)
            }
        }
        .map_err(|_| KeyringError::Crypto)
    }

    /// The members that make the thumbprint, and nothing else.
    fn jwk(&self) -> Value {
        match self {
            Self::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
                json!({ "kty": "EC", "crv": "P-384", "x": text(x), "y": text(y) })
            }
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({ "kty": "RSA", "n": text(n.big_endian_without_leading_zero()),
                        "e": text(e.big_endian_without_leading_zero()) })
            }
        }
    }
}

/// A fresh private key as PKCS#8.
pub(super) fn generate(algorithm: Algorithm) -> Result<Vec<u8>, KeyringError> {
    let crypto = |_| KeyringError::Crypto;
    match algorithm {
        Algorithm::Es384 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(crypto)?;
            Ok(pair.to_pkcs8v1().map_err(crypto)?.as_ref().to_vec())
        }
        Algorithm::Rs384 => {
            let pair = RsaKeyPair::generate(rsa::KeySize::Rsa3072).map_err(crypto)?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(crypto)?;
            Ok(der.as_ref().to_vec())
        }
        other => Err(KeyringError::Algorithm(other)),
    }
}

/// RFC 7638: SHA-256 of the required members in lexical order without white space, which is how `serde_json` writes a
/// `Value`'s object as long as its `preserve_order` is off; with it on the sorting below is what counts.
fn thumbprint(jwk: &Value) -> String {
    let members: std::collections::BTreeMap<&String, &Value> = jwk.as_object().into_iter().flatten().collect();
    let canonical = json!(members).to_string();
    text(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_the_rfcs_example() {
        // RFC 7638 §3.1.
        let jwk = json!({
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn\
                  jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6\
                  qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw\
                  apJzKnqDKgw",
            "e": "AQAB",
            "kty": "RSA"
        });
        assert_eq!(thumbprint(&jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
