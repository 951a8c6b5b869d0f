//! The stage of the end-to-end tests: a gateway, a hospital with its EHR and FHIR server, and vendors, all over real
//! HTTP on loopback.
//!
//! ```text
//! let world = World::start().await;
//! let news2 = world.vendor("asagao").offers(services::early_warning).await;
//! world.ehr.fires("patient-view").on("hanako").at(&world.base(), "van-patient-view").await
//! ```
