//! What was odd in a call and taken all the same: for the record of the exchange and the sender's developers.

use std::{borrow::Cow, fmt};

/// Something odd in a call that was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// FHIRPath-like place in the request.
    pub place: Cow<'static, str>,
    /// What is odd there.
    pub oddity: Oddity,
}

impl Warning {
    pub(crate) fn new(place: impl Into<Cow<'static, str>>, oddity: Oddity) -> Self {
        Self { place: place.into(), oddity }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.oddity)
    }
}

/// What is odd, and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// The sender's identifier of the call is not a UUID.
    #[error("is not a UUID; taken as it is")]
    NotAUuid,
    /// Patient scopes and no patient (cds-r-2).
    #[error("should name the patient of the patient/ scopes")]
    PatientScopeWithoutPatient,
    /// A name from an example or an older version.
    #[error("was sent as \"{0}\"; renamed")]
    Alias(&'static str),
    /// A field that the sources do not agree to be required.
    #[error("should be sent; read as empty")]
    Missing,
    /// The user is of a type that the hook does not expect.
    #[error("is of a type that this hook does not expect")]
    UserType,
    /// A resource in an entry-like or Bundle wrapper, as in some of the standard's own examples.
    #[error("is wrapped; the table asks for the bare resource")]
    Wrapped,
    /// A reference to something that is not in the call.
    #[error("refers to something that is not in the context")]
    Dangling,
    /// A hook that later versions of the standard replaced.
    #[error("is deprecated; \"{0}\" replaces it")]
    Deprecated(&'static str),
}
