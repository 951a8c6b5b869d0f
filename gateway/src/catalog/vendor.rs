//! [`Vendor`]: a maker of AI services.

use medvan_profiles::descriptor::{Contact, Words};
use serde::{Deserialize, Serialize};

use super::ids::VendorId;

/// A maker of AI services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vendor {
    /// Its id.
    pub id: VendorId,
    /// Its name.
    pub name: Words,
    /// Whom to ask.
    pub contact: Contact,
}
