//! [`Algorithm`]: the signature algorithms of RFC 7518 that a client may be registered with.
//!
//! Neither `none` nor any HMAC can be named (CDS Hooks 2.0, "JWT Signing Algorithm", SHALL NOT twice): a name that is
//! not in this list is refused before anything else about a token is looked at.

use std::str::FromStr;

use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, RsaParameters};

/// One asymmetric signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// ECDSA over P-384 with SHA-384: recommended by CDS Hooks, and what this gateway signs with.
    Es384,
    /// ECDSA over P-521 with SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384: recommended by CDS Hooks.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
}

/// How signatures of an algorithm are verified.
pub(super) enum Scheme {
    Ec { curve: &'static str, coordinate: usize, verification: &'static EcdsaVerificationAlgorithm },
    Rsa(&'static RsaParameters),
}

/// A name that is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an asymmetric signature algorithm of RFC 7518 that is known here")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// What CDS Hooks recommends, and what is accepted unless a client is registered otherwise.
    pub const RECOMMENDED: &'static [Self] = &[Self::Es384, Self::Rs384];

    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
    ];

    /// The value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    pub(super) fn scheme(self) -> Scheme {
        match self {
            Self::Es256 => ec("P-256", 32, &signature::ECDSA_P256_SHA256_FIXED),
            Self::Es384 => ec("P-384", 48, &signature::ECDSA_P384_SHA384_FIXED),
            Self::Es512 => ec("P-521", 66, &signature::ECDSA_P521_SHA512_FIXED),
            Self::Rs256 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name).ok_or(UnknownAlgorithm)
    }
}

fn ec(curve: &'static str, coordinate: usize, verification: &'static EcdsaVerificationAlgorithm) -> Scheme {
    Scheme::Ec { curve, coordinate, verification }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
        }
    }

    #[test]
    fn none_and_hmac_have_no_name_in_any_spelling() {
        for name in ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "hs256", "es384", "ES384 ", "EdDSA"]
        {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }
}
