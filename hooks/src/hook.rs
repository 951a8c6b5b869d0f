//! The published hooks: one file each, and the list of all of them.
//!
//! Source: HL7 cds-hooks-library (current build) and the two deprecated hooks of CDS Hooks 1.0. The context schemas are
//! data, because the rules of [`crate::context`] are the same for every hook. To add a hook: write its file, add it to
//! [`all`]; its `EXAMPLE` is read by a test.

use std::fmt;

mod allergyintolerance_create;
mod appointment_book;
mod encounter_discharge;
mod encounter_start;
mod medication_prescribe;
mod medication_refill;
mod medication_verify;
mod order_dispatch;
mod order_review;
mod order_select;
mod order_sign;
mod patient_view;
mod problem_list_item_create;

/// Every published hook, in alphabetical order of the current ones, then the deprecated ones.
pub fn all() -> &'static [&'static Hook] {
    ALL
}

static ALL: &[&Hook] = &[
    &allergyintolerance_create::HOOK,
    &appointment_book::HOOK,
    &encounter_discharge::HOOK,
    &encounter_start::HOOK,
    &medication_refill::HOOK,
    &medication_verify::HOOK,
    &order_dispatch::HOOK,
    &order_select::HOOK,
    &order_sign::HOOK,
    &patient_view::HOOK,
    &problem_list_item_create::HOOK,
    &medication_prescribe::HOOK,
    &order_review::HOOK,
];

/// One published hook with the schema of its context.
pub struct Hook {
    /// The name on the wire, `order-sign`.
    pub name: &'static str,
    /// `hookVersion` of the published definition.
    pub version: &'static str,
    /// Hook maturity, 0 (draft) to 6 (normative).
    pub maturity: u8,
    /// The hook that replaced this one, if it is deprecated.
    pub replaced_by: Option<&'static str>,
    /// The fields of `context`, in the order of the published table.
    pub fields: &'static [Field],
    /// A `context` object of a synthetic patient, as JSON text.
    pub example: &'static str,
}

impl Hook {
    /// The hook of that name, if it is a published one. Custom hooks have no schema and are not found.
    pub fn find(name: &str) -> Option<&'static Self> {
        all().iter().copied().find(|hook| hook.name == name)
    }

    /// The field of that name; aliases do not count.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({})", self.name)
    }
}

/// One field of a hook's context.
#[derive(Debug)]
pub struct Field {
    /// The name in the published table; the only one the gateway ever sends.
    pub name: &'static str,
    /// Names that published examples or older versions use for the same field; accepted with a warning.
    pub aliases: &'static [&'static str],
    /// What the value must be.
    pub kind: Kind,
    /// Whether the field must be there.
    pub need: Need,
    /// Whether the table says "Prefetch Token: Yes".
    pub token: bool,
}

/// Whether a context field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it the call is refused.
    Required,
    /// The sources contradict each other (table: required; requirement lists: optional): missed with a warning.
    Expected,
    /// May be left out.
    Optional,
}

/// What the value of a context field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A FHIR id.
    Id,
    /// `Type/id` of the current user; the types are the expected ones, another type is a warning.
    User(&'static [&'static str]),
    /// `Type/id`.
    Reference,
    /// An array of `Type/id`.
    References,
    /// One FHIR resource of one of these types: today's name first, then those of older FHIR versions.
    Resource(&'static [&'static str]),
    /// An array of FHIR resources of this type.
    Resources(&'static str),
    /// A FHIR Bundle. Its `type` is recommended to be `collection`, and some senders leave it out.
    Bundle,
}

/// Users who are staff.
const STAFF: &[&str] = &["Practitioner", "PractitionerRole"];
/// Users of the hooks that a patient or a proxy may fire too.
const ANYONE: &[&str] = &["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"];

const fn field(name: &'static str, kind: Kind) -> Field {
    let token = matches!(kind, Kind::Id | Kind::User(_) | Kind::Reference);
    Field { name, aliases: &[], kind, need: Need::Required, token }
}

impl Field {
    const fn need(mut self, need: Need) -> Self {
        self.need = need;
        self
    }

    const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn tokenized(mut self) -> Self {
        self.token = true;
        self
    }
}
