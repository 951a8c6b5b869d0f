//! What we author is FHIR, and what typed reading loses is told.

mod guard;
mod operation_outcome;
