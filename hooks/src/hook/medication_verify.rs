//! `medication-verify`: a pharmacist verifies an active medication order before it is dispensed.
//!
//! The table of the hook's page says `medication`, its examples say `order`.

use super::{Hook, Kind, Need, STAFF, field};

pub(super) static HOOK: Hook = Hook {
    name: "medication-verify",
    version: "0.1.0",
    maturity: 1,
    replaced_by: None,
    fields: &[
        field("userId", Kind::User(STAFF)),
        field("patientId", Kind::Id),
        field("encounterId", Kind::Id).need(Need::Optional),
        field("medication", Kind::Resource(&["MedicationRequest", "MedicationOrder"])).aliases(&["order"]),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "userId": "PractitionerRole/role-yakuzai-02",
  "patientId": "synthetic-001",
  "medication": {
    "resourceType": "MedicationRequest",
    "id": "mr-31",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "メトホルミン塩酸塩錠　２５０ｍｇ"},
    "subject": {"reference": "Patient/synthetic-001"}
  }
}"#;
