//! `appointment-book`: the user is booking one or more future appointments for the patient.

use super::{ANYONE, Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "appointment-book",
    version: "1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(ANYONE)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("appointments", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "RelatedPerson/family-3",
  "patientId": "synthetic-002",
  "appointments": {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{
      "resource": {
        "resourceType": "Appointment",
        "id": "apt-1",
        "status": "proposed",
        "participant": [{"actor": {"reference": "Patient/synthetic-002"}, "status": "accepted"}]
      }
    }]
  }
}"#;
