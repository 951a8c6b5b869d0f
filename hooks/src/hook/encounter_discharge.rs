//! `encounter-discharge`: the patient is being discharged, usually from an inpatient encounter.

use super::{Hook, Kind, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "encounter-discharge",
    version: "1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[field("userId", Kind::User(STAFF)), field("patientId", Kind::Id), field("encounterId", Kind::Id)],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "PractitionerRole/role-naika-01",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041"
}"#;
