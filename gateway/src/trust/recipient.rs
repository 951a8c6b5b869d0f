//! [`Recipient`]: what a vendor expects of the tokens that it gets from us.

use medvan_profiles::descriptor::transport::{Authentication, SigningAlgorithm, Transport};

use super::Algorithm;

/// Whom a token is for, and how it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The claim `aud`.
    pub audience: String,
    /// The header `alg`.
    pub algorithm: Algorithm,
}

impl Recipient {
    /// Who reads tokens at this URL of a service; nobody where the service checks nothing. The audience is the URL
    /// that is called (CDS Hooks 2.0.1, "Trusting CDS Clients"), unless the vendor registered another.
    pub fn of(transport: &Transport, url: &str) -> Option<Self> {
        let algorithm = match transport.signing_algorithm {
            SigningAlgorithm::Es384 => Algorithm::Es384,
            SigningAlgorithm::Rs384 => Algorithm::Rs384,
        };
        let audience = || transport.audience.clone().unwrap_or_else(|| url.to_owned());
        (transport.authentication == Authentication::Jwt).then(|| Self { audience: audience(), algorithm })
    }
}
