//! [`Vendor`]: a maker of AI services.

use serde::{Deserialize, Serialize};

use super::{hospital::Text, ids::VendorId};

/// A maker of AI services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vendor {
    /// Its id.
    pub id: VendorId,
    /// Its name.
    pub name: Text,
    /// Whom to ask.
    pub contact: Contact,
}

/// Whom to ask about something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// A person or a desk.
    pub name: String,
    /// Where mail reaches them.
    pub email: String,
    /// Where a call reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telephone: Option<String>,
}
