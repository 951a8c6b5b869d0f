//! Which calls are one use. A retried call is counted once (design, section 2: metering by exchange, service and
//! version).
//!
//! `hookInstance` alone is no key: real senders repeat one constant (CDS Hooks item 13). The same client firing the
//! same hook with the same instance *and* the same context is a retry; the store keeps one row for such a key within
//! its window.

use aws_lc_rs::digest;
use medvan_hooks::request::Request;

use super::caller::CdsClient;

/// The key under which one call is counted at most once.
pub(crate) fn key(caller: &CdsClient, request: &Request) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut part = |text: &str| {
        // Lengths first, so that no two lists of parts read the same.
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(caller.hospital_id().as_str());
    part(caller.client().id.as_str());
    part(&request.hook);
    part(&request.hook_instance);
    for (field, value) in &request.context {
        part(field);
        part(value.as_str());
    }
    let mut key = [0; 32];
    key.copy_from_slice(hash.finish().as_ref());
    key
}
