//! `/hospitals`

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api, deleted, faultless,
    input::{Asked, At, Listed, Paging, Posted},
    problem::{Kind, Problem},
    status_of,
};
use crate::{
    catalog::{Hospital, HospitalId, checks},
    store::PutHospital,
};

const IN_RECORDS: &str = "records of a hospital of this id are still kept and would be the new one's; \
                          take another id, or say ?again=true (medvan apply --again) if it is the same hospital";
const AE_TITLE_TAKEN: &str = "imaging.aeTitle is another hospital's: it says for which hospital an association is; \
                              take another one (この AE タイトルは他の病院が使用しています)";

/// Every hospital.
#[utoipa::path(get, path = "/hospitals", tag = "hospitals", params(Paging),
    responses((status = OK, description = "A page of hospitals", body = Listed<Hospital>)))]
pub(super) async fn list(
    State(api): State<Api>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Listed<Hospital>>, Problem> {
    let page = paging.page()?;
    let hospitals = api.store.hospitals(page).await?;
    Ok(Json(Listed::new(hospitals, page.limit, |hospital| hospital.id.to_string())))
}

/// One hospital.
#[utoipa::path(get, path = "/hospitals/{hospital}", tag = "hospitals", params(("hospital" = HospitalId, Path)),
    responses((status = OK, description = "The hospital", body = Hospital)))]
pub(super) async fn read(State(api): State<Api>, At(id): At<HospitalId>) -> Result<Json<Hospital>, Problem> {
    api.store.hospital(&id).await?.map(Json).ok_or_else(|| Problem::no_such("hospital"))
}

/// Whether it is the same hospital once more.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Again {
    /// `true`: the hospital of this id that was ended comes back, and its records are its own again.
    #[serde(default)]
    again: bool,
}

/// Make or change a hospital.
#[utoipa::path(put, path = "/hospitals/{hospital}", tag = "hospitals", params(("hospital" = HospitalId, Path), Again),
    request_body = Hospital, responses(
        (status = CREATED, description = "It is new", body = Hospital),
        (status = OK, description = "It was changed, or was so already", body = Hospital),
        (status = CONFLICT, description = "Records of a hospital of this id that was ended are still kept, or another \
         hospital has its AE title")))]
pub(super) async fn write(
    State(api): State<Api>,
    At(id): At<HospitalId>,
    Asked(Again { again }): Asked<Again>,
    Posted(hospital): Posted<Hospital>,
) -> Result<(StatusCode, Json<Hospital>), Problem> {
    let mut faults = checks::hospital(&hospital);
    faults.extend(checks::same_id("/id", id.as_str(), hospital.id.as_str()));
    faultless(faults)?;
    let written = match api.store.put_hospital(&hospital, again).await? {
        PutHospital::Written(written) => written,
        PutHospital::InRecords => return Err(Problem::new(Kind::Conflict, IN_RECORDS)),
        PutHospital::AeTitleTaken => return Err(Problem::new(Kind::Conflict, AE_TITLE_TAKEN)),
    };
    api.catalog.renew().await?;
    Ok((status_of(written), Json(hospital)))
}

/// End a hospital: its clients, enrolments and credentials end with it; its records stay.
#[utoipa::path(delete, path = "/hospitals/{hospital}", tag = "hospitals", params(("hospital" = HospitalId, Path)),
    responses((status = NO_CONTENT, description = "It is gone")))]
pub(super) async fn delete(State(api): State<Api>, At(id): At<HospitalId>) -> Result<StatusCode, Problem> {
    let there_was_one = api.store.delete_hospital(&id, api.clock.now()).await?;
    api.catalog.renew().await?;
    deleted(there_was_one, "hospital")
}
