//! [`Advisor`]: the seam to a service that takes a hook and gives cards, however it talks.
//!
//! What goes through it is bytes: the gateway has sliced and written the request, and it checks the answer, as a
//! vendor's answer is untrusted whatever brought it. An [`AdviseError`] answers three questions: what happened, whose
//! fault it is, and whether trying again may help.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;

use crate::http::{Bearer, FetchError};

/// A service that can be asked. Held as `Arc<dyn Advisor>`.
pub trait Advisor: fmt::Debug + Send + Sync {
    /// Asks once. Dropping the future ends the call.
    fn advise(&self, call: Call) -> Advising<'_>;
}

/// What [`Advisor::advise`] gives.
pub type Advising<'a> = Pin<Box<dyn Future<Output = Result<Advice, AdviseError>> + Send + 'a>>;

/// One question to one service. Its `Debug` shows sizes only.
pub struct Call {
    /// The request, written for this service.
    pub body: Bytes,
    /// The gateway's own token for this service; never the EHR's.
    pub bearer: Option<Bearer>,
    /// Time for everything until the last byte of the answer.
    pub timeout: Duration,
}

/// An answer that claims to be JSON and has the allowed size. Nothing else about it is known yet.
#[derive(Clone)]
pub struct Advice {
    /// The body as it came.
    pub body: Bytes,
}

/// No usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct AdviseError {
    /// What happened.
    pub kind: ErrorKind,
}

/// What happened instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// 412: the service lacks data that it needs (CDS Hooks item 25). It works; no card, no failure.
    #[error("the service lacks data that it needs")]
    NotEvaluable,
    /// No complete answer in time.
    #[error("no complete answer in time")]
    Timeout,
    /// No connection, or one that broke off.
    #[error("no connection, or one that broke off")]
    Unreachable,
    /// The service's address is not one that the gateway calls. Nothing was sent.
    #[error("the service's address is not one that the gateway calls")]
    Refused,
    /// Another status than 200 and 412; a redirect is one of these.
    #[error("status {0}")]
    Status(u16),
    /// More bytes than the service may answer with.
    #[error("the answer is too large")]
    TooLarge,
    /// 200 with something else than JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// An answer that is none of DICOMweb: no instances where instances were asked for, no list where a list was.
    #[error("the answer is not DICOMweb (PS3.18)")]
    NotDicom,
    /// Instances that were stored at the service were refused.
    #[error("the service did not store all instances")]
    NotStored,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody's: the service works and has nothing to say.
    Nobody,
    /// The service's, or its network's.
    Vendor,
    /// Ours: configuration, or a request that the service does not take.
    Gateway,
}

impl AdviseError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::NotEvaluable => Fault::Nobody,
            ErrorKind::Refused | ErrorKind::Status(400..=407 | 409..=428 | 430..=499) => Fault::Gateway,
            ErrorKind::Timeout
            | ErrorKind::Unreachable
            | ErrorKind::Status(_)
            | ErrorKind::TooLarge
            | ErrorKind::NotJson
            | ErrorKind::NotDicom
            | ErrorKind::NotStored => Fault::Vendor,
        }
    }

    /// Whether the same call may succeed a moment later.
    pub fn may_retry(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Status(408 | 425 | 429 | 500 | 502..=504))
    }

    /// Whether it says that the service is not working: what opens a [`crate::breaker::Breaker`]. A service that
    /// refuses a request works.
    pub fn is_failure(&self) -> bool {
        self.fault() == Fault::Vendor
    }
}

impl From<ErrorKind> for AdviseError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}

impl From<FetchError> for AdviseError {
    fn from(error: FetchError) -> Self {
        let kind = match error {
            FetchError::Timeout => ErrorKind::Timeout,
            FetchError::Unreachable | FetchError::Broken => ErrorKind::Unreachable,
            FetchError::Url(_) | FetchError::Address => ErrorKind::Refused,
            FetchError::TooLarge { .. } => ErrorKind::TooLarge,
            FetchError::Encoding => ErrorKind::NotJson,
        };
        kind.into()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} bytes)", self.body.len())
    }
}

impl fmt::Debug for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Advice({} bytes)", self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_whose_fault_it_is_and_what_helps() {
        let table = [
            (ErrorKind::NotEvaluable, Fault::Nobody, false),
            (ErrorKind::Timeout, Fault::Vendor, false),
            (ErrorKind::Unreachable, Fault::Vendor, true),
            (ErrorKind::Refused, Fault::Gateway, false),
            (ErrorKind::Status(302), Fault::Vendor, false),
            (ErrorKind::Status(400), Fault::Gateway, false),
            (ErrorKind::Status(401), Fault::Gateway, false),
            (ErrorKind::Status(408), Fault::Vendor, true),
            (ErrorKind::Status(422), Fault::Gateway, false),
            (ErrorKind::Status(429), Fault::Vendor, true),
            (ErrorKind::Status(500), Fault::Vendor, true),
            (ErrorKind::Status(501), Fault::Vendor, false),
            (ErrorKind::Status(503), Fault::Vendor, true),
            (ErrorKind::TooLarge, Fault::Vendor, false),
            (ErrorKind::NotJson, Fault::Vendor, false),
            (ErrorKind::NotDicom, Fault::Vendor, false),
            (ErrorKind::NotStored, Fault::Vendor, false),
        ];
        for (kind, fault, may_retry) in table {
            let error = AdviseError::from(kind);
            assert_eq!((error.fault(), error.may_retry()), (fault, may_retry), "{kind:?}");
        }
    }

    #[test]
    fn debug_shows_sizes_only() {
        let call = Call { body: "Yamada".into(), bearer: None, timeout: Duration::ZERO };
        assert_eq!(format!("{call:?} {:?}", Advice { body: "Yamada".into() }), "Call(6 bytes) Advice(6 bytes)");
    }
}
