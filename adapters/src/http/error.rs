//! What can go wrong between a request and its answer. No text here repeats a URL, a header or a body.

use std::error::Error;

use super::{UrlRefused, resolver::AddressRefused};

/// The client could not be built; a matter of configuration at start.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct ClientError(#[source] pub(super) reqwest::Error);

/// A request without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL's text is not allowed.
    #[error("the address is not allowed: {0}")]
    Url(#[from] UrlRefused),
    /// The name leads to an address that is not allowed, or the answer came from one.
    #[error("the name leads to an address that the gateway does not call")]
    Address,
    /// No complete answer in time.
    #[error("no complete answer in time")]
    Timeout,
    /// No connection: unknown name, nobody listening, TLS refused.
    #[error("no connection")]
    Unreachable,
    /// The connection ended, or what came was not HTTP.
    #[error("the connection broke off")]
    Broken,
    /// More bytes than allowed, as sent or after decompression.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit of the request.
        limit: usize,
    },
    /// Compressed in a way that was not asked for, or badly.
    #[error("the answer is compressed in a way that cannot be read")]
    Encoding,
}

impl FetchError {
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        if has_cause::<AddressRefused>(error) {
            Self::Address
        } else if error.is_timeout() && !error.is_connect() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Unreachable
        } else {
            Self::Broken
        }
    }
}

fn has_cause<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    error.is::<T>() || error.source().is_some_and(has_cause::<T>)
}
