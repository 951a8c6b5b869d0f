//! [`Vendor`]: a maker of AI services.

use medvan_profiles::descriptor::{Contact, Words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::VendorId;

/// A maker of AI services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vendor {
    /// Its id.
    pub id: VendorId,
    /// Its name.
    #[schema(value_type = crate::api::shape::Words)]
    pub name: Words,
    /// Whom to ask.
    #[schema(value_type = crate::api::shape::Contact)]
    pub contact: Contact,
}
