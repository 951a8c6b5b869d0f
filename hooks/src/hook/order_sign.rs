//! `order-sign`: the user is about to sign orders. The last moment to say something before an order becomes active.

use super::{Hook, Kind, Need, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "order-sign",
    version: "1.0",
    maturity: 5,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(STAFF)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("draftOrders", Kind::Bundle),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "Practitioner/dr-naika-01",
  "patientId": "synthetic-001",
  "draftOrders": {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{
      "resource": {
        "resourceType": "ServiceRequest",
        "id": "draft-7",
        "status": "draft",
        "intent": "order",
        "code": {"text": "造影CT　胸部"},
        "subject": {"reference": "Patient/synthetic-001"}
      }
    }]
  }
}"#;
