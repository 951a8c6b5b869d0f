//! Names that one vendor may know and another may not connect: keyed hashes of the hospital's own.
//!
//! A vendor sees the same `hookInstance` when a call is retried, and the same `tenant` for the same hospital; two
//! vendors who compare notes see nothing in common (CDS Hooks item 13, security checks section 3.1).

use aws_lc_rs::hmac;
use medvan_hooks::request::Request;
use uuid::Uuid;

use super::caller::CdsClient;
use crate::{
    catalog::{HospitalId, VendorId},
    trust::Secret,
};

/// The `hookInstance` that this vendor gets for the event.
pub(crate) fn hook_instance(secret: &Secret, caller: &CdsClient, request: &Request, vendor: &VendorId) -> Uuid {
    let parts = ["hookInstance", vendor.as_str(), caller.hospital_id().as_str(), &request.hook_instance];
    uuid(&secret.tag(&parts))
}

/// The `tenant` claim that this vendor gets for the hospital.
pub(crate) fn tenant(secret: &Secret, hospital: &HospitalId, vendor: &VendorId) -> String {
    uuid(&secret.tag(&["tenant", vendor.as_str(), hospital.as_str()])).to_string()
}

/// A UUID of the tag's first half, with the version and variant of a random one.
fn uuid(tag: &hmac::Tag) -> Uuid {
    let mut half = [0; 16];
    half.copy_from_slice(&tag.as_ref()[..16]);
    uuid::Builder::from_random_bytes(half).into_uuid()
}
