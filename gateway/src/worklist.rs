//! What holds for workitems by whichever door they are asked about: UPS-RS ([`crate::dicomweb`]) or DIMSE ([`crate::dimse`]).

use medvan_imaging::Uid;
use uuid::Uuid;

use crate::{
    App,
    store::{WorkitemBounds, WorkitemRoom},
};

/// Bytes of a workitem, or of what is changed of one, as they come.
pub(crate) const LARGEST: usize = 1 << 20;
/// The Worklist Label of those that come without one.
pub(crate) const LABEL: &str = "MEDVAN";
/// Bytes of workitems that one search looks at: reading them takes one of the few connections to the index.
pub(crate) const LOOKED_AT: usize = 64 << 20;
/// Bytes of those that it gives.
const GIVEN: usize = 16 << 20;

/// How many workitems systems of a hospital may have.
pub(crate) fn room(app: &App) -> WorkitemRoom {
    let limits = &app.config.limits;
    WorkitemRoom { workitems: limits.workitems_per_hospital, bytes: limits.workitem_bytes_per_hospital }
}

/// How much a search for so many may take.
pub(crate) fn bounds(most: usize) -> WorkitemBounds {
    WorkitemBounds { most, kept: GIVEN, looked_at: LOOKED_AT }
}

/// A UID that nobody has (PS3.5 §B.2).
pub(crate) fn fresh() -> Uid {
    Uid::from_uuid(Uuid::new_v4().as_u128())
}
