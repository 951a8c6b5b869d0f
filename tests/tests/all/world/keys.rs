//! Keys of an EHR that signs anything, and the place where it publishes them. Signing is `jsonwebtoken`'s: a second
//! implementation, so that the gateway's is not compared with itself.

use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        RsaKeyPair,
    },
};
use axum::{Router, extract::State, http::header, routing::get};
use base64::{Engine as _, engine::general_purpose};
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use medvan_fixtures::running::{self, Running};
use serde_json::{Value, json};

/// One key pair.
pub struct Key {
    pub kid: String,
    algorithm: Algorithm,
    encoding: EncodingKey,
}

/// A place that publishes a JWK Set and counts who asks for it.
pub struct KeyServer {
    running: Running,
    state: Arc<Published>,
}

struct Published {
    jwks: Mutex<String>,
    cache_control: String,
    fetches: AtomicUsize,
}

impl Key {
    pub fn es384(kid: &str) -> Self {
        Self::ec(kid, Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub fn es256(kid: &str) -> Self {
        Self::ec(kid, Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    /// RSA keys take long to make, so there is one for all tests.
    pub fn rs384(kid: &str) -> Self {
        static PKCS8: LazyLock<String> = LazyLock::new(|| {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
            pem("PRIVATE KEY", der.as_ref())
        });
        let encoding = EncodingKey::from_rsa_pem(PKCS8.as_bytes()).unwrap();
        Self { kid: kid.to_owned(), algorithm: Algorithm::RS384, encoding }
    }

    fn ec(kid: &str, algorithm: Algorithm, curve: &'static EcdsaSigningAlgorithm) -> Self {
        let pkcs8 = EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap();
        Self { kid: kid.to_owned(), algorithm, encoding: EncodingKey::from_ec_der(pkcs8.as_ref()) }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.encoding, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "typ": "JWT", "kid": self.kid })
    }

    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Signs whatever it is given, also what no JSON writer would write.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        signed(header, claims, &self.encoding, self.algorithm)
    }

    /// A token whose "signature" is an HMAC with something that everybody knows.
    pub fn hmac(algorithm: Algorithm, public: &[u8], header: &Value, claims: &Value) -> String {
        signed(&header.to_string(), &claims.to_string(), &EncodingKey::from_secret(public), algorithm)
    }
}

impl KeyServer {
    /// Starts with an empty set; `cache_control` says how long an answer counts.
    pub async fn start(cache_control: &str) -> Self {
        let state = Arc::new(Published {
            jwks: Mutex::new(json!({"keys": []}).to_string()),
            cache_control: cache_control.to_owned(),
            fetches: AtomicUsize::new(0),
        });
        let router = Router::new().route("/jwks.json", get(publish)).with_state(Arc::clone(&state));
        Self { running: running::serve(router, running::ANY_PORT).await.unwrap(), state }
    }

    pub fn url(&self) -> String {
        format!("{}/jwks.json", self.running.base_url())
    }

    /// From now on these keys and no others.
    pub fn publishes(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        *self.state.jwks.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    /// How often somebody asked.
    pub fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

/// Header and claims of a token, unverified.
pub fn decoded(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

async fn publish(State(state): State<Arc<Published>>) -> impl axum::response::IntoResponse {
    state.fetches.fetch_add(1, Ordering::SeqCst);
    let jwks = state.jwks.lock().unwrap().clone();
    ([(header::CACHE_CONTROL, state.cache_control.clone())], jwks)
}

fn signed(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let encode = |text: &str| general_purpose::URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
