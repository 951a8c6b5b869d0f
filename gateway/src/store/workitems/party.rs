//! [`Party`]: whose subscribers they are who hear of workitems.

use crate::catalog::{HospitalId, VendorId};

/// Whose subscribers hear: systems of a hospital of its own workitems, performers of a vendor of those that stand on its worklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party<'a> {
    /// A hospital's.
    Hospital(&'a HospitalId),
    /// A vendor's.
    Vendor(&'a VendorId),
}

impl Party<'_> {
    /// The party in the column `hospital` of subscribers and of what they are subscribed to and were not sent: no id has a slash.
    pub(super) fn key(self) -> String {
        match self {
            Self::Hospital(hospital) => hospital.to_string(),
            Self::Vendor(vendor) => format!("vendor/{vendor}"),
        }
    }
}

impl<'a> From<&'a HospitalId> for Party<'a> {
    fn from(hospital: &'a HospitalId) -> Self {
        Self::Hospital(hospital)
    }
}

impl<'a> From<&'a VendorId> for Party<'a> {
    fn from(vendor: &'a VendorId) -> Self {
        Self::Vendor(vendor)
    }
}
