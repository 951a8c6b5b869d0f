//! An EHR that signs: with `jsonwebtoken`, a second implementation, so that ours is not compared with itself.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Alg, EncodingKey, jwk::Jwk};
use medvan_adapters::http::{Client, Guard, GuardedUrl, Profile, Settings};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use super::{ClientKeys, ClientTrust, Jwks, Refusal, Token, Verified, Verifier};

pub(super) const NOW: OffsetDateTime = datetime!(2026-11-22 09:00:00 UTC);
pub(super) const ENDPOINT: &str = "https://gateway.example/hospitals/minato/cds-services/van-patient-view";
pub(super) const ISSUER: &str = "https://ehr.minato.example";

/// A key pair of an EHR.
pub(super) struct EhrKey {
    pub(super) alg: Alg,
    pub(super) kid: String,
    encoding: EncodingKey,
}

impl EhrKey {
    pub(super) fn es384(kid: &str) -> Self {
        Self::ec(kid, Alg::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub(super) fn es256(kid: &str) -> Self {
        Self::ec(kid, Alg::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    /// RSA keys take long to make, so there is one.
    pub(super) fn rsa(kid: &str, alg: Alg) -> Self {
        static PKCS8: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec()
        });
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            base64::engine::general_purpose::STANDARD.encode(&*PKCS8)
        );
        Self { alg, kid: kid.to_owned(), encoding: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap() }
    }

    fn ec(kid: &str, alg: Alg, curve: &'static EcdsaSigningAlgorithm) -> Self {
        let pkcs8 = EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap();
        Self { alg, kid: kid.to_owned(), encoding: EncodingKey::from_ec_der(pkcs8.as_ref()) }
    }

    pub(super) fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.encoding, self.alg).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }

    /// Signs whatever it is given.
    pub(super) fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.encoding, self.alg).unwrap();
        format!("{signed}.{signature}")
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(super) fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.alg), "typ": "JWT", "kid": self.kid })
    }

    /// A token in order.
    pub(super) fn token(&self) -> String {
        self.sign(&self.header(), &claims())
    }
}

pub(super) fn claims() -> Value {
    let now = NOW.unix_timestamp();
    json!({ "iss": ISSUER, "aud": ENDPOINT, "iat": now, "exp": now + 300, "jti": "nonce-1" })
}

pub(super) fn set(keys: &[&EhrKey]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

pub(super) fn trust(jwks: &str) -> ClientTrust<'_> {
    ClientTrust {
        issuer: ISSUER,
        jwks: Some(jwks.as_bytes()),
        jwks_url: None,
        audiences: &[],
        algorithms: &[],
        max_life_seconds: None,
    }
}

pub(super) fn guarded(url: &str) -> GuardedUrl {
    let profile = if url.starts_with("https:") { Profile::Production } else { Profile::Loopback };
    Guard::new(profile, []).check(url).unwrap()
}

pub(super) fn jwks() -> Jwks {
    Jwks::new(Client::new(Guard::new(Profile::Loopback, []), &Settings::default()).unwrap())
}

pub(super) async fn verify(token: &str, client: &ClientKeys, now: OffsetDateTime) -> Result<Verified, Refusal> {
    verify_through(&Verifier::new(jwks()), token, client, now).await
}

pub(super) async fn verify_through(
    verifier: &Verifier,
    token: &str,
    client: &ClientKeys,
    now: OffsetDateTime,
) -> Result<Verified, Refusal> {
    verifier.verify(&Token::parse(token)?, client, &[ENDPOINT], now).await
}
