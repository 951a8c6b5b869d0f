//! The guarded HTTP client: the only way out of MedVAN.
//!
//! An address that a vendor, an EHR or an operator wrote down is not followed before it is a [`GuardedUrl`], and the
//! connection goes to the very IP address that was checked (server-side request forgery, security check 21):
//!
//! 1. [`Guard::check`] looks at the text: scheme, user info, port, literal addresses in every spelling;
//! 2. the client's own resolver looks at *every* address a name resolves to, and one bad address refuses them all;
//!    the connection is made to these addresses and no others, so there is no second look-up to flip between;
//! 3. no redirect is followed and no proxy is used, as both would choose another address behind our back;
//! 4. the peer's address is compared once more when the answer arrives.
//!
//! The answer is bounded in time and in bytes, before and after decompression (checks 24, 27, 28).

mod address;
mod bearer;
mod body;
mod client;
mod error;
mod guard;
mod port;
mod resolver;

pub use address::Reach;
pub use bearer::{Bearer, NotAToken};
pub use client::{Body, Client, Request, Response, Settings};
pub use error::{ClientError, FetchError};
pub use guard::{AllowedHost, Guard, GuardedUrl, NotAHost, Profile, UrlRefused};
