//! `encounter-start`: a new encounter begins (arrival, triage, admission). May fire several times for one encounter.

use super::{Hook, Kind, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "encounter-start",
    version: "1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[field("userId", Kind::User(STAFF)), field("patientId", Kind::Id), field("encounterId", Kind::Id)],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/nurse-05",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041"
}"#;
