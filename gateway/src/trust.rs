//! Who is calling, and how vendors know that it is us: the JWTs of CDS Hooks in both directions.
//!
//! "Trusting CDS Clients" (CDS Hooks 2.0, items 51-58): every call of an EHR, discovery too, carries a JWT signed by
//! that EHR for exactly the address it calls. [`Token`] reads it once and believes nothing; [`Verifier`] decides with
//! [`ClientKeys`], which hold all that is known about the client beforehand; [`Replay`] makes it good for one call.
//! The EHR's token ends here: for each vendor the [`Keyring`] signs a new one.
//!
//! Keys are parsed when they arrive, never per call, and nothing here reads a clock.

mod algorithm;
mod audience;
mod claims;
mod clients;
mod job_token;
mod jwk;
pub mod jwks;
pub mod jwt;
pub mod keys;
mod logins;
mod recipient;
mod refusal;
pub mod replay;
mod secret;
#[cfg(test)]
mod testing;
mod token;

pub use algorithm::Algorithm;
pub use clients::Clients;
pub(crate) use job_token::JobToken;
pub use jwk::{KeySet, KeySetError};
pub use jwks::Jwks;
pub use jwt::{ClientKeys, ClientTrust, TrustFault, Verified, Verifier};
pub use keys::{Issuer, Keyring, KeyringError};
pub use logins::{LoginError, Logins};
pub use recipient::Recipient;
pub use refusal::Refusal;
pub use replay::Replay;
pub use secret::{Secret, SecretError};
pub use token::Token;
