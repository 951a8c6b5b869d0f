//! [`Verifier`]: is this token from this client, for this call, now?
//!
//! The order is that of the best practices (item 56): issuer, audience, times, key, signature; the nonce is spent last,
//! by [`super::Replay`], so that nobody without the key can spend it. Whatever fails, the caller gets a bare 401.

use medvan_adapters::http::GuardedUrl;
use time::OffsetDateTime;

use super::{Algorithm, Jwks, KeySet, KeySetError, Refusal, Token, audience};

/// How far two clocks may be apart.
pub const SKEW_SECONDS: i64 = 60;

/// Longest life of a token unless the client is registered otherwise (SMART Backend Services, UDAP: 5 minutes).
pub const DEFAULT_LIFE_SECONDS: u32 = 300;

/// Longest life that can be registered (CDS Hooks' best practices: an hour).
pub const MAX_LIFE_SECONDS: u32 = 3600;

/// What an operator says about a client's tokens.
#[derive(Debug, Clone, Copy)]
pub struct ClientTrust<'a> {
    /// The only `iss` accepted.
    pub issuer: &'a str,
    /// Its public keys as the JSON of a JWK Set. When present nothing is fetched.
    pub jwks: Option<&'a [u8]>,
    /// Where they are published, and the only `jku` a token may name.
    pub jwks_url: Option<&'a GuardedUrl>,
    /// Values of `aud` accepted besides the called address.
    pub audiences: &'a [String],
    /// Names of accepted algorithms; none means ES384 and RS384.
    pub algorithms: &'a [String],
    /// Longest life of a token; [`DEFAULT_LIFE_SECONDS`] unless set.
    pub max_life_seconds: Option<u32>,
}

/// The same, checked and with its keys prepared: made once per change of the catalog, used for every call.
#[derive(Debug, Clone)]
pub struct ClientKeys {
    issuer: String,
    source: KeySource,
    key_location: Option<GuardedUrl>,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    max_life_seconds: i64,
}

#[derive(Debug, Clone)]
enum KeySource {
    Given(KeySet),
    Published(GuardedUrl),
}

/// What is wrong with a client's registration, and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustFault {
    /// No issuer.
    #[error("issuer: the value of `iss` in the client's tokens is needed")]
    Issuer,
    /// Neither keys nor their location.
    #[error("jwks or jwksUrl: the client's public keys, or the URL that publishes them, are needed")]
    Keys,
    /// The given keys cannot be used.
    #[error("jwks: {0}")]
    KeySet(#[from] KeySetError),
    /// An unknown or forbidden algorithm.
    #[error("algorithms: only ES256, ES384, ES512, RS256 to RS512 and PS256 to PS512 can be accepted")]
    Algorithm,
    /// A life of 0 or of more than an hour.
    #[error("maxLifeSeconds: from 1 to {MAX_LIFE_SECONDS}")]
    Life,
}

/// A caller who proved to be the client. Only a [`Verifier`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Who signed.
    pub iss: String,
    /// The nonce: to be spent with [`super::Replay`] before anything is done for the caller.
    pub jti: String,
    /// Until when the nonce has to be remembered.
    pub exp: OffsetDateTime,
    /// The opaque organisation id, if the client sends one.
    pub tenant: Option<String>,
}

/// Decides about tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Verifier {
    jwks: Jwks,
}

impl ClientKeys {
    /// Checks a registration and prepares its keys.
    ///
    /// # Errors
    /// The first [`TrustFault`].
    pub fn new(trust: ClientTrust<'_>) -> Result<Self, TrustFault> {
        let max_life_seconds = trust.max_life_seconds.unwrap_or(DEFAULT_LIFE_SECONDS);
        if trust.issuer.is_empty() {
            return Err(TrustFault::Issuer);
        }
        if !(1..=MAX_LIFE_SECONDS).contains(&max_life_seconds) {
            return Err(TrustFault::Life);
        }
        Ok(Self {
            issuer: trust.issuer.to_owned(),
            source: KeySource::new(trust)?,
            key_location: trust.jwks_url.cloned(),
            audiences: trust.audiences.to_vec(),
            algorithms: algorithms(trust.algorithms)?,
            max_life_seconds: i64::from(max_life_seconds),
        })
    }

    /// The registered `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl KeySource {
    fn new(trust: ClientTrust<'_>) -> Result<Self, TrustFault> {
        match (trust.jwks, trust.jwks_url) {
            (Some(json), _) => Ok(Self::Given(KeySet::parse(json)?)),
            (None, Some(url)) => Ok(Self::Published(url.clone())),
            (None, None) => Err(TrustFault::Keys),
        }
    }
}

impl Verifier {
    /// A verifier that fetches published keys through `jwks`.
    pub fn new(jwks: Jwks) -> Self {
        Self { jwks }
    }

    /// Verifies a token against what is registered for the client.
    ///
    /// `called` are the full URLs of the endpoint that was called, as the client knows it: usually one; for feedback
    /// both the service's URL and its `/feedback` (item 54).
    ///
    /// # Errors
    /// The first [`Refusal`]. No key is fetched for a token that is refused by its text.
    pub async fn verify(
        &self,
        token: &Token<'_>,
        client: &ClientKeys,
        called: &[&str],
        now: OffsetDateTime,
    ) -> Result<Verified, Refusal> {
        client.judge(token, called)?;
        client.judge_times(token, now.unix_timestamp())?;
        self.judge_signature(token, client, now).await?;
        token.verified()
    }

    async fn judge_signature(
        &self,
        token: &Token<'_>,
        client: &ClientKeys,
        now: OffsetDateTime,
    ) -> Result<(), Refusal> {
        let (kid, algorithm) = (&token.header.kid, token.algorithm);
        let fetched;
        let keys = match &client.source {
            KeySource::Given(keys) => keys,
            KeySource::Published(url) => {
                fetched = self.jwks.keys(url, kid, algorithm, now).await?;
                &fetched
            }
        };
        let key = keys.find(kid, algorithm).ok_or(Refusal::UnknownKey)?;
        if key.verifies(token.signed.as_bytes(), &token.signature) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

impl ClientKeys {
    fn judge(&self, token: &Token<'_>, called: &[&str]) -> Result<(), Refusal> {
        if token.claims.issuer != self.issuer {
            return Err(Refusal::Issuer);
        }
        if !self.algorithms.contains(&token.algorithm) {
            return Err(Refusal::Algorithm);
        }
        if !self.knows_location(token.header.jku.as_deref()) {
            return Err(Refusal::KeyLocation);
        }
        if !audience::all_accepted(&token.claims.audiences, called, &self.audiences) {
            return Err(Refusal::Audience);
        }
        Ok(())
    }

    /// A `jku` is compared with the registered location as a URL, never called because a token says so (item 55).
    fn knows_location(&self, jku: Option<&str>) -> bool {
        let Some(jku) = jku else { return true };
        let registered = self.key_location.as_ref().map(GuardedUrl::as_str);
        registered == Some(jku) || url::Url::parse(jku).is_ok_and(|jku| registered == Some(jku.as_str()))
    }

    fn judge_times(&self, token: &Token<'_>, now: i64) -> Result<(), Refusal> {
        let claims = &token.claims;
        let starts = claims.not_before.map_or(claims.issued, |not_before| not_before.max(claims.issued));
        if now >= claims.expires + SKEW_SECONDS {
            return Err(Refusal::Expired { seconds: now - claims.expires });
        }
        if starts > now + SKEW_SECONDS {
            return Err(Refusal::FromTheFuture { seconds: starts - now });
        }
        let lives_on = claims.expires - now;
        if claims.expires - claims.issued > self.max_life_seconds || lives_on >= self.max_life_seconds + SKEW_SECONDS {
            return Err(Refusal::LifeTooLong { max_seconds: self.max_life_seconds });
        }
        Ok(())
    }
}

impl Token<'_> {
    fn verified(&self) -> Result<Verified, Refusal> {
        let claims = &self.claims;
        Ok(Verified {
            iss: claims.issuer.clone(),
            jti: claims.nonce.clone(),
            exp: OffsetDateTime::from_unix_timestamp(claims.expires).map_err(|_| Refusal::Claim("exp"))?,
            tenant: claims.tenant.clone(),
        })
    }
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, TrustFault> {
    if names.is_empty() {
        return Ok(Algorithm::RECOMMENDED.to_vec());
    }
    names.iter().map(|name| name.parse().map_err(|_| TrustFault::Algorithm)).collect()
}

#[cfg(test)]
mod tests;
