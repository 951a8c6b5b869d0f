//! CDS Hooks 2.0.1 with the additions of the 3.0 ballot, as types and rules.
//!
//! Pure: no socket, no clock, no disk. The gateway stands on both sides of the standard: it is the *CDS Service* that an
//! EHR calls, and the *CDS Client* that calls the AI services. Both roles share these types.
//!
//! | subject | module |
//! |---|---|
//! | the published hooks and their context schemas | [`hook`] |
//! | a call: read strictly from an EHR, written exactly for a vendor | [`request`] |
//! | the definitions of services, and what changed between two versions of them | [`discovery`] |
//! | prefetch templates, their tokens and the FHIR queries that come of them | [`template`] |
//! | cards, suggestions, actions, links | [`card`], [`response`] |
//! | vendors' answers made to obey the standard | [`firewall`], [`markdown`] |
//! | why users don't follow a card | [`override_reason`] |
//! | many answers made one | [`merge`] |
//! | what EHRs make of the standard | [`dialect`] |
//! | what users did with cards | [`feedback`] |
//! | answers that are compared and never shown | [`shadow`] |
//! | one plan for all services of a call: each query once, each service its own keys | [`plan`] |

pub mod card;
pub mod context;
pub mod dialect;
pub mod discovery;
pub mod feedback;
pub mod firewall;
pub mod hook;
pub mod markdown;
pub mod merge;
mod named;
pub mod override_reason;
pub mod plan;
pub mod prefetch;
pub mod request;
pub mod response;
pub mod shadow;
#[cfg(test)]
mod standard;
pub mod template;

pub use context::Warning;
pub use hook::Hook;
pub use prefetch::PrefetchState;
pub use request::{FhirAuthorization, Outgoing, Request, RequestError};
