//! `order-review`: deprecated, replaced by `order-sign`; senders of version 1.0 still fire it.

use super::{Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "order-review",
    version: "1.0",
    maturity: 3,
    replaced_by: Some("order-sign"),
    fields: &[
        field("userId", Kind::User(&["Practitioner"])),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("orders", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-001",
  "encounterId": "enc-2041",
  "orders": {
    "resourceType": "Bundle",
    "entry": [{
      "resource": {
        "resourceType": "NutritionOrder",
        "id": "diet-1",
        "status": "draft",
        "patient": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
