//! Which calls are one use. A retried call is counted once (design, section 2: metering by exchange, service and
//! version).
//!
//! `hookInstance` alone is no key: real senders repeat one constant (CDS Hooks item 13). The same client firing the
//! same hook with the same instance *and* the same context is a retry; the store keeps one row for such a key within
//! its window.

use medvan_hooks::request::Request;

use super::{caller::CdsClient, digest::Digest};

/// The key under which one call is counted at most once.
pub(crate) fn key(caller: &CdsClient, request: &Request) -> [u8; 32] {
    Digest::new()
        .text(caller.hospital_id().as_str())
        .text(caller.client().id.as_str())
        .text(&request.hook)
        .text(&request.hook_instance)
        .context(&request.context)
        .finish()
}
