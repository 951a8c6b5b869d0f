//! `allergyintolerance-create`: the user is adding an allergy or intolerance to the record.
//!
//! The STU3 and DSTU2 examples of the hook's page say `allergyIntolerances`, the table says `allergyIntolerance`.

use super::{Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "allergyintolerance-create",
    version: "0.1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(&["Practitioner"])),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("allergyIntolerance", Kind::Resource(&["AllergyIntolerance"])).aliases(&["allergyIntolerances"]),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-003",
  "allergyIntolerance": {
    "resourceType": "AllergyIntolerance",
    "id": "alg-1",
    "code": {"text": "ペニシリン系"},
    "patient": {"reference": "Patient/synthetic-003"}
  }
}"#;
