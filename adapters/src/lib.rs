//! How an AI service is called: one folder per way a service talks, and the guarded HTTP client under all of them.
//!
//! This is the only crate that opens a connection to an address somebody else wrote down: a vendor's descriptor, an
//! EHR's FHIR server, a JWKS location. Therefore [`http`] holds the address guard, the size and time limits and the
//! redaction, and nothing in MedVAN talks HTTP to the outside except through [`http::Client`].
//!
//! Nothing here reads a clock: moments and time limits come in with the call.

pub mod http;

#[cfg(test)]
mod testing;
