//! What we author is FHIR, and what typed reading loses is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod guard;
mod operation_outcome;
mod results;
