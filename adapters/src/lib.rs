//! How an AI service is called: one folder per way a service talks, and the guarded HTTP client under all of them.
//!
//! This is the only crate that opens a connection to an address somebody else wrote down: a vendor's descriptor, an
//! EHR's FHIR server, a JWKS location. Therefore [`http`] holds the address guard, the size and time limits and the
//! redaction, and nothing in MedVAN talks HTTP to the outside except through [`http::Client`].
//!
//! [`Advisor`] and [`Analyzer`] are the seams: hook in, cards out; images in, findings out. [`cds_hooks`] is a way to talk
//! behind the first, [`image_json`] behind the second; behind [`inference`] stands a bare model that knows tensors only, and
//! behind [`dicomweb`] a service that is given instances and gives objects, as an archive does.
//! [`breaker`] and [`concurrency`] keep one service's trouble from becoming everybody's.
//!
//! Nothing here reads a clock: moments and time limits come in with the call.

pub mod advisor;
pub mod analyzer;
pub mod breaker;
pub mod cds_hooks;
pub mod concurrency;
pub mod dicomweb;
pub mod http;
pub mod image_json;
pub mod inference;
mod json;

pub use advisor::{Advice, AdviseError, Advising, Advisor, Call, ErrorKind, Fault};
pub use analyzer::{Analysis, Analyzer, Analyzing, Work};

#[cfg(test)]
mod testing;
