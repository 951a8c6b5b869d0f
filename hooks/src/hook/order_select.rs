//! `order-select`: the user has just chosen one or more orders (a medication, a test), before the details are filled in.
//!
//! The hook's page says `selections` is required, the requirement lists say optional: missed with a warning, and read as
//! an empty selection.

use super::{Hook, Kind, Need, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "order-select",
    version: "1.0",
    maturity: 4,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(STAFF)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("selections", Kind::References).need(Need::Expected),
        field("draftOrders", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041",
  "selections": ["MedicationRequest/draft-1"],
  "draftOrders": {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{
      "resource": {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "ワルファリンカリウム錠　１ｍｇ"},
        "subject": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
