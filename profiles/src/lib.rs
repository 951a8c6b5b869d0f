//! FHIR as lossless JSON with narrow views, and the descriptor of an AI service.
//!
//! Pure: no socket, no clock, no disk. Nothing in here re-serialises a foreign resource: bytes that came in
//! leave as they came ([`Json`]), and rules look at a parsed copy. Typed FHIR that *we* author lives in
//! `medvan-authoring`; CDS Hooks lives one floor up in `medvan-hooks`.

pub mod descriptor;
pub mod fhir;
pub mod identity;
pub mod json;

pub use descriptor::{Descriptor, Fault, Valid};
pub use json::{Json, JsonError, Limits};
