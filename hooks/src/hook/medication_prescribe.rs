//! `medication-prescribe`: deprecated, replaced by `order-select` and `order-sign`; senders of version 1.0 still fire it.

use super::{Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "medication-prescribe",
    version: "1.0",
    maturity: 2,
    replaced_by: Some("order-sign"),
    fields: &[
        field("userId", Kind::User(&["Practitioner"])),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("medications", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-001",
  "medications": {
    "resourceType": "Bundle",
    "entry": [{
      "resource": {
        "resourceType": "MedicationRequest",
        "id": "draft-2",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "クラリスロマイシン錠　２００ｍｇ"},
        "subject": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
