//! `/viewer/hospitals/{hospital}/…`: what the pages tell of AI services' work: the jobs, and which series a service gets and why. It is
//! what the management API tells, for whoever sits at this machine; nothing can be changed here.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
};
use serde::Deserialize;

use super::this_machine::{NoViewer, ThisMachine};
use crate::{
    App,
    api::{self, Api, Asked, At, JobSearch, JobView, JobsInView, Listed, MatchingView, problem::Problem},
    catalog::HospitalId,
};

/// Proof: the path names a hospital that is open to this machine ([`ThisMachine::hospitals`]).
pub(super) struct OpenHospital {
    api: Api,
    id: HospitalId,
}

#[derive(Deserialize)]
struct Named {
    hospital: HospitalId,
}

impl FromRequestParts<App> for OpenHospital {
    type Rejection = NoViewer;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoViewer> {
        let ThisMachine(app) = ThisMachine::from_request_parts(parts, app).await?;
        let Path(Named { hospital: id }) = Path::from_request_parts(parts, &app).await.map_err(|_| NoViewer)?;
        let snapshot = app.catalog.current();
        let is_open = ThisMachine::hospitals(&snapshot).iter().any(|view| view.hospital.id == id);
        if is_open { Ok(Self { api: app.api(), id }) } else { Err(NoViewer) }
    }
}

/// `GET /viewer/hospitals/{hospital}/jobs`
pub(super) async fn jobs(
    OpenHospital { api, id }: OpenHospital,
    search: Asked<JobSearch>,
) -> Result<Json<Listed<JobView>>, Problem> {
    api::jobs(State(api), At(id), search).await
}

/// `GET /viewer/hospitals/{hospital}/jobs/summary`
pub(super) async fn summary(OpenHospital { api, id }: OpenHospital) -> Result<Json<Vec<JobsInView>>, Problem> {
    api::jobs_in_states(State(api), At(id)).await
}

/// `GET /viewer/hospitals/{hospital}/studies/{study}/matching`
pub(super) async fn matching(
    OpenHospital { api, id }: OpenHospital,
    Path((_, study)): Path<(String, String)>,
) -> Result<Json<MatchingView>, Problem> {
    api::matching(State(api), At((id, study))).await
}
