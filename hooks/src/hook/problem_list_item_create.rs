//! `problem-list-item-create`: the user has added problems to the patient's problem list.

use super::{Hook, Kind, Need, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "problem-list-item-create",
    version: "0.1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(STAFF)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("conditions", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041",
  "conditions": {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{
      "resource": {
        "resourceType": "Condition",
        "id": "cond-5",
        "category": [{"coding": [{"code": "problem-list-item"}]}],
        "code": {"text": "慢性腎臓病"},
        "subject": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
