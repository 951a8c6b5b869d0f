//! `order-dispatch`: a performer is being chosen for an order that exists already.
//!
//! Fires from back offices too, so there is no `userId`. The published example writes `fulfillment-tasks` (version 1.0 of
//! the hook also `dispatched-orders`); the table's names are the ones sent on. `dispatchedOrders` is an array and yet marked
//! as a prefetch token: its members are joined by commas.

use super::{Hook, Kind, Need, field};

pub(super) static HOOK: Hook = Hook {
    name: "order-dispatch",
    version: "1.1",
    maturity: 0,
    replaced_by: None,
    fields: &[
        field("patientId", Kind::Id),
        field("dispatchedOrders", Kind::References).aliases(&["dispatched-orders"]).tokenized(),
        field("performer", Kind::Reference),
        field("fulfillmentTasks", Kind::Resources("Task")).need(Need::Optional).aliases(&["fulfillment-tasks"]),
    ],
    example: EXAMPLE,
};

const EXAMPLE: &str = r#"{
  "patientId": "synthetic-001",
  "dispatchedOrders": ["ServiceRequest/sr-88"],
  "performer": "Organization/kensa-center",
  "fulfillmentTasks": [{
    "resourceType": "Task",
    "status": "draft",
    "intent": "order",
    "focus": {"reference": "ServiceRequest/sr-88"},
    "for": {"reference": "Patient/synthetic-001"}
  }]
}"#;
