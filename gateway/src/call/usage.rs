//! Which calls are one use. A retried call is counted once (design, section 2: metering by exchange, service and
//! version).
//!
//! `hookInstance` alone is no key: real senders repeat one constant (CDS Hooks item 13). The same client firing the
//! same hook with the same instance *and* the same context is a retry; the store keeps one row for such a key within
//! its window.

use medvan_hooks::request::Request;

use super::caller::CdsClient;
use crate::{catalog::Member, store::UsageRow, trust::Secret};

/// The key under which one call is counted at most once.
///
/// It is stored, and a context may hold little more than a patient's id: without the gateway's secret nobody can try
/// out which patient it was.
pub(crate) fn key(secret: &Secret, caller: &CdsClient, request: &Request) -> [u8; 32] {
    let mut parts = vec![
        "usage",
        caller.hospital_id().as_str(),
        caller.client().id.as_str(),
        request.hook.as_str(),
        request.hook_instance.as_str(),
    ];
    parts.extend(context(request));
    let mut key = [0; 32];
    key.copy_from_slice(secret.tag(&parts).as_ref());
    key
}

/// One use of a service: it answered, in the light or in the shadow.
pub(super) fn row(member: &Member, key: [u8; 32]) -> UsageRow {
    UsageRow { key, service: member.name.clone(), version: member.version.clone(), mode: member.mode.word() }
}

/// Everything in a hook's context: user, patient, encounter, orders, as it was sent.
pub(super) fn context(request: &Request) -> impl Iterator<Item = &str> {
    request.context.iter().flat_map(|(field, value)| [field.as_str(), value.as_str()])
}
