//! From study to evidence, as types and rules: which series a service needs, what it found, and what becomes of that.
//!
//! Beside `medvan-hooks`: that crate knows the work that an EHR asks for, this one the work on images. Pure: no socket, no
//! clock, no disk. The gateway brings what is stored, an adapter brings what a service answered.

pub mod completeness;
pub mod disagreement;
pub mod evidence;
pub mod fhir;
pub mod finding;
pub mod gate;
pub mod inference;
pub mod inputs;
pub mod matching;
pub mod projection;
