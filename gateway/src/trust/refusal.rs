//! [`Refusal`]: why a call was not let in. The caller gets a bare 401; this is for the operator's log and metrics.

/// Why a token was refused. No text repeats anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not three base64url parts holding JSON objects, a duplicate member, or far too long.
    #[error("the token is not a well-formed JWT")]
    Malformed,
    /// `typ` is not `JWT`.
    #[error("the header's typ is not JWT")]
    Type,
    /// `crit` names something that must be understood; nothing is.
    #[error("the header has critical extensions")]
    Critical,
    /// `alg` is none, symmetric, unknown, or not registered for this client.
    #[error("the algorithm is not accepted for this client: register ES384 or RS384")]
    Algorithm,
    /// `jku` is not the key location registered for this client. It was not called.
    #[error("the header's jku is not the registered key location")]
    KeyLocation,
    /// A claim is missing or of the wrong type.
    #[error("the claim {0} is missing or of the wrong type")]
    Claim(&'static str),
    /// `iss` is not this client's.
    #[error("the issuer is not registered here")]
    Issuer,
    /// `aud` is not the called address, or names others besides.
    #[error("the audience is not (only) the called address: it must be the full URL of the endpoint")]
    Audience,
    /// `exp` has passed.
    #[error("the token expired {seconds} s ago: is the sender's clock right?")]
    Expired {
        /// Seconds between `exp` and now.
        seconds: i64,
    },
    /// `iat` or `nbf` lies ahead by more than the tolerated skew.
    #[error("the token is from {seconds} s ahead: is the sender's clock right?")]
    FromTheFuture {
        /// Seconds between now and the later of `iat` and `nbf`.
        seconds: i64,
    },
    /// Longer life than this client may use.
    #[error("the token lives longer than the {max_seconds} s this client may use")]
    LifeTooLong {
        /// The limit.
        max_seconds: i64,
    },
    /// The keys of this client could not be had.
    #[error("the keys of this client could not be fetched")]
    KeysUnavailable,
    /// No key with this `kid` for this `alg`.
    #[error("no key of this client has the token's kid and alg")]
    UnknownKey,
    /// The signature is not by that key.
    #[error("the signature is wrong")]
    Signature,
    /// The `jti` was used before.
    #[error("the token was used before")]
    Replayed,
}

impl Refusal {
    /// A short name for a metric's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Type => "type",
            Self::Critical => "critical",
            Self::Algorithm => "algorithm",
            Self::KeyLocation => "key_location",
            Self::Claim(_) => "claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired { .. } => "expired",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::LifeTooLong { .. } => "life_too_long",
            Self::KeysUnavailable => "keys_unavailable",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Replayed => "replayed",
        }
    }
}
