//! `medication-refill`: a refill request arrived, often asynchronously and without a user at the screen.

use super::{Hook, Kind, Need, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "medication-refill",
    version: "0.1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(STAFF)).need(Need::Optional),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("medications", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "patientId": "synthetic-001",
  "medications": {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{
      "resource": {
        "resourceType": "MedicationRequest",
        "id": "refill-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "アムロジピン錠　５ｍｇ"},
        "subject": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
