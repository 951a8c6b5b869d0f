//! `patient-view`: the user has opened the record of a patient. Typically fires once per opening.

use super::{ANYONE, Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "patient-view",
    version: "1.0",
    maturity: 5,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(ANYONE)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "PractitionerRole/role-naika-01",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041"
}"#;
