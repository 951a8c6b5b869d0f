//! The catalog: who is connected, what is offered, what was approved, and who enrolled in what.
//!
//! The types here are the same for the management API, for `medvan apply` and for the store: their JSON is the
//! JSON of all three. [`Snapshot`] is what a call reads: everything of a hospital, resolved once after each change,
//! so that a call looks nothing up in the database. What is written lives in [`crate::store`].

pub mod address;
pub mod checks;
pub mod client;
pub mod enrollment;
pub mod handle;
pub mod hospital;
pub mod ids;
pub mod imaging;
pub mod lifecycle;
pub mod snapshot;
pub mod vendor;
pub mod version;

pub use client::{Authentication, Client, JwtAuthentication};
pub use enrollment::{Enrollment, ImageTerms, Mode, Priority};
pub use handle::Catalog;
pub use hospital::{Hospital, MissedHook, SystemActionRule};
pub use ids::{ClientId, HospitalId, ServiceId, ServiceName, VendorId, VersionNumber};
pub use imaging::{Completeness, HospitalImaging, Node, OnConflict, PriorArchive, PriorSource, Retrieve, WebSystem};
pub use lifecycle::{Move, State};
pub use snapshot::{Acceptance, Contents, HospitalView, ImageMember, Member, Offer, Snapshot};
pub use vendor::Vendor;
pub use version::Version;
